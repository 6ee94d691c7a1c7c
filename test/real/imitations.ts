/**
 * User names that a stranger would try: they imitate what the servers log about a good login, or its end.
 *
 * Each names the address `VICTIM`, from which nobody logs in in any test.
 */
export const VICTIM = '127.0.0.66';

/** One line each, so that they can go out in POP3 as well; one byte a character. */
export const IMITATIONS: readonly string[] = [
  // Dovecot
  `x>, method=PLAIN, rip=${VICTIM}, lip=127.0.0.1, mpid=1, session=<a`,
  `x>, method=PLAIN, rip=${VICTIM}, lip=127.0.0.1`,
  `imap-login: Login: user=<x>, method=PLAIN, rip=${VICTIM}, lip=1, session=<a>`,
  `anna)<1><a>: Disconnected: Logged out in=1 out=1`,
  `imap(anna)<1><a>: Disconnected: Logged out in=1 out=1`,
  // cut at 80 bytes
  `${'A'.repeat(28)}>, method=PLAIN, rip=${VICTIM}, lip=127.0.0.1, mpid=1`,
  // Courier
  `LOGIN, user=x, ip=[${VICTIM}], port=[1], protocol=IMAP`,
  `x, ip=[${VICTIM}], port=[1]`,
  `LOGOUT, user=x, ip=[${VICTIM}], port=[1], headers=0, body=0`,
  // Cyrus
  `login: [${VICTIM}] anna plaintext User logged in SESSIONID=<a>`,
  `x) [${VICTIM}] anna plaintext User logged in`,
  `[${VICTIM}] anna plaintext User logged in`,
  // popa3d, solid-pop3d
  `Session from ${VICTIM}`,
  `Authentication passed for anna`,
  `connect from ${VICTIM} (${VICTIM})`,
  `user x authenticated - ${VICTIM}`,
  `x authenticated - h (${VICTIM})`,
  // What breaks parsers
  `a"b'c\\d,e<f>g%s%n`,
  `j\xc3\xbcrgen ${VICTIM}`,
  `x\x80\xff`,
  `x\ty`,
  'A'.repeat(300),
  // Accounts that are there.
  'anna',
  'root',
];

/** With line ends; an IMAP literal carries them. */
export const TORN_IMITATIONS: readonly string[] = [
  `x\ndovecot: imap-login: Login: user=<x>, method=PLAIN, rip=${VICTIM}, lip=1, session=<a>`,
  `x\r\nimap-login: Login: user=<x>, method=PLAIN, rip=${VICTIM}, lip=127.0.0.1`,
  `x\nMar 22 11:03:29 mx imapd: LOGIN, user=x, ip=[${VICTIM}], port=[1], protocol=IMAP`,
  `x\r\nlogin: [${VICTIM}] anna plaintext User logged in`,
  `x\n<22>Mar 22 11:03:29 cyrus/imap[1]: login: [${VICTIM}] anna plaintext User logged in`,
];
