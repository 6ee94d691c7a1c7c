/**
 * All the logs that a wildcard stands for, each followed as a file is (file-source.ts).
 *
 * Promises: a file that comes to match is followed from then on, like a log that is read for the first time: from the first line that
 * still matters; it is found as soon as the kernel reports it, and within a second otherwise.  A file that is gone, with all that it was
 * rotated to, is let go some seconds later; one that turns out to have been rotated from another log, at once.  That nothing matches is told,
 * and waited for.  No more than MOST_FILES are followed, those that were written to last, and the rest is told.
 * Leaves to others: which files match (matching-files.ts).
 * Known limits: a file that was rotated is told from a log by its name and by the log's being there; so one that is there
 * alone is followed itself, and its lines are delivered once more when the log comes back.
 */
import { every } from '../base/beat.ts';
import { reasonOf } from '../base/errors.ts';
import { FileSource } from './file-source.ts';
import { logsAmong, matchingFiles } from './matching-files.ts';
import type { Place } from './place.ts';
import { rotatedFiles } from './rotated.ts';
import type { Notice, Receiver, Source } from './source.ts';
import type { StartPosition } from './start.ts';
import { Troubles } from './troubles.ts';
import { WatchedDirectories } from './watched-directories.ts';
import type { Wildcard } from './wildcard.ts';

/** Each takes a descriptor, and a look every second. */
export const MOST_FILES = 500;
const POLL_MS = 1000;
/** Between two looks into the directories, in milliseconds: many files may come at once. */
const LEAST_PAUSE_MS = 50;
const AWAY_MS = 10_000;
export interface WildcardParts {
  readonly wildcard: Wildcard;
  /** Of what is told of all files together. */
  readonly receiver: Receiver;
  /** Of one file's lines and notices. */
  receiverOf(path: string): Receiver;
  readonly startAt: StartPosition;
  /** Where an earlier source has got to in its files, by their paths. */
  readonly places: ReadonlyMap<string, Place>;
  /** Where they may have been rotated to, besides their own directories (rotated.ts). */
  readonly olddirs: readonly string[];
  /** Whether a file is followed by another source. */
  isOthers(path: string): boolean;
  /** How many are followed at most. */
  readonly most?: number;
  /** How long a log may be away before it is let go, in milliseconds; a rotation takes a moment. */
  readonly awayMs?: number;
}

interface Member {
  readonly source: FileSource;
  /** Since when it has been away, in milliseconds of performance.now(). */
  awaySince: number | null;
}

export class WildcardSource implements Source {
  readonly #parts: WildcardParts;
  readonly #most: number;
  readonly #awayMs: number;
  readonly #troubles: Troubles;
  readonly #directories: WatchedDirectories;
  readonly #members = new Map<string, Member>();
  /** Files that were there at the start and of which nothing has been heard yet. */
  readonly #unheard = new Set<string>();
  #isFollowing = false;
  #toldTooMany = false;
  #endPoll: (() => void) | null = null;
  #next: NodeJS.Timeout | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;
  readonly #stopping = new Set<Promise<void>>();

