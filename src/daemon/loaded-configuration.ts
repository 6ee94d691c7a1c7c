/**
 * What the running daemon has of its configuration, and how that differs from what a reload or a restart would find.
 *
 * Promises: nothing is changed by a look; the same value in another place is no difference; what cannot be read is said.
 * Known limit: a pattern file is told by its time alone, so one that was only touched counts as changed.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import type { ConfigurationState, SettingChange } from '../control/configuration-state.ts';
import { withConfig } from '../options/config.ts';
import type { Value } from '../options/entry.ts';
import { type OptionName, optionsOf, specOf } from '../options/options.ts';
import { saysOtherwise, someOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { askMynetworks } from '../postfix/postconf.ts';
import { words } from '../postfix/words.ts';
import { patternsIn } from '../recogniser/load.ts';

export class LoadedConfiguration {
  /** The command line's alone. */
  readonly #typed: Values;
  readonly #started: Values;
  /** Of what a reload takes. */
  #loaded: Values;
  #time: number;

  /** @param values with those of the file, as the daemon was started with them @param time in ms of Unix time, when they were read */
  constructor(typed: Values, values: Values, time: number) {
    this.#typed = typed;
    this.#started = values;
    this.#loaded = values;
    this.#time = time;
  }

  /** Takes note of a reload that has succeeded. */
  reloaded(values: Values, time: number): void {
    this.#loaded = values;
    this.#time = time;
  }

  /** @param mynetworks Postfix's own as they were asked for last; null where they are not asked for */
  async state(mynetworks: string | null): Promise<ConfigurationState> {
    const loaded = new Date(this.#time).toISOString();
    try {
      const changes = await this.#changes(withConfig(this.#typed), mynetworks);
      return { loaded, changes, problem: null };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { loaded, changes: [], problem: error.line };
    }
  }

  async #changes(now: Values, mynetworks: string | null): Promise<SettingChange[]> {
    return [
      ...optionsOf('run').flatMap(name => this.#changeOf(name, now) ?? []),
      ...changedPatterns(this.#loaded, this.#time),
      ...(mynetworks === null ? [] : await changedMynetworks(this.#loaded, mynetworks)),
    ];
  }

  #changeOf(name: OptionName, now: Values): SettingChange | null {
    const isRule = specOf(name).onReload === true;
    const running = isRule ? this.#loaded : this.#started;
    if (!saysOtherwise(name, running, now)) return null;
    return {
      what: name,
      running: asWritten(running.given(name)?.value),
      written: asWritten(now.given(name)?.value),
      takes: isRule ? 'reload' : 'restart',
    };
  }
}

function asWritten(value: Value | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === 'object' ? value.join(' ') : String(value);
}

function changedPatterns(values: Values, since: number): SettingChange[] {
  const { directory } = patternsIn(someOf(values, 'patterns').patterns);
  return patternsSince(directory, since).map(what => ({
    what,
    running: null,
    written: null,
    takes: 'reload',
  }));
}

function patternsSince(directory: string, since: number): string[] {
  try {
    return readdirSync(directory)
      .filter(name => name.endsWith('.toml'))
      .map(name => join(directory, name))
      .filter(path => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > since);
  } catch {
    // There is none, as on most hosts; what is named, and is not there or closed, is told where patterns are loaded.
    return [];
  }
}

async function changedMynetworks(values: Values, running: string): Promise<SettingChange[]> {
  const { postfixConfig } = someOf(values, 'postfix-config');
  const written = await askMynetworks(postfixConfig, () => undefined);
  const [before, now] = [running, written].map(text => words(text).join(' '));
  if (before === undefined || now === undefined || before === now) return [];
  return [{ what: 'mynetworks of main.cf', running: before, written: now, takes: 'reload' }];
}
