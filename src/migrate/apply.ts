/**
 * Does what a migration says, in an order in which nothing is ever open that should not be, and Postfix names no map that is not there:
 * map, rows, configuration, main.cf.  Rows come before the two by which a migration is known to be done, so that none is lost where
 * a step fails.
 *
 * The map belongs to another account than main.cf, and whoever works there becomes that account for good (map/privileges.ts); so its steps are
 * popbsmtp's own commands, each a process.
 * Promises: each step can be made again, and what is done stays; a step that fails ends it, with what was before it done.  Nothing of
 * the Perl program is touched.
 * Leaves to others: restarting services.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import { tellPostfix } from './ask-postfix.ts';
import { addSettings } from './configuration-file.ts';
import { isDone, type Migration, type Request } from './migration.ts';

/** A configuration that says nothing. */
const NO_FILE = '/dev/null';
/** Addresses of one command: a command line has no room for all. */
const PORTION = 500;
/** A map may be locked for seconds, and half a thousand orders are written one by one. */
const TIMEOUT_MS = 120_000;

export type Done = (text: string) => void;

/**
 * @param done told of each step that was made
 * @throws Failure MIGRATE_BLOCKED, CONFIG_UNWRITABLE, MIGRATE_STEP, POSTCONF_EDIT
 */
export async function applyMigration(
  migration: Migration,
  { postfixConfig, now }: Request,
  done: Done,
): Promise<void> {
  const [blocker] = migration.blockers;
  if (blocker !== undefined)
    throw failure('MIGRATE_BLOCKED', { where: blocker.where, reason: blocker.text });
  if (isDone(migration)) return;
  const { edits, postfixDirectory } = migration;
  if (!migration.mapExists) makeMap(migration, done);
  carryRows(migration, postfixConfig, now, done);
  await configure(migration, done);
  if (edits.length === 0 || postfixDirectory === null) return;
  const copies = await tellPostfix(edits, postfixDirectory, postfixConfig);
  for (const { file, name } of edits) done(`${file}: ${name} names ${migration.map}`);
  for (const copy of copies) done(`how it was before the first change is kept in ${copy}`);
}

async function configure({ configuration, settings }: Migration, done: Done): Promise<void> {
  if (settings.length === 0) return;
  const copy = await addSettings(configuration, settings);
  done(`${configuration}: ${settings.map(({ key }) => key).join(', ')}`);
  if (copy !== null) done(`how it was before the first change is kept in ${copy}`);
}

/** A daemon that has nothing to read makes the map, and ends. */
function makeMap({ map }: Migration, done: Done): void {
  const own = ['--config', NO_FILE, '--watchlog', '-', '--mynetworks', 'none'];
  popbsmtp(['run', '--map', map, ...own]);
  done(`${map} is made`);
}

function carryRows(
  { rows: { carried, until }, map, configuration }: Migration,
  postfixConfig: string | null,
  now: number,
  done: Done,
): void {
  if (until === null || carried.length === 0) return;
  const seconds = Math.floor(until - now);
  const place = ['--map', map, '--config', existsSync(configuration) ? configuration : NO_FILE];
  if (postfixConfig !== null) place.push('--postfix-config', postfixConfig);
  for (let start = 0; start < carried.length; start += PORTION)
    popbsmtp(['allow', '--for', `${seconds}s`, ...place, ...carried.slice(start, start + PORTION)]);
  done(
    `${map}: ${quantity(carried.length, 'address', 'addresses')} of the old map, for ${seconds} s`,
  );
}

/** @throws Failure MIGRATE_STEP */
function popbsmtp(args: readonly string[]): void {
  const [program = ''] = process.argv.slice(1);
  const { status, stderr, error } = spawnSync(process.execPath, [program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (status === 0) return;
  const reason = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
  const step = args.slice(0, 3).join(' ');
  throw failure('MIGRATE_STEP', { step, status: status ?? 'none', reason });
}
