/**
 * The maps that a configuration has named: those that it names no more must not keep anything open.
 *
 * Postfix may still look into a map whose name was changed here and not in main.cf; nobody would ever end its rows.
 * Promises: a map is noted before the first row is written to it, and forgotten when it holds no row of ours any more,
 * or is gone; one that another popbsmtp owns, or that cannot be written, is left alone and tried again at the next start.
 * The administrator's rows stay.  Notes that cannot be read or written are told, and stop nothing.
 * Leaves to others: where the notes are (`fileFor`), and maps that no configuration file has named.
 * Known limit: whoever names maps on the command line only is told of them by the doctor.
 */

import { dirname, join } from 'node:path';
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
    const noted = this.#tolerate(() => namesIn(this.#file.read()), []);
    const former = this.#former(noted);
    const present = this.#current.map(formatMapSpec);
    const names = this.#isStart ? [...present, ...former.map(formatMapSpec)] : noted;
    if (names.join('\n') !== noted.join('\n')) await this.#note(names);
    const left: MapSpec[] = [];
    const ended = new Set<string>();
    for (const spec of former) {
      if (await this.#endRows(spec)) ended.add(formatMapSpec(spec));
      else left.push(spec);
    }
    if (ended.size > 0) await this.#note(names.filter(name => !ended.has(name)));
    return left;
  }

  #former(noted: readonly string[]): MapSpec[] {
    const present = new Set(this.#current.map(formatMapSpec));
    const config = this.#current[0]?.config ?? null;
    const { path } = this.#file;
    const parse = (name: string) => [parseMapSpec(name, path, config, dirname(path))];
    return noted
      .filter(name => !present.has(name))
      .flatMap(name => this.#tolerate(() => parse(name), []));
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

  async #note(names: readonly string[]): Promise<void> {
    try {
      await this.#file.write({ maps: names });
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

/** What was noted; nothing that is not a name. */
function namesIn(content: unknown): string[] {
  if (typeof content !== 'object' || content === null || !('maps' in content)) return [];
  const { maps } = content;
  return Array.isArray(maps) ? maps.filter(name => typeof name === 'string') : [];
}
