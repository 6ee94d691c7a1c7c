/**
 * Tells what is wrong with an engine that can be used all the same.
 *
 * Promises: each thing is told once for each engine, until it is over.
 * Pure, with what the engine says passed in.
 */
import type { Condition } from './info.ts';
import { evicts, fullness, isStale } from './info.ts';

/** How full an engine may be without a word, and when that is over. */
const FULL = 0.9;
const ROOMY = 0.8;

export class EngineCare {
  readonly #warn: (text: string) => void;
  readonly #told = new Set<string>();

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  judge(where: string, { upstream, memory }: Condition): void {
    this.#tell(`${where} evicts`, evicts(memory), () => evictionText(where, memory.policy));
    const full = fullness(memory) ?? 0;
    if (full > FULL || full < ROOMY)
      this.#tell(`${where} full`, full > FULL, () => fullText(where, full));
    this.#tell(`${where} stale`, isStale(upstream), () => staleText(where));
  }

  #tell(what: string, isSo: boolean, text: () => string): void {
    if (isSo && !this.#told.has(what)) this.#warn(text());
    if (isSo) this.#told.add(what);
    else this.#told.delete(what);
  }
}

const evictionText = (where: string, policy: string): string =>
  `fleet: ${where} throws away what others still have to read when it is full (maxmemory-policy ${policy}): set noeviction`;

const fullText = (where: string, full: number): string =>
  `fleet: ${where} has used ${Math.floor(100 * full)} % of its maxmemory; when it is full, nothing can be published: give it more`;

const staleText = (where: string): string =>
  `fleet: ${where} is a replica that does not hear of its primary: what other hosts publish comes late`;
