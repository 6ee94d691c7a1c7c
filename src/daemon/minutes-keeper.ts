/**
 * Keeps the hour that `status --watch` draws over a restart: in a file beside the map, once a minute and at a stop.
 *
 * Promises: a dry run writes nothing; what cannot be read or written is told once, and costs no more than the picture.
 */
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { Minutes } from '../control/minutes.ts';
import type { MapSpec } from '../map/map.ts';
import { beside } from '../state/beside.ts';
import { StateFile } from '../state/state-file.ts';

interface KeeperParts {
  readonly minutes: Minutes;
  readonly map: MapSpec;
  readonly nowrite: boolean;
  readonly clock: Clock;
  readonly warn: (text: string) => void;
}

export class MinutesKeeper {
  readonly #parts: KeeperParts;
  readonly #file: StateFile;
  #failed = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#file = new StateFile(beside(parts.map, 'minutes'));
  }

  recall(): void {
    const { minutes, clock, warn } = this.#parts;
    try {
      minutes.restore(this.#file.read(), clock.now());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      warn(error.line);
    }
  }

  async save(): Promise<void> {
    const { minutes, clock, nowrite, warn } = this.#parts;
    if (nowrite) return;
    try {
      await this.#file.write(minutes.save(clock.now()));
      this.#failed = false;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!this.#failed) warn(error.line);
      this.#failed = true;
    }
  }
}
