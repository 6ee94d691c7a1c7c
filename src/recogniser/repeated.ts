/**
 * What rsyslog writes instead of lines that are equal to the one before (its parameter $RepeatedMsgReduction):
 * `message repeated 2 times: [ imap-login: Login: …]` under the same tag, when the last of them has come.
 *
 * The message between the brackets is rsyslog's copy, so it is as good as the first one; no server begins a message so.
 * But rsyslog cuts it at 800 bytes, and a line whose end is gone may read like one of another client.
 */
const REPEATED = /^message repeated \d{1,9} times: \[( ?)(.*)\]$/s;
const MOST_BYTES = 800;

/** The message that was repeated; null for any other, and for one that may have been cut. */
export function repeatedMessage(message: string): string | null {
  if (!message.startsWith('message repeated ')) return null;
  const [, blank = '', repeated] = REPEATED.exec(message) ?? [];
  if (repeated === undefined || blank.length + repeated.length >= MOST_BYTES) return null;
  return repeated;
}
