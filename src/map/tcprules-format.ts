/**
 * `tcprules:` maps: the rules of tcpserver, with a rule for each address that may relay (tcprules.ts has what it says).
 *
 * Promises: the administrator's rules stand in the file as tcprules(1) would have compiled them, unchanged, and ours behind them;
 * no rule of ours is for an address that he has settled by himself, by a rule for it or by denying its network, or that is one of a network.
 * Leaves to others: when the text of his rules is read (ruled-map.ts); without it, those count that are in the file.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { canonicalIp, type IpText } from '../base/address.ts';
import { Failure, failure, reasonOf } from '../base/errors.ts';
import type { Effect } from '../grant/change.ts';
import { type CdbRecord, makeCdb, readCdb } from './cdb.ts';
import type { MapSpec, Row } from './map.ts';
import { mapPath } from './map-types.ts';
import { plan } from './plan.ts';
import type { Changed, Format } from './replaced-map.ts';
import { among, removals, stampOf, stampText } from './row.ts';
import type { Ruling } from './ruled-map.ts';
import { compiledRules, letsRelay, parseRules, Rules, stampIn, textOf } from './tcprules.ts';

/** A file, taken apart. */
interface Contents {
  readonly file: Buffer;
  readonly grants: ReadonlyMap<IpText, string>;
  readonly others: readonly CdbRecord[];
}

async function contentsOf(spec: MapSpec): Promise<Contents> {
  const file = await readFile(mapPath(spec));
  const grants = new Map<IpText, string>();
  const others: CdbRecord[] = [];
  for (const record of readCdb(file)) {
    const stamp = stampIn(record.value);
    const ip = canonicalIp(record.key.toString('latin1'));
    if (stamp === null || ip === null) others.push(record);
    else grants.set(ip, stampText(stamp));
  }
  return { file, grants, others };
}

/** What a text says has an owner who knows of it; what is only in the file may have been forgotten there. */
function otherRow({ key, value }: CdbRecord, { rules }: MapSpec): Row {
  const text = key.toString();
  const isHarmless = rules !== undefined || !letsRelay(value);
  return {
    key: canonicalIp(text) ?? text,
    value: textOf(value),
    stamp: null,
    ...(isHarmless && { harmless: true }),
  };
}

function rowsOf({ grants, others }: Contents, spec: MapSpec): Row[] {
  const ours = Array.from(grants, ([key, value]): Row => {
    return { key, value, stamp: stampOf(value) };
  });
  return [...others.map(record => otherRow(record, spec)), ...ours];
}

/** No stamp, and so the administrator's. */
const SETTLED = 'settled';

const fileOf = (rules: Rules, grants: ReadonlyMap<IpText, string>): Buffer =>
  makeCdb([...rules.records, ...Array.from(grants, ([ip, stamp]) => rules.row(ip, stamp))]);

/** @param rules of the administrator's text; null for those of the file */
const tcprulesFormat = (rules: () => Rules | null): Format => ({
  name: 'file of tcprules',
  read: async spec => rowsOf(await contentsOf(spec), spec),
  make: (_, fresh) => writeFile(mapPath(fresh), fileOf(rules() ?? new Rules([]), new Map())),
  change: async (spec, fresh, changes) => {
    const { file, grants, others } = await contentsOf(spec);
    const own = rules() ?? compiledRules(others, mapPath(spec));
    const left = new Map([...grants].filter(([ip]) => !own.isSettled(ip)));
    const { effects, writes } = plan(changes, ip => (own.isSettled(ip) ? SETTLED : left.get(ip)));
    for (const [ip, stamp] of writes) {
      if (stamp === null) left.delete(ip);
      else left.set(ip, stamp);
    }
    return replace(fresh, file, effects, fileOf(own, left));
  },
  remove: async (spec, fresh, rows) => {
    const contents = await contentsOf(spec);
    const { file, grants, others } = contents;
    const effects = removals(rowsOf(contents, spec), rows);
    const goes = among(rows);
    const kept = others.filter(record => !goes(otherRow(record, spec)));
    const left = [...grants].filter(([key, value]) => !goes({ key, value, stamp: null }));
    return replace(fresh, file, effects, fileOf(new Rules(kept), new Map(left)));
  },
});

async function replace(
  fresh: MapSpec,
  before: Buffer,
  effects: Effect[],
  file: Buffer,
): Promise<Changed> {
  if (file.equals(before)) return { effects, changed: false };
  await writeFile(mapPath(fresh), file);
  return { effects, changed: true };
}

export const TCPRULES: Ruling<Rules> = {
  load: async path => {
    try {
      return parseRules(await readFile(path), path);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw failure('MAP_RULES', { path, reason: reasonOf(error) }, error);
    }
  },
  format: tcprulesFormat,
  files: path => [path],
};
