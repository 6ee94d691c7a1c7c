/**
 * The sets of an `nft:` map as texts: what nft(8) says of their elements, and what it is told; no process.
 *
 * A set of nftables has addresses of one family, so there are two: `nft:inet filter pop` has its IPv4 addresses in the set `pop4` and its
 * IPv6 addresses in `pop6`, both of the table `filter`.  A row is an element with a timeout, and with the time of its login as comment:
 * `192.0.2.1 timeout 905s comment "popbsmtp 1795817958"`.
 * Promises: whatever is in a set besides such elements is the administrator's.
 */
import { canonicalIp, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { Damage } from './lmdb-meta.ts';
import type { Row } from './map.ts';
import type { NftName } from './nft-name.ts';

export const VERSIONS = [4, 6] as const;
export type Version = (typeof VERSIONS)[number];

const TYPES = { 4: 'ipv4_addr', 6: 'ipv6_addr' } as const;

const versionOf = (ip: IpText): Version => (ip.includes(':') ? 6 : 4);

/** As nft is told it. */
const placeOf = ({ family, table, set }: NftName, version: Version): string =>
  `${family} ${table} ${set}${version}`;

/** Makes the table and the sets, where they are not there. */
export function makeScript(name: NftName): string {
  const sets = VERSIONS.map(version => `add set ${placeOf(name, version)} ${wantedSet(version)}\n`);
  return `add table ${name.family} ${name.table}\n${sets.join('')}`;
}

/** For nft, which prints one set for each call: two in one script are "No such file or directory" to nft 1.0.6. */
export const listArguments = (name: NftName, version: Version): readonly string[] => [
  'list',
  'set',
  ...placeOf(name, version).split(' '),
];

export const TABLES_ARGUMENTS: readonly string[] = ['list', 'tables'];

/** A row to write. */
export interface Element {
  readonly ip: IpText;
  readonly stamp: string;
  /** Whole seconds until it ends. */
  readonly timeout: number;
}

/**
 * One transaction: it fails as a whole where one to take away is not there, or one to write is.
 *
 * @param gone before the others are written
 */
export function changeScript(
  name: NftName,
  gone: readonly IpText[],
  written: readonly Element[],
): string {
  const lines = VERSIONS.flatMap(version => {
    const place = placeOf(name, version);
    const without = gone.filter(ip => versionOf(ip) === version);
    const elements = written
      .filter(({ ip }) => versionOf(ip) === version)
      .map(row => `${row.ip} timeout ${timeText(row.timeout)} comment "popbsmtp ${row.stamp}"`);
    return [
      ...(without.length > 0 ? [`delete element ${place} { ${without.join(', ')} }\n`] : []),
      ...(elements.length > 0 ? [`create element ${place} { ${elements.join(', ')} }\n`] : []),
    ];
  });
  return lines.join('');
}

const DAY = 24 * 3600;

/** nft 1.0.6 takes no more than eight digits of seconds. */
function timeText(seconds: number): string {
  const days = Math.floor(seconds / DAY);
  return `${days > 0 ? `${days}d` : ''}${seconds % DAY}s`;
}

/** A row of ours, with when it ends. */
export interface Lease {
  readonly stamp: EpochSeconds;
  /** Seconds from when it was listed. */
  readonly expires: number;
}

/** What is in both sets. */
export interface Contents {
  /** Another text for each table and set that was ever made in this boot. */
  readonly identity: string;
  /** Its handle. */
  readonly table: string;
  readonly leases: ReadonlyMap<IpText, Lease>;
  readonly others: readonly Row[];
}

const STAMP = /^popbsmtp (\d+)$/;

/** What nft prints: of `list tables`, and of `list set` for each version, or null where there is none. */
export interface Printed {
  readonly tables: string;
  readonly sets: Readonly<Record<Version, string | null>>;
}

/**
 *@returns null while the table or a set is not there
 * @throws Damage of what is no such list, or of a set whose elements are no single addresses with timeouts
 */
export function parseContents({ tables, sets }: Printed, name: NftName): Contents | null {
  const table = tableIn(tables, name);
  const handles: string[] = [];
  const leases = new Map<IpText, Lease>();
  const others: Row[] = [];
  for (const version of VERSIONS) {
    const text = sets[version];
    if (text === null) continue;
    const set = setIn(text, name, version);
    handles.push(String(fieldOf(set, 'handle')));
    for (const one of listOf(fieldOf(set, 'elem'))) readElement(one, leases, others);
  }
  if (table === null || handles.length < VERSIONS.length) return null;
  return { identity: [table, ...handles].join(':'), table, leases, others };
}

/** The handle of the table in what nft prints for `list tables`; null without one. */
export function tableIn(text: string, name: NftName): string | null {
  const table = objectsOf(text)
    .map(one => fieldOf(one, 'table'))
    .find(one => isOf(one, name));
  return table === undefined ? null : String(fieldOf(table, 'handle'));
}

function objectsOf(text: string): readonly unknown[] {
  try {
    return listOf(fieldOf(JSON.parse(text), 'nftables'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Damage('nft has printed no JSON');
    throw error;
  }
}

function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const isOf = (table: unknown, name: NftName): boolean =>
  fieldOf(table, 'family') === name.family && fieldOf(table, 'name') === name.table;

/** A set as its rules see it. */
export interface SetUse {
  /** Whether it is one for single addresses with timeouts. */
  readonly isFit: boolean;
  /** Whether a rule of its table asks for it. */
  readonly isAsked: boolean;
}

/**
 * What nft prints for `list ruleset` of each set; null for one that is not there.
 *
 * @throws Damage of what is no ruleset
 */
export function usesIn(text: string, name: NftName): Readonly<Record<Version, SetUse | null>> {
  const objects = objectsOf(text);
  const ofTable = (kind: string): unknown[] =>
    objects
      .map(one => fieldOf(one, kind))
      .filter(
        one => fieldOf(one, 'family') === name.family && fieldOf(one, 'table') === name.table,
      );
  const [sets, rules] = [ofTable('set'), ofTable('rule')];
  const useOf = (version: Version): SetUse | null => {
    const own = `${name.set}${version}`;
    const set = sets.find(one => fieldOf(one, 'name') === own);
    if (set === undefined) return null;
    return { isFit: isFit(set, version), isAsked: rules.some(rule => mentions(rule, `@${own}`)) };
  };
  return { 4: useOf(4), 6: useOf(6) };
}

const mentions = (value: unknown, text: string): boolean =>
  value === text ||
  (typeof value === 'object' &&
    value !== null &&
    Object.values(value).some(one => mentions(one, text)));

function isFit(set: unknown, version: Version): boolean {
  const flags = listOf(fieldOf(set, 'flags'));
  return (
    fieldOf(set, 'type') === TYPES[version] &&
    flags.includes('timeout') &&
    !flags.includes('interval')
  );
}

/** What a set has to be. */
export const wantedSet = (version: Version): string => `{ type ${TYPES[version]}; flags timeout; }`;

function setIn(text: string, name: NftName, version: Version): unknown {
  const own = `${name.set}${version}`;
  const set = objectsOf(text)
    .map(one => fieldOf(one, 'set'))
    .find(one => fieldOf(one, 'name') === own);
  if (isFit(set, version)) return set;
  throw new Damage(`${own} is no set of ${wantedSet(version)}, for single addresses`);
}

function readElement(one: unknown, leases: Map<IpText, Lease>, others: Row[]): void {
  const elem = fieldOf(one, 'elem');
  const value = elem === undefined ? one : fieldOf(elem, 'val');
  if (typeof value !== 'string') return;
  const ip = canonicalIp(value);
  const comment = fieldOf(elem, 'comment');
  const [, stamp] = (typeof comment === 'string' && STAMP.exec(comment)) || [];
  const expires = fieldOf(elem, 'expires');
  const timeout = fieldOf(elem, 'timeout');
  const ends = typeof timeout === 'number';
  if (ip !== null && ends && stamp !== undefined) {
    const seconds = typeof expires === 'number' ? expires : 0;
    leases.set(ip, { stamp: epoch(Number(stamp)), expires: seconds });
    return;
  }
  // One that has a timeout ends by itself.
  others.push({
    key: ip ?? value,
    value: ends ? `timeout ${timeout}s` : 'no timeout',
    stamp: null,
    ...(ends && { harmless: true }),
  });
}
