/**
 * The rules by which tcpserver of ucspi-tcp takes connections, as tcprules(1) reads and compiles them: pure functions of bytes.
 *
 * tcpserver follows one rule only, the most specific one: of `INFO@ADDRESS`, `ADDRESS`, `=HOST`, the beginnings of the address that end in a dot
 * or colon, the ends of `=HOST`, and the empty address, in this order (rules.c of ucspi-tcp 0.88, with Debian's patch for IPv6).  So a rule for an
 * address hides all that the administrator has said of its network, and what a row of ours says must be said again in it.
 * Promises: any bytes at all end in rules or in a `Failure` that names the line.
 * Known limit: a rule by host name is refused, since nobody knows here which rows would hide it.
 */
import { addressOf, compressed, type IpText } from '../base/address.ts';
import { type EpochSeconds, epoch } from '../base/clock.ts';
import { failure } from '../base/errors.ts';
import { excerpt } from '../base/excerpt.ts';
import type { CdbRecord } from './cdb.ts';

/** What tcpserver does with a connection: entries that end in a NUL, `D` for deny, `+NAME=VALUE` for the environment; it ignores all others. */
type Instructions = Buffer;

const NUL = 0;
const DENY = 'D';
const RELAY = '+RELAYCLIENT=';
/** The entry that makes a rule ours: tcprules writes none that begins so, and tcpserver ignores it (tcpserver.c, found). */
const STAMP = /^#popbsmtp (\d+)$/;

/** Any byte is a character. */
const BYTES = 'latin1';

const entriesOf = (data: Instructions): string[] => data.toString(BYTES).split('\0').slice(0, -1);

/** The time of a rule of ours; null for the administrator's. */
export function stampIn(data: Instructions): EpochSeconds | null {
  const [, digits] = STAMP.exec(entriesOf(data).at(-1) ?? '') ?? [];
  return digits === undefined ? null : epoch(Number(digits));
}

const denies = (data: Instructions): boolean =>
  entriesOf(data).some(entry => entry.startsWith(DENY));

export const letsRelay = (data: Instructions): boolean =>
  !denies(data) && entriesOf(data).some(entry => entry.startsWith(RELAY));

/** As tcprules reads them, for people: `allow,RELAYCLIENT=""`. */
export function textOf(data: Instructions): string {
  const variables = entriesOf(data).flatMap(entry => {
    const [, name, value] = /^\+([^=]*)=(.*)$/s.exec(entry) ?? [];
    return name === undefined ? [] : [`,${name}="${value}"`];
  });
  return `${denies(data) ? 'deny' : 'allow'}${variables.join('')}`;
}

/** The key by which tcpserver looks a client up: of IPv6 a single zero group is compressed as well (ip6_fmt.c of Debian's patch). */
export function keyOf(ip: IpText): string {
  const address = addressOf(ip);
  return 'parts' in address ? compressed(address, 1) : ip;
}

/** Whether tcpserver asks the key for other addresses as well; behind seven groups and `::` no address goes on. */
const isBeginning = (key: string): boolean => key.endsWith('::') && key.split(':').length < 9;

/** The administrator's rules, ready to be asked. */
export class Rules {
  readonly records: readonly CdbRecord[];
  readonly #byKey = new Map<string, Instructions>();
  /** What has been said of one network is asked again for each of its addresses. */
  readonly #opened = new Map<Instructions | null, Instructions>();

