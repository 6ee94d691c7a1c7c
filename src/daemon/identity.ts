/**
 * Who is it: what Postfix is told, and the log, of a message whose client has a grant (control/policy-server.ts asks).
 *
 * Promises: it permits nothing and ends nothing; a message is told of once, for whichever of its recipients and restrictions Postfix asks; one
 * whose client has authenticated is not, since Postfix's own log says whose that is.
 * Known limits: of several users behind one address it is the one who logged in last; after a crash nobody is known before the next login.
 */
import type { PolicyRequest } from '../control/policy-request.ts';
import { type PolicyAnswer, PolicyServer } from '../control/policy-server.ts';
import type { Report } from '../grant/decision.ts';
import { Generations } from '../grant/generations.ts';
import type { KeptUser } from '../history/history.ts';
import type { Core } from './core.ts';

/** Messages that are being handed in: smtpd processes, and some to spare. */
const MOST_MESSAGES = 4096;

export interface IdentitySettings {
  /** Null for none, here and below. */
  readonly policySocket: string | null;
  /** The name of the header. */
  readonly policyHeader: string | null;
}

interface IdentityParts {
  readonly core: Pick<Core, 'grants' | 'roster'>;
  readonly report: Report;
  /** The name of a user as it may leave this host; null where none may. */
  readonly hashed: KeptUser;
}

export class Identity {
  readonly #header: string | null;
  readonly #parts: IdentityParts;
  readonly #told = new Generations<string, true>(MOST_MESSAGES);

  constructor(header: string | null, parts: IdentityParts) {
    this.#header = header;
    this.#parts = parts;
  }

  answer({ client: ip, instance, queueId, hasAuthenticated }: PolicyRequest): PolicyAnswer {
    const { core, report, hashed } = this.#parts;
    if (ip === null || hasAuthenticated || core.grants.dueOf(ip) === null) return null;
    if (instance !== null) {
      if (this.#told.get(instance) !== undefined) return null;
      this.#told.set(instance, true);
    }
    const { user = null, server = null, last = null } = core.roster.of(ip) ?? {};
    report({ kind: 'identified', ip, holder: { user, server }, login: last, queueId });
    const name = hashed(user);
    return this.#header === null || name === null ? null : `${this.#header}: user=${name}`;
  }
}

/** @throws Failure POLICY_LISTEN */
export async function servePolicy(
  { policySocket, policyHeader }: IdentitySettings,
  parts: IdentityParts,
): Promise<PolicyServer | null> {
  if (policySocket === null) return null;
  const identity = new Identity(policyHeader, parts);
  return PolicyServer.listen(policySocket, request => identity.answer(request));
}
