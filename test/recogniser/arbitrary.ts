/** What properties of the recogniser are tried with: expressions, and texts that outsiders might choose. */
import fc from 'fast-check';

/** An address that no genuine line of a test ever holds. */
export const FORGED = '203.0.113.66';

const place = fc.constantFrom('a', 'b', '[ab]', '[^a]', '[^b]', '[^ab]', '.', '\\w', 'c');
const quantifier = fc.constantFrom('', '', '', '+', '*', '{2}', '{1,3}');
const run = fc.tuple(place, quantifier).map(parts => parts.join(''));
const sequence = fc.array(run, { minLength: 1, maxLength: 3 }).map(runs => runs.join(''));
const part = fc.oneof(
  { weight: 3, arbitrary: sequence },
  { weight: 1, arbitrary: sequence.map(text => `(?:${text})?`) },
  { weight: 1, arbitrary: fc.tuple(sequence, sequence).map(([one, two]) => `(?:${one}|${two})`) },
);

/** Expressions of the language, over a small alphabet so that their runs get into each other's way. */
export const expressionText = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .map(parts => parts.join(''));

/** Pieces of what servers write, for texts that imitate it. */
const imitation = fc.constantFrom(
  `>, method=PLAIN, rip=${FORGED}, lip=192.0.2.5`,
  `>, rip=${FORGED}, a=<y`,
  `, session=<kVQx3sQ/8tDAAAIK>`,
  `user=<x>, method=PLAIN, rip=${FORGED}, lip=1`,
  `): Started proxying to remote host (0.012 secs): user=<y>, rip=${FORGED}, lip=192.0.2.4`,
  `imap-login: Login: user=<x>, rip=${FORGED}, lip=1`,
  'Login: ',
  'Logged in: ',
  'LOGIN, user=x',
  `, ip=[${FORGED}]`,
  `, ip=[::ffff:${FORGED}], port=[1]`,
  ', protocol=IMAP',
  `" at (h) ${FORGED}`,
  `(v4.0.9) POP login by user "x`,
  `Stats: x 0 0 0 0 ${FORGED}`,
  ' 0 0 0 0 ',
  ` host=[${FORGED}]`,
  `] [${FORGED}]`,
  ' nmsgs=3/3',
  ' mech=PLAIN',
  'Login user=x',
  `login: h [${FORGED}] x PLAIN User logged in`,
  ' User logged in SESSIONID=<x>',
  'anonymous ',
  `" u.username=x login.mech=PLAIN`,
  `event=login.good r.clienthost=[${FORGED}] u.username=`,
  `Session from ${FORGED}`,
  'Authentication passed for x',
  ` -- [${FORGED}]`,
  `connect from ${FORGED}`,
  `user x authenticated - ${FORGED}`,
  ` authenticated - h (${FORGED})`,
  `Successful login for x [192.0.2.5] from h [${FORGED}]`,
  `(${FORGED}): began session for \`x' with passwd; child PID is 1`,
  "User 'x' logged in",
  `logged in from ${FORGED}`,
  `' logged in with mailbox /x from ${FORGED}`,
  ` ${FORGED} 0, 0 (0), 3 (4711)`,
  `(PLAIN) login success x@y:${FORGED}`,
  `Auth: ${FORGED}:1->192.0.2.5:143 user="x`,
  '" server="s" port="1" status="ok"',
  `client logged in, client: ${FORGED}, server: 0.0.0.0:143, login: "x`,
  `;] imap - user x authenticated, mechanism=LOGIN`,
  `;oip=${FORGED};`,
  `", localPort = 143, remoteIp = ${FORGED}, remotePort = 1, accountName = "y"`,
  `login from ${FORGED} as x`,
  // As rsyslog writes a line end and a tab.
  '#012',
  '#011',
  FORGED,
  `[${FORGED}]`,
  `(${FORGED})`,
  '::',
);
const noise = fc.constantFrom(
  '<',
  '>',
  '[',
  ']',
  '(',
  ')',
  '"',
  ',',
  ' ',
  ', ',
  ': ',
  '=',
  '<x>',
  '...',
);
/** Any byte but those that syslog daemons escape. */
const bytes = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter(code => code !== 0x7f)
    .map(code => String.fromCharCode(code)),
  maxLength: 12,
});

/** Text that an outsider may choose, a character a byte. */
export const hostileText = fc
  .array(fc.oneof(imitation, noise, bytes), { maxLength: 7 })
  .map(parts => parts.join(''));

/** What a host name can be made to look like where the server's resolver lets anything through. */
export const hostileName = fc.oneof(
  fc.constantFrom(FORGED, `${FORGED}.example.net`, 'client.example.org', '::1', 'a-b.c'),
  fc.stringMatching(/^[A-Za-z0-9.-]{1,79}$/),
  hostileText.map(text => text.replaceAll(' ', '')).filter(text => text !== ''),
);

/** Addresses of clients, none of them the forged one, as servers may spell them, and in canonical form. */
export const client = fc.oneof(
  fc.constantFrom(
    ['192.0.2.10', '192.0.2.10'] as const,
    ['::ffff:198.51.100.7', '198.51.100.7'] as const,
    ['2001:db8::17', '2001:db8::17'] as const,
    ['2001:DB8:0:0::17', '2001:db8::17'] as const,
  ),
  fc
    .ipV4()
    .filter(ip => ip !== FORGED)
    .map(ip => [ip, ip] as const),
);
