/**
 * What the daemon would do about a login if it read it now: by its own classifier, policy and grant table.
 *
 * Where Postfix cannot be asked for mynetworks, that is part of the answer and no error: who explains a line on another
 * machine still learns the rest.
 */
import type { Classifier } from '../classifier/classifier.ts';
import { type Clock, type EpochSeconds, epoch } from '../clock.ts';
import { classifierFor } from '../daemon/rules.ts';
import type { IgnoreReason } from '../decision.ts';
import { type ErrorCode, Failure } from '../errors.ts';
import { GrantTable } from '../grant/grant-table.ts';
import { type LimitReason, Limits } from '../policy/limits.ts';
import { refusalOf } from '../policy/policy.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import type { RuleSettings } from '../settings.ts';
import { rulesOf } from './settings.ts';
import type { Values } from './values.ts';

export type Prospect = (
  | { readonly kind: 'granted'; readonly until: EpochSeconds }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason }
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
  readonly #settings: RuleSettings;
  readonly #classifier: Classifier;
  readonly #unasked: string | null;
  readonly #clock: Clock;
  readonly #limits = new Limits();

  private constructor(
    settings: RuleSettings,
    classifier: Classifier,
    unasked: string | null,
    clock: Clock,
  ) {
    this.#settings = settings;
    this.#classifier = classifier;
    this.#unasked = unasked;
    this.#clock = clock;
  }

  /** @throws Failure DURATION, GRACE_FOR, USER_LIST, COUNT, CHOICE, NETWORK_LIST, MYNETWORKS_ENTRY */
  static async load(
    values: Values,
    clock: Clock,
    warn: (text: string) => void,
  ): Promise<Prospects> {
    const settings = rulesOf(values);
    const { mynetworks } = settings;
    try {
      return new Prospects(settings, await classifierFor(settings, warn), null, clock);
    } catch (error) {
      if (!(error instanceof Failure) || !ASKING_FAILED.has(error.code)) throw error;
      const unasked = { ...settings, mynetworks: { ...mynetworks, value: 'none' } };
      return new Prospects(settings, await classifierFor(unasked, warn), error.line, clock);
    }
  }

  async of(login: LoginEvent): Promise<Prospect> {
    const { ip, time } = login;
    const grace = this.#settings.grace.of(ip);
    const shared = { unasked: this.#unasked, grace };
    await this.#classifier.prepare([ip]);
    const verdict = this.#classifier.classify(ip);
    if (verdict.kind === 'ignored') return { ...verdict, ...shared };
    const refusal = refusalOf(login, this.#settings.policy);
    if (refusal !== null) return { kind: 'ignored', reason: refusal, ...shared };
    if (time === null) return { kind: 'ignored', reason: 'no time stamp', ...shared };
    const over = this.#overLimit(login);
    if (over !== null) return { kind: 'ignored', reason: over, ...shared };
    const result = new GrantTable(() => grace).login(ip, time, this.#clock.now());
    if (result.kind === 'late') return { kind: 'ignored', reason: 'too old', ...shared };
    return { kind: 'granted', until: epoch(result.stamp + grace), ...shared };
  }

  /** The limit for which a login is refused, as far as the lines explained before tell; else null. */
  #overLimit(login: LoginEvent): LimitReason | null {
    const { policy, grace } = this.#settings;
    const [exceeded] = this.#limits.count(login, policy.limits, grace, this.#clock.now());
    return policy.limits.action === 'refuse' ? (exceeded?.reason ?? null) : null;
  }
}
