/**
 * Runs nft(8), which makes a script one transaction: all of it is done, or nothing.
 *
 * Leaves to others: what it is told, and what it prints (nft-set.ts).
 * Known limit: it changes the tables of the network namespace that this process is in, and needs CAP_NET_ADMIN, also to read.
 */
import { execFile } from 'node:child_process';
import type { IpText } from '../base/address.ts';
import { errnoOf, failure, reasonOf } from '../base/errors.ts';
import { Damage } from './lmdb-meta.ts';
import { formatNftName, type NftName } from './nft-name.ts';
import {
  type Contents,
  changeScript,
  type Element,
  listArguments,
  makeScript,
  parseContents,
  TABLES_ARGUMENTS,
  tableIn,
} from './nft-set.ts';

const TIMEOUT_MS = 60_000;
/** A million elements are some 100 MB of JSON. */
const OUTPUT_LIMIT = 256 << 20;
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** What nft says of an element that is there already, or is not there, and of a set or table that is not. */
const NOT_AS_KNOWN = /No such file or directory|File exists/;
const REFUSED = /Operation not permitted/;

type Result =
  | { readonly kind: 'done'; readonly stdout: string }
  /** Nothing was done, since something is there that was not, or is not there that was. */
  | { readonly kind: 'differs' };

/** For an error. */
const label = (name: NftName): string => `nft:${formatNftName(name)}`;

/** @throws Failure NFT_MISSING, NFT_REFUSED, NFT_FAILED */
async function run(name: NftName, args: readonly string[], input = ''): Promise<Result> {
  const { error, stdout, stderr } = await finish(args, input);
  if (error === null) return { kind: 'done', stdout };
  if (NOT_AS_KNOWN.test(stderr)) return { kind: 'differs' };
  const what = { name: label(name), reason: complaint(stderr) || reasonOf(error) };
  if (errnoOf(error) === 'ENOENT') throw failure('NFT_MISSING', what, error);
  throw failure(REFUSED.test(stderr) ? 'NFT_REFUSED' : 'NFT_FAILED', what, error);
}

interface Finished {
  readonly error: Error | null;
  readonly stdout: string;
  readonly stderr: string;
}

function finish(args: readonly string[], input: string): Promise<Finished> {
  const limits = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: OUTPUT_LIMIT } as const;
  return new Promise(resolve => {
    const child = execFile('nft', args, { env: ENVIRONMENT, ...limits }, (error, stdout, stderr) =>
      resolve({ error, stdout, stderr }),
    );
    child.stdin?.on('error', () => undefined).end(input);
  });
}

/** The first line, without the place in the script. */
const complaint = (stderr: string): string => {
  const [line = ''] = stderr.split('\n');
  return line.replace(/^\S*: (?=Error: )/, '');
};

/** Whether the table is there; also when that cannot be found out. */
export async function mayHaveTable(name: NftName): Promise<boolean> {
  const { error, stdout } = await finish(['-j', ...TABLES_ARGUMENTS], '');
  return error !== null || tableIn(stdout, name) !== null;
}

/**
 * @returns null while the table or a set is not there
 * @throws Failure NFT_MISSING, NFT_REFUSED, NFT_FAILED; NFT_SET of one that is for something else
 */
export async function listSets(name: NftName): Promise<Contents | null> {
  const list = (args: readonly string[]) => run(name, ['-j', ...args]);
  const [tables, four, six] = await Promise.all([
    list(TABLES_ARGUMENTS),
    list(listArguments(name, 4)),
    list(listArguments(name, 6)),
  ]);
  const textOf = (result: Result): string | null => (result.kind === 'done' ? result.stdout : null);
  const sets = { 4: textOf(four), 6: textOf(six) };
  const listed = { tables: textOf(tables) ?? '{}', sets };
  return orFormat(name, () => parseContents(listed, name));
}

/** @throws as `listSets` does */
export async function tableHandle(name: NftName): Promise<string | null> {
  const tables = await run(name, ['-j', ...TABLES_ARGUMENTS]);
  return tables.kind === 'done' ? orFormat(name, () => tableIn(tables.stdout, name)) : null;
}

/**
 * Makes the table and the sets that are not there.
 *
 * @throws as `listSets` does
 */
export async function makeSets(name: NftName): Promise<void> {
  const result = await run(name, ['-f', '-'], makeScript(name));
  // A set of another kind is there already: who lists them says which.
  if (result.kind === 'differs') await listSets(name);
}

/**
 * Takes elements away and makes others, in one transaction.
 *
 * @returns false when nothing was done, since the sets are not as they were thought to be
 * @throws as `listSets` does
 */
export async function changeSets(
  name: NftName,
  gone: readonly IpText[],
  made: readonly Element[],
): Promise<boolean> {
  const script = changeScript(name, gone, made);
  return script === '' || (await run(name, ['-f', '-'], script)).kind === 'done';
}

function orFormat<T>(name: NftName, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    throw failure('NFT_SET', { name: label(name), found: error.message }, error);
  }
}
