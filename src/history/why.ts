/**
 * Why an address or a user could, or could not, relay at a moment: one reason, and the entries that show it.
 *
 * Pure: what the history has, and what the networks and grace periods are now, go in.  The reasons are a contract, since programs read
 * them.  The first that applies is told, in the order of `STEPS`: what is so whoever logs in, what somebody ordered, what
 * became of the login itself, then where else the user was, and last that there was no login.
 */
import type { IpText } from '../base/address.ts';
import type { NetworkReason } from '../classifier/classifier.ts';
import { type Entry, isGranting } from './entry.ts';
import { neighbourhoodOf } from './neighbourhood.ts';
import { type Reason, reasonOfLogin } from './reason.ts';
import type { Timeline } from './timeline.ts';

/** What was asked: about an address, or a user, who may have several. */
export interface Question {
  readonly address: IpText | null;
  readonly user: string | null;
  /** Unix time. */
  readonly at: number;
}

export interface Verdict {
  readonly address: IpText | null;
  readonly user: string | null;
  /** The moment that was looked at: of the refusal, where there was one just then. */
  readonly at: number;
  readonly reason: Reason;
  /** In order of time. */
  readonly lines: readonly Entry[];
  /** Where somebody of no name was refused at that moment, who may be the user that was asked about, or a stranger. */
  readonly strangers: readonly Entry[];
}

export interface Rules {
  /** What the networks say of an address now. */
  readonly network: (ip: IpText) => NetworkReason | null;
  /** Seconds. */
  readonly grace: (ip: IpText) => number;
}

/** Seconds around a moment in which a refusal is the one that is meant. */
const NEAR = 60;
/** Strangers that are told. */
const MOST_STRANGERS = 3;
/** Seconds within which an order comes of a limit. */
const TOGETHER = 5;

interface Found {
  readonly reason: Reason;
  readonly lines: readonly (Entry | null)[];
}

export function why(question: Question, timeline: Timeline, rules: Rules): Verdict {
  const strangers = question.address === null ? strangersAt(question, timeline) : [];
  const ip = question.address ?? addressFor(question, timeline, rules, strangers);
  if (ip === null) return verdict(question, null, { reason: 'no-login', lines: [] }, strangers);
  const refusal = timeline.refusal(ip, question.at, NEAR);
  const users = new Set([
    ...(question.user === null ? timeline.usersOf(ip) : []),
    ...(question.user === null ? [] : [question.user.toLowerCase()]),
  ]);
  const asked: Asked = { ip, users, at: refusal?.time ?? question.at, refusal, timeline, rules };
  const found = judge(asked);
  return verdict(
    { ...question, at: asked.at },
    ip,
    { ...found, lines: [...found.lines, refusal] },
    strangers.filter(one => one.ip !== ip),
  );
}

interface Asked {
  readonly ip: IpText;
  /** Those whose address it is, in lower case. */
  readonly users: ReadonlySet<string>;
  readonly at: number;
  readonly refusal: Entry | null;
  readonly timeline: Timeline;
  readonly rules: Rules;
}

function judge(asked: Asked): Found {
  for (const step of STEPS) {
    const found = step(asked);
    if (found !== null) return found;
  }
  return { reason: 'no-login', lines: [] };
}

const STEPS: readonly ((asked: Asked) => Found | null)[] = [
  live,
  byNetwork,
  byLimit,
  byOrder,
  byLogin,
  down,
  elsewhere,
  later,
  old,
  ended,
];

/** It had a grant; then another rule refused it, or nobody did. */
function live({ ip, at, refusal, timeline }: Asked): Found | null {
  const grant = timeline.grant(ip, at);
  if (grant === null || !timeline.isLive(grant, at)) return null;
  return { reason: refusal === null ? 'granted' : 'not-by-map', lines: [grant.first, grant.last] };
}

function byNetwork({ ip, at, timeline, rules }: Asked): Found | null {
  const now = rules.network(ip);
  const login = timeline.lastLogin(ip, at);
  const reason = now === null ? null : reasonOfLogin(now);
  if (reason === null) return null;
  return { reason, lines: [login !== null && !isGranting(login) ? login : null] };
}

function byOrder({ ip, users, at, timeline }: Asked): Found | null {
  const order = timeline.revocation(ip, users, at);
  return order && { reason: 'revoked', lines: [order, timeline.lastLogin(ip, at)] };
}

/** A limit has ended its last grant, and it has got no other; or it has had the address refused. */
function byLimit({ ip, users, at, timeline }: Asked): Found | null {
  const order = timeline.revocation(ip, users, at);
  const limit = timeline.of(ip).findLast(one => one.kind === 'limit' && one.time <= at);
  if (order !== null && limit !== undefined && Math.abs(order.time - limit.time) <= TOGETHER)
    return { reason: 'limit', lines: [limit, order, timeline.lastLogin(ip, at)] };
  const end = timeline.grant(ip, at)?.end ?? null;
  if (end === null || reasonOfLogin(end.what) !== 'limit') return null;
  return { reason: 'limit', lines: [end, timeline.lastLogin(ip, at)] };
}

