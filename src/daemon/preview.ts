/**
 * What the daemon would do about a login if it read it now: asked of its own decider, which changes no map.
 *
 * Where Postfix cannot be asked for mynetworks, that is part of the answer and no error: who explains a line on another
 * machine still learns the rest.
 */
import type { IpText } from '../base/address.ts';
import { type Clock, type EpochSeconds, epoch } from '../base/clock.ts';
import { type ErrorCode, Failure } from '../base/errors.ts';
import { Batch } from '../grant/batch.ts';
import type { Decider, DecisionRules } from '../grant/decider.ts';
import type { IgnoreReason } from '../grant/decision.ts';
import type { Order } from '../grant/order.ts';
import { mapsOf } from '../map/spec.ts';
import { someOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import { ordersFile } from '../state/state-file.ts';
import { deciderFor, UNBOUNDED } from './core.ts';
import { decisionRulesFor } from './rules.ts';
import { type RuleSettings, rulesOf } from './settings.ts';

export type Preview = (
  | { readonly kind: 'granted'; readonly until: EpochSeconds }
  | { readonly kind: 'ignored'; readonly reason: IgnoreReason }
) & {
  /** Why mynetworks is not known, and so was left out of account; null when it is. */
  readonly unasked: string | null;
  /** In seconds. */
  readonly grace: number;
};

const ASKING_FAILED: ReadonlySet<ErrorCode> = new Set([
  'MYNETWORKS_MISSING',
  'POSTCONF_MISSING',
  'POSTCONF_FAILED',
  'POSTMAP_FAILED',
]);

export class Previews {
  readonly #decider: Decider;
  readonly #unasked: string | null;
  readonly #clock: Clock;

  /** @throws Failure of a setting; STATE_UNREADABLE */
  static async load(values: Values, clock: Clock, warn: (text: string) => void): Promise<Previews> {
    const maps = mapsOf(someOf(values, 'map', 'postfix-config'));
    const { rules, unasked } = await rulesOrEmpty(rulesOf(values, maps), warn);
    const decider = deciderFor(rules, UNBOUNDED);
    decider.orders.restore(ordersFile(maps.map).read(), clock.now());
    return new Previews(decider, unasked, clock);
  }

  private constructor(decider: Decider, unasked: string | null, clock: Clock) {
    this.#decider = decider;
    this.#unasked = unasked;
    this.#clock = clock;
  }

  /** Why no login gives this address a grant, but for orders; null when one does. */
  async barOf(ip: IpText): Promise<string | null> {
    const { classifier } = this.#decider.rules;
    await classifier.prepare([ip]);
    const verdict = classifier.classify(ip);
    return verdict.kind === 'ignored' ? verdict.reason : null;
  }

  /** What is ordered by hand about it, as far as this account may read that. */
  orderOf(ip: IpText): Order | null {
    return this.#decider.orders.inForce({ kind: 'address', ip }, this.#clock.now());
  }

  async of(login: LoginEvent): Promise<Preview> {
    const { classifier, grace: graces } = this.#decider.rules;
    const { ip } = login;
    const grace = graces.of(ip);
    const shared = { unasked: this.#unasked, grace };
    await classifier.prepare([ip]);
    const batch = new Batch();
    this.#decider.admit(login, {}, this.#clock.now(), batch);
    for (const decision of batch.decisions([]))
      if (decision.kind === 'login' && decision.outcome.kind === 'ignored')
        return { kind: 'ignored', reason: decision.outcome.reason, ...shared };
    const stamp = this.#decider.grants.revoke(ip)?.stamp ?? this.#clock.now().wall;
    return { kind: 'granted', until: epoch(stamp + grace), ...shared };
  }
}

interface Asked {
  readonly rules: DecisionRules;
  readonly unasked: string | null;
}

/** The rules; without mynetworks where Postfix cannot be asked. @throws Failure of a list of networks */
export async function rulesOrEmpty(
  settings: RuleSettings,
  warn: (text: string) => void,
): Promise<Asked> {
  try {
    return { rules: await decisionRulesFor(settings, warn), unasked: null };
  } catch (error) {
    if (!(error instanceof Failure) || !ASKING_FAILED.has(error.code)) throw error;
    const none = { ...settings, mynetworks: { ...settings.mynetworks, value: 'none' } };
    return { rules: await decisionRulesFor(none, warn), unasked: error.line };
  }
}