  /** @param records of several with one key the first counts */
  constructor(records: readonly CdbRecord[]) {
    this.records = records;
    for (const { key, value } of records) {
      const text = key.toString(BYTES);
      if (!this.#byKey.has(text)) this.#byKey.set(text, value);
    }
  }

  /**
   * Whether an address may have no row: the administrator has said by himself what becomes of it, with a rule for it or by denying
   * its network; or a row of it would be one of a network, as of `2001:db8::`, with which others begin.
   */
  isSettled(ip: IpText): boolean {
    const key = keyOf(ip);
    if (this.#byKey.has(key) || isBeginning(key)) return true;
    const rule = this.#ruleOf(key);
    return rule !== null && denies(rule);
  }

  /** What a row of ours says: what the rules say of its network, and that its client may relay. */
  row(ip: IpText, stamp: string): CdbRecord {
    const key = keyOf(ip);
    const rule = this.#ruleOf(key);
    const open = this.#opened.get(rule) ?? opened(rule);
    this.#opened.set(rule, open);
    return {
      key: Buffer.from(key, BYTES),
      value: Buffer.concat([open, Buffer.from(`#popbsmtp ${stamp}\0`)]),
    };
  }

  /** Of the network of an address, in the order of rules.c. */
  #ruleOf(key: string): Instructions | null {
    for (let length = key.length; length > 0; length--) {
      const last = key[length - 1];
      const rule = last === '.' || last === ':' ? this.#byKey.get(key.slice(0, length)) : undefined;
      if (rule !== undefined) return rule;
    }
    return this.#byKey.get('') ?? null;
  }
}

/** An administrator's own RELAYCLIENT, which qmail-smtpd appends to recipients, stays. */
function opened(rule: Instructions | null): Instructions {
  if (rule === null) return Buffer.from(`${RELAY}\0`);
  const whole = rule.subarray(0, rule.lastIndexOf(NUL) + 1);
  return letsRelay(rule) ? whole : Buffer.concat([whole, Buffer.from(`${RELAY}\0`)]);
}

/**
 * Reads rules as tcprules(1) does.
 *
 * @param path of the text, for an error
 * @throws Failure MAP_RULES
 */
export function parseRules(text: Buffer, path: string): Rules {
  const records: CdbRecord[] = [];
  for (const [index, raw] of text.toString(BYTES).split('\n').entries()) {
    const line = raw.replace(/[ \t]+$/, '');
    if (line === '' || raw.startsWith('#')) continue;
    const rule = parseRule(line);
    if ('problem' in rule) {
      const where = `line ${index + 1}, "${excerpt(line, 60)}"`;
      throw failure('MAP_RULES', { path, reason: `${where}: ${rule.problem}` });
    }
    const value = Buffer.from(rule.data, BYTES);
    for (const key of rule.keys) records.push({ key: Buffer.from(key, BYTES), value });
  }
  return new Rules(records);
}

/**
 * Rules that tcprules has compiled.
 *
 * @throws Failure MAP_RULES
 */
export function compiledRules(records: readonly CdbRecord[], path: string): Rules {
  const named = records.find(({ key }) => isByName(key.toString(BYTES)));
  if (named !== undefined) {
    const where = `"${excerpt(named.key.toString(BYTES), 60)}"`;
    throw failure('MAP_RULES', { path, reason: `${where}: ${BY_NAME}` });
  }
  return new Rules(records);
}

const isByName = (address: string): boolean => address.startsWith('=');
const BY_NAME = 'a rule by host name, which the row of an address would hide';

type Parsed =
  | { readonly keys: readonly string[]; readonly data: string }
  | { readonly problem: string };

/** Of an IPv6 address the colon that counts is the one before the instructions. */
const RULE = /^(.*?):(allow|deny)(.*)$/s;

function parseRule(line: string): Parsed {
  const [, address, verb, rest] = RULE.exec(line) ?? [];
  if (address === undefined || rest === undefined)
    return { problem: 'no address, colon, and allow or deny' };
  if (isByName(address)) return { problem: BY_NAME };
  const variables = parseVariables(rest);
  if (variables === null) return { problem: 'no list of ,VARIABLE="VALUE" behind allow or deny' };
  const keys = expand(address);
  if (keys === null) return { problem: 'no range of numbers' };
  return { keys, data: `${verb === 'deny' ? `${DENY}\0` : ''}${variables}` };
}

/** Any character may stand for the quotes. */
const VARIABLE = /^,([^=]*)=(.)(.*?)\2/s;

/** @returns the entries, or null */
function parseVariables(text: string): string | null {
  let entries = '';
  for (let rest = text; rest !== ''; ) {
    const [all, name, , value] = VARIABLE.exec(rest) ?? [];
    if (all === undefined) return null;
    entries += `+${name}=${value}\0`;
    rest = rest.slice(all.length);
  }
  return entries;
}

const RANGE = /^(?<before>(?:[^-]*\.)?)(?<first>\d+)-(?<last>\d+)(?<after>(?:\..*)?)$/s;
const MOST = 255;

/** The addresses that one with a range stands for. */
function expand(address: string): string[] | null {
  if (/[=@]/.test(address) || !address.includes('-')) return [address];
  const { before, first, last, after } = RANGE.exec(address)?.groups ?? {};
  if (before === undefined || after === undefined) return null;
  const keys: string[] = [];
  for (let number = Number(first); number <= Math.min(Number(last), MOST); number++)
    keys.push(`${before}${number}${after}`);
  return keys;
}