/** Its last login granted nothing, and was not long before. */
function byLogin({ ip, at, timeline, rules }: Asked): Found | null {
  const login = timeline.lastLogin(ip, at);
  if (login === null || isGranting(login)) return null;
  const grant = timeline.grant(ip, at);
  const isRecent = at - login.time <= rules.grace(ip);
  const reason = reasonOfLogin(login.what);
  // That of an old login is told as such, behind all else.
  if (reason === null || reason === 'too-old') return null;
  return isRecent || grant === null ? { reason, lines: [login] } : null;
}

/** Nobody read the log then. */
function down({ ip, at, timeline }: Asked): Found | null {
  if (timeline.wasUp(at) !== false) return null;
  const grant = timeline.grant(ip, at);
  const next = timeline.entries.find(({ kind, time }) => kind === 'daemon' && time > at) ?? null;
  return { reason: 'daemon-down', lines: [grant?.last ?? null, timeline.lastOfDaemon(at), next] };
}

/** The same user, or somebody of the same network, had a grant at another address. */
function elsewhere({ ip, users, at, timeline }: Asked): Found | null {
  const own = [...timeline.addressesOf(users)];
  const near = timeline.entries.flatMap(one =>
    isGranting(one) && one.ip !== null && isNeighbour(one.ip, ip) ? [one.ip] : [],
  );
  for (const other of [...own, ...(users.size > 0 ? [] : near)]) {
    const grant = other === ip ? null : timeline.grant(other, at);
    if (grant === null || !timeline.isLive(grant, at)) continue;
    const reason = isIpv6(other) === isIpv6(ip) ? 'other-address' : 'other-family';
    const before = timeline.grant(ip, at);
    return { reason, lines: [before?.last ?? null, before?.end ?? null, grant.last] };
  }
  return null;
}

const isIpv6 = (ip: string): boolean => ip.includes(':');

const isNeighbour = (one: IpText, other: IpText): boolean =>
  neighbourhoodOf(one) === neighbourhoodOf(other);

/** It was refused, or never had a grant, and then logged in. */
function later({ ip, at, refusal, timeline, rules }: Asked): Found | null {
  const grant = timeline.grant(ip, at);
  const next = timeline.nextLogin(ip, at, rules.grace(ip));
  if (next === null || (refusal === null && grant !== null)) return null;
  return { reason: 'later-login', lines: [grant?.last ?? null, grant?.end ?? null, next] };
}

function ended({ ip, at, timeline }: Asked): Found | null {
  const grant = timeline.grant(ip, at);
  return grant && { reason: 'ended', lines: [grant.last, grant.end] };
}

/** Its line was read too late. */
function old({ ip, at, timeline }: Asked): Found | null {
  const login = timeline.lastLogin(ip, at);
  if (login === null || reasonOfLogin(login.what) !== 'too-old') return null;
  return { reason: 'too-old', lines: [login] };
}

/** The refusals at that moment of whoever has never logged in; the latest of each address. */
function strangersAt({ at }: Question, timeline: Timeline): Entry[] {
  const near = refusalsNear(at, timeline).filter(
    ({ ip }) => ip !== null && timeline.usersOf(ip).size === 0,
  );
  return [...new Map(near.map(one => [one.ip, one])).values()];
}

const refusalsNear = (at: number, { entries }: Timeline): Entry[] =>
  entries.filter(entry => isRefusedNear(entry, at));

/** Whether it is a refusal of about that moment. */
export const isRefusedNear = ({ kind, time }: Entry, at: number): boolean =>
  kind === 'refused' && Math.abs(time - at) <= NEAR;

/**
 * Where a user was: where he was refused, if that was at an address of his or in its network; else where he has a grant, or logged in last.
 * Whoever else was refused then may be anybody.
 */
function addressFor(
  { user, at }: Question,
  timeline: Timeline,
  { grace }: Rules,
  strangers: readonly Entry[],
): IpText | null {
  const own = timeline.addressesOf(new Set([user?.toLowerCase() ?? '']));
  const mine = refusalsNear(at, timeline).find(({ ip }) => ip !== null && own.has(ip));
  if (mine !== undefined) return mine.ip;
  const neighbours = strangers.filter(({ ip }) =>
    [...own].some(one => ip !== null && isNeighbour(one, ip)),
  );
  const [neighbour] = neighbours;
  if (neighbours.length === 1 && neighbour !== undefined) return neighbour.ip;
  const grants = [...own].map(ip => timeline.grant(ip, at)).filter(one => one !== null);
  const open = grants.find(grant => timeline.isLive(grant, at));
  if (open !== undefined) return open.ip;
  const logins = timeline.entries.filter(
    entry => entry.kind === 'login' && entry.user?.toLowerCase() === user?.toLowerCase(),
  );
  const last = logins.findLast(({ time }) => time <= at);
  const next = logins.find(({ time, ip }) => ip !== null && time > at && time <= at + grace(ip));
  return last?.ip ?? next?.ip ?? null;
}

function verdict(
  { user, at }: Question,
  address: IpText | null,
  { reason, lines }: Found,
  strangers: readonly Entry[],
): Verdict {
  const told = [...new Set(lines.filter(line => line !== null))].sort((a, b) => a.time - b.time);
  const named = told.findLast(({ kind, user: who }) => kind === 'login' && who !== null)?.user;
  const others = strangers.slice(0, MOST_STRANGERS);
  return { address, user: user ?? named ?? null, at, reason, lines: told, strangers: others };
}
