/**
 * Requests of Postfix's policy delegation protocol, as smtpd asks check_policy_service: SMTPD_POLICY_README of Postfix 3.4 to 3.11.
 *
 * A request is lines `name=value` up to an empty one.  Pure.  Promises: of a request no more than 64 KiB are kept, whatever comes in whatever
 * pieces; of an attribute that comes twice the first counts; what has no meaning here is passed over.
 */
import { canonicalIp, type IpText } from '../base/address.ts';

/** What is of interest here.  A stranger writes sender, recipient and HELO, and none of these. */
export interface PolicyRequest {
  /** Null where it is none, such as of a client behind a UNIX socket, and of a request of another kind. */
  readonly client: IpText | null;
  /** The same for all requests about one message; null where Postfix gives none. */
  readonly instance: string | null;
  /** Null before the message has one: it gets it with its first recipient. */
  readonly queueId: string | null;
  readonly hasAuthenticated: boolean;
}

/** Beyond Postfix's own: some thirty attributes, of which few may have more than line_length_limit (2048). */
export const MOST_BYTES = 65_536;
/** mail_queue.h: short ids are hexadecimal, long ones of base 52. */
const QUEUE_ID = /^[0-9A-Za-z]{6,24}$/;
/** smtpd.c: `pid.time.usec.counter`, in hexadecimal. */
const INSTANCE = /^[0-9A-Fa-f.]{3,64}$/;
const END = Buffer.from('\n\n');

/** @param text with a character a byte */
export function policyRequestOf(text: string): PolicyRequest {
  const attributes = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    const name = line.slice(0, Math.max(equals, 0));
    if (equals > 0 && !attributes.has(name)) attributes.set(name, line.slice(equals + 1));
  }
  const isAsked = attributes.get('request') === 'smtpd_access_policy';
  const fitting = (name: string, form: RegExp): string | null => {
    const value = attributes.get(name);
    return value !== undefined && form.test(value) ? value : null;
  };
  return {
    client: isAsked ? canonicalIp(attributes.get('client_address') ?? '') : null,
    instance: fitting('instance', INSTANCE),
    queueId: fitting('queue_id', QUEUE_ID),
    hasAuthenticated: (attributes.get('sasl_username') ?? '') !== '',
  };
}

/** Puts what a client sends together to requests. */
export class PolicyRequests {
  #rest: Buffer = Buffer.alloc(0);
  /** Of what is kept, without an end of a request. */
  #searched = 0;

  /** Whether a request has begun, and not ended. */
  get isWithin(): boolean {
    return this.#rest.length > 0;
  }

  /** @returns the requests that end here; null when one is too long, and the client has to go */
  take(chunk: Buffer): PolicyRequest[] | null {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const requests: PolicyRequest[] = [];
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(END, Math.max(start, this.#searched));
      if ((end < 0 ? bytes.length : end) - start > MOST_BYTES) return null;
      if (end < 0) break;
      requests.push(policyRequestOf(bytes.toString('latin1', start, end)));
      start = end + END.length;
      this.#searched = start;
    }
    this.#rest = bytes.subarray(start);
    this.#searched = Math.max(this.#rest.length - 1, 0);
    return requests;
  }
}
