/**
 * The maps that a configuration has named: those that it names no more must not keep anything open.
 *
 * Postfix may still look into a map whose name was changed here and not in main.cf; nobody would ever end its rows.
 * Promises: a map is noted before the first row is written to it, and forgotten when it holds no row of ours any more,
 * or is gone; one that another popbsmtp owns, or that cannot be written, is left alone and tried again at the next start.
 * The administrator's rows stay.  What else was said of a map is noted with it: its reader must still be able to read the file, and be told.  Notes that cannot be read or written are told, and stop nothing.
 * Leaves to others: where the notes are (`fileFor`), and maps that no configuration file has named.
 * Known limit: whoever names maps on the command line only is told of them by the doctor.
 */

import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { quantity } from '../base/quantity.ts';
import type { Change } from '../grant/change.ts';
import { StateFile } from '../state/state-file.ts';
import { holdMap } from './held-map.ts';
import type { MapSpec } from './map.ts';
import { formatMapSpec, mapExists } from './map-types.ts';
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
    const content = this.#tolerate(() => this.#file.read(), null);
    const noted = this.#tolerate(() => this.#specsIn(content), []);
    const present = new Set(this.#current.map(formatMapSpec));
    const former = noted.filter(spec => !present.has(formatMapSpec(spec)));
    const all = this.#isStart ? [...this.#current, ...former] : noted;
    if (JSON.stringify(notesOf(all)) !== JSON.stringify(content ?? notesOf([])))
      await this.#note(all);
    const left: MapSpec[] = [];
    const ended = new Set<MapSpec>();
    for (const spec of former) {
      if (await this.#endRows(spec)) ended.add(spec);
      else left.push(spec);
    }
    if (ended.size > 0) await this.#note(all.filter(spec => !ended.has(spec)));
    return left;
  }

  #specsIn(content: unknown): MapSpec[] {
    const config = this.#current[0]?.config ?? null;
    return namesIn(content).flatMap(name =>
      this.#tolerate(
        () => [{ ...parseMapSpec(name, this.#file.path, config), ...mannerIn(content, name) }],
        [],
      ),
    );
  }

  /** @returns whether there is nothing left to do */
  async #endRows(spec: MapSpec): Promise<boolean> {
    const name = formatMapSpec(spec);
    if (!mapExists(spec)) return true;
    try {
      const { map, close } = await holdMap(spec, false, this.#warn);
      try {
        const changes: Change[] = [];
        await map.eachGrant(({ ip }) => changes.push({ ip, stamp: null }));
        await map.commit(changes);
        // Also where an earlier attempt has ended them, and could not tell the reader.
        map.check();
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

  async #note(specs: readonly MapSpec[]): Promise<void> {
    try {
      await this.#file.write(notesOf(specs));
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

/** How a map is written, and made known. */
type Manner = Pick<MapSpec, 'mode' | 'command'>;

interface Notes {
  readonly maps: readonly string[];
  /** Of those that are not written as usual. */
  readonly manners?: Readonly<Record<string, Manner>>;
}

function notesOf(specs: readonly MapSpec[]): Notes {
  const maps = specs.map(formatMapSpec);
  const manners = specs.flatMap((spec): [string, Manner][] => {
    const { mode, command } = spec;
    const manner = { ...(mode !== undefined && { mode }), ...(command && { command }) };
    return Object.keys(manner).length === 0 ? [] : [[formatMapSpec(spec), manner]];
  });
  return { maps, ...(manners.length > 0 && { manners: Object.fromEntries(manners) }) };
}

/** What was noted of a map besides its name. */
function mannerIn(content: unknown, name: string): Manner {
  const manners = propertyOf(content, 'manners');
  const manner = propertyOf(manners, name);
  const mode = propertyOf(manner, 'mode');
  const command = propertyOf(manner, 'command');
  const [program, ...args]: unknown[] = Array.isArray(command) ? command : [];
  const words = args.filter(word => typeof word === 'string');
  return {
    ...(typeof mode === 'number' && { mode }),
    ...(typeof program === 'string' && { command: [program, ...words] as const }),
  };
}

const propertyOf = (of: unknown, name: string): unknown =>
  typeof of === 'object' && of !== null
    ? Object.entries(of).find(([key]) => key === name)?.[1]
    : undefined;

/** What was noted; nothing that is not a name. */
function namesIn(content: unknown): string[] {
  if (typeof content !== 'object' || content === null || !('maps' in content)) return [];
  const { maps } = content;
  return Array.isArray(maps) ? maps.filter(name => typeof name === 'string') : [];
}
