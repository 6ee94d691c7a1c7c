/**
 * The commands that a hint of the doctor's names, as whoever reads it would paste them.
 *
 * They stand in quotation marks, or behind a colon up to the next comma or semicolon.
 */

const PROGRAMS =
  'apt-get|chgrp|chmod|chown|journalctl|mkdir|popbsmtp|postconf|postfix|postmap|systemctl|usermod';

/** What stands in quotation marks of the shell's is no end. */
const COMMAND = new RegExp(
  `"((?:${PROGRAMS}) [^"]*)"|: ((?:${PROGRAMS}) (?:'[^']*'|"[^"]*"|[^,;'"])*)`,
  'g',
);

export const commandsIn = (hint: string): string[] =>
  Array.from(hint.matchAll(COMMAND), ([, quoted, plain]) => (quoted ?? plain ?? '').trim());

const LOOK =
  /^(?:systemctl status|journalctl|postfix status|postconf (?:-c \S+ )?-n|popbsmtp (?:explain|list|doctor|match))\b/;

/** Whether it only shows something. */
export const isLook = (command: string): boolean => LOOK.test(command);
