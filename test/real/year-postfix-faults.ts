/**
 * Faults of a year on the side of Postfix, as data: main.cf, master.cf, the networks that it trusts, and its other instances.
 */
import type { Fault } from './year-faults.ts';
import { GOOD, MAP } from './year-host.ts';

/** The map is named nowhere. */
export const WITHOUT = `postconf -X smtpd_recipient_restrictions
  relays 'permit_mynetworks, reject_unauth_destination'`;

const CHECK = `check_client_access ${MAP}`;

const relays = (list: string): string => `relays '${list}'`;
const trusts = (networks: string): string =>
  `postconf -e 'mynetworks = ${networks}'; postfix reload`;

export const RESTRICTION_FAULTS: readonly Fault[] = [
  {
    name: 'main.cf does not name the map',
    seed: relays('permit_mynetworks, reject_unauth_destination'),
    expected: [
      ['restrictions', 'error', /main\.cf does not name lmdb:/],
      ['relay', 'error', /may not relay although the map has a row/],
    ],
  },
  {
    name: 'the map behind what refuses',
    seed: relays(`permit_mynetworks, reject_unauth_destination, ${CHECK}`),
    expected: [
      ['restrictions', 'error', /refuses its addresses before lmdb:/],
      ['relay', 'error', /may not relay although the map has a row/],
    ],
  },
  {
    name: 'the map with its suffix',
    seed: relays(GOOD.replace(MAP, `${MAP}.lmdb`)),
    expected: [
      ['restrictions', 'error', /Postfix adds \.lmdb itself/],
      ['relay', 'error', /Postfix defers all mail/],
    ],
  },
  {
    name: 'the map asked for senders',
    seed: relays(GOOD.replace('check_client_access', 'check_sender_access')),
    expected: [
      ['restrictions', 'error', /for the sender/],
      ['relay', 'error', /may not relay although the map has a row/],
    ],
  },
  {
    name: 'a table in front that permits everybody',
    seed: `printf '0.0.0.0/0 OK\\n' > /etc/postfix/all; ${relays(`check_client_access cidr:/etc/postfix/all, ${GOOD}`)}`,
    expected: [['relay', 'error', /strangers may relay/]],
    act: { words: /look at what stands before it/, script: relays(GOOD) },
  },
  {
    name: 'a table that is not there',
    seed: relays(`check_client_access lmdb:/etc/postfix/none, ${GOOD}`),
    expected: [
      ['restrictions', 'error', /there is no \/etc\/postfix\/none\.lmdb/],
      ['relay', 'error', /Postfix defers all mail/],
    ],
    act: { words: /or take its name out of the list/, script: relays(GOOD) },
  },
  {
    name: 'a table that was not made',
    seed: `echo '203.0.113.66 REJECT' > /etc/postfix/own; ${relays(`check_client_access lmdb:/etc/postfix/own, ${GOOD}`)}`,
    expected: [
      ['restrictions', 'error', /there is no \/etc\/postfix\/own\.lmdb/],
      ['relay', 'error', /Postfix defers all mail/],
    ],
  },
  {
    name: 'warn_if_reject before the map',
    seed: relays(GOOD.replace('check_client', 'warn_if_reject check_client')),
    expected: [['restrictions', 'warning', /warn_if_reject stands before the map/]],
  },
  {
    name: 'the map through proxy:, which may not read it',
    seed: relays(GOOD.replace('lmdb:', 'proxy:lmdb:')),
    expected: [
      ['restrictions', 'error', /asked through proxy:/],
      ['relay', 'error', /Postfix defers all mail/],
    ],
  },
  {
    name: 'a second list that refuses',
    seed: `postconf -e 'smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination'; postfix reload`,
    expected: [
      ['restrictions', 'error', /in smtpd_recipient_restrictions, where it is not/],
      ['relay', 'error', /may not relay although the map has a row/],
    ],
  },
  {
    name: 'a service of master.cf that overrides it',
    seed: "postconf -P 'smtp/inet/smtpd_relay_restrictions=permit_mynetworks,reject'; postfix reload",
    expected: [
      ['restrictions', 'error', /master\.cf for smtp\/inet/],
      ['relay', 'error', /may not relay although the map has a row/],
    ],
    undo: 'postconf -X -P smtp/inet/smtpd_relay_restrictions; postfix reload',
  },
];

