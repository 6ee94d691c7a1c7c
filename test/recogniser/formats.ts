/**
 * The servers' own format strings, with places for whatever outsiders may choose.
 *
 * Sources: those that the heads of the pattern files name.
 */

export interface Fields {
  readonly user: string;
  readonly ip: string;
  /** The client's host name. */
  readonly host: string;
  /** Other text that may be an outsider's: a session id, an error text, a name of his for himself. */
  readonly text: string;
}

export type Format = (fields: Fields) => string;

export interface Server {
  readonly server: string;
  readonly tags: readonly string[];
  /** The line that tells the address, of servers that tell it alone. */
  readonly connect?: Format;
  readonly successes: readonly Format[];
  readonly failures: readonly Format[];
}

/** `str_sanitize(user, 80)` of Dovecot. */
const sanitised = (user: string): string => (user.length > 80 ? `${user.slice(0, 77)}...` : user);
/** `%.80s` */
const cut = (text: string): string => text.slice(0, 80);
/** qpopper takes what it reads apart at blanks. */
const word = (text: string): string => text.replaceAll(' ', '');

/** is_username_valid and is_domain_valid of vpopmail, as far as it matters here */
const valid = (user: string): string => user.replaceAll(':', '');
/** lib/logfmt.c of Cyrus */
const logfmt = (value: string): string => (/[\s"=]/.test(value) ? quoted(value) : value);
const quoted = (value: string): string => `"${value.replace(/["\\]/g, '\\$&')}"`;

export const SERVERS: readonly Server[] = [
  {
    server: 'dovecot',
    tags: ['dovecot', 'dovecot[7]'],
    successes: [
      ({ user, ip }) => `imap-login: Login: user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5`,
      ({ user, ip }) =>
        `pop3-login: Login: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=7, TLS, session=<kVQx3sQ/8tDAAAIK>`,
      ({ user, ip, text }) =>
        `imap-login: Logged in: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=7, secured, session=<${text}>`,
      ({ user, ip, text }) =>
        `imap-login: Login: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=7, TLS: ${text}, session=<kVQx3sQ/8tDAAAIK>`,
      ({ user, ip }) =>
        `imap-login: proxy(${user}): started proxying to 10.0.0.5:143/${user}: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, TLS`,
      ({ user, ip }) =>
        `imap-login: proxy(${user},10.0.0.5:143): Started proxying to <10.0.0.5> (<h>) as user ${user} (0.012 secs): user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, TLS, session=<kVQx3sQ/8tDAAAIK>`,
    ],
    failures: [
      ({ user, ip }) =>
        `imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, session=<kVQx3sQ/8tDAAAIK>`,
      ({ user, ip }) =>
        `pop3-login: Aborted login (auth failed, 1 attempts): user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5`,
      ({ user, ip }) =>
        `imap-login: Login aborted: Logged out (auth failed, 2 attempts in 7 secs) (auth_failed): user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, TLS`,
      ({ user, ip, text }) =>
        `imap-login: Login failed: ${text}: user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5`,
      ({ ip, text }) => `imap-login: ID sent: name=${text}: user=<>, rip=${ip}, lip=192.0.2.5`,
      ({ user, ip, text }) =>
        `imap-login: proxy(${user},10.0.0.5:143): Login failed: ${text}: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5`,
      ({ user, ip }) => `imap-login: proxy(${user}): disconnecting ${ip} (Disconnected by server)`,
      ({ user, text }) => `imap-login: proxy(${user},10.0.0.5:143): connect() failed: ${text}`,
      ({ user, ip }) => `auth: passwd-file(${user},${ip},<x>): unknown user`,
      ({ user, text }) => `imap(${user}): Error: ${text}`,
      ({ user, ip }) =>
        `managesieve-login: Login: user=<${user}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=7, TLS`,
    ],
  },
  {
    server: 'dovecot',
    tags: ['imap-login', 'pop3-login[7]'],
    successes: [
      ({ user, ip }) => `Login: ${user} [${ip}]`,
      ({ user, ip, text }) =>
        `Info: Login: user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5, mpid=7, TLS, session=<${text}>`,
    ],
    failures: [
      ({ ip }) => `Disconnected [${ip}]`,
      ({ ip, text }) => `Aborted login: ${text} [${ip}]`,
      ({ user, ip }) =>
        `Info: Disconnected (auth failed, 1 attempts in 2 secs): user=<${sanitised(user)}>, method=PLAIN, rip=${ip}, lip=192.0.2.5`,
    ],
  },
  {
    server: 'courier',
    tags: ['imapd', 'pop3d', 'imapd-ssl', 'pop3d-ssl[7]'],
    successes: [
      ({ user, ip }) => `LOGIN, user=${user}, ip=[${ip}], port=[54236], protocol=IMAP`,
      ({ user, ip }) => `LOGIN, user=${user}, ip=[${ip}], port=[54236], protocol=IMAP, starttls=1`,
      ({ user, ip }) => `LOGIN, user=${user}, ip=[${ip}], port=[1060], stls=1`,
      ({ user, ip }) => `LOGIN, user=${user}, ip=[${ip}]`,
    ],
    failures: [
      ({ user, ip }) => `LOGIN FAILED, user=${user}, ip=[${ip}], port=[54236]`,
      ({ user, ip }) => `LOGIN FAILED, user=${user}, ip=[${ip}]`,
      ({ ip, text }) => `LOGIN FAILED, method=${text}, ip=[${ip}]`,
      ({ ip, text }) => `LOGIN: ip=[${ip}], command=${text}`,
      ({ user, ip, text }) => `ID, user=${user}, ip=[${ip}], port=[1], name="${text}"`,
    ],
  },
  {
    server: 'qpopper',
    tags: ['popper[7]', 'in.qpopper[7]'],
    successes: [
      ({ user, host, ip }) => `(v4.0.9) POP login by user "${user}" at (${host}) ${ip}`,
      ({ user, host, ip }) =>
        `(v4.0.9) POP login by user "${user}" at (${host}) ${ip} [pop_log.c:244]`,
      ({ user, host, ip }) => `Stats: ${user} 0 0 3 4711 ${host} ${ip}`,
    ],
    failures: [
      ({ user, host, ip }) =>
        `${word(user)} at ${host} (${ip}): -ERR [AUTH] Password supplied for "${word(user)}" is incorrect. [pop_pass.c:1263]`,
      ({ user, host, ip }) =>
        `${word(user)} at ${host} (${ip}): -ERR [AUTH] Password supplied for "${word(user)}" is incorrect.`,
      ({ host, ip }) => `(v4.0.9) Servicing request from "${host}" at ${ip}`,
      ({ user, host, ip }) => `${word(user)} at ${host} (${ip}): -ERR POP EOF or I/O Error`,
    ],
  },
  {
    server: 'uw-imap',
    tags: ['imapd[7]', 'ipop3d[7]', 'ipop2d[7]'],
    successes: [
      ({ user, host, ip }) => `Login user=${cut(user)} host=${cut(`${host} [${ip}]`)}`,
      ({ user, host, ip }) =>
        `Authenticated user=${cut(user)} host=${cut(`${host} [${ip}]`)} mech=CRAM-MD5`,
      ({ user, host, ip }) => `APOP user=${cut(user)} host=${cut(`${host} [${ip}]`)} nmsgs=3/3`,
      ({ user, ip }) => `Admin Login user=${cut(user)} host=[${ip}] no mailbox`,
    ],
    failures: [
      ({ user, host, ip }) =>
        `Login failed user=${user.slice(0, 64)} auth=${user.slice(0, 64)} host=${cut(`${host} [${ip}]`)}`,
      ({ text, host, ip }) => `Login anonymous=${cut(text)} host=${cut(`${host} [${ip}]`)}`,
      ({ text, host, ip }) => `Authenticated anonymous=${cut(text)} host=${cut(`${host} [${ip}]`)}`,
      ({ text, host, ip }) => `AUTHENTICATE ${text} failure host=${cut(`${host} [${ip}]`)}`,
      ({ user, host, ip }) => `Preauthenticated user=${cut(user)} host=${cut(`${host} [${ip}]`)}`,
      ({ text, user, host, ip }) =>
        `IMAP login to host=${cut(text)} user=${cut(user)} host=${cut(`${host} [${ip}]`)}`,
    ],
  },
  {
    server: 'cyrus',
    tags: ['imap[7]', 'cyrus/imaps[7]', 'pop3d[7]'],
    successes: [
      ({ user, host, ip }) =>
        `login: ${host} [${ip}] ${user} plaintext+TLS User logged in SESSIONID=<mx-1234-1795391580-1-8812>`,
      ({ user, host, ip }) => `login: ${host}[${ip}] ${user} PLAIN User logged in`,
      ({ user, host, ip }) => `login: ${host}[${ip}] ${user} plaintext `,
      ({ user, ip }) => `login: [${ip}] ${user} APOP User logged in`,
      ({ user, host, ip }) =>
        `event=login.good r.sessionid=mx-1-2-3 r.clienthost=${logfmt(`${host} [${ip}]`)} u.username=${logfmt(user)} login.mech=PLAIN login.tls=1 login.magic=~null~`,
      ({ user, ip }) =>
        `event=login.good r.sessionid=mx-1-2-3 r.clienthost=[${ip}] u.username=${logfmt(user)} login.mech=plaintext login.tls=0 pop.subfolder=~null~`,
    ],
    failures: [
      ({ user, host, ip }) =>
        `badlogin: ${host} [${ip}] plaintext ${user} SASL(-13): authentication failure: checkpass failed`,
      ({ host, ip, text }) => `badlogin: ${host} [${ip}] PLAIN [SASL(-13): ${text}]`,
      ({ host, ip, text }) => `login: ${host} [${ip}] anonymous ${text}`,
      ({ host, ip, text }) => `login: ${host} [${ip}] anonymous ${text} User logged in`,
      ({ user, ip, text }) =>
        `event=login.bad r.clienthost=[${ip}] u.username=${logfmt(user)} error=${logfmt(text)}`,
    ],
  },
  {
    server: 'popa3d',
    tags: ['popa3d[7]'],
    connect: ({ ip }) => `Session from ${ip}`,
    successes: [({ user }) => `Authentication passed for ${user}`],
    failures: [
      () => 'Authentication failed for UNKNOWN USER',
      ({ user }) => `Authentication failed for ${user}`,
      () => "Didn't attempt authentication",
    ],
  },
  {
    server: 'solid-pop3d',
    tags: ['solid-pop3d[7]', 'spop3d[7]'],
    connect: ({ host, ip }) => `connect from ${host} (${ip})`,
    successes: [
      ({ user }) => `user ${user.slice(0, 40)} authenticated`,
      ({ user }) => `mapped user ${user.slice(0, 40)} authenticated`,
      ({ user, ip }) => `user ${user.slice(0, 40)} authenticated - ${ip}`,
      ({ user, host, ip }) => `user ${user.slice(0, 40)} authenticated - ${host} (${ip})`,
    ],
    failures: [
      ({ user }) => `authentication failed: no such user: ${user.slice(0, 40)}`,
      ({ user, host, ip }) =>
        `authentication failed for user ${user.slice(0, 40)} - ${host} (${ip})`,
      ({ user, ip }) => `APOP authentication failed for user ${user.slice(0, 40)} - ${ip}`,
      ({ user, host, ip }) => `session ended for user ${user.slice(0, 40)} - ${host} (${ip})`,
    ],
  },
  {
    server: 'teapop',
    tags: ['teapop[7]'],
    successes: [
      ({ user, host, ip }) => `Successful login for ${user} [192.0.2.5] from ${host} [${ip}]`,
    ],
    failures: [
      ({ user, host, ip }) => `Failed login for ${user} [192.0.2.5] from ${host} [${ip}]`,
      ({ host, ip }) => `Three failed login attempts from ${host} [${ip}] - Possible account probe`,
    ],
  },
  {
    server: 'tpop3d',
    tags: ['tpop3d[7]'],
    successes: [
      ({ user, ip }) =>
        `fork_child: [6]${user}(${ip}): began session for \`${user}' with passwd; child PID is 1234`,
    ],
    failures: [
      ({ user, ip }) =>
        `connection_do: client \`[6]${ip}': username \`${user}': 1 authentication failures`,
      ({ user, ip }) =>
        `connections_post_select: client [6]${user}(${ip}): finished session for \`${user}' with passwd`,
    ],
  },
  {
    server: 'vm-pop3d',
    tags: ['vm-pop3d[7]'],
    connect: ({ ip }) => `Connect from ${ip}`,
    successes: [
      ({ user }) => `User '${user}' logged in`,
      ({ user }) => `User '${user}' of 'example.org' logged in`,
      ({ user }) => `User ${user} logged in with mailbox /var/mail/x`,
    ],
    failures: [({ user }) => `Session ended for user: ${user}`, () => 'Session ended for no user'],
  },
  {
    server: 'gnu-pop3d',
    tags: ['gnu-pop3d[7]', 'gnu-imap4d[7]'],
    connect: ({ ip }) => `connect from ${ip}`,
    successes: [
      ({ user }) => `User \`${user}' logged in with mailbox \`/var/mail/x' (3 messages)`,
      ({ user }) => `User \`${user}' logged in`,
    ],
    failures: [
      ({ user }) => `User \`${user}' nonexistent`,
      ({ user }) => `user \`${user}': authentication failed`,
    ],
  },
  {
    server: 'cucipop',
    tags: ['cucipop[7]'],
    successes: [({ user, ip }) => `${user} ${ip} 0, 0 (0), 3 (4711)`],
    failures: [({ text }) => `Invalid command ${text}`],
  },
  {
    server: 'vpopmail',
    tags: ['vpopmail[7]'],
    successes: [
      ({ user, ip }) =>
        user.includes('@')
          ? `vchkpw-pop3s: (PLAIN) login success ${valid(user)}:${ip}`
          : `vchkpw-imaps: system password login success ${valid(user)}:${ip}`,
    ],
    failures: [
      ({ user, ip }) => `vchkpw-pop3: vpopmail user not found ${user}@example.org:${ip}`,
      ({ user, ip, text }) =>
        `vchkpw-pop3: password fail (pass: '${text}') ${user}@example.org:${ip}`,
      ({ user, ip }) => `vchkpw-imap: invalid user/domain characters ${user}:${ip}`,
      ({ user, ip }) => `vchkpw-smtp: (PLAIN) login success ${user}@example.org:${ip}`,
    ],
  },
  {
    server: 'perdition',
    tags: ['perdition[7]', 'perdition.imap4s[7]'],
    successes: [
      ({ user, ip }) =>
        `Auth: ${ip}:2274->192.0.2.5:993 client-secure=ssl authorisation_id=NONE authentication_id="${user}" server="imap.example.org:143" protocol=IMAP4S server-secure=plaintext status="ok"`,
      ({ user, ip }) =>
        `Auth: ${ip}:2274->192.0.2.5:143 user="${user}" passwd="x" server="s" port="143" status="ok"`,
      ({ user, ip }) => `Auth: ${ip}->192.0.2.5 user="${user}" server="s" port="143" status="ok"`,
    ],
    failures: [
      ({ user, ip, text }) =>
        `Auth: ${ip}:2274->192.0.2.5:993 client-secure=ssl authorisation_id="${text}" authentication_id="${user}" server="imap.example.org:143" protocol=IMAP4S server-secure=plaintext status="failed: Re-Authentication Failure"`,
      ({ user, ip }) =>
        `Auth: ${ip}->192.0.2.5 user="${user}" server="s" port="143" status="failed"`,
      ({ user, ip }) =>
        `Closing session: ${ip}:1->192.0.2.5:143 authorisation_id=NONE authentication_id="${user}" received=1 sent=1`,
    ],
  },
  {
    server: 'nginx',
    tags: ['nginx'],
    successes: [
      ({ user, ip }) =>
        `2026/11/23 00:53:00 [info] 1234#1234: *57 client logged in, client: ${ip} using starttls, server: 0.0.0.0:143, login: "${user}", upstream: 10.0.0.5:143`,
      ({ user, ip }) =>
        `2026/11/23 00:53:00 [info] 1234#1234: *57 client logged in, client: ${ip}, server: [::]:995, login: "${user}", upstream: 10.0.0.5:110`,
    ],
    failures: [
      ({ user, ip, text }) =>
        `2026/11/23 00:53:00 [info] 1234#1234: *57 client login failed: "${text}" while in http auth state, client: ${ip}, server: 0.0.0.0:143, login: "${user}"`,
      ({ user, ip }) =>
        `2026/11/23 00:53:00 [info] 1234#1234: *57 client logged in, client: ${ip}, server: 0.0.0.0:587, login: "${user}", upstream: 10.0.0.5:25`,
      ({ user, ip, text }) =>
        `2026/11/23 00:53:00 [info] 1234#1234: *57 upstream sent invalid response: "${text}" while reading response from upstream, client: ${ip}, server: 0.0.0.0:143, login: "${user}", upstream: 10.0.0.5:143`,
    ],
  },
  {
    server: 'zimbra',
    tags: ['mailboxd'],
    successes: [
      ({ user, ip, text }) =>
        `INFO  [ImapSSLServer-13] [name=nick@example.org;ip=${ip};via=${text};ua=${text};] imap - user ${user} authenticated, mechanism=LOGIN [TLS]`,
      ({ user, ip, text }) =>
        `INFO  [Pop3Server-7] [ip=${ip};ua=${text};] security - cmd=Auth; account=${user}; protocol=pop3;`,
    ],
    failures: [
      ({ user, ip, text }) =>
        `WARN  [ImapServer-2] [name=x;ip=${ip};ua=${text};] imap - authentication failed for [${user}] (invalid password)`,
      ({ user, ip, text }) =>
        `INFO  [ImapServer-2] [ip=${ip};ua=${text};] security - cmd=Auth; account=${user}; protocol=imap; error=authentication failed for [${user}], invalid password;`,
    ],
  },
  {
    server: 'stalwart',
    tags: ['stalwart[7]'],
    successes: [
      ({ user, ip }) =>
        `2026-11-23T00:53:00Z INFO Authentication successful (auth.success) listenerId = "imaptls", localPort = 993, remoteIp = ${ip}, remotePort = 42376, accountName = ${quoted(user)}, accountId = 3`,
    ],
    failures: [
      ({ user, ip }) =>
        `2026-11-23T00:53:00Z INFO Authentication failed (auth.failed) listenerId = "imaptls", localPort = 993, remoteIp = ${ip}, remotePort = 42376, accountName = ${quoted(user)}`,
      ({ user, ip }) =>
        `2026-11-23T00:53:00Z INFO Authentication successful (auth.success) listenerId = "submission", localPort = 587, remoteIp = ${ip}, remotePort = 42376, accountName = ${quoted(user)}, accountId = 3`,
      ({ text, ip }) =>
        `2026-11-23T00:53:00Z INFO SMTP EHLO command (smtp.ehlo) listenerId = "smtp", localPort = 25, remoteIp = ${ip}, domain = ${quoted(text)}`,
    ],
  },
  {
    server: 'kth-popper',
    tags: ['popper[7]'],
    successes: [({ user, ip }) => `login from ${ip} as ${user}`],
    failures: [({ user, ip }) => `failed login from ${ip} as ${user}`],
  },
];
