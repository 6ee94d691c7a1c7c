/**
 * What the daemon would do about a login if it read it now: by its own classifier and its own grant table.
 *
 * Where Postfix cannot be asked for mynetworks, that is part of the answer and no error: who explains a line on another
 * machine still learns the rest.
 */
import type { Classifier, IgnoreReason } from '../classifier/classifier.ts';
import { type Clock, type EpochSeconds, epoch } from '../clock.ts';
import { classifierFor } from '../daemon/rules.ts';
import { type ErrorCode, Failure } from '../errors.ts';
import { GrantTable } from '../grant/grant-table.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import { rulesOf } from './settings.ts';
import type { Values } from './values.ts';

export type Prospect = (
  | { readonly kind: 'granted'; readonly until: EpochSeconds }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason | 'too old' | 'no time stamp' }
) & {
  /** Why mynetworks is not known, and so was left out of account; null when it is. */
  readonly unasked: string | null;
  /** In seconds. */
  readonly grace: number;
};

const ASKING_FAILED: ReadonlySet<ErrorCode> = new Set([
  'POSTCONF_MISSING',
  'POSTCONF_FAILED',
  'POSTMAP_FAILED',
]);

export class Prospects {
  readonly #classifier: Classifier;
  readonly #unasked: string | null;
  readonly #grace: number;
  readonly #clock: Clock;

  private constructor(classifier: Classifier, unasked: string | null, grace: number, clock: Clock) {
    this.#classifier = classifier;
    this.#unasked = unasked;
    this.#grace = grace;
    this.#clock = clock;
  }

  /** @throws Failure DURATION, NETWORK_LIST, MYNETWORKS_ENTRY */
  static async load(
    values: Values,
    clock: Clock,
    warn: (text: string) => void,
  ): Promise<Prospects> {
    const settings = rulesOf(values);
    const { grace, mynetworks } = settings;
    try {
      return new Prospects(await classifierFor(settings, warn), null, grace, clock);
    } catch (error) {
      if (!(error instanceof Failure) || !ASKING_FAILED.has(error.code)) throw error;
      const unasked = { ...settings, mynetworks: { ...mynetworks, value: 'none' } };
      return new Prospects(await classifierFor(unasked, warn), error.line, grace, clock);
    }
  }

  async of({ ip, time }: LoginEvent): Promise<Prospect> {
    const shared = { unasked: this.#unasked, grace: this.#grace };
    await this.#classifier.prepare([ip]);
    const verdict = this.#classifier.classify(ip);
    if (verdict.kind === 'ignored') return { ...verdict, ...shared };
    if (time === null) return { kind: 'ignored', reason: 'no time stamp', ...shared };
    const result = new GrantTable(this.#grace).login(ip, time, this.#clock.now());
    if (result.kind === 'late') return { kind: 'ignored', reason: 'too old', ...shared };
    return { kind: 'granted', until: epoch(result.stamp + this.#grace), ...shared };
  }
}
