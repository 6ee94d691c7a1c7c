/**
 * All patterns that are active, by the programs whose lines they are for.
 *
 * Promises: what does not apply to a program costs its lines nothing.  Several servers may share a tag
 * (Courier and UW-IMAP both log as `imapd`); their patterns are tried in the order of the files.
 */
import type { Beginnings, LinePrefix } from '../line/prefix.ts';
import type { OwnLines } from './own-line.ts';
import type { Pattern, PatternFile } from './pattern.ts';
import type { Splitting } from './splitting.ts';

/** What applies to the lines of one program. */
export interface Program {
  readonly patterns: readonly Pattern[];
  /** How its logger tears long lines apart, or null if it does not (torn-lines.ts). */
  readonly splitting: Splitting | null;
  /** What of its server's own log may stand behind its tag, or null where nothing does. */
  readonly own: OwnLines | null;
}

export class Registry implements Beginnings {
  readonly files: readonly PatternFile[];
  /** What lines of servers' own logs begin with. */
  readonly linePrefixes: readonly LinePrefix[];
  readonly relays: ReadonlySet<string>;
  readonly #programs = new Map<string, Program>();

  /** @param relays those that the administrator trusts */
  constructor(files: readonly PatternFile[], relays: ReadonlySet<string> = new Set()) {
    this.files = files;
    this.relays = relays;
    this.linePrefixes = files.flatMap(file => file.linePrefixes);
    for (const { programs, patterns, splitting, linePrefixes } of files) {
      const own =
        linePrefixes.length === 0 ? null : { programs: new Set(programs), forms: linePrefixes };
      for (const name of new Set(programs)) {
        const before = this.#programs.get(name);
        this.#programs.set(name, {
          patterns: [...(before?.patterns ?? []), ...patterns],
          splitting: splitting ?? before?.splitting ?? null,
          own: own ?? before?.own ?? null,
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
