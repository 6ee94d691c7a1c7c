/**
 * `nft:` maps: two sets of nftables, whose elements end by themselves (nft-set.ts has what they are).
 *
 * The kernel ends an element a little after its grant is due, so that the daemon, which takes it away in time and says so, comes first;
 * while no daemon runs, nobody has to.  After a boot, or when the administrator's rules are loaded anew, the sets are empty.
 * Promises: a commit is one transaction, which the kernel's readers see at once or not at all, and takes no longer in a large set; what
 * somebody else has put into a set is neither changed nor taken away: an element is made only where there is none, and when
 * there is one that was not known, or none where one was, the set is read again, and the commit starts over.
 * Leaves to others: how long a grant lasts (`setGrace`).
 * Known limits: that the table was made anew is noticed within LOOK_MS; what somebody has taken out of a set stays out until its
 * client logs in again; an element of ours that the administrator exchanges for one of his own, for the same address, is taken for
 * ours until the set is read again.
 */
import { readFileSync } from 'node:fs';
import { canonicalIp, type IpText } from '../base/address.ts';
import { Failure, failure } from '../base/errors.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { GraceOf, Grant } from '../grant/grant-table.ts';
import type { LookupMap, MapSpec, Row } from './map.ts';
import { formatMapSpec } from './map-types.ts';
import type { NftName } from './nft-name.ts';
import { changeSets, listSets, makeSets, tableHandle } from './nft-program.ts';
import type { Contents, Element } from './nft-set.ts';
import { plan } from './plan.ts';
import { among, byKey, removals, sortOut, stampOf, stampText } from './row.ts';

/** How long after its grant an element ends. */
const SLACK_SECONDS = 5;
/** An end that is off by less is none to correct. */
const TOLERANCE_SECONDS = 2;
const LOOK_MS = 5000;
const ATTEMPTS = 5;
/** So many rows are one transaction. */
const SLICE = 5000;
/** Where nobody has said how long a grant lasts: an element that a commit writes all the same ends soon. */
const UNKNOWN_GRACE: GraceOf = () => 60;

/** No stamp, and so the administrator's. */
const FOREIGN = 'foreign';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** A row of ours, and when nft ends it, on the steady clock, in seconds. */
interface Held {
  readonly stamp: string;
  readonly ends: number;
}

const steady = (): number => performance.now() / 1000;

