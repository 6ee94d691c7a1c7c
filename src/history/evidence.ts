/**
 * What of a history's file bears on a question: all that is about the address and the user, about his other addresses, the
 * daemon, and what happened in the network around the moment.
 *
 * Only blocks in which some of it may stand are read (block-index.ts), those before the moment that are nearest to it.
 * Known limit: of what fills more blocks than that, such as an address behind which hundreds log in all day, the older part is not
 * looked at; orders are, however old.
 */
import type { IpText } from '../base/address.ts';
import { HOUR, hourOf } from './block.ts';
import { type BlockIndex, OF_DAEMON, OF_ORDER } from './block-index.ts';
import type { Entry } from './entry.ts';
import type { HistoryFile } from './history-file.ts';
import { neighbourhoodOf } from './neighbourhood.ts';
import { isRefusedNear, type Question } from './why.ts';

/** Seconds around the moment in which all that is near is of interest. */
const AROUND = HOUR;
/** Seconds after it in which a login may have come too late. */
const AFTER = 86_400;
/** Blocks that are read for each of what is looked for. */
const MOST_BLOCKS = 200;

/** @throws Failure HISTORY */
export async function evidenceFor(question: Question, file: HistoryFile): Promise<Entry[]> {
  const { address, at } = question;
  const index = await file.index(hourOf(at + AFTER) + 1);
  const users = new Set(question.user === null ? [] : [question.user.toLowerCase()]);
  const ips = new Set<IpText>(address === null ? [] : [address]);
  let found = await gather(file, index, ips, users);
  // Whoever was at the address, or wherever the user was, is of interest too.
  for (const { kind, user } of found)
    if (kind === 'login' && user !== null) users.add(user.toLowerCase());
  found = await gather(file, index, ips, users);
  const known = ips.size;
  for (const { kind, ip } of found) if (kind === 'login' && ip !== null) ips.add(ip);
  const nearby = await around(file, question);
  // Has anybody else logged in there?
  for (const ip of refusedNeighbours(ips, nearby, at)) ips.add(ip);
  if (ips.size > known) found = await gather(file, index, ips, users);
  return unique([...found, ...nearby]);
}

function refusedNeighbours(
  ips: ReadonlySet<IpText>,
  nearby: readonly Entry[],
  at: number,
): IpText[] {
  const own = new Set([...ips].map(neighbourhoodOf));
  return nearby.flatMap(entry => {
    const { ip } = entry;
    return ip !== null && isRefusedNear(entry, at) && own.has(neighbourhoodOf(ip)) ? [ip] : [];
  });
}

async function gather(
  file: HistoryFile,
  index: BlockIndex,
  ips: ReadonlySet<IpText>,
  users: ReadonlySet<string>,
): Promise<Entry[]> {
  const names = [...ips, ...users];
  const keys = new Map<string, Buffer>();
  const add = (some: readonly Buffer[]): void => {
    for (const key of some) keys.set(key.toString('hex'), key);
  };
  for (const name of [...names, OF_DAEMON]) add(index.having([[name]]).slice(-MOST_BLOCKS));
  add(index.having(names.map(name => [name, OF_ORDER])));
  const found: Entry[] = [];
  await file.visitBlocks([...keys.values()].sort(Buffer.compare), entry => {
    const isAbout =
      entry.kind === 'daemon' ||
      (entry.ip !== null && ips.has(entry.ip)) ||
      (entry.user !== null && users.has(entry.user.toLowerCase()));
    if (isAbout) found.push(entry);
  });
  return found;
}

async function around(file: HistoryFile, { address, at }: Question): Promise<Entry[]> {
  const network = address === null ? null : neighbourhoodOf(address);
  const found: Entry[] = [];
  await file.visit(hourOf(at - AROUND), hourOf(at + AROUND) + 1, entry => {
    const { kind, ip, time } = entry;
    if (ip === null || Math.abs(time - at) > AROUND) return;
    const isNear = network !== null && neighbourhoodOf(ip) === network;
    if (isNear || (kind === 'refused' && address === null)) found.push(entry);
  });
  return found;
}

/** The parts that were gone through overlap. */
function unique(entries: Iterable<Entry>): Entry[] {
  return [...new Map([...entries].map(entry => [JSON.stringify(entry), entry])).values()];
}
