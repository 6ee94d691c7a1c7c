/**
 * The maps that a configuration has named: those that it names no more must not keep anything open.
 *
 * Postfix may still look into a map whose name was changed here and not in main.cf; nobody would ever end its rows.
 * Promises: a map is noted before the first row is written to it, and forgotten when it holds no row of ours any more,
 * or is gone; one that another popbsmtp owns, or that cannot be written, is left alone and tried again at the next start.
 * Its command and its mode are noted with it, so that its reader is told of the end as well, and can still read it; a command is only taken from
 * notes that no other account can have written, since this one may be root.
 * The administrator's rows stay.  Notes that cannot be read or written are told, and stop nothing.
 * Leaves to others: where the notes are (`fileFor`), and maps that no configuration file has named.
 * Known limit: whoever names maps on the command line only is told of them by the doctor.
 */

import { statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { Change } from '../grant/change.ts';
import { StateFile } from '../state/state-file.ts';
import { holdMap } from './held-map.ts';
import type { Command, MapSpec } from './map.ts';
import { MAP_MODES } from './map-mode.ts';
import { formatMapSpec, isAnnounced, mapExists } from './map-types.ts';
import { parseMapSpec } from './spec.ts';

type Warn = (text: string) => void;

/** The notes of one configuration: several may have their daemons under one account. */
export const fileFor = (directory: string, configuration: string): StateFile =>
  new StateFile(join(directory, `.popbsmtp-maps-${encodeURIComponent(configuration)}`));

export class FormerMaps {
  readonly #file: StateFile;
  readonly #current: readonly MapSpec[];
  readonly #warn: Warn;
  readonly #isStart: boolean;

  /**
   * @param current what the configuration names now, the first map first
   * @param isStart whether the present maps are looked after from now on, and so noted; else one that another popbsmtp
   *   owns is left to it without a word
   */
  constructor(
    file: StateFile,
    current: readonly MapSpec[],
    warn: Warn,
    { isStart = true }: { readonly isStart?: boolean } = {},
  ) {
    this.#file = file;
    this.#current = current;
    this.#warn = warn;
    this.#isStart = isStart;
  }

  /**
   * Notes the present maps, at a start, and ends the rows of the former ones.
   *
   * @returns those whose rows stay
   */
  async end(): Promise<readonly MapSpec[]> {
    const noted = this.#tolerate(() => notesIn(this.#file.read()), []);
    const former = this.#former(noted);
    const notes = this.#isStart ? [...this.#current, ...former].map(noteOf) : noted;
    if (!isDeepStrictEqual(notes, noted)) await this.#note(notes);
    const left: MapSpec[] = [];
    const ended = new Set<string>();
    for (const spec of former) {
      if (await this.#endRows(spec)) ended.add(formatMapSpec(spec));
      else left.push(spec);
    }
    if (ended.size > 0) await this.#note(notes.filter(({ name }) => !ended.has(name)));
    return left;
  }

  #former(noted: readonly Note[]): MapSpec[] {
    const present = new Set(this.#current.map(formatMapSpec));
    const config = this.#current[0]?.config ?? null;
    const { path } = this.#file;
    const isOurs = noted.some(({ command }) => command !== null) && isWrittenByUs(path);
    const parse = ({ name, command, mode }: Note): MapSpec[] => {
      const spec = parseMapSpec(name, path, config, dirname(path));
      return [
        {
          ...spec,
          ...(isOurs && command !== null && isAnnounced(spec) && { command }),
          ...(mode !== null && { mode }),
        },
      ];
    };
    return noted
      .filter(({ name }) => !present.has(name))
      .flatMap(note => this.#tolerate(() => parse(note), []));
  }

  /** @returns whether there is nothing left to do */
  async #endRows(spec: MapSpec): Promise<boolean> {
    const name = formatMapSpec(spec);
    if (!(await mapExists(spec))) return true;
    try {
      const { map, close } = await holdMap(spec, false, this.#warn);
      try {
        const changes: Change[] = [];
        await map.eachGrant(({ ip }) => changes.push({ ip, stamp: null }));
        await map.commit(changes);
        this.#warn(
          `${name} is no longer in the configuration: its ${quantity(changes.length, 'row is', 'rows are')} ended; if main.cf still names it, ` +
            'logins open nothing there',
        );
        return true;
      } finally {
        await close();
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === 'MAP_OWNED' && !this.#isStart) return false;
      this.#warn(`${name} is no longer in the configuration, and its rows stay: ${error.line}`);
      return false;
    }
  }

  async #note(notes: readonly Note[]): Promise<void> {
    // A member that is undefined is none in JSON.
    const valuesOf = (of: (note: Note) => unknown): Record<string, unknown> | undefined => {
      const known = notes.map(note => [note.name, of(note)]).filter(([, value]) => value !== null);
      return known.length === 0 ? undefined : Object.fromEntries(known);
    };
    try {
      await this.#file.write({
        maps: notes.map(({ name }) => name),
        commands: valuesOf(({ command }) => command),
        modes: valuesOf(({ mode }) => mode),
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#warn(error.line);
    }
  }

  #tolerate<T>(step: () => T, otherwise: T): T {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#warn(error.line);
      return otherwise;
    }
  }
}

/** What is kept in mind of a map. */
interface Note {
  readonly name: string;
  readonly command: Command | null;
  /** Null for the usual one. */
  readonly mode: number | null;
}

const noteOf = (spec: MapSpec): Note => ({
  name: formatMapSpec(spec),
  command: spec.command ?? null,
  mode: spec.mode ?? null,
});

/** What was noted; nothing that is not a name, and no command or mode that is none. */
function notesIn(content: unknown): Note[] {
  if (!isRecord(content) || !Array.isArray(content['maps'])) return [];
  const { maps, commands, modes } = content;
  const names = maps.filter(name => typeof name === 'string');
  const within = (values: unknown, name: string): unknown =>
    isRecord(values) && Object.hasOwn(values, name) ? values[name] : null;
  return names.map(name => ({
    name,
    command: commandIn(within(commands, name)),
    mode: modeIn(within(modes, name)),
  }));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function commandIn(value: unknown): Command | null {
  if (!Array.isArray(value)) return null;
  const [program, ...args] = value.filter(word => typeof word === 'string');
  if (program === undefined || !isAbsolute(program) || args.length + 1 < value.length) return null;
  return [program, ...args];
}

/** One of those that `--map-mode` offers. */
const modeIn = (value: unknown): number | null =>
  typeof value === 'number' && MAP_MODES.includes(value) ? value : null;

const OTHERS_WRITE = 0o022;

/** Whether nobody but this account, and root, can have written a file. */
function isWrittenByUs(path: string): boolean {
  const { uid, mode } = statSync(path);
  return (uid === 0 || uid === process.geteuid?.()) && (mode & OTHERS_WRITE) === 0;
}
