/** Control characters in what becomes a log line: a message is one line, whatever is in it. */

/** rsyslog's `#ooo` for control characters (its parameters parser.escapeControlCharacter*). */
export const escapeControls = (message: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be escaped
  message.replace(/[\0-\x1f\x7f]/g, control => {
    return `#${control.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });

/** A carriage return as it stands, and as rsyslog writes what came by the network so (seen with 8.2302). */
const RETURNS = ['\r', '#015'];

/**
 * A message without the carriage return of a line that ended with CR LF, as terminals of containers and some senders
 * end theirs.  One anywhere else is part of the message.
 */
export function withoutReturn(message: string): string {
  for (const end of RETURNS) if (message.endsWith(end)) return message.slice(0, -end.length);
  return message;
}
