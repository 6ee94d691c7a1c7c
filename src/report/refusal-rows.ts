/**
 * What a refusal of Postfix's means, and what is known of its address, in rows for people and as JSON.
 */

import { type EpochSeconds, epoch } from '../base/clock.ts';
import { excerpt } from '../base/excerpt.ts';
import { noun } from '../base/quantity.ts';
import type { About } from '../control/protocol.ts';
import type { Order } from '../grant/order.ts';
import type { Verdict } from '../history/why.ts';
import { formatCtime } from '../line/stamp.ts';
import type { Refusal } from '../postfix/refusal.ts';
import { isoTime } from './print.ts';
import { roughly, shown } from './shown.ts';
import { whySentence } from './why-text.ts';

/** What is known of the address of a refusal. */
export interface Standing {
  readonly refusal: Refusal;
  /** Null without a daemon that may be asked; then there is the map. */
  readonly about: About | null;
  /** What the history says; null where the daemon knows, or where there is none that may be read. */
  readonly past: Verdict | null;
  /** The stamp of its row in the map, of ours or of the administrator's; undefined when the map cannot be read, null when there is none. */
  readonly row: { readonly stamp: EpochSeconds | null } | null | undefined;
  /** What is ordered about it, as far as that may be read. */
  readonly order: Order | null;
  /** Why it would never get a grant; null when it would. */
  readonly bar: string | null;
  /** When it was refused; null when the line does not say. */
  readonly time: EpochSeconds | null;
  /** Unix time. */
  readonly now: number;
}

const UNKNOWN = 'of logins and ends nothing is known';

type Row = readonly [label: string, text: string];

export function refusalRows(standing: Standing): Row[] {
  const { refusal, about } = standing;
  const { ip, code, text, isRelay } = refusal;
  if (!isRelay) {
    return [
      [
        'result',
        `no login: Postfix has refused a recipient of ${ip} with ${code} ${excerpt(text)}`,
      ],
      ['meaning', 'it was not about relaying, so popbsmtp has no part in it'],
    ];
  }
  return [
    ['result', `no login: Postfix has refused to relay for ${ip}, with ${code}`],
    [
      'meaning',
      'at that moment it found no row for the address where it asks the map, nor was the client in mynetworks or logged in by SMTP AUTH',
    ],
    ['grant', grantText(standing)],
    ...(standing.bar === null ? [] : [pair('never', `it gets no grant: ${standing.bar}`)]),
    ['order', standing.order === null ? 'none' : orderText(standing.order)],
    ...(about === null
      ? [
          pair(
            'daemon',
            `none that answers: ${standing.past === null ? UNKNOWN : 'the history has what was'}`,
          ),
        ]
      : [pair('last end', endText(about)), pair('ignored', ignoredText(about))]),
    ['so', verdict(standing)],
  ];
}

const pair = (label: string, text: string): Row => [label, text];

function grantText({ about, row }: Standing): string {
  if (about?.grant != null) {
    const [, left, user, server, since, , others = [], , sessions = 0] = about.grant;
    const users = [user, ...others].filter(one => one !== null).map(one => shown(one));
    const who = users.length === 0 ? '' : ` by ${users.join(', ')}`;
    const where = server === null ? '' : ` (${shown(server)})`;
    const began = since === null ? '' : ` since ${ctime(since)}`;
    const open = sessions === 0 ? '' : `, kept by ${sessions} open ${noun(sessions, 'session')}`;
    return `now${began}${who}${where}, ends in ${roughly(left)}${open}`;
  }
  if (row === undefined) return 'not known: the map cannot be read';
  if (row === null) return 'none now';
  return row.stamp === null
    ? 'a row of your own'
    : `a row in the map, of a login on ${formatCtime(row.stamp)}`;
}

const orderText = ({ kind, until }: Order): string =>
  `${kind === 'allow' ? 'allowed' : 'refused'} by hand until ${ctime(until)}`;

function endText({ end }: About): string {
  if (end === null) return 'none that is remembered';
  const { how, reason, user, time } = end;
  const whose = user === null ? '' : `, of ${shown(user)}`;
  return `${ctime(time)}: ${how}${reason === null ? '' : ` (${reason})`}${whose}`;
}

function ignoredText({ ignored }: About): string {
  if (ignored === null) return 'no login that is remembered';
  const { time, reason, user } = ignored;
  return `a login ${user === null ? '' : `of ${shown(user)} `}on ${ctime(time)}: ${reason}`;
}

/** The likeliest reason, in a sentence. */
function verdict({ about, past: told, row, order, bar, time, now }: Standing): string {
  if (order?.kind === 'revoke')
    return 'it is refused by hand; "popbsmtp lift ADDRESS" takes that back';
  if (bar !== null) return `no login opens the relay to it: ${bar}`;
  const moment = time ?? now;
  if (about?.grant != null) return ofGrant(about.grant[4], moment);
  const past = about === null ? null : ofPast(about, moment);
  if (past !== null) return past;
  if (told !== null && told.reason !== 'no-login') return whySentence(told);
  if (row != null) return 'it has a row now; whether it had one then is not known';
  return 'no login from this address is known: look for it with "popbsmtp match", and whether the client logs in from another one (IPv4 and IPv6 are two)';
}

const ofGrant = (since: number | null, moment: number): string =>
  since !== null && since > moment
    ? `the login came ${roughly(since - moment)} after the refusal: have the client fetch mail before it sends`
    : 'it has a grant, so Postfix may not ask the map there, or not before it refuses: "popbsmtp doctor" finds out';

function ofPast({ end, ignored }: About, moment: number): string | null {
  if (ignored !== null && (end === null || ignored.time >= end.time))
    return `its last login came to nothing: ${ignored.reason}`;
  if (end === null) return null;
  return end.time > moment
    ? 'its grant has ended since'
    : `its grant had ended ${roughly(moment - end.time)} before: it has to log in again, or --grace is too short for it`;
}

const ctime = (time: number): string => formatCtime(epoch(Math.floor(time)));

export function refusalObject(standing: Standing): object {
  const { refusal, about, row, order, bar } = standing;
  return {
    ...refusal,
    text: excerpt(refusal.text),
    sender: excerpt(refusal.sender),
    row: row === undefined ? null : row !== null,
    grant: about?.grant == null ? null : grantObject(about.grant),
    order: order === null ? null : { order: order.kind, until: isoTime(Math.floor(order.until)) },
    end: about?.end == null ? null : { ...about.end, time: isoTime(Math.floor(about.end.time)) },
    ignored:
      about?.ignored == null
        ? null
        : { ...about.ignored, time: isoTime(Math.floor(about.ignored.time)) },
    bar,
    verdict: refusal.isRelay ? verdict(standing) : null,
  };
}

function grantObject(grant: NonNullable<About['grant']>): object {
  const [, expiresIn, user, server, since, , others = [], , sessions = 0] = grant;
  const users = user === null ? others : [user, ...others];
  const began = since === null ? null : isoTime(Math.floor(since));
  return { expiresIn, users, server, since: began, sessions };
}
