/**
 * What the records of a map of sendmail's mean, and which records a grant is.
 *
 * As FEATURE(`access_db') wants it (`Connect:192.0.2.1`, `RELAY`), a record has no room for a time: sendmail compares the whole value.  So the time
 * stands in a record of its own in the same file, under a key that no ruleset asks for, together with the address and the value that it is about:
 *
 *     connect:192.0.2.1             RELAY
 *     popbsmtp:connect:192.0.2.1    1795817958 192.0.2.1 RELAY
 *
 * One file holds both, so neither can be there without the other; and a record says by itself that it is ours, whatever the options say by
 * now: one that was made with another prefix or value ends like all.  Where a map is only asked whether it has an address (`popauth`), the key is the
 * address, the time is its value, and there is no second record.
 * sendmail writes an IPv6 address with the tag `IPv6:` and all its eight groups (libsmutil, anynet_ntop; UseCompressedIPv6Addresses off), and asks for
 * keys in lower case (makemap(8), -f).  So written, no address is the beginning of another one, which the access map is asked for as well.
 * Promises: records of the administrator's keep their bytes; one about an address under our prefix, in whatever spelling, keeps a grant from that address.
 */
import { canonicalIp, type IpText, parseAddress } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';
import type { MakemapForm, Row } from './map.ts';
import { stampOf, stampText } from './row.ts';

/** The bytes of a key and its value, each as a character. */
export interface MakemapRecord {
  readonly key: string;
  readonly value: string;
}

/** A row, with the records that it is made of; none for a time whose record is gone or has been changed. */
export interface Entry {
  readonly row: Row | null;
  readonly records: readonly MakemapRecord[];
  readonly isOurs: boolean;
}

const STAMP = 'popbsmtp:';
const TAG = 'ipv6:';

const STAMP_VALUE = /^(?<stamp>\d+) (?<address>\S+) (?<value>.+)$/;

/** The key and value that are meant when nothing else is said. */
export const PLAIN: MakemapForm = { prefix: '', value: null };

/**
 * The records of a grant.
 *
 * @param ip whole, as in `Row.key`
 */
export function recordsOf(ip: string, stamp: string, form: MakemapForm): MakemapRecord[] {
  const key = `${form.prefix.toLowerCase()}${nameOf(ip)}`;
  const value = form.value ?? stamp;
  const record = { key, value };
  if (form.prefix === '' && form.value === null) return [record];
  return [record, { key: `${STAMP}${key}`, value: `${stamp} ${ip} ${value}` }];
}

/** An address as sendmail's rulesets have it in ${client_addr}, in lower case. */
function nameOf(ip: string): string {
  const address = parseAddress(ip);
  if (address === null || !('parts' in address)) return ip;
  return `${TAG}${address.parts.map(part => part.toString(16)).join(':')}`;
}

/** What `nameOf` has made, or another spelling of it by an administrator; null for what is no address. */
function addressIn(name: string): IpText | null {
  const isTagged = name.slice(0, TAG.length).toLowerCase() === TAG;
  const ip = canonicalIp(isTagged ? name.slice(TAG.length) : name);
  return ip !== null && isTagged === ip.includes(':') ? ip : null;
}

/** @param records all of a map */
export function entriesOf(records: readonly MakemapRecord[], form: MakemapForm): Entry[] {
  const values = new Map(records.map(({ key, value }) => [key, value]));
  const stamps = new Map<string, EpochSeconds | null>();
  const entries: Entry[] = [];
  for (const record of records) {
    const times = timesOf(record);
    if (times === null) continue;
    const { key, value, ip, stamp } = times;
    stamps.set(record.key, null);
    if (values.get(key) !== value) {
      entries.push({ row: null, records: [record], isOurs: true });
    } else {
      stamps.set(key, null);
      entries.push(ours(ip, stamp, [{ key, value }, record]));
    }
  }
  const others = records.filter(({ key }) => !stamps.has(key));
  return [...entries, ...others.map(record => otherEntry(record, form))];
}

/** What a record of a time says; null for any other record. */
function timesOf(record: MakemapRecord) {
  if (!record.key.startsWith(STAMP)) return null;
  const {
    stamp: text = '',
    address = '',
    value = '',
  } = STAMP_VALUE.exec(record.value)?.groups ?? {};
  const stamp = stampOf(text);
  const ip = canonicalIp(address);
  const key = record.key.slice(STAMP.length);
  return stamp === null || ip === null || !key.endsWith(nameOf(ip))
    ? null
    : { key, value, ip, stamp };
}

const ours = (ip: IpText, stamp: EpochSeconds, records: readonly MakemapRecord[]): Entry => ({
  row: { key: ip, value: stampText(stamp), stamp },
  records,
  isOurs: true,
});

/** A record without one of its time beside it. */
function otherEntry(record: MakemapRecord, { prefix }: MakemapForm): Entry {
  const { key, value } = record;
  const plain = addressIn(key);
  const stamp = stampOf(value);
  if (plain !== null && stamp !== null) return ours(plain, stamp, [record]);
  const hasPrefix = key.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase();
  const ip = hasPrefix ? addressIn(key.slice(prefix.length)) : null;
  const shown = ip ?? utf8(key);
  // By itself a number at an address would be a time.
  const isLikeOurs = stamp !== null && canonicalIp(shown) !== null;
  return {
    row: { key: shown, value: isLikeOurs ? `"${value}"` : utf8(value), stamp: null },
    records: [record],
    isOurs: false,
  };
}

const utf8 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();
