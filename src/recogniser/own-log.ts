/**
 * What the lines of a server's own log file begin with, where no syslog daemon has put a tag before them.
 *
 * Written like an expression, with `{stamp}` once for the time stamp, and `{message}` where the message
 * begins, if it does not begin at the end: what stands behind that belongs to the message already.
 *
 * Promises: such a form is anchored at the start of the line, and says more than where a stamp stands, so that it
 * does not take any line without a tag for the server's.
 * Leaves to others: trying the forms on lines that no syslog form fits (line/prefix.ts).
 */
import { STAMP } from '../line/stamp.ts';
import { parseExpression } from './expression.ts';
import { checkExpression } from './rules.ts';
import { ExpressionError } from './scanner.ts';

const STAMP_TEXT = '{stamp}';
const MESSAGE_TEXT = '{message}';
/** A line that says nothing but when it was written. */
const BARE = 'Nov 23 00:53:00 \0';

/** @throws ExpressionError */
export function parseOwnForm(text: string): RegExp {
  const [before, between, ...more] = text.split(STAMP_TEXT);
  if (before === undefined || between === undefined || more.length > 0)
    throw new ExpressionError('{stamp} does not stand there once', 'put it where the time stands');
  const [prefix = '', head = '', ...others] = between.split(MESSAGE_TEXT);
  if (before.includes(MESSAGE_TEXT) || others.length > 0)
    throw new ExpressionError(
      '{message} stands before {stamp} or twice',
      'put it where the message begins',
    );
  for (const part of [before, prefix, head]) checkPart(part);
  const form = new RegExp(`^(?:${before})(?<stamp>${STAMP})(?:${prefix})(?=${head})`, 's');
  if (form.test(BARE))
    throw new ExpressionError(
      "any line with a stamp would be taken for the server's",
      'put what its lines begin with behind {message}',
    );
  return form;
}

function checkPart(text: string): void {
  const expression = parseExpression(text);
  if (expression.groups.length > 0)
    throw new ExpressionError('a prefix has no fields', 'describe them in the expressions');
  checkExpression(expression);
}
