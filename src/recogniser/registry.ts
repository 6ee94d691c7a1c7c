/**
 * All patterns that are active, by the programs whose lines they are for.
 *
 * Promises: what does not apply to a program costs its lines nothing.  Several servers may share a tag
 * (Courier and UW-IMAP both log as `imapd`); their patterns are tried in the order of the files.
 */
import type { OwnForm } from '../line/prefix.ts';
import type { Pattern, PatternFile } from './pattern.ts';

/** What applies to the lines of one program. */
export interface Program {
  readonly patterns: readonly Pattern[];
  /** The length at which its logger may tear a line apart, or null (torn-lines.ts). */
  readonly splitsAt: number | null;
}

export class Registry {
  readonly files: readonly PatternFile[];
  /** What lines of servers' own logs begin with. */
  readonly ownForms: readonly OwnForm[];
  readonly #programs = new Map<string, Program>();

  constructor(files: readonly PatternFile[]) {
    this.files = files;
    this.ownForms = files.flatMap(file => file.ownForms);
    for (const { programs, patterns, splitsAt } of files) {
      for (const name of new Set(programs)) {
        const before = this.#programs.get(name);
        this.#programs.set(name, {
          patterns: [...(before?.patterns ?? []), ...patterns],
          splitsAt: splitsAt ?? before?.splitsAt ?? null,
        });
      }
    }
  }

  /** The tags of all programs. */
  get tags(): readonly string[] {
    return [...this.#programs.keys()];
  }

  program(name: string): Program | null {
    return this.#programs.get(name) ?? null;
  }
}
