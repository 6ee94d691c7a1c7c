/**
 * What a line of Postfix tells about a message, or about one that was refused.
 *
 * None of it opens or keeps a grant; it says who used one.
 */
import type { IpText } from '../base/address.ts';
import type { EpochSeconds } from '../base/clock.ts';

/** Where the agent that took a recipient brings mail: into this host's mailboxes, away, or nowhere for now (error(8)). */
export type Where = (typeof WHERE)[number];
export const WHERE = ['here', 'elsewhere', 'unknown'] as const;

/** Which rule refused a recipient. */
export type RefusalReason = (typeof REFUSALS)[number];
export const REFUSALS = ['relay access denied', 'another restriction'] as const;

interface OfMessage {
  /** The host and the queue id, which nobody outside can choose. */
  readonly message: string;
  /** What the line's stamp says; null when it has none that names a moment. */
  readonly time: EpochSeconds | null;
}

export type MailEvent =
  /** A client hands a message in, without having authenticated. */
  | (OfMessage & { readonly event: 'accepted'; readonly ip: IpText })
  /** A client that has authenticated does. */
  | (OfMessage & { readonly event: 'authenticated'; readonly ip: IpText; readonly user: string })
  /** A message comes again under another id: from a filter, or requeued by hand. */
  | (OfMessage & { readonly event: 'again'; readonly origin: string })
  /** It is in the queue: bytes, and recipients that are still to be served. */
  | (OfMessage & { readonly event: 'queued'; readonly size: number; readonly recipients: number })
  /** An agent has taken a recipient; the text is his address and what became of it, in this order. */
  | (OfMessage & { readonly event: 'delivered'; readonly where: Where; readonly recipient: string })
  | (OfMessage & { readonly event: 'removed' })
  | {
      readonly event: 'refused';
      readonly ip: IpText;
      readonly why: RefusalReason;
      readonly time: EpochSeconds | null;
    };
