/**
 * A map whose rows say again what the administrator's own rules say of an address: by a text of his, which may change.
 *
 * Promises: a change of the text is noticed by `check`, within a second as the daemon asks, and the map is made anew with it; a text that
 * cannot be read or understood changes nothing, as with tcprules(1): it is told, and the rules that were read last count, so that
 * grants end whatever is in it.  Only a map that is not there yet is not made without rules.
 * Leaves to others: what rules look like (`load`), and the file (replaced-map.ts).
 */
import { existsSync, statSync } from 'node:fs';
import { Failure, failure, reasonOf } from '../base/errors.ts';
import type { MapOptions, MapSpec, Row } from './map.ts';
import { mapPath } from './map-types.ts';
import { type Format, ReplacedMap } from './replaced-map.ts';
import { WrappedMap } from './wrapped-map.ts';

/** How a type reads rules, and what it makes of them. */
export interface Ruling<Rules> {
  /** @throws Failure MAP_RULES */
  load(path: string, spec: MapSpec): Promise<Rules>;
  /** @param rules null as long as none were read */
  format(rules: () => Rules | null): Format;
  /** The files that the rules are in, for whether they have changed. */
  files(path: string, spec: MapSpec): readonly string[];
}

export class RuledMap<Rules> extends WrappedMap<ReplacedMap> {
  readonly #source: RulesSource<Rules>;

  private constructor(map: ReplacedMap, source: RulesSource<Rules>) {
    super(map);
    this.#source = source;
  }

  /** @throws Failure MAP_RULES where there is no map yet; as ReplacedMap does */
  static async open<Rules>(
    spec: MapSpec,
    ruling: Ruling<Rules>,
    options: MapOptions,
  ): Promise<RuledMap<Rules>> {
    const source = new RulesSource(spec, ruling, options.warn);
    await source.read({ isNeeded: !existsSync(mapPath(spec)) });
    const format = ruling.format(() => source.rules);
    const map = await ReplacedMap.open(spec, format, options);
    await map.refresh();
    return new RuledMap(map, source);
  }

  /** @throws Failure MAP_RULES_CHANGED; as ReplacedMap does */
  override check(): void {
    this.inner.check();
    if (this.#source.hasChanged()) throw this.#source.change();
  }

  override async reopen(): Promise<Row[]> {
    await this.#source.read({ isNeeded: false });
    await this.inner.reopen();
    await this.inner.refresh();
    return this.inner.rows();
  }
}

/** The text, and what was read of it last. */
class RulesSource<Rules> {
  rules: Rules | null = null;
  readonly #spec: MapSpec;
  readonly #ruling: Ruling<Rules>;
  readonly #warn: (text: string) => void;
  #state = '';

  constructor(spec: MapSpec, ruling: Ruling<Rules>, warn: MapOptions['warn']) {
    this.#spec = spec;
    this.#ruling = ruling;
    this.#warn = warn ?? (() => undefined);
  }

  /** @throws Failure MAP_RULES, if they are needed */
  async read({ isNeeded }: { readonly isNeeded: boolean }): Promise<void> {
    const path = this.#spec.rules;
    if (path === undefined) return;
    // Before it is read: what comes after that is another change.
    this.#state = this.#look(path);
    try {
      this.rules = await this.#ruling.load(path, this.#spec);
    } catch (error) {
      if (isNeeded || !(error instanceof Failure)) throw error;
      this.#warn(error.line);
    }
  }

  hasChanged(): boolean {
    const path = this.#spec.rules;
    return path !== undefined && this.#look(path) !== this.#state;
  }

  change(): Failure {
    const { rules = '', path } = this.#spec;
    return failure('MAP_RULES_CHANGED', { rules, path });
  }

  #look(path: string): string {
    return this.#ruling.files(path, this.#spec).map(stateOf).join(' ');
  }
}

/** Which file it is, and which state of it. */
function stateOf(file: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch (error) {
    return reasonOf(error);
  }
}