  constructor(parts: WildcardParts) {
    this.#parts = parts;
    this.#most = parts.most ?? MOST_FILES;
    this.#awayMs = parts.awayMs ?? AWAY_MS;
    this.#troubles = new Troubles(notice => parts.receiver.notice(notice));
    this.#directories = new WatchedDirectories(
      () => this.#changed(),
      (path, error) => this.#troubles.begin({ kind: 'polling', path, reason: reasonOf(error) }),
    );
  }

  start(): void {
    this.#look([...this.#parts.places.keys()]);
    for (const path of this.#members.keys()) this.#unheard.add(path);
    this.#endPoll = every(POLL_MS, () => this.#tick());
    for (const { source } of this.#members.values()) source.start();
    if (this.#unheard.size === 0) this.#following();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endPoll?.();
    if (this.#next !== null) clearTimeout(this.#next);
    this.#directories.close();
    const members = [...this.#members.values()].map(({ source }) => source.stop());
    await Promise.all([...members, ...this.#stopping]);
  }

  /** What has been dealt with of each file that is followed; stays after a stop. */
  places(): Map<string, Place> {
    const places = new Map<string, Place>();
    for (const [path, { source }] of this.#members)
      if (source.place !== null) places.set(path, source.place);
    return places;
  }

  #tick(): void {
    if (this.#directories.isChanged()) this.#look();
    this.#letGo();
  }

  /** A directory reports another name in it. */
  #changed(): void {
    if (this.#next !== null || this.#stopped) return;
    const pause = this.#lookedAt + LEAST_PAUSE_MS - performance.now();
    if (pause <= 0) this.#look();
    else
      this.#next = setTimeout(() => {
        this.#next = null;
        this.#look();
      }, pause);
  }

  /** @param before logs that an earlier source has followed */
  #look(before: readonly string[] = []): void {
    this.#lookedAt = performance.now();
    const { wildcard, isOthers } = this.#parts;
    const { files, directories } = matchingFiles(wildcard);
    const present = new Set(files);
    this.#directories.watch(directories);
    const away = before.filter(path => !present.has(path) && this.#hasRotated(path));
    const logs = new Set([...away, ...logsAmong(files, [...this.#members.keys(), ...away])]);
    for (const path of logs) if (!isOthers(path)) this.#follow(path);
    for (const [path, member] of this.#members) {
      if (logs.has(path)) member.awaySince = null;
      else if (present.has(path)) this.#drop(path, member);
      else member.awaySince ??= performance.now();
    }
  }

  #hasRotated(path: string): boolean {
    return rotatedFiles(path, this.#parts.olddirs).length > 0;
  }

  #follow(path: string): void {
    if (this.#members.has(path)) return;
    if (this.#members.size >= this.#most) {
      if (!this.#toldTooMany)
        this.#tell({ kind: 'too many', path: this.#parts.wildcard.text, most: this.#most });
      this.#toldTooMany = true;
      return;
    }
    const { places, olddirs, startAt } = this.#parts;
    // Where the last run has got to says nothing of a file that came since.
    const place = this.#isFollowing ? null : (places.get(path) ?? null);
    const source = new FileSource(path, this.#receiverOf(path), startAt, {
      place,
      olddirs,
      pollMs: POLL_MS,
    });
    this.#members.set(path, { source, awaySince: null });
    if (this.#endPoll !== null) source.start();
  }

  #receiverOf(path: string): Receiver {
    const receiver = this.#parts.receiverOf(path);
    return {
      lines: (batch, writtenBy) => receiver.lines(batch, writtenBy),
      notice: notice => {
        if (notice.kind === 'polling') this.#troubles.begin(notice);
        else if (notice.kind !== 'missing') receiver.notice(notice);
        if (this.#unheard.delete(path) && this.#unheard.size === 0) this.#following();
      },
    };
  }

  #following(): void {
    this.#isFollowing = true;
    const { text } = this.#parts.wildcard;
    this.#tell({ kind: 'matched', path: text, count: this.#members.size });
  }

  /** Those that have been away for long, with all that they were rotated to. */
  #letGo(): void {
    const now = performance.now();
    for (const [path, member] of this.#members) {
      if (member.awaySince === null || now - member.awaySince < this.#awayMs) continue;
      if (this.#hasRotated(path)) {
        member.awaySince = now;
        continue;
      }
      this.#drop(path, member);
      this.#tell({ kind: 'let go', path });
    }
  }

  #drop(path: string, { source }: Member): void {
    this.#members.delete(path);
    if (this.#unheard.delete(path) && this.#unheard.size === 0) this.#following();
    const stopped = source.stop();
    this.#stopping.add(stopped);
    void stopped.then(() => this.#stopping.delete(stopped));
  }

  #tell(notice: Notice): void {
    this.#parts.receiver.notice(notice);
  }
}
