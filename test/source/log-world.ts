/**
 * A log in a real directory, everything that can happen to it, and a model of what a source has to deliver.
 *
 * The model knows of every line in which contents of a file it stands, whether these still have a name, and what the
 * source had seen when they lost it.  A line is due when anybody could read it: when it stands in a file that has a
 * name, or in one that a look had found before it was removed.  What is due is delivered exactly once; what is not,
 * at most once.  Contents follow each other in time, and so do their lines; only those of a file that was removed, and
 * what a writer adds to a file after the next one was begun, may come later.
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout, setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { FileSource } from '../../src/source/file-source.ts';
import { type Place, parsePlace } from '../../src/source/place.ts';

/** How rotated files are named; `linked`: the path is a link to the latest of dated files. */
export type Scheme = 'numbered' | 'dated' | 'linked';

interface Line {
  readonly text: string;
  readonly contents: Contents;
  /** How many contents had been begun when it was written. */
  readonly age: number;
}

/** What was written to a file between its creation, or its truncation, and the next. */
interface Contents {
  readonly number: number;
  /** `held`: only an open descriptor reaches it.  `doubtful`: a known limit of the source applies. */
  reach: 'named' | 'held' | 'gone' | 'doubtful';
  /** A look has found it. */
  seen: boolean;
  copied: boolean;
  partial: string;
}

interface Delivery {
  readonly text: string;
  /** Goes up when the source starts anew, and may deliver again what it has delivered. */
  readonly epoch: number;
}

interface Saved {
  readonly place: Place | null;
  readonly deliveries: number;
}

interface OldWriter {
  readonly fd: number;
  readonly contents: Contents;
}

/** Contents begun after which a writer has noticed the rotation. */
const PATIENCE = 3;
/** More than a tick of the kernel's clock, by which files are stamped (10 ms at most). */
const TICK_MS = 12;

export class LogWorld {
  readonly #directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
  readonly #inner = join(this.#directory, 'log');
  readonly #path = join(this.#inner, 'mail.log');
  readonly #scheme: Scheme;
  readonly #lines: Line[] = [];
  readonly #all: Contents[] = [];
  #current: Contents | null = null;
  #oldWriter: OldWriter | null = null;
  #counter = 0;
  #rotations = 0;
  /** Descriptors of files that have been removed. */
  #removed: number[] = [];

  #source: FileSource | null = null;
  #deliveries: Delivery[] = [];
  #epoch = 0;
  #saved: Saved = { place: null, deliveries: 0 };
  #open: Promise<void> | null = null;
  #unpause: () => void = () => undefined;
  readonly #stopping: Promise<void>[] = [];

