/**
 * What help and manual say beyond the table of options: texts and examples, as data.
 *
 * Every command has its entry, or it does not compile; an option has one when its line in the table is not enough.
 */

import type { CommandName } from './commands.ts';
import type { Value } from './entry.ts';
import type { OptionName } from './options.ts';

export interface Example {
  /** Without `popbsmtp` in front. */
  readonly args: string;
  readonly does: string;
}

interface CommandText {
  readonly detail: string;
  readonly examples: readonly Example[];
}

interface OptionText {
  readonly detail?: string;
  /** A value for the configuration file, where the default is no example or there is none. */
  readonly example?: Value | number;
}

export const COMMAND_TEXTS: Readonly<Record<CommandName, CommandText>> = {
  run: {
    detail:
      'Watches the log of the POP3/IMAP server, and grants every address that logs in, until the grace period after its last login is over. ' +
      'It makes the map if there is none, and continues from its rows if there is one. ' +
      'It stays in the foreground, and is a service of systemd or of another supervisor; --daemon goes to the background.',
    examples: [
      { args: 'run --debug --nowrite', does: 'show every decision, and change nothing' },
      {
        args: 'run --watchlog /var/log/mail.log --grace 30m',
        does: 'name the log, and grant longer',
      },
      { args: 'run --watchlog journal', does: 'read the systemd journal' },
      {
        args: "run --watchlog '/var/log/remote/*/mail.log'",
        does: 'the logs of all hosts, also of those that come later',
      },
    ],
  },
  match: {
    detail:
      'Prints a line for each login and logout that the patterns recognise, and at the end, on standard error, how many there were of each server, ' +
      'and lines that look like logins and were not recognised. It reads no map and asks no Postfix. ' +
      'With --follow it begins at the end of the logs and shows what is added, through rotation, until it is interrupted.',
    examples: [
      { args: 'match /var/log/mail.log', does: 'which logins are recognised' },
      { args: 'match --follow /var/log/mail.log', does: 'the logins as they come in' },
      { args: 'match --count /var/log/mail.log', does: 'how many, by server' },
      {
        args: 'match --json /var/log/mail.log | jq .user',
        does: 'one JSON object for each event, for other programs',
      },
    ],
  },
  replay: {
    detail:
      'Does what the daemon would have done with these logs, at the times in their lines: grants, refreshes, purges. ' +
      'At the end the map holds what would be valid at the last time stamp; so give it a --map of its own, or --nowrite.',
    examples: [
      {
        args: 'replay --nowrite --debug /var/log/mail.log',
        does: 'what would have happened; changes nothing',
      },
      {
        args: 'replay --map lmdb:/tmp/trial mail.log.1 mail.log',
        does: 'two logs, oldest first, into a map for trial',
      },
    ],
  },
  list: {
    detail:
      'Prints each row of the map: the address, its latest login, when it ends and what it is there for; with a running daemon that may be asked, also whose it is: ' +
      'all users that have logged in since the address has its grant. ' +
      'Any account may do so that may read the map, with or without a running daemon.',
    examples: [
      { args: 'list', does: 'who may relay' },
      { args: 'list 192.0.2.0/24 --sort latest', does: 'of one network, the latest login first' },
      { args: 'list --user anna', does: 'may anna relay, and from where' },
      { args: 'list --json', does: 'one JSON object for each row' },
      { args: 'list --orders', does: 'what was ordered by hand' },
    ],
  },
  status: {
    detail:
      'Asks the running daemon; nothing is changed. Without a daemon it says what the map holds, and exits with 69. ' +
      'With --check it is a check for monitoring: 0 when all is well; 1 when a log is not there or the fleet cannot be reached, or only through a replica without its primary; 2 when no daemon runs or answers, ' +
      'the log is not read, the map cannot be written, or rows that are due are still there; 3 when it cannot tell, since it may not ask, or the configuration or a value is wrong.',
    examples: [
      { args: 'status', does: 'is it alive, and how far is it' },
      { args: 'status --watch', does: 'the same, drawn anew every second' },
      { args: 'status --check', does: 'for Nagios, or as the health check of a container' },
    ],
  },
  allow: {
    detail:
      'Works with and without a running daemon. The row is an ordinary one, and is taken away when the time is over.',
    examples: [{ args: 'allow 192.0.2.7 --for 2h', does: 'let the printer relay for two hours' }],
  },
  revoke: {
    detail:
      'Works with and without a running daemon, and lasts across a restart. While a user is refused, another one may open the same address: revoke that as well.',
    examples: [
      { args: 'revoke 192.0.2.7', does: 'end what this address has, and refuse more for an hour' },
      { args: 'revoke --user anna --for 1d', does: 'the same for all grants of a user' },
    ],
  },
  lift: {
    detail:
      'Works with and without a running daemon. An address that was allowed is closed at once; one that was refused, or a user, may log in again. In a fleet the other hosts lift it as well.',
    examples: [
      { args: 'lift 192.0.2.7', does: 'forget what was ordered about this address' },
      { args: 'lift --user anna', does: 'let this user log in again' },
    ],
  },
  login: {
    detail:
      "Judged exactly as a login that the log tells of: networks, policy, limits, orders; at the present time. For servers without a usable log, and hooks such as Dovecot's post-login scripts. " +
      'What came of it is said in a line; without a daemon the exit status is 69. With --session, an open session keeps the grant, once a logout of that server has been told. ' +
      'It needs the right to the control socket, or the group of --login-socket-group.',
    examples: [
      {
        args: 'login --user "$USER" --ip "$IP" --server dovecot-hook',
        does: 'in a post-login script',
      },
      { args: 'login --user anna --ip 192.0.2.7 --session 4711', does: 'with its session' },
    ],
  },
  logout: {
    detail:
      'Ends the session that login has told of with the same --server and --session; the grant then lasts for the grace period.',
    examples: [{ args: 'logout --session 4711', does: 'the end of that session' }],
  },
  purge: {
    detail:
      'Takes away the rows whose grace period is over, and prints them. ' +
      'While a daemon runs it does nothing, and neither does it when there is no map.',
    examples: [{ args: 'purge', does: 'what popbsmtp-purge.timer runs each minute' }],
  },
  patterns: {
    detail:
      'Lists the servers whose log lines are recognised, with the programs and patterns of each and the file they come from. ' +
      'With --test, runs every sample of every pattern, prints those that fail, and exits with 1 if there are any.',
    examples: [
      { args: 'patterns', does: 'the servers that are recognised' },
      { args: 'patterns --test', does: 'prove the shipped patterns and your own' },
    ],
  },
  explain: {
    detail:
      'Says of each line how it was parsed, which patterns were tried, where the nearest one stopped, and what the daemon would do now. ' +
      'Lines are taken in their order, as those of one log: some servers log a login in two. ' +
      'Of a line in which Postfix refuses to relay it says what that means, and what is known of the address: its grant, orders, how its last grant ended, and why its last login was ignored.',
    examples: [
      {
        args: "explain 'Mar 22 11:17:58 mx dovecot: pop3-login: Login: user=<anna>, rip=192.0.2.1'",
        does: 'one line, in quotes',
      },
      { args: 'explain < lines.txt', does: 'lines from a file' },
    ],
  },
  config: {
    detail:
      'Takes the options of run, and prints what each setting comes to, as lines of a configuration file with where each is from: ' +
      'the default, file and line, or the command line. Nothing is started. With --check it reads one file, tells each error with its line, and exits with 78 if there is any.',
    examples: [
      { args: 'config', does: 'what the daemon would be started with' },
      { args: 'config --json', does: 'one JSON object for each setting' },
      { args: 'config --check /etc/popbsmtp/popbsmtp.toml', does: 'before a reload' },
    ],
  },
  help: {
    detail: 'The same as --help behind a command.',
    examples: [{ args: 'help list', does: 'what list does, and its options' }],
  },
  doctor: {
    detail:
      'Each line is ok, skipped (not tried, and why), a warning or an error with what to do; the status is 1 if there is an error. ' +
      'It looks at everything from the log to what Postfix answers: it asks an SMTP server to relay, in all forms that relay tests use, ' +
      'as a stranger and as an address with a row; no message is ever sent. The row is taken away again.',
    examples: [
      { args: 'doctor', does: 'is all well, and what is to be fixed' },
      { args: 'doctor --no-smtp', does: 'without asking an SMTP server' },
      { args: 'doctor --require-tls', does: 'and whom of the last logins that would refuse' },
    ],
  },
  migrate: {
    detail:
      'Reads the configuration, the start script and the map of the Perl program, and main.cf, and says what popbsmtp.toml, the map and main.cf take. ' +
      'Its configuration is Perl: plain values are read, nothing is run, and what is not understood is told line by line. ' +
      'With --apply it does what it says, as root: settings are added, main.cf is changed by postconf, copies are kept (.before-migrate), and the files of the Perl program stay as they are. ' +
      'The rows that are carried over end a grace period after the old map was last written; others are named and left behind. Restarts are left to you.',
    examples: [
      { args: 'migrate', does: 'show what it would do, and change nothing' },
      { args: 'migrate --apply', does: 'do it' },
      {
        args: 'migrate --perl-config /root/pop-before-smtp-conf.pl --old-map hash:/etc/postfix/pop-before-smtp',
        does: 'from files in other places',
      },
    ],
  },
  history: {
    detail:
      'Prints what the history beside the map holds, oldest first: logins, ends of grants with their reasons, orders, messages that were relayed by a grant, and recipients that Postfix refused. ' +
      'Of a message it has whose it was, how many recipients it had elsewhere, and its size; never who they were, nor its subject. ' +
      'With --import the files are read as the daemon would have read them, at the times in their lines.',
    examples: [
      { args: 'history --since yesterday --address 192.0.2.1', does: 'what one address did' },
      { args: 'history --user anna --json | jq .event', does: 'what one user did, for programs' },
      { args: 'history --import /var/log/mail.log.*.gz', does: 'fill it from old logs' },
    ],
  },
  why: {
    detail:
      'Says in words whether the address, or the user, could relay at that time and why, with the entries of the history that show it. ' +
      'It knows what the daemon and Postfix have logged; rules that have changed since are those of then where a login tells them.',
    examples: [
      { args: 'why 192.0.2.1', does: 'now' },
      { args: "why anna --at 'yesterday 10:42'", does: 'a user, at a time' },
    ],
  },
  report: {
    detail:
      'Sums up a time: logins, grants, refusals and relayed messages by day and hour, who relayed by a grant, addresses that users share, what was refused, and who still needs it. ' +
      'Whoever authenticates when he sends, or never sends, needs no grant.',
    examples: [
      { args: 'report --since 30d', does: 'as text' },
      { args: 'report --html /tmp/report.html', does: 'as a page for a browser' },
      { args: 'report --json | jq .relayed', does: 'for programs' },
    ],
  },
  demo: {
    detail:
      'Runs the daemon over a log of its own in a temporary directory, writes log lines of several servers into it, ' +
      'and shows what becomes of them. It needs no root, changes nothing, and is over in well under a minute.',
    examples: [
      { args: 'demo', does: 'see it work' },
      { args: 'demo --mta exim', does: 'with the map that Exim reads' },
      { args: 'demo --mta tcpserver', does: 'in front of qmail, or whatever tcpserver starts' },
    ],
  },
};

