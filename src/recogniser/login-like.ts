/**
 * Whether a message that no pattern recognises looks like a login nevertheless: a sign that a server words its
 * lines in a new way.
 *
 * Only ever for telling people; nothing is granted on it.  Asked of lines of POP3 and IMAP programs, since the words
 * are theirs: other programs log in, too.
 *
 * Promises: what servers write of failed logins, of ends of sessions and of other services is not login-like;
 * their success lines are, in today's words and in likely ones of tomorrow; the time grows linearly.
 * Known limits: a user or host name that holds a word of failure hides its line, and a stranger's name may
 * hold a word of success where the server's own words say neither; a line without an address or without words
 * (cucipop, the statistics of qpopper) is not login-like.
 */
import { isIPv4 } from 'node:net';
import { canonicalIp } from '../base/address.ts';

/** A longer message is cut off or somebody's text (patterns have the same bound). */
const LONGEST = 900;

const SUCCESS = new RegExp(
  [
    String.raw`\blog(?:in|ged[ -]?(?:in|on)|on)\b`,
    String.raw`\bsign(?:ed[ -]?(?:in|on)|-?in)\b`,
    String.raw`\b(?:authenticated\b|auth user=|cmd=auth\b)`,
    String.raw`\bauthentication (?:was )?(?:accepted|ok|passed|succe\w+)\b`,
    String.raw`\baccepted (?:login|password|user)\b`,
    String.raw`\bAPOP\b`,
    String.raw`\b(?:began|opened|started|new) (?:a )?(?:session|proxying)\b`,
    String.raw`\bsession (?:began|begun|opened|started)\b`,
    String.raw`\bstatus="?(?:ok|success\w*)\b`,
  ].join('|'),
  'i',
);

const FAILURE = new RegExp(
  [
    'fail|abort',
    String.raw`\bdisconnect`,
    String.raw`\b(?:disabled|disallowed|denied|refus\w+|reject\w*|not|cannot|unable|\w+n't)\b`,
    // Of Dovecot's process that checks passwords, in whose lines a stranger's text may stand, and never a login.
    String.raw`^auth(?:-worker(?:\(\d{1,10}\))?)?: (?!\d)`,
    String.raw`\b(?:bad\w*|illegal|incorrect|invalid|nonexistent|wrong|no such|unknown user)\b`,
    String.raw`\b(?:err|error|warning|debug)\b`,
    String.raw`\b(?:attempts?|exceeded|excessive|too many|maximum)\b`,
    String.raw`\b(?:time[ds]?[ -]?out|auto)?log(?:ged)?[ -]?(?:out|off)\b`,
    String.raw`\btime[ds]?[ -]?out\b`,
    String.raw`\b(?:closed|closing|done|ended|finished|expired|locked|blocked)\b`,
    String.raw`\banonymous\b`,
    // To a server that the client names, or another one: nothing has been proved here.
    String.raw`\blogin (?:to|with referral)\b`,
    String.raw`\bcommand=`,
    // Said besides the line that counts, or once more (rsyslog, $RepeatedMsgReduction).
    String.raw`^auditlog:|^message repeated \d{1,9} times:`,
    // IMAP ID, which anybody may send before a login.
    String.raw`(?:^(?:\S{1,40}: )?|\bimap - )ID\b`,
  ].join('|'),
  'i',
);

/** Services that are no POP3 or IMAP, by name or by port; not as a part of somebody's address or host name. */
const OTHER_SERVICE =
  /(?<![\w.@])(?:(?:manage)?sieve|submissions?|smtps?|lmtp|https?|jmap|nntps?|mupdate|soap|webmail|imap-urlauth)(?![\w.@])|\b(?:server: \S{1,60}:|localPort = )(?:25|465|587|2525|4190)\b/i;

/** The names of Dovecot's processes, which stand before every message of theirs. */
const SERVICE = /^(?:imap|pop3)-login[\w-]{0,31}(?:\(\d{1,10}\))?: /;

/** Runs of the characters of addresses. */
const ADDRESSES = /[\dA-Fa-f:.]{2,60}/g;
const QUAD = /\d{1,3}(?:\.\d{1,3}){3}/g;

/** @param message what follows `tag[pid]: `, a character a byte, of a line that no pattern recognises */
export function isLoginLike(message: string): boolean {
  if (message.length > LONGEST) return false;
  const words = message.replace(SERVICE, '');
  if (!SUCCESS.test(words) || FAILURE.test(words) || OTHER_SERVICE.test(words)) return false;
  return (words.match(ADDRESSES) ?? []).some(holdsAddress);
}

/** An address alone, behind a separating colon (`user:2001:db8::1`) or before a port or the end of a sentence. */
function holdsAddress(text: string): boolean {
  if (!/\d/.test(text)) return false;
  if ((text.match(QUAD) ?? []).some(quad => isIPv4(quad))) return true;
  const bare = text.replace(/[.:]$/, '');
  return [text, bare, bare.replace(/^:/, '')].some(candidate => canonicalIp(candidate) !== null);
}
