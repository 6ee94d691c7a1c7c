/**
 * What rsyslog writes instead of lines that are equal to the one before (its parameter $RepeatedMsgReduction):
 * `message repeated 2 times: [ imap-login: Login: …]` under the same tag, when the last of them has come.
 *
 * The message between the brackets is rsyslog's copy, so it is as good as the first one; no server begins a message so.
 */
const REPEATED = /^message repeated \d{1,9} times: \[ ?(.*)\]$/s;

/** The message that was repeated; null for any other. */
export function repeatedMessage(message: string): string | null {
  return message.startsWith('message repeated ') ? (REPEATED.exec(message)?.[1] ?? null) : null;
}