export const OPTION_TEXTS: Readonly<Partial<Record<OptionName, OptionText>>> = {
  watchlog: {
    detail:
      'A log need not exist yet; it is waited for. Rotation is followed, in whatever way it is done. ' +
      'Wildcards are those of a shell (*, ?, [a-z]); files that come to match are watched from then on, up to 500. A backslash before such a character takes its meaning, and a file of just that name comes first. ' +
      "Besides the journal of the host there are journal:/DIRECTORY, with files of a journal (another machine's, or a container's; whoever writes there writes in the name of any server), " +
      'journal:namespace=NAME (LogNamespace= of a unit) and journal:machine=NAME (a container that systemd-machined knows; as root only).',
    example: ['/var/log/mail.log', 'journal'],
  },
  'watchlog-olddir': {
    detail:
      'After a restart, reading goes on in the rotated files there, under the same names as beside the log. A relative one is that of each log: old is /var/log/old for /var/log/mail.log.',
    example: ['old'],
  },
  'watchlog-zone': {
    detail:
      'For the logs of a container or of other machines. A name follows the changes of summer time there. Stamps with an offset of their own, and the journal, need none.',
    example: 'Europe/Berlin',
  },
  'journal-match': {
    detail:
      'Each is FIELD=VALUE, or several with blanks between them that must all fit, as journalctl takes them; of several entries one must fit. ' +
      'Name a container (CONTAINER_NAME, CONTAINER_TAG), a unit (_SYSTEMD_UNIT) or a tag (SYSLOG_IDENTIFIER); a container is chosen by its own fields only. ' +
      "What is chosen counts as the server's words when root sends it, as Docker and Podman do, or the account that the match names (_UID=1000 for a user's containers); " +
      'what others say under the same name does not. Choose only containers in which nothing but the POP3/IMAP server prints: one that prints what nginx writes itself is not believed any more.',
    example: ['CONTAINER_NAME=mail'],
  },
  'journal-trust': {
    detail:
      "Anybody on the host may write to the journal, but journald notes the sender; with declared, an entry counts only when it comes from the program and account that the server's patterns declare.",
  },
  'grace-for': {
    detail: 'Of several networks that an address is in, the one with the longest prefix counts.',
    example: ['192.0.2.0/24=2h'],
  },
  'whole-addresses': {
    detail:
      'Set it only when main.cf wraps the map (pipemap with regexp: popbsmtp(8), "Whole addresses"); otherwise the row of an IPv6 address opens longer ones, in other networks. ' +
      'Without it, addresses whose row would do that get none. popbsmtp doctor finds out which of the two main.cf does.',
    example: true,
  },
  'allow-own-addresses': {
    detail:
      'All clients behind a proxy, a container or a port forward log in from such an address; let it through only if no one else comes from there. Loopback addresses are what --exclude says.',
  },
  'require-tls': {
    detail:
      'For servers that log it, as the README of the patterns lists; logins of other servers then count for nothing.',
  },
  'allow-users': { example: ['*@example.org', 'anna'] },
  'deny-users': { example: ['guest'] },
  'max-users-per-address': {
    detail:
      'An address with many users is a shared one, such as a proxy, a NAT or a port forward: whoever else is behind it may relay as well. ' +
      'Unless it is set, --limit-action refuse does not go for it: more are only warned of.',
    example: 5,
  },
  'max-addresses-per-user': {
    detail: 'A user at many addresses may have lost his password.',
    example: 10,
  },
  'metrics-file': { example: '/var/lib/prometheus/node-exporter/popbsmtp.prom' },
  'policy-socket': {
    detail:
      "In a directory that the account may write to and Postfix may enter, in Postfix's queue directory, since smtpd may be in a chroot. " +
      'See "Who is it, for Postfix" in popbsmtp(8).',
    example: '/var/spool/postfix/popbsmtp/policy',
  },
  'policy-header': {
    detail:
      'The hash is that of log-users = "hashed". Where log-users is none, there is no header.',
    example: 'X-Relayed-By',
  },
  'metrics-listen': { example: '127.0.0.1:9117' },
  fleet: {
    detail:
      'While it cannot be reached, this host continues with its own logins, and what it has to publish waits. Of several engines, and of all addresses of a name, ' +
      'the first is used that is the primary; name them everywhere in the same order.',
    example: ['rediss://redis1.example.org:6379/0', 'rediss://redis2.example.org:6379/0'],
  },
  'fleet-role': {
    detail:
      'A host that only subscribes needs no log: without --watchlog it watches none. What it receives is subject to its own rules.',
    example: 'subscribe',
  },
  'fleet-read': {
    detail:
      'With replica a subscriber reads from a replica, one of them at random, as long as that hears from its primary; from the primary when there is none. Publishing always needs the primary.',
    example: 'replica',
  },
  'fleet-user': { example: 'popbsmtp-subscribe' },
  'fleet-password-file': {
    detail: 'It is read anew for each connection.',
    example: '/etc/popbsmtp/fleet-password',
  },
  'fleet-ca': { example: '/etc/popbsmtp/fleet-ca.pem' },
  'fleet-sentinels': {
    detail:
      'Instead of --fleet. One after the other is asked, in random order, before each connection. The engines are spoken to as the sentinels are: with TLS or without, in the database of ' +
      'their URL, and with --fleet-user, --fleet-password-file and --fleet-ca.',
    example: [
      'rediss://s1.example.org:26379',
      'rediss://s2.example.org:26379',
      'rediss://s3.example.org:26379',
    ],
  },
  'fleet-sentinel-name': { example: 'popbsmtp' },
  'fleet-sentinel-user': { example: 'popbsmtp' },
  'fleet-sentinel-password-file': {
    detail: 'It is read anew for each connection.',
    example: '/etc/popbsmtp/sentinel-password',
  },
  'fleet-sentinel-ca': { example: '/etc/popbsmtp/fleet-ca.pem' },
  'fleet-prefix': { example: 'mail:popbsmtp' },
  'fleet-name': { example: 'mx1' },
  'fleet-format': {
    detail:
      'What is written only; both are read. Set 2 when every host of the fleet has a version that has this option: earlier ones refuse it. It costs the engine and each subscriber a third or less.',
    example: '2',
  },
  'fleet-renewal': {
    detail:
      'The same user at the same address, again; a tenth of the grace period at most. What waits is told at its end, so no grant ends early. A large site whose clients ask for mail all the time sets a minute or two. A grant that purge has ended on another host comes back so much later.',
    example: '1m',
  },
  'max-grants': { example: 20000 },
  map: {
    detail:
      'Its directory must belong to the account that the daemon runs as. The file is made if there is none. ' +
      'An lmdb: map is changed in place, and Postfix sees each change at once, also in the middle of a session; hash:, btree: and cdb: maps are replaced by a new file, ' +
      'for which each smtpd restarts before its next client. texthash: and cidr: maps are for other programs: smtpd reads them only when it starts; so are table:, a list of addresses, makemap:hash:, for sendmail, tcprules:, for tcpserver, smtpaccess:, for Courier, and nft:, for firewalls (nft:FAMILY TABLE SET). ' +
      'Further maps follow the first, which waits for none of them.',
    example: ['lmdb:/var/popbsmtp/relay', 'cidr:/var/popbsmtp/relay.txt'],
  },
  'map-mode': {
    detail:
      'smtpd opens the map as root, before it gives its privileges up; proxymap, postmap -q and popbsmtp list of other accounts do not. ' +
      'Whoever may read an lmdb: map may lock it, and so keep grants from ending. The group is that of the account, or of a directory with the set-group-ID bit.',
    example: '0644',
  },
  'table-command': {
    detail:
      'It is run, without a shell, after each change of the map and when it is opened, as the account of the directory of the map; while it fails, the change counts as not made. popbsmtp-mta(7) says for which programs.',
    example: ['/usr/sbin/smtpctl', 'update', 'table', 'pop_before_smtp'],
  },
  'map-rules': {
    detail:
      'tcpserver follows only the most specific rule, so each row says again what these rules say of its address, and that it may relay; an address that they deny has none. A change of the text counts at once; in one that has an error nothing counts, and the rules stay as they were.',
    example: '/etc/tcp.smtp',
  },
  'makemap-prefix': {
    detail:
      'The time of each row then stands in a second one, popbsmtp:KEY, which sendmail does not ask for. popbsmtp-mta(7) has the rulesets.',
    example: 'Connect:',
  },
  'makemap-value': { example: 'RELAY' },
  grace: { detail: 'A number without a unit is seconds.', example: '30m' },
  history: {
    detail:
      'It is in a file of its own, and what cannot be written there delays or ends no grant. Names of users are as log-users has them.',
    example: '30d',
  },
  'history-size': { example: '256M' },
  'max-messages-per-grant': { example: 50 },
  'max-recipients-per-grant': { example: 100 },
  'max-recipients-per-hour': { example: 200 },
  'syslog-names': { example: ['mx-out'] },
  'session-limit': {
    detail:
      'The grant then ends the grace period after the logout. Only for servers whose log shows which login a logout belongs to; two hours at most unless the session is known to be IMAP.',
    example: '8h',
  },
  mynetworks: {
    detail: 'Addresses in them need no grant and get none.',
    example: ['127.0.0.0/8', '192.0.2.0/24', '[2001:db8::]/32'],
  },
  exclude: { example: ['127.0.0.0/8', '::1', '100.64.0.0/10'] },
  'postfix-config': { example: '/etc/postfix-out' },
  logto: { example: '/var/log/popbsmtp.log' },
  daemon: {
    detail:
      'It returns once the daemon follows its logs, or with the exit status of the daemon that could not start. The file is removed when the daemon stops.',
    example: '/run/popbsmtp.pid',
  },
  patterns: {
    detail:
      'Files whose names end in .toml; the README.md beside the shipped ones says how they are written.',
    example: '/etc/popbsmtp/patterns.d',
  },
  'login-socket-group': {
    detail:
      'Whoever is in it may open the relay to any address that a login could open. The account of the daemon must be in it as well (SupplementaryGroups= in the unit), and others must be able to enter the directory of the map.',
    example: 'mail',
  },
  'dovecot-elements': {
    detail:
      'For logins and those of its proxies, with %u as in 2.3 or %{user} as in 2.4. An order in which a client could imitate an address or TLS is refused. ' +
      'Not given, run, replay and explain ask doveconf, if it is there; the default order is recognised in any case. ' +
      "From doveconf they also have the instance_name, Dovecot's tag.",
    example: ['session=<%{session}> user=<%u> method=%m rip=%r lip=%l %c'],
  },
  'trusted-relays': {
    detail:
      'Lines such as "Nov 23 00:53:01 loghost-a <22>Nov 23 00:53:00 mx dovecot: …" are read by their second header where the first has one of these names, exactly as it stands there; of others they are told, and are no logins. ' +
      'Whoever may send to such a relay, or log there without a tag, can write such a line; name no host that takes lines from anybody, and not this host itself.',
    example: ['loghost-a', '192.0.2.1'],
  },
  reprocess: {
    detail:
      'Otherwise the daemon continues where it stopped last, or begins with the lines of the last grace period. Logins that are too old grant nothing in either case.',
  },
};
