/** Control characters in what becomes a log line: a message is one line, whatever is in it. */

/** rsyslog's `#ooo` for control characters (its parameters parser.escapeControlCharacter*). */
export const escapeControls = (message: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be escaped
  message.replace(/[\0-\x1f\x7f]/g, control => {
    return `#${control.charCodeAt(0).toString(8).padStart(3, '0')}`;
  });