  constructor(scheme: Scheme) {
    this.#scheme = scheme;
    mkdirSync(this.#inner);
    this.create();
    this.#start(null);
  }

  // What happens to the log.

  write(count: number): void {
    for (let line = 0; line < count; line++) this.#writeTo(this.#current, this.#path, true);
  }

  writePartly(): void {
    this.#writeTo(this.#current, this.#path, false);
  }

  writeToOld(count: number): void {
    const old = this.#oldWriter;
    if (old === null) return;
    for (let line = 0; line < count; line++) this.#writeTo(old.contents, old.fd, true);
  }

  /** @param stay whether the writer stays on the old file */
  rotate(stay: boolean): void {
    this.moveAway(stay);
    this.create();
  }

  moveAway(stay: boolean): void {
    if (this.#current === null) return;
    if (stay) this.#keepWriter(this.#current);
    if (this.#scheme === 'linked') unlinkSync(this.#path);
    else renameSync(this.#path, this.#nextName());
    this.#current = null;
  }

  create(): void {
    if (this.#current !== null) return;
    if (this.#scheme === 'linked') {
      const target = this.#nextName();
      writeFileSync(target, '');
      symlinkSync(target, this.#path);
    } else writeFileSync(this.#path, '');
    this.#begin();
  }

  copyTruncate(): void {
    const current = this.#current;
    if (current === null || this.#scheme === 'linked') return;
    copyFileSync(this.#path, this.#nextName());
    truncateSync(this.#path);
    // It stands in another file now.
    current.seen = false;
    current.copied = true;
    this.#begin();
  }

  /** @param refill lines written again at once, which may be more than there were */
  truncate(refill: number): void {
    const current = this.#current;
    if (current === null) return;
    current.reach = 'gone';
    truncateSync(this.#path);
    this.#begin();
    this.write(refill);
  }

  remove(): void {
    const current = this.#current;
    if (current === null) return;
    if (this.#scheme === 'linked') unlinkSync(this.#path);
    else {
      this.#unname(current);
      this.#remove(this.#path);
    }
    this.#current = null;
  }

  /** Another file of the same size takes its place. */
  replace(): void {
    const current = this.#current;
    if (current === null || this.#scheme === 'linked') return;
    const { size } = statSync(this.#path);
    this.#unname(current);
    const text = this.#nextText();
    const long = size > text.length;
    const other = `${this.#path}.new`;
    writeFileSync(other, long ? `${text.padEnd(size - 1, 'x')}\n` : ' '.repeat(size));
    this.#remove(this.#path);
    renameSync(other, this.#path);
    const contents = this.#begin();
    if (long) this.#add(text.padEnd(size - 1, 'x'), contents);
    else contents.partial = ' '.repeat(size);
  }

  /** The newest rotated file, as logrotate does it; its `delaycompress` is for writers that stay. */
  async compress(): Promise<void> {
    if (this.#oldWriter !== null || this.#scheme === 'linked') return;
    // Compressed before it was ever seen: another known limit.
    if (this.#source !== null && !(await this.look())) return;
    const path = this.#rotated().at(0);
    if (path === undefined || path.endsWith('.gz')) return;
    const { atime, mtime } = statSync(path);
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
    utimesSync(`${path}.gz`, atime, mtime);
    this.#remove(path);
  }

  /** Long enough for the inodes of removed files to be given away. */
  async wait(): Promise<void> {
    if (this.#removed.length === 0) return;
    await setTimeout(TICK_MS);
    for (const fd of this.#removed) closeSync(fd);
    this.#removed = [];
  }

  moveDirectory(): void {
    if (this.#source === null || this.#scheme === 'linked') return;
    const elsewhere = join(this.#directory, `gone-${this.#counter++}`);
    renameSync(this.#inner, elsewhere);
    mkdirSync(this.#inner);
    for (const contents of this.#all) this.#unname(contents);
    this.#current = null;
    this.create();
  }

  // What happens to the source.

  pause(): void {
    if (this.#source === null || this.#open !== null) return;
    this.#open = new Promise(resolve => {
      this.#unpause = resolve;
    });
    void this.#source.look();
  }

  goOn(): void {
    this.#open = null;
    this.#unpause();
  }

  /** @returns whether all that there is has been delivered now */
  async look(): Promise<boolean> {
    if (this.#source === null) return false;
    const looked = this.#source.look();
    if (this.#open !== null) return false;
    await looked;
    // Without a file at the path, a source that has lost its place waits for one.
    if (this.#current === null) return false;
    this.#verify();
    for (const contents of this.#all) contents.seen = true;
    return true;
  }

  async save(): Promise<void> {
    if (this.#source === null) return;
    // What has been dealt with, and the place, are brought up to date in the same turn.
    await turn();
    this.#saved = { place: this.#source.place, deliveries: this.#deliveries.length };
  }

  async stop(): Promise<void> {
    if (this.#source === null) return;
    this.goOn();
    await this.#source.stop();
    await this.save();
    this.#down();
  }

  kill(): void {
    if (this.#source === null) return;
    this.#stopping.push(this.#source.stop());
    this.#deliveries = this.#deliveries.slice(0, this.#saved.deliveries);
    this.#down();
    this.goOn();
  }

  async resume(): Promise<void> {
    if (this.#source !== null) return;
    // When nothing had been read of a file, its copy cannot be told from those made before.
    if (this.#saved.place?.position === 0) this.#doubt(({ copied }) => copied);
    this.#start(parsePlace(JSON.parse(JSON.stringify(this.#saved.place))));
    await this.look();
  }

  /** Brings all to an end at which everything has to be there. */
  async finish(): Promise<void> {
    this.create();
    await this.resume();
    this.goOn();
    await this.look();
    await this.look();
  }

  async clear(): Promise<void> {
    await this.stop();
    await Promise.all(this.#stopping);
    this.#leaveOld();
    for (const fd of this.#removed) closeSync(fd);
    rmSync(this.#directory, { recursive: true });
  }

  // The model.

  #start(place: Place | null): void {
    if (place === null) this.#epoch++;
    const source: FileSource = new FileSource(
      this.#path,
      {
        lines: async batch => {
          if (this.#open !== null) await this.#open;
          if (this.#source !== source) return;
          const epoch = this.#epoch;
          this.#deliveries.push(...batch.map(text => ({ text, epoch })));
        },
        notice: ({ kind }) => {
          if (kind === 'place lost' && this.#source === source) this.#epoch++;
        },
      },
      () => null,
      { place },
    );
    this.#source = source;
  }

  #down(): void {
    this.#source = null;
    for (const contents of this.#all) {
      contents.seen = false;
      if (contents.reach === 'held') contents.reach = 'gone';
    }
  }

  #begin(): Contents {
    const contents: Contents = {
      number: this.#all.length,
      reach: 'named',
      seen: false,
      copied: false,
      partial: '',
    };
    this.#all.push(contents);
    this.#current = contents;
    const old = this.#oldWriter;
    if (old !== null && contents.number - old.contents.number > PATIENCE) this.#leaveOld();
    return contents;
  }

  #unname(contents: Contents): void {
    const held = contents.reach === 'named' && contents.seen && this.#source !== null;
    if (contents.reach !== 'held') contents.reach = held ? 'held' : 'gone';
  }

  /** Removes a file, whose inode nobody gets before some time has passed: the kernel's clock is that coarse. */
  #remove(path: string): void {
    this.#removed.push(openSync(path, 'r'));
    unlinkSync(path);
  }

  #doubt(which: (contents: Contents) => boolean): void {
    for (const contents of this.#all)
      if (contents.reach === 'named' && which(contents)) contents.reach = 'doubtful';
  }

  #keepWriter(contents: Contents): void {
    this.#leaveOld();
    this.#oldWriter = { fd: openSync(this.#path, 'a'), contents };
  }

  #leaveOld(): void {
    if (this.#oldWriter !== null) closeSync(this.#oldWriter.fd);
    this.#oldWriter = null;
  }

  #nextText(): string {
    return `${this.#counter++}.`;
  }

  #writeTo(contents: Contents | null, file: string | number, whole: boolean): void {
    if (contents === null) return;
    const text = this.#nextText();
    const bytes = whole ? `${text}\n` : text;
    if (typeof file === 'number') writeSync(file, bytes);
    else appendFileSync(file, bytes);
    contents.partial += text;
    if (!whole) return;
    this.#add(contents.partial, contents);
    contents.partial = '';
  }

  #add(text: string, contents: Contents): void {
    this.#lines.push({ text, contents, age: this.#all.length });
  }

  #nextName(): string {
    this.#rotations++;
    if (this.#scheme !== 'numbered') return `${this.#path}-${20260100 + this.#rotations}`;
    for (const path of this.#rotated().reverse()) {
      const [, number, rest] = /\.(\d+)(\.gz)?$/.exec(path) ?? [];
      renameSync(path, `${this.#path}.${Number(number) + 1}${rest ?? ''}`);
    }
    return `${this.#path}.1`;
  }

  /** Newest first. */
  #rotated(): string[] {
    const number = (name: string): number => Number(/[.-](\d+)(?:\.gz)?$/.exec(name)?.[1] ?? 0);
    const names = readdirSync(this.#inner).filter(name => number(name) > 0);
    const up = this.#scheme === 'numbered' ? 1 : -1;
    return names.sort((a, b) => up * (number(a) - number(b))).map(name => join(this.#inner, name));
  }

  #verify(): void {
    const delivered = new Set<string>();
    for (const epoch of new Set(this.#deliveries.map(delivery => delivery.epoch))) {
      const texts = this.#deliveries.filter(delivery => delivery.epoch === epoch);
      this.#verifyOrder(texts.map(({ text }) => text));
      for (const { text } of texts) delivered.add(text);
    }
    for (const { text, contents } of this.#lines) {
      const due = contents.reach === 'named' || contents.reach === 'held';
      if (due && !delivered.has(text)) this.#fail(text, 'is missing');
    }
  }

  #verifyOrder(texts: readonly string[]): void {
    const byText = new Map(this.#lines.map((line, index) => [line.text, { ...line, index }]));
    const lastOf = new Map<Contents, number>();
    let latest = -1;
    for (const text of texts) {
      const line = byText.get(text);
      if (line === undefined) this.#fail(text, 'is no line, or was delivered twice');
      byText.delete(text);
      const { contents, index, age } = line;
      if ((lastOf.get(contents) ?? -1) > index) this.#fail(text, 'comes after a later one');
      lastOf.set(contents, index);
      if (age > contents.number + 1 || contents.reach !== 'named') continue;
      if (contents.number < latest) this.#fail(text, 'comes after later contents');
      latest = contents.number;
    }
  }

  #fail(text: string, problem: string): never {
    const lines = this.#lines.map(line => `${line.contents.number}:${line.text}`);
    const delivered = this.#deliveries.map(delivery => `${delivery.epoch}:${delivery.text}`);
    const names = readdirSync(this.#inner);
    assert.fail(`"${text}" ${problem}; written ${lines}; delivered ${delivered}; files ${names}`);
  }
}