/** A map with a row of ours whose daemon is gone. */
const deserted = (name: string): string =>
  `printf "203.0.113.7 $(date +%s)\\n" > /var/popbsmtp/${name}; postmap lmdb:/var/popbsmtp/${name}
  chown popbsmtp: /var/popbsmtp/${name}*`;

export const POSTFIX_FAULTS: readonly Fault[] = [
  {
    name: 'Postfix is stopped',
    seed: 'systemctl stop postfix',
    expected: [['relay', 'error', /does not answer/]],
  },
  {
    name: 'Postfix listens at loopback only',
    seed: 'postconf -e inet_interfaces=loopback-only; systemctl restart postfix',
    expected: [['postfix', 'error', /no client can reach this Postfix: .*loopback-only/]],
  },
  {
    name: 'a port that wants a proxy',
    seed: 'postconf -P smtp/inet/smtpd_upstream_proxy_protocol=haproxy; postfix reload',
    expected: [['relay', 'warning', /talks to its proxy only/]],
    act: {
      words: /name a port without a proxy/,
      script: 'postconf -X -P smtp/inet/smtpd_upstream_proxy_protocol; postfix reload',
    },
  },
  {
    name: 'a main.cf that cannot be read',
    seed: 'echo nonsense >> /etc/postfix/main.cf; aged',
    expected: [
      ['daemon', 'warning', /would not take the one on the disk: .*missing '='/],
      ['postfix', 'error', /missing '=' after attribute name/],
      ['lookup', 'skipped', /no Postfix/],
      ['relay', 'skipped', /no Postfix/],
    ],
    act: {
      words: /fix main\.cf or master\.cf/,
      script: "sed -i '/^nonsense$/d' /etc/postfix/main.cf; aged",
    },
  },
  {
    name: 'the whole world in mynetworks',
    seed: trusts('127.0.0.0/8, 0.0.0.0/0'),
    expected: [
      ['daemon', 'warning', /^it runs with mynetworks of main\.cf = /],
      ['mynetworks', 'error', /strangers may relay without any login/],
      ['relay', 'warning', /every address of this machine is in mynetworks/],
    ],
  },
  {
    name: 'a wide network in mynetworks',
    seed: trusts('127.0.0.0/8, 20.0.0.0/10'),
    expected: [
      ['daemon', 'warning', /^it runs with mynetworks of main\.cf = /],
      ['mynetworks', 'warning', /wider than most mean it/],
    ],
    act: {
      words: /make sure that every machine there may relay/,
      script: trusts('127.0.0.0/8'),
    },
  },
  {
    name: 'a file in mynetworks that is not there',
    seed: trusts('127.0.0.0/8, /etc/postfix/networks'),
    expected: [
      ['policy', 'skipped', /the file cannot be read/],
      ['daemon', 'warning', /^it runs with mynetworks of main\.cf = /],
      ['mynetworks', 'error', /the file cannot be read/],
      ['relay', 'error', /the file cannot be read/],
    ],
    act: { words: /^write networks as 192\.0\.2\.0\/24/, script: trusts('127.0.0.0/8') },
  },
  {
    name: 'another map that no daemon looks after',
    seed: `${deserted('other')}; ${relays(`check_client_access lmdb:/var/popbsmtp/other, ${GOOD}`)}`,
    expected: [['maps', 'error', /which no daemon looks after: its 1 row relay/]],
  },
  {
    name: 'a second instance that names such a map',
    seed: `${deserted('second')}; mkdir /etc/postfix-out; cp /etc/postfix/master.cf /etc/postfix-out
      echo 'smtpd_relay_restrictions = check_client_access lmdb:/var/popbsmtp/second, reject' > /etc/postfix-out/main.cf
      touch -d '1 minute ago' /etc/postfix-out/*
      postconf -e 'multi_instance_directories = /etc/postfix-out'; aged`,
    expected: [['instances', 'error', /which no daemon looks after: its 1 row relay/]],
  },
  {
    name: 'an instance that cannot be asked',
    seed: 'mv /etc/postfix-out/main.cf /etc/postfix-out/main',
    expected: [['instances', 'warning', /postfix-out cannot be asked/]],
    act: {
      words: /^look at "postconf -c \/etc\/postfix-out -n"$/,
      script: 'postconf -X multi_instance_directories; aged; rm -r /etc/postfix-out',
    },
  },
];
