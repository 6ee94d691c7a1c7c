/**
 * Whether Postfix asks at the policy socket (policy-socket), and what it does when nobody answers there.
 *
 * Known limit: what postconf shows is looked at as text, in main.cf and master.cf alike; not which services it is in force for.
 */
import { isAbsolute, join } from 'node:path';
import { check } from './check.ts';
import { ok, type Verdict, warning } from './finding.ts';
import type { PostfixState } from './postfix-state.ts';

export interface PolicyServiceFacts {
  /** Null where nothing is served. */
  readonly socket: string | null;
  /** Null when Postfix cannot be asked, which another check tells. */
  readonly state: PostfixState | null;
}

export const policyServiceCheck = check(
  'policy socket',
  async ({ settings, postfix }) => {
    const answer = await postfix();
    const state = answer.kind === 'known' ? answer.state : null;
    return { socket: settings.policySocket, state };
  },
  judgePolicyService,
);

/** `check_policy_service unix:…`, or `check_policy_service { unix:…, name=value }` (postconf(5), Postfix 3.0 and later). */
const SERVICE = /check_policy_service\s+(?:\{\s*unix:([^\s,}]+)([^}]*)\}|unix:([^\s,]+))/g;
const DEFAULT_ACTION = 'smtpd_policy_service_default_action';

export function judgePolicyService({ socket, state }: PolicyServiceFacts): Verdict[] {
  if (socket === null || state === null) return [];
  const queue = state.parameters.get('queue_directory') ?? '';
  const services = [...state.written.values()].flatMap(text => [...text.matchAll(SERVICE)]);
  const ours = services.filter(([, braced, , bare]) => {
    const path = braced ?? bare ?? '';
    return (isAbsolute(path) ? path : join(queue, path)) === socket;
  });
  const name = socket.startsWith(`${queue}/`) ? socket.slice(queue.length + 1) : socket;
  const line = `check_policy_service { unix:${name}, default_action=DUNNO, timeout=2s }`;
  if (ours.length === 0)
    return [
      warning(
        `Postfix asks nothing at the policy socket ${socket}`,
        `put "${line}" into smtpd_data_restrictions, or take policy-socket away`,
      ),
    ];
  const usual = state.parameters.get(DEFAULT_ACTION) ?? '';
  const isHarmless = ours.every(([, , options = '']) => {
    const own = /[\s,]default_action=([^\s,}]+)/.exec(` ${options}`)?.[1];
    return (own ?? usual).toUpperCase() === 'DUNNO';
  });
  if (isHarmless) return [ok(`Postfix asks at the policy socket, and goes on without an answer`)];
  return [
    warning(
      `while popbsmtp is not there, Postfix refuses what it would ask at the policy socket (451)`,
      `write "${line}"`,
    ),
  ];
}
