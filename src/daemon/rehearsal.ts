/**
 * What the daemon would have decided of logins of the past, with the rules that it would load now: asked of its own decider, on the
 * logins' own clock, so that none is too old; no map is known to it.
 *
 * Promises: networks, orders, policy and limits count as they do for the daemon.  Where Postfix cannot be asked for mynetworks,
 * that is part of the answer.
 */
import { type EpochSeconds, epoch, type Moment } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { Batch } from '../grant/batch.ts';
import type { Decider } from '../grant/decider.ts';
import type { Outcome } from '../grant/decision.ts';
import type { LoginEvent } from '../recogniser/event.ts';
import { ordersFile } from '../state/state-file.ts';
import { deciderFor, UNBOUNDED } from './core.ts';
import { rulesOrEmpty } from './preview.ts';
import type { RunSettings } from './settings.ts';

/** A login, and what would come of it. */
export interface Rehearsed {
  readonly login: LoginEvent;
  readonly outcome: Outcome;
}

export interface Rehearsal {
  /** In the order of their times. */
  readonly logins: readonly Rehearsed[];
  /** Logins over the limit on the users of an address, where that is only warned of. */
  readonly crowded: readonly LoginEvent[];
  /** Why mynetworks or the orders by hand are left out of account, or nothing was decided; null when all of it is. */
  readonly left: string | null;
}

/** @throws what is no Failure: a bug of ours */
export async function rehearse(
  logins: readonly LoginEvent[],
  settings: RunSettings,
): Promise<Rehearsal> {
  try {
    const { rules, unasked } = await rulesOrEmpty(settings, () => undefined);
    const decider = deciderFor(rules, UNBOUNDED);
    const unread = restoreOrders(decider, settings);
    await rules.classifier.prepare(logins.map(({ ip }) => ip));
    return { ...play(decider, logins), left: unasked ?? unread };
  } catch (problem) {
    // Of a list of networks or the like, which is the business of who looks at the configuration.
    if (problem instanceof Failure) return { logins: [], crowded: [], left: problem.line };
    throw problem;
  }
}

function restoreOrders(decider: Decider, { map }: RunSettings): string | null {
  try {
    decider.orders.restore(ordersFile(map).read(), momentOf(epoch(Date.now() / 1000)));
    return null;
  } catch (problem) {
    if (problem instanceof Failure) return problem.line;
    throw problem;
  }
}

function play(
  decider: Decider,
  logins: readonly LoginEvent[],
): Pick<Rehearsal, 'logins' | 'crowded'> {
  const batch = new Batch();
  let latest = epoch(0);
  for (const login of logins.toSorted(byTime)) {
    latest = epoch(Math.max(latest, login.time ?? latest));
    decider.expire(momentOf(latest), batch);
    decider.admit(login, {}, momentOf(latest), batch);
  }
  const decisions = batch.decisions([]);
  return {
    logins: decisions.flatMap(each => (each.kind === 'login' ? [each] : [])),
    crowded: decisions.flatMap(each =>
      each.kind === 'limit exceeded' && each.reason === 'too many users' && each.action === 'warn'
        ? [each.login]
        : [],
    ),
  };
}

const byTime = (one: LoginEvent, other: LoginEvent): number => (one.time ?? 0) - (other.time ?? 0);

const momentOf = (time: EpochSeconds): Moment => ({ wall: time, steady: time });
