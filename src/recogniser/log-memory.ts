/**
 * What a recogniser keeps in mind from one line of a log to a later one.
 *
 * It belongs to the log and not to the patterns: it is handed on when these are loaded again, and noted in the
 * checkpoint, so that neither a reload nor a restart lets the rest of a torn line pass or loses a login that is
 * told in two lines.
 */

import { canonicalIp } from '../base/address.ts';
import { epoch } from '../base/clock.ts';
import { savedList } from '../base/saved.ts';
import { Connects, type SavedConnect } from './connects.ts';
import { type SavedSuspicion, TornLines } from './torn-lines.ts';

/** For a checkpoint: plain JSON. */
export interface SavedMemory {
  readonly torn: readonly SavedSuspicion[];
  readonly connects: readonly SavedConnect[];
}

export class LogMemory {
  readonly torn = new TornLines();
  readonly connects = new Connects();

  save(): SavedMemory {
    return { torn: this.torn.save(), connects: this.connects.save() };
  }

  /** Takes over what was saved; what is of another sort is left out. */
  restore(saved: unknown): void {
    this.torn.restore(savedList(saved, 'torn', suspicionOf));
    this.connects.restore(savedList(saved, 'connects', connectOf));
  }
}

function suspicionOf([key, until, lines]: readonly unknown[]): SavedSuspicion | null {
  const fits = typeof key === 'string' && typeof until === 'number' && typeof lines === 'number';
  return fits ? [key, until, lines] : null;
}

function connectOf([key, address, time]: readonly unknown[]): SavedConnect | null {
  const ip = typeof address === 'string' ? canonicalIp(address) : null;
  return typeof key === 'string' && ip !== null && typeof time === 'number'
    ? [key, ip, epoch(time)]
    : null;
}
