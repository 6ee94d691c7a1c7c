/**
 * Faults of a year in what the daemon reads and writes, as data: the log, the map and its rows.
 */
import { configured, type Fault } from './year-faults.ts';
import { FILE, LOG, MAP } from './year-host.ts';

/** All that is in the log is of ten minutes ago. */
const AGED_LOG = `sed -i "s/^[^ ]*/$(date -d '10 minutes ago' +%FT%T%:z)/" ${LOG}`;

export const LOG_FAULTS: readonly Fault[] = [
  {
    name: 'the account has lost the group of the log',
    seed: 'gpasswd -d popbsmtp adm; systemctl restart popbsmtp || :',
    expected: [
      ['log', 'error', /account popbsmtp of the daemon cannot read/],
      ['daemon', 'error', /no daemon writes/],
      ['service', 'error', /popbsmtp\.service is activating/],
    ],
  },
  {
    name: 'the log is closed for its group',
    seed: `chmod 600 ${LOG}`,
    expected: [['log', 'error', /account popbsmtp of the daemon cannot read/]],
  },
  {
    name: 'the log is of another group',
    seed: `chgrp root ${LOG}`,
    expected: [['log', 'error', /account popbsmtp of the daemon cannot read/]],
  },
  {
    name: 'rsyslog is stopped, and logins are in the journal only',
    seed: `systemctl stop syslog.socket rsyslog; ${AGED_LOG}; touch -d '10 minutes ago' ${LOG}; login late 198.51.100.2`,
    expected: [['log', 'error', /the journal has a login by dovecot/]],
    afterwards: 'login late 198.51.100.2',
  },
  {
    name: 'logins are no longer written to the log, other lines are',
    seed: `echo ':programname, isequal, "dovecot" stop' > /etc/rsyslog.d/00-lost.conf; systemctl restart rsyslog
      ${AGED_LOG}; systemctl kill -s HUP rsyslog; login late 198.51.100.2; logger -p mail.info -t cron x`,
    expected: [
      ['logins', 'error', /the journal has a login by dovecot .* the logins do not get there/],
    ],
    act: {
      words: /let the mail server log where it did before/,
      script: 'rm /etc/rsyslog.d/00-lost.conf; systemctl restart rsyslog; login late 198.51.100.2',
    },
  },
  {
    name: 'a log with stamps of another zone',
    seed: `date -d '5 hours ago' "+%b %e %T mx dovecot: pop3-login: Login: user=<zone>, rip=198.51.100.2, lip=192.0.2.1" >> ${LOG}`,
    expected: [['clock', 'error', /is stamped 5 hours before it was written/]],
    act: {
      words: /have the syslog daemon write stamps with a zone/,
      script: 'login late 198.51.100.2',
    },
  },
  {
    name: '40 users behind one address',
    seed: 'for user in $(seq 40); do login u$user 198.51.100.40; done',
    expected: [['clients', 'warning', /^40 users logged in from 198\.51\.100\.40/]],
    act: { words: /or exclude/, script: configured('exclude = ["198.51.100.40"]') },
  },
  {
    name: 'a login over IPv6, and mail over IPv4',
    seed: `login carl 2001:db8:1::50
      logger -p mail.info -t postfix/smtpd 'NOQUEUE: reject: RCPT from unknown[198.51.100.50]: 454 4.7.1 <you@example.net>: Relay access denied; from=<carl@example.org> to=<you@example.net> proto=ESMTP helo=<x>'`,
    expected: [['clients', 'warning', /^carl logged in from 2001:db8:1::50 and was refused at/]],
    act: {
      words: /let mail clients reach both servers in the same family/,
      script: 'login carl 198.51.100.50',
    },
  },
];

const OLD = '$(($(date +%s) - 90000))';

export const MAP_FAULTS: readonly Fault[] = [
  {
    name: 'everybody can write the map',
    seed: `chmod 666 ${FILE}`,
    expected: [
      ['map', 'error', /every local account can write .*lmdb/],
      ['map', 'warning', /accounts that map-mode does not name can read/],
    ],
  },
  {
    name: 'everybody can write the directory of the map',
    seed: 'chmod 777 /var/popbsmtp',
    expected: [['map', 'error', /every local account can write \/var\/popbsmtp,/]],
  },
  {
    name: 'everybody can read the map',
    seed: `chmod 644 ${FILE}`,
    expected: [['map', 'warning', /can read .*, and so lock it/]],
  },
  {
    name: 'the map belongs to root',
    seed: `chown root: ${FILE}`,
    expected: [
      ['map', 'error', /belongs to the account 0/],
      ['lookup', 'warning', /no row could be written/],
      ['relay', 'warning', /no row could be written/],
    ],
  },
  {
    name: 'a row of one’s own for an address',
    seed: `printf '203.0.113.99 OK\\n' | postmap -i ${MAP}`,
    expected: [
      ['rows', 'warning', /let an address relay, and nothing ends that: 203\.0\.113\.99$/],
    ],
  },
  {
    name: 'a row for a whole network',
    seed: `printf '203.0.113 OK\\n' | postmap -i ${MAP}`,
    expected: [['rows', 'error', /may let a whole network relay.*: 203\.0\.113$/]],
  },
  {
    name: 'a row that is due, and nobody who ends it',
    seed: `systemctl stop popbsmtp popbsmtp-purge.timer; printf "203.0.113.9 ${OLD}\\n" | postmap -i ${MAP}`,
    expected: [
      ['rows', 'error', /1 row should have been taken away, such as 203\.0\.113\.9/],
      ['daemon', 'error', /no daemon writes/],
      ['service', 'error', /popbsmtp\.service is inactive/],
      ['service', 'warning', /timer is inactive/],
    ],
  },
  {
    name: 'a row that is due, and of which the daemon does not know',
    seed: `printf "203.0.113.9 ${OLD}\\n" | postmap -i ${MAP}`,
    expected: [['rows', 'error', /1 row should have been taken away, such as 203\.0\.113\.9/]],
  },
];