export class NftMap implements LookupMap {
  readonly spec: MapSpec;
  readonly #name: NftName;
  #grace: GraceOf = UNKNOWN_GRACE;
  #identity = '';
  /** The handle of the table. */
  #table = '';
  /** The table is another one than was opened, or cannot be looked at. */
  #trouble: Failure | null = null;
  #held = new Map<IpText, Held>();
  /** Whose elements are somebody else's. */
  #others: ReadonlySet<string> = new Set();
  #lookedAt = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(spec: MapSpec, name: NftName) {
    this.spec = spec;
    this.#name = name;
  }

  /** @throws Failure NFT_MISSING, NFT_REFUSED, NFT_FAILED; NFT_SET of a set that is for something else */
  static async open(spec: MapSpec): Promise<NftMap> {
    const map = new NftMap(spec, nameIn(spec));
    await map.#open();
    return map;
  }

  get identity(): string {
    return this.#identity;
  }

  /** Rows that are there get the ends that they have by it. */
  setGrace(grace: GraceOf): void {
    this.#grace = grace;
    void this.#next(() => this.#watch(() => this.#renewEnds()));
  }

  async rows(): Promise<Row[]> {
    await this.#turn;
    return rowsOf(await this.#list());
  }

  async eachGrant(take: (grant: Grant) => void, other?: (row: Row) => void): Promise<void> {
    sortOut(await this.rows(), take, other);
  }

  async commit(changes: readonly Change[]): Promise<Effect[]> {
    if (this.#trouble !== null) await this.#next(() => this.#getOver());
    const effects: Effect[] = [];
    for (let start = 0; start < changes.length; start += SLICE) {
      const slice = changes.slice(start, start + SLICE);
      effects.push(...(await this.#next(() => this.#commit(slice))));
    }
    return effects;
  }

  remove(rows: readonly Row[]): Promise<Effect[]> {
    return this.#next(async () => {
      const listed = rowsOf(await this.#list());
      const effects = removals(listed, rows);
      const isGone = among(rows);
      const gone = listed.filter(isGone).flatMap(({ key }) => canonicalIp(key) ?? []);
      const isDone = await changeSets(this.#name, gone, []);
      this.#take(await this.#list());
      return isDone ? effects : rows.map(() => 'absent');
    });
  }

  /** @throws Failure MAP_REPLACED, NFT_MISSING, NFT_REFUSED, NFT_FAILED */
  check(): void {
    if (this.#trouble !== null) throw this.#trouble;
    if (performance.now() < this.#lookedAt + LOOK_MS) return;
    this.#lookedAt = performance.now();
    void this.#next(() => this.#watch(() => this.#look()));
  }

  reopen(): Promise<Row[]> {
    return this.#next(async () => {
      await this.#open();
      return rowsOf(await this.#list());
    });
  }

  async close(): Promise<void> {
    await this.#turn;
  }

  #next<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #open(): Promise<void> {
    let contents = await listSets(this.#name);
    if (contents === null) {
      await makeSets(this.#name);
      contents = await listSets(this.#name);
    }
    if (contents === null) throw this.#replaced('removed');
    const boot = readFileSync(BOOT_ID, 'latin1').trim();
    this.#identity = `nft:${boot}:${contents.identity}`;
    this.#table = contents.table;
    this.#trouble = null;
    this.#take(contents);
  }

  /** What nobody waits for is told by `check`. */
  async #watch(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#trouble = error;
    }
  }

  async #look(): Promise<void> {
    const handle = await tableHandle(this.#name);
    if (handle !== this.#table) throw this.#replaced(handle === null ? 'removed' : 'replaced');
  }

  async #renewEnds(): Promise<void> {
    await this.#commit(
      Array.from(this.#held, ([ip, { stamp }]): Change => ({ ip, stamp: stampOf(stamp) })),
    );
  }

  /** @throws Failure while the trouble lasts */
  async #getOver(): Promise<void> {
    await this.#look();
    await this.#renewEnds();
    this.#trouble = null;
  }

  #replaced(how: 'removed' | 'replaced'): Failure {
    return failure('MAP_REPLACED', { path: formatMapSpec(this.spec), how });
  }

  /** @throws Failure MAP_REPLACED */
  async #list(): Promise<Contents> {
    const contents = await listSets(this.#name);
    if (contents === null) throw this.#replaced('removed');
    if (contents.table !== this.#table) throw this.#replaced('replaced');
    return contents;
  }

  #take({ leases, others }: Contents): void {
    // nft rounds down what is left.
    const now = steady() + 1;
    this.#held = new Map();
    for (const [ip, { stamp, expires }] of leases)
      this.#held.set(ip, { stamp: stampText(stamp), ends: now + expires });
    this.#others = new Set(others.map(({ key }) => key));
  }

  async #commit(changes: readonly Change[]): Promise<Effect[]> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const effects = await this.#try(changes);
      if (effects !== null) return effects;
      this.#take(await this.#list());
    }
    const reason = 'other programs keep changing it';
    throw failure('NFT_FAILED', { name: formatMapSpec(this.spec), reason });
  }

  /** @returns null when the sets are not as they were */
  async #try(changes: readonly Change[]): Promise<Effect[] | null> {
    const { effects, writes } = this.#plan(changes);
    const now = steady();
    const gone: IpText[] = [];
    const made: (Element & Held)[] = [];
    for (const [ip, stamp] of writes) {
      // What nft has ended is not there any more.
      if ((this.#held.get(ip)?.ends ?? now) > now) gone.push(ip);
      if (stamp === null) continue;
      const timeout = this.#secondsOf(ip, stamp);
      made.push({ ip, stamp, timeout, ends: now + timeout });
    }
    if (!(await changeSets(this.#name, gone, made))) return null;
    for (const ip of writes.keys()) this.#held.delete(ip);
    for (const { ip, stamp, ends } of made) this.#held.set(ip, { stamp, ends });
    return effects;
  }

  /** With the rows that have the right time and the wrong end, as after a change of the grace period. */
  #plan(changes: readonly Change[]): Pick<ReturnType<typeof plan>, 'effects' | 'writes'> {
    const current = (ip: IpText): string | undefined =>
      this.#others.has(ip) ? FOREIGN : this.#held.get(ip)?.stamp;
    const { effects, writes: planned } = plan(changes, current);
    const writes = new Map(planned);
    for (const { ip, stamp } of changes) {
      const held = this.#held.get(ip);
      if (held === undefined || stamp === null || writes.has(ip) || this.#others.has(ip)) continue;
      if (held.stamp !== stampText(stamp)) continue;
      const ends = steady() + this.#secondsOf(ip, held.stamp);
      if (Math.abs(ends - held.ends) > TOLERANCE_SECONDS) writes.set(ip, held.stamp);
    }
    return { effects, writes };
  }

  /** Until a row of this time ends; at once where it is due already, and somebody is about to take it away. */
  #secondsOf(ip: IpText, stamp: string): number {
    const left = Number(stamp) + this.#grace(ip) + SLACK_SECONDS - Date.now() / 1000;
    return Math.max(1, Math.ceil(left));
  }
}

function rowsOf({ leases, others }: Contents): Row[] {
  const ours = Array.from(leases, ([key, { stamp }]): Row => {
    return { key, value: stampText(stamp), stamp };
  });
  return [...ours, ...others].sort(byKey);
}

/**
 * The rows of the sets.
 *
 * @throws Failure MAP_MISSING without them; as `NftMap.open` does
 */
export async function readNft(spec: MapSpec): Promise<Row[]> {
  const contents = await listSets(nameIn(spec));
  if (contents === null) throw failure('MAP_MISSING', { path: formatMapSpec(spec) });
  return rowsOf(contents);
}

function nameIn({ nft, path }: MapSpec): NftName {
  // Whoever reads names of maps gives it (spec.ts).
  if (nft === undefined) throw new TypeError(`${path} names no sets`);
  return nft;
}
