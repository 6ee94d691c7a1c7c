/**
 * The systemd journal as a finished log: what is in it now, from its first entry to its last.
 *
 * Promises: the same entries count as for the daemon (journal-source.ts): those asked for that are trusted and whole lines;
 * how many others there were is told at the end, by tag.  Memory does not grow with the journal.
 * Lines are numbered as they come, those that count only.
 */
import { MAX_LINE } from '../line/length.ts';
import { type FinishedLog, streamLog, streamReader } from './finished-log.ts';
import { type JournalEntry, parseEntry } from './journal-entry.ts';
import { type JournalRules, lineOf } from './journal-source.ts';
import { JournalStreams } from './journal-streams.ts';
import { isAsked, JOURNALCTL, Journalctl, unreadable } from './journalctl.ts';
import type { Receiver } from './source.ts';
import { Splitter } from './splitter.ts';

/**
 * @param name as `watchlog` has it
 * @param rules asked when it is read
 * @param notice told what was not taken
 */
export const openFinishedJournal = (
  name: string,
  rules: () => JournalRules,
  notice: Receiver['notice'],
  program: string = JOURNALCTL,
): FinishedLog => streamLog(name, streamReader(linesOf(name, rules, notice, program)));

/** Whole lines, some at a time. @throws Failure JOURNAL_UNREADABLE */
async function* linesOf(
  name: string,
  rulesOf: () => JournalRules,
  notice: Receiver['notice'],
  program: string,
): AsyncGenerator<Buffer> {
  const rules = rulesOf();
  const complaints: string[] = [];
  const child = new Journalctl(program, name, rules, { since: 0, follow: false }, text =>
    complaints.push(text),
  );
  const entries = new Entries(name, rules);
  try {
    const splitter = new Splitter();
    for await (const bytes of child.output()) yield entries.taken(splitter.push(bytes));
    yield entries.taken(splitter.flush());
    const how = await child.ended();
    if (child.status !== 0) throw unreadable(name, complaints.at(-1) || how);
    entries.tell(splitter.tooLong, notice);
  } finally {
    child.kill();
  }
}

class Entries {
  readonly #name: string;
  readonly #rules: JournalRules;
  readonly #streams = new JournalStreams();
  /** By tag, the latest with how many there were. */
  readonly #untrusted = new Map<string, { readonly entry: JournalEntry; readonly count: number }>();
  #unreadable = 0;
  #tooLong = 0;

  constructor(name: string, rules: JournalRules) {
    this.#name = name;
    this.#rules = rules;
  }

  taken(texts: readonly string[]): Buffer {
    const lines = texts.filter(text => text !== '').map(text => this.#lineOf(text));
    return Buffer.from(lines.join(''), 'latin1');
  }

  tell(skipped: number, notice: Receiver['notice']): void {
    for (const [tag, { entry, count }] of this.#untrusted) {
      const { uid, transport } = entry;
      notice({ kind: 'untrusted', path: this.#name, tag, uid, transport, count });
    }
    const path = this.#name;
    const [unreadable, tooLong] = [this.#unreadable, this.#tooLong + skipped];
    if (unreadable > 0) notice({ kind: 'unreadable', path, count: unreadable });
    if (tooLong > 0) notice({ kind: 'too long', path, count: tooLong });
  }

  /** With its end; empty for what does not count. */
  #lineOf(text: string): string {
    const entry = parseEntry(text, this.#rules.hostFirst);
    if (entry === null) {
      this.#unreadable++;
      return '';
    }
    // Asked first: it follows the streams through the entries that are not trusted as well.
    if (!this.#streams.isWhole(entry) || !this.#rules.trust(entry)) {
      if (!isAsked(this.#rules, entry)) return '';
      const { count = 0 } = this.#untrusted.get(entry.tag) ?? {};
      this.#untrusted.set(entry.tag, { entry, count: count + 1 });
      return '';
    }
    const line = lineOf(entry, this.#rules);
    if (line !== null && line.length <= MAX_LINE) return `${line}\n`;
    this.#tooLong++;
    return '';
  }
}
