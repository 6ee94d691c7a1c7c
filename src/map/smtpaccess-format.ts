/**
 * `smtpaccess:` maps: a text of rules for makesmtpaccess of Courier, with a rule for each address that may relay (smtpaccess.ts has what
 * it says).
 *
 * The file lies with the daemon's other files, and the directory that makesmtpaccess reads has a link to it: it takes whatever is in that
 * directory for rules.  The times of rows stand in comments (stamped-lines.ts).
 * Promises: no rule of ours is for an address that the administrator has settled by himself, by a rule for it or by denying its network.
 * Leaves to others: when his rules are read (ruled-map.ts), and makesmtpaccess (announced-map.ts).
 */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { IpText } from '../base/address.ts';
import { Failure, failure, reasonOf } from '../base/errors.ts';
import type { MapSpec } from './map.ts';
import { mapPath } from './map-types.ts';
import { plan } from './plan.ts';
import type { Format } from './replaced-map.ts';
import { among, grantsIn, removals, stampText } from './row.ts';
import type { Ruling } from './ruled-map.ts';
import { AccessRules, ipOf, letsRelay, type RulesText, splitRule } from './smtpaccess.ts';
import {
  BYTES,
  type Entry,
  entriesOf,
  foreignIn,
  type LineReader,
  rowsIn,
  stamped,
  textOf,
} from './stamped-lines.ts';

/** Where Courier's makesmtpaccess finds rules (Debian). */
export const SMTPACCESS_DIRECTORY = '/etc/courier/smtpaccess';
/** What compiles them and has couriertcpd take them. */
export const MAKESMTPACCESS = ['/usr/sbin/makesmtpaccess'] as const;

const LINES: LineReader = {
  ours: line => ipOf(splitRule(line)?.[0] ?? ''),
  foreign: line => {
    const [key, value] = splitRule(line) ?? [];
    if (key === undefined || value === undefined) return null;
    const row = { key: ipOf(key) ?? key, value, stamp: null };
    return letsRelay(value) ? row : { ...row, harmless: true };
  },
};

/** No stamp, and so the administrator's. */
const SETTLED = 'settled';

const read = async (spec: MapSpec): Promise<{ text: string; entries: Entry[] }> => {
  const text = await readFile(mapPath(spec), BYTES);
  return { text, entries: entriesOf(text, LINES) };
};

/** @param texts those of the directory; null as long as none were read */
const smtpaccessFormat = (texts: () => readonly RulesText[] | null): Format => ({
  name: 'text of access rules',
  emptyIsMap: true,
  read: async spec => rowsIn((await read(spec)).entries),
  make: (_, fresh) => writeFile(mapPath(fresh), ''),
  change: async (spec, fresh, changes) => {
    const { text: before, entries } = await read(spec);
    const foreign = textOf(foreignIn(entries));
    const rules = new AccessRules([...(texts() ?? []), { path: mapPath(spec), text: foreign }]);
    const left = new Map<IpText, string>();
    for (const { ip, stamp } of grantsIn(rowsIn(entries)))
      if (!rules.isSettled(ip)) left.set(ip, stampText(stamp));
    const current = (ip: IpText) => (rules.isSettled(ip) ? SETTLED : left.get(ip));
    const { effects, writes } = plan(changes, current);
    for (const [ip, stamp] of writes) {
      if (stamp === null) left.delete(ip);
      else left.set(ip, stamp);
    }
    const ours = Array.from(left, ([ip, stamp]) => stamped(stamp, rules.line(ip))).join('');
    const text = foreign + ours;
    if (text === before) return { effects, changed: false };
    await writeFile(mapPath(fresh), text, BYTES);
    return { effects, changed: true };
  },
  remove: async (spec, fresh, rows) => {
    const { entries } = await read(spec);
    const effects = removals(rowsIn(entries), rows);
    if (!effects.includes('removed')) return { effects, changed: false };
    const goes = among(rows);
    const kept = entries.filter(({ row }) => row === null || !goes(row));
    await writeFile(mapPath(fresh), textOf(kept), BYTES);
    return { effects, changed: true };
  },
});

/**
 * The files that makedat reads, but for the map itself; a path that is no directory is the one file.
 *
 * @throws a system error
 */
function filesIn(path: string, spec: MapSpec): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return (
    readdirSync(path)
      .filter(name => !name.endsWith('~') && !/\.dpkg-[a-z]*$/.test(name))
      .map(name => join(path, name))
      // A link that leads nowhere, as to a map that is not there yet, is passed over by makedat as well.
      .filter(file => existsSync(file) && !isMap(file, spec) && statSync(file).isFile())
      .sort()
  );
}

/** Whether makesmtpaccess finds the map in a directory of rules; false where that cannot be told. */
export function isAmongRules(directory: string, spec: MapSpec): boolean {
  try {
    return readdirSync(directory)
      .map(name => join(directory, name))
      .some(file => existsSync(file) && isMap(file, spec));
  } catch {
    return false;
  }
}

/** Whether it is the map, or leads to it. */
function isMap(file: string, spec: MapSpec): boolean {
  const path = mapPath(spec);
  return realpathSync(file) === join(realpathSync(dirname(path)), basename(path));
}

export const SMTPACCESS: Ruling<readonly RulesText[]> = {
  load: async (path, spec) => {
    try {
      if (resolve(path) === dirname(mapPath(spec)))
        throw failure('MAP_RULES', {
          path,
          reason: `${mapPath(spec)} is in it, with the files beside it; a link to it would do`,
        });
      const texts = filesIn(path, spec).map(file => ({
        path: file,
        text: readFileSync(file, BYTES),
      }));
      // An error in them is told now.
      new AccessRules(texts);
      return texts;
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw failure('MAP_RULES', { path, reason: reasonOf(error) }, error);
    }
  },
  format: smtpaccessFormat,
  files: (path, spec) => {
    try {
      return [path, ...filesIn(path, spec)];
    } catch {
      return [path];
    }
  },
};
