/**
 * What smtpd's restriction lists make of a client that asks to relay to somebody else's domain: one whose address is in
 * the map, and a stranger.  Neither is in mynetworks, nor has authenticated.
 *
 * Source: smtpd_check.c of Postfix 3.7; postconf(5).  A permit ends only its own list; a client may relay when no
 * list refuses it, so where the map is to help it must permit in each list that would refuse otherwise.
 * Known limits: what hangs on DNS, other tables, policy services or the recipient is taken to say nothing; a
 * table that permits everything, such as `static:OK`, is the exception.
 */
import type { ListName, Step } from './restriction-list.ts';

export type Client = 'granted' | 'stranger';

/** A list with its steps. */
export interface List {
  readonly name: ListName;
  readonly steps: readonly Step[];
}

/** Where a client's way ends in a list; `end` when no step decides. */
export type Ending =
  | { readonly kind: 'permitted' | 'refused'; readonly list: ListName; readonly step: Step }
  | { readonly kind: 'end'; readonly list: ListName };

/** Tells whether a table is the map. */
export type IsMap = (table: string) => boolean;

/** What refuses whoever comes there and wants to relay. */
export const REFUSING: ReadonlySet<string> = new Set([
  'reject',
  'defer',
  // Whatever permits later only makes it a refusal for now.
  'defer_if_permit',
  'reject_unauth_destination',
  'defer_unauth_destination',
  'check_relay_domains',
]);

export const namesMap = (step: Step, isMap: IsMap): boolean =>
  step.kind === 'access' && step.asked === 'client' && isMap(step.table);

/** Where a client's way through one list ends. */
export function endingIn({ name, steps }: List, client: Client, isMap: IsMap): Ending {
  for (const step of steps) {
    const kind = effect(step, client, isMap);
    if (kind !== null) return { kind, list: name, step };
  }
  return { kind: 'end', list: name };
}

/** The list that refuses a client, or null when it may relay. */
export function refusal(
  lists: readonly List[],
  client: Client,
  isMap: IsMap,
): Extract<Ending, { step: Step }> | null {
  for (const list of lists) {
    const ending = endingIn(list, client, isMap);
    if (ending.kind === 'refused') return ending;
  }
  return null;
}

function effect(step: Step, client: Client, isMap: IsMap): 'permitted' | 'refused' | null {
  const found = step.kind === 'access' ? accessEffect(step, client, isMap) : wordEffect(step.name);
  return found === 'refused' && step.onlyWarns ? null : found;
}

function wordEffect(name: string): 'permitted' | 'refused' | null {
  if (name === 'permit') return 'permitted';
  return REFUSING.has(name) ? 'refused' : null;
}

/** access(5): OK and any number permit, and so does `permit`. */
const STATIC_PERMIT = /^static:(?:\{\s*)?(?:ok|permit|\d+)\b/i;
const STATIC_REFUSE = /^static:(?:\{\s*)?(?:reject|defer|[45]\d\d )/i;

function accessEffect(
  step: Extract<Step, { kind: 'access' }>,
  client: Client,
  isMap: IsMap,
): 'permitted' | 'refused' | null {
  if (namesMap(step, isMap)) return client === 'granted' ? 'permitted' : null;
  if (STATIC_REFUSE.test(step.table)) return 'refused';
  return STATIC_PERMIT.test(step.table) ? 'permitted' : null;
}
