/**
 * The catalogue of every error that a user can meet.
 *
 * Promises: each error prints as one line that says what failed, where, and what to do, and carries
 * the exit status of sysexits.h.  Tests and callers compare `code`, never text.  What is thrown and
 * is not a `Failure` is a bug of ours and ends with `EXIT.software`.
 */

/** Exit statuses, from sysexits.h (FreeBSD, glibc). */
export const EXIT = {
  ok: 0,
  usage: 64,
  data: 65,
  noInput: 66,
  unavailable: 69,
  software: 70,
  cannotCreate: 73,
  io: 74,
  temporary: 75,
  noPermission: 77,
  config: 78,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Of a value that somebody gave an option: the status depends on where he did, with which the text begins. */
export const OF_ORIGIN = 'of its origin';

interface Entry {
  readonly exit: ExitStatus | typeof OF_ORIGIN;
  /** What is wrong and where; `{name}` stands for a parameter. */
  readonly text: string;
  /** What to do about it. */
  readonly hint: string;
}

export const CATALOGUE = {
  USAGE: { exit: EXIT.usage, text: '{problem}', hint: 'see "popbsmtp {verb}--help"' },
  DURATION: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" is not a duration',
    hint: 'write it as 900, 90s, 15m, 2h or 1d',
  },
  DURATION_NONE: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" is no time at all',
    hint: 'the shortest is 1s',
  },
  COUNT: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" is out of range',
    hint: 'write a whole number from 1 to {most}',
  },
  ENDPOINT: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" does not name a port as host:port',
    hint: 'write it as 127.0.0.1:25 or [::1]:25',
  },
  MAP_SPEC: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" does not name a map as type:path',
    hint: 'write it exactly as main.cf does after check_client_access, such as lmdb:/var/popbsmtp/pop-before-smtp',
  },
  MAP_TYPE: {
    exit: OF_ORIGIN,
    text: '{where}: {spec}: maps of type "{type}" are not supported',
    hint: 'use one of: {supported}',
  },
  MAP_TYPE_MISSING: {
    exit: EXIT.config,
    text: '{spec}: this Postfix does not offer maps of type "{type}" (postconf -m)',
    hint: '{remedy}use one of: {supported}',
  },
  MAP_REDIRECTED: {
    exit: EXIT.config,
    text: '{type}:{path}: Postfix takes this for {target}:{path} (non_bdb_migration_level = {level}), so that rows in the file of a {type}: map neither open nor close the relay',
    hint: 'name the map as lmdb:{path} or cdb:{path}, here and in main.cf, and restart both',
  },
  MAP_TWICE: {
    exit: OF_ORIGIN,
    text: '{where}: {spec} is the same file as {other}',
    hint: 'name each file once',
  },
  CONFIG_SYNTAX: { exit: EXIT.config, text: '{file}:{line}: {problem}', hint: 'fix the TOML' },
  CONFIG_UNREADABLE: {
    exit: EXIT.config,
    text: 'cannot read the configuration {file}: {reason}',
    hint: 'name an existing file with --config, or leave the option out',
  },
  CONFIG_UNWRITABLE: {
    exit: EXIT.cannotCreate,
    text: 'cannot write the configuration {file}: {reason}',
    hint: 'be the account that it belongs to, which is root for /etc/popbsmtp, or name another file with --config',
  },
  CONFIG_KEY: {
    exit: EXIT.config,
    text: '{file}:{line}: unknown key "{key}"',
    hint: '{hint}',
  },
  CONFIG_VALUE: {
    exit: EXIT.config,
    text: '{file}:{line}: the value of "{key}" has the wrong type',
    hint: 'it {problem}',
  },
  PATTERN_SYNTAX: { exit: EXIT.config, text: '{file}:{line}: {problem}', hint: '{hint}' },
  DOVECOT_ELEMENTS: { exit: OF_ORIGIN, text: '{where}: {problem}', hint: '{hint}' },
  DOVECOT_INSTANCE: {
    exit: EXIT.config,
    text: 'instance_name of doveconf: "{name}" is no tag that a log line can have, so its lines are not read',
    hint: 'change it to a word without blanks, brackets, colons and quotes',
  },
  TRUSTED_RELAY: {
    exit: OF_ORIGIN,
    text: '{where}: "{name}" cannot be the host in a header of syslog',
    hint: 'write the name or address as it stands in the log, one in each text',
  },
  PATTERN_UNREADABLE: {
    exit: EXIT.config,
    text: 'cannot read patterns from {path}: {reason}',
    hint: 'make it readable for the account, or name another directory with --patterns',
  },
  MYNETWORKS_ENTRY: {
    exit: OF_ORIGIN,
    text: '{origin}: "{entry}" is not an entry of mynetworks: {problem}',
    hint: 'write networks as 192.0.2.0/24, [2001:db8::]/32, !192.0.2.7, /file or type:table',
  },
  NETWORK_LIST: {
    exit: OF_ORIGIN,
    text: '{origin}: "{entry}" is not a network: {problem}',
    hint: 'write networks as 192.0.2.0/24 or 2001:db8::/32, separated by blanks or commas',
  },
  USER_LIST: {
    exit: OF_ORIGIN,
    text: '{origin}: "{entry}" does not name a user',
    hint: 'write names as the log has them, or *@example.org for all of a domain, at least one',
  },
  CHOICE: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" is not known',
    hint: 'write {choices}',
  },
  ZONE: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" is no time zone',
    hint: 'write a name of the tz database such as Europe/Berlin, or an offset such as +02:00',
  },
  GRACE_FOR: {
    exit: OF_ORIGIN,
    text: '{origin}: "{entry}" does not give a network its grace period: {problem}',
    hint: 'write it as 192.0.2.0/24=2h, an entry for each network',
  },
  MYNETWORKS_MISSING: {
    exit: EXIT.config,
    text: '{map} is no map of Postfix, so Postfix is not asked whose networks may relay anyway',
    hint: 'give the networks with --mynetworks, as the SMTP server has them (none for an empty list)',
  },
  POSTCONF_MISSING: {
    exit: EXIT.unavailable,
    text: 'cannot ask Postfix for mynetworks: postconf was not found',
    hint: 'install Postfix, or give the networks with --mynetworks (none for an empty list)',
  },
  POSTCONF_FAILED: {
    exit: EXIT.unavailable,
    text: 'postconf could not print mynetworks: {reason}',
    hint: 'fix the Postfix configuration, or give the networks with --mynetworks',
  },
  POSTCONF_EDIT: {
    exit: EXIT.cannotCreate,
    text: 'cannot change {path}: {reason}',
    hint: 'be root, or paste the postconf commands that "popbsmtp migrate" prints',
  },
  POSTMAP_FAILED: {
    exit: EXIT.unavailable,
    text: 'postmap could not look up {key} in {table}: {reason}',
    hint: 'fix the table that mynetworks names, or give the networks with --mynetworks',
  },
  OUTPUT: {
    exit: EXIT.io,
    text: 'cannot write to standard output: {reason}',
    hint: 'what was printed is not complete: check the free space, and run it again',
  },
  LOG_MISSING: {
    exit: EXIT.noInput,
    text: 'cannot read {path}: no such file',
    hint: 'name the log of the POP3/IMAP server',
  },
  LOG_UNREADABLE: {
    exit: EXIT.noPermission,
    text: 'cannot read {path}: {reason}',
    hint: 'let the account read it, for example through the group adm',
  },
  LOG_BINARY: {
    exit: EXIT.data,
    text: '{path} is no log: it holds binary data',
    hint: 'name a log that is text, or such a log compressed by gzip, xz, bzip2 or zstd; the journal is printed by "journalctl -o short-iso"',
  },
  LOG_PACKED: {
    exit: EXIT.data,
    text: 'cannot unpack {path}: {reason}',
    hint: 'see that the file is whole, and the program that unpacks it is installed',
  },
  LOG_DIRECTORY: {
    exit: EXIT.noInput,
    text: 'cannot read {path}: it is a directory',
    hint: '{remedy}',
  },
  LOG_NONE: {
    exit: EXIT.noInput,
    text: 'no mail log found: none of {tried} exists, and there is no journal: {reason}',
    hint: 'name the log of the POP3/IMAP server with --watchlog',
  },
  JOURNAL_MISSING: {
    exit: EXIT.unavailable,
    text: 'cannot read the systemd journal: journalctl was not found',
    hint: 'install systemd, or name the log of the POP3/IMAP server with --watchlog',
  },
  JOURNAL_UNREADABLE: {
    exit: EXIT.noPermission,
    text: 'cannot read {what}: {reason}',
    hint: '{remedy}',
  },
  JOURNAL_ABSENT: {
    exit: EXIT.noInput,
    text: 'cannot read {name}: {reason}',
    hint: '{remedy}',
  },
  JOURNAL_NAME: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" names no journal',
    hint: 'write journal, journal:/DIRECTORY, journal:namespace=NAME or journal:machine=NAME',
  },
  JOURNAL_MATCH: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" chooses no entries of the journal',
    hint: 'name a container, a unit or a tag by its field, such as CONTAINER_NAME=mail, _SYSTEMD_UNIT=mail.service or SYSLOG_IDENTIFIER=mail; several fields that must all fit with a blank between them, alternatives as further entries',
  },
  LOGTO: {
    exit: EXIT.cannotCreate,
    text: 'cannot write the log {path}: {reason}',
    hint: 'make its directory writable for the account, or name another file with --logto',
  },
  USER_KEY: {
    exit: EXIT.cannotCreate,
    text: 'cannot use the key for the names of users {path}: {reason}',
    hint: 'let the account read it and write in its directory, or log them with --log-users plain or none',
  },
  PIDFILE: {
    exit: EXIT.cannotCreate,
    text: 'cannot write the pid file {path}: {reason}',
    hint: 'name a file in a directory that the account can write',
  },
  CHECKPOINT: {
    exit: EXIT.io,
    text: 'cannot save in {path} how far the logs have been read: {reason}',
    hint: 'check the free space, and let the account write in that directory',
  },
  MAP_DIRECTORY: {
    exit: EXIT.cannotCreate,
    text: 'cannot write in {directory}, where {path} is to be: {reason}',
    hint: 'keep the map in a directory of the account alone, such as /var/popbsmtp: install -d -o popbsmtp -g popbsmtp -m 755 /var/popbsmtp',
  },
  MAP_PERMISSION: {
    exit: EXIT.noPermission,
    text: 'cannot write {path}: {reason}',
    hint: 'give the map to the account that popbsmtp runs as (chown), or keep it in a directory of that account alone, such as /var/popbsmtp',
  },
  MAP_MISSING: {
    exit: EXIT.noInput,
    text: '{path}: there is no such map',
    hint: 'start the daemon once, or name the map with --map',
  },
  MAP_UNREADABLE: {
    exit: EXIT.noPermission,
    text: 'cannot read the map {path}: {reason}',
    hint: "be root, or the daemon's account (sudo -u popbsmtp); or let others read the map with map-mode",
  },
  MAP_NOT_FILE: {
    exit: EXIT.config,
    text: '{path} is a directory, and so can be no map',
    hint: 'name a file in it, without the suffix that Postfix adds, or another name',
  },
  MAP_EMPTY: {
    exit: EXIT.data,
    text: '{path} has length 0, which Postfix takes for no map: it defers mail',
    hint: 'start the daemon, which fills it',
  },
  MAP_FORMAT: {
    exit: EXIT.data,
    text: '{path} is not a valid {format}: {found}',
    hint: 'move it away and start popbsmtp again; it makes a new one and fills it from the log',
  },
  MAP_IO: {
    exit: EXIT.io,
    text: 'cannot write the map {path}: {reason}',
    hint: 'check the free space and the state of its file system',
  },
  TABLE_COMMAND: {
    exit: EXIT.io,
    text: '{path}: {program} could not make the rows known: {reason}',
    hint: 'it is tried again; run it by hand, as the account of the map, to see what is wrong',
  },
  TABLE_COMMAND_PATH: {
    exit: OF_ORIGIN,
    text: '{where}: "{program}" is no absolute path of a program',
    hint: 'give the program with its path, and each argument as a word of its own, such as ["/usr/sbin/smtpctl", "update", "table", "NAME"]',
  },
  MAP_POSTMAP: {
    exit: EXIT.io,
    text: 'postmap could not {what} the map {spec}: {reason}',
    hint: 'check the free space; if the map is damaged, move it away and start popbsmtp again, which makes a new one and fills it from the log',
  },
  POSTMAP_MISSING: {
    exit: EXIT.unavailable,
    text: 'cannot use the map {spec}: postmap was not found',
    hint: 'install Postfix, or use an lmdb: map, which popbsmtp writes itself',
  },
  MAP_RULES: {
    exit: EXIT.config,
    text: "cannot take the administrator's rules from {path}: {reason}",
    hint: 'correct the rules; until then those count that were read last',
  },
  MAP_RULES_PATH: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" is no absolute path',
    hint: 'give it as /etc/tcp.smtp',
  },
  MAP_RULES_CHANGED: {
    exit: EXIT.io,
    text: 'the rules in {rules} have changed, which the rows of {path} say again',
    hint: 'nothing to do: popbsmtp makes the map anew with them',
  },
  NFT_NAME: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" names no sets of nftables',
    hint: 'write it as "nft:FAMILY TABLE SET", such as "nft:inet filter pop" for the sets pop4 and pop6 of the table filter; FAMILY is inet, ip or ip6',
  },
  NFT_MISSING: {
    exit: EXIT.unavailable,
    text: 'cannot write {name}: nft was not found',
    hint: 'install nftables',
  },
  NFT_REFUSED: {
    exit: EXIT.noPermission,
    text: 'cannot write {name}: {reason}',
    hint: 'nft needs CAP_NET_ADMIN: give it to the service with popbsmtp-nft.conf (popbsmtp-mta(7)), or start the command as root',
  },
  NFT_SET: {
    exit: EXIT.config,
    text: 'cannot use {name}: {found}',
    hint: 'name another set, or leave the making of both sets to popbsmtp',
  },
  NFT_FAILED: {
    exit: EXIT.io,
    text: 'cannot write {name}: {reason}',
    hint: 'see what nft says of the set: nft list ruleset',
  },
  MAP_MAKEMAP: {
    exit: EXIT.io,
    text: 'makemap could not {what} the map {spec}: {reason}',
    hint: 'check the free space; if the map is damaged, move it away and start popbsmtp again, which makes a new one and fills it from the log',
  },
  MAKEMAP_MISSING: {
    exit: EXIT.unavailable,
    text: 'cannot use the map {spec}: makemap was not found',
    hint: 'install sendmail (Debian: sendmail-bin); for Postfix use an lmdb: map, which popbsmtp writes itself',
  },
  MAKEMAP_TEXT: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" cannot stand in a map of sendmail: {problem}',
    hint: 'write it as in the text that makemap reads, such as Connect: for the prefix and RELAY for the value',
  },
  MAP_REPLACED: {
    exit: EXIT.io,
    text: 'the map {path} was {how} while popbsmtp was using it',
    hint: 'leave the file to popbsmtp, which has opened it anew and writes its rows again',
  },
  ROWS_LEFT: {
    exit: EXIT.io,
    text: '{map} still has rows by which clients relay, and which nothing ends: {rows} ({keys})',
    hint: 'see that nothing else writes it, and run "popbsmtp purge {option} --map {map}" again',
  },
  MAP_OWNED: {
    exit: EXIT.temporary,
    text: 'the map {path} is in use by another popbsmtp, pid {pid}',
    hint: 'stop that one first, or name another map with --map',
  },
  MAP_LOCKED: {
    exit: EXIT.temporary,
    text: 'the map {path} has been locked for {seconds} s by {holder}',
    hint: 'nothing can be written to it, nor any grant ended, until that program releases the lock: end it ("fuser {path}" as root shows which it is)',
  },
  OWNER_LOCKED: {
    exit: EXIT.temporary,
    text: '{path} is locked by {holder}, which is no popbsmtp: the pid noted there, {pid}, does not run, or does not hold it',
    hint: 'nothing can be written to the map, nor any grant ended, until that program releases the lock: end it ("fuser {path}" as root shows which it is)',
  },
  PRIVILEGES: {
    exit: EXIT.noPermission,
    text: 'cannot become the account {uid}, whose directory the map is in: {reason}',
    hint: '{hint}',
  },
  PRIVILEGES_MISSING: {
    exit: EXIT.software,
    text: 'root cannot become the account that the map belongs to, since the privileges addon cannot be loaded: {reason}',
    hint: 'run "node src/packaging/privileges/privileges-addon.mjs" in {directory}, or popbsmtp as that account',
  },
  PURGE_LOCKED: {
    exit: EXIT.temporary,
    text: '{rows} still in {map}: {reason}',
    hint: '{hint}',
  },
  HISTORY: {
    exit: EXIT.io,
    text: 'cannot use the history {path}: {reason}',
    hint: 'check its disk, and let the account of the map read and write it; grants go on without it',
  },
  HISTORY_FULL: {
    exit: EXIT.io,
    text: 'there is no room for the history {path}: {reason}',
    hint: 'free space on that disk, or remove the history and set a smaller history-size; grants go on without it',
  },
  HISTORY_LOCKED: {
    exit: EXIT.temporary,
    text: 'the history {path} is locked by {holder}',
    hint: 'let that program go on, or end it; grants go on without the history',
  },
  HISTORY_MISSING: {
    exit: EXIT.noInput,
    text: 'there is no history {path}',
    hint: 'let the daemon keep one (history = "90d"), or fill it from old logs with "popbsmtp history --import FILE"',
  },
  REPORT: {
    exit: EXIT.cannotCreate,
    text: 'cannot write the report {path}: {reason}',
    hint: 'name a file in a directory that you can write',
  },
  SIZE: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" is not a size',
    hint: 'write it as 64M or 1G, from 16M to 64G',
  },
  WHEN: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" is not a time',
    hint: 'write it as 2h or 7d (ago), 10:42, yesterday, "yesterday 10:42", 2026-11-27 or "2026-11-27 10:42"',
  },
  ADDRESS: {
    exit: EXIT.usage,
    text: '"{value}" is not an address',
    hint: 'write one IPv4 or IPv6 address, such as 192.0.2.1 or 2001:db8::1',
  },
  LIST_OPERAND: {
    exit: EXIT.usage,
    text: '"{value}" is neither an address nor a network: {problem}',
    hint: 'write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32, --user NAME for a user, or nothing for all rows',
  },
  ALLOW_EXCLUDED: {
    exit: EXIT.config,
    text: '{ip} never gets a grant: it is {reason}',
    hint: 'take its network out of --exclude first, if it is to relay',
  },
  ALLOW_OWN_ADDRESS: {
    exit: EXIT.config,
    text: '{ip} never gets a grant: it is {what}, which all clients behind a proxy or a port forward have in common',
    hint: 'allow the addresses of the clients, or set allow-own-addresses, if no one else comes from there',
  },
  ALLOW_OPENS_OTHERS: {
    exit: EXIT.config,
    text: '{ip} gets no grant: Postfix would find its row for longer addresses too, in other networks',
    hint: 'let main.cf wrap the map so that whole addresses are looked up, and set whole-addresses ("popbsmtp doctor" shows how)',
  },
  REVOKE_FOREIGN: {
    exit: EXIT.data,
    text: '{ips}: the map has a row of your own, which stays, and by which it may relay',
    hint: 'remove it with "postmap -d ADDRESS {map}"',
  },
  ORDERS_FULL: {
    exit: EXIT.temporary,
    text: 'there are {most} orders to allow or refuse already',
    hint: 'wait until some have ended, or put what is to last into the configuration',
  },
  STATE_UNREADABLE: {
    exit: EXIT.io,
    text: 'cannot read {path}: {reason}',
    hint: 'make it readable for the account, or remove it, and what it holds of orders by hand is forgotten',
  },
  STATE_UNWRITABLE: {
    exit: EXIT.io,
    text: 'cannot write {path}: {reason}',
    hint: 'check the free space, and let the account write there: what was ordered ends with the process',
  },
  CONTROL_LISTEN: {
    exit: EXIT.cannotCreate,
    text: 'no control socket at {path}: {reason}',
    hint: 'let the account write there, or give the map a shorter name; until then status, allow and revoke find no daemon',
  },
  CONTROL_DENIED: {
    exit: EXIT.noPermission,
    text: 'cannot talk to the daemon at {path}: {reason}',
    hint: "be root, or the daemon's account (sudo -u popbsmtp)",
  },
  CONTROL_BROKEN: {
    exit: EXIT.temporary,
    text: 'the daemon gave no complete answer at {path}: {reason}',
    hint: 'read its log, and try again',
  },
  CONTROL_SILENT: {
    exit: EXIT.temporary,
    text: 'the daemon does not answer: there was no sign of it at {path} for {seconds} s',
    hint: 'it hangs, or the machine has no time for it: look at it (ps, its log), and start it again if it stays so',
  },
  CONTROL_REQUEST: {
    exit: EXIT.data,
    text: 'the daemon refuses the request: {problem}',
    hint: 'are this command and the daemon of the same version?',
  },
  CONTROL_BUG: {
    exit: EXIT.software,
    text: 'the daemon failed to answer',
    hint: 'this is a bug in popbsmtp; its log has more',
  },
  NO_DAEMON: {
    exit: EXIT.unavailable,
    text: 'no popbsmtp is running for {map}',
    hint: 'start it, or name the map of a running one with --map',
  },
  POLICY_LISTEN: {
    exit: EXIT.cannotCreate,
    text: 'no policy socket at {path}: {reason}',
    hint: 'let the account write there (popbsmtp(8), "Who is it, for Postfix"); until then Postfix goes by the default_action of its check_policy_service',
  },
  POLICY_HEADER: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" cannot be the name of the header',
    hint: 'write a name of letters, digits and hyphens that begins with X-, as X-Relayed-By',
  },
  METRICS_LISTEN: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" is not a port of a loopback address',
    hint: 'write 127.0.0.1:9117 or [::1]:9117; for other machines put a proxy before it that asks who they are',
  },
  FLEET_URL: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" does not name a Redis or Valkey',
    hint: 'write redis://host:6379/0, or rediss://host:6379/0 for TLS; the account goes to fleet-user and fleet-password-file',
  },
  FLEET_NAME: {
    exit: OF_ORIGIN,
    text: '{where}: "{value}" cannot be a name in the streams',
    hint: 'write 1 to 64 letters, digits, dots, dashes and underscores',
  },
  FLEET_TLS: {
    exit: OF_ORIGIN,
    text: '{where} is given, but the connection to {engine} is not encrypted',
    hint: 'write rediss:// for TLS',
  },
  FLEET_SITES: {
    exit: OF_ORIGIN,
    text: '{where}: the engine is named by {other} as well',
    hint: 'with sentinels leave fleet out: they say where the engine is',
  },
  FLEET_SCHEMES: {
    exit: OF_ORIGIN,
    text: '{where}: {one} and {other} differ in more than their addresses',
    hint: 'the engines are spoken to as their sentinels are: name all of these with redis:// or all with rediss://, and one database',
  },
  FLEET_REPLICA: {
    exit: EXIT.temporary,
    text: '{engine} is a replica, which takes nothing that is published',
    hint: 'name the primary as well in fleet, or the sentinels in fleet-sentinels',
  },
  FLEET_STALE: {
    exit: EXIT.temporary,
    text: '{engine} is a replica that has lost its primary',
    hint: 'look why, with "redis-cli INFO replication"',
  },
  FLEET_CLUSTER: {
    exit: EXIT.config,
    text: '{engine} is a node of a cluster, which spreads its keys over several engines',
    hint: 'name a Redis or Valkey outside of a cluster; replicas and sentinels keep it available: popbsmtp-fleet(7)',
  },
  FLEET_SENTINEL: {
    exit: EXIT.config,
    text: 'the sentinel {sentinel} knows no primary of the name {name}',
    hint: 'set fleet-sentinel-name to the name that is in its "sentinel monitor"',
  },
  FLEET_FILE: {
    exit: EXIT.config,
    text: 'cannot read {path}: {reason}',
    hint: 'let the account of the daemon, and nobody else, read what it needs to connect to its fleet',
  },
  FLEET_EXHAUSTED: {
    exit: EXIT.temporary,
    text: 'nothing can be published any more: somebody has given an entry of {key} the last ID that there is',
    hint: 'delete both streams with "redis-cli DEL {keys}", and check who else may publish there',
  },
  MIGRATE_NOTHING: {
    exit: EXIT.noInput,
    text: 'no Perl pop-before-smtp was found: neither {looked} nor a map {map}',
    hint: 'name its configuration with --perl-config, its start script with --init-script, or its map with --old-map',
  },
  MIGRATE_UNREADABLE: {
    exit: EXIT.noInput,
    text: 'cannot read {file}: {reason}',
    hint: 'be root, or name the file of the Perl program with --perl-config or --init-script',
  },
  MIGRATE_BLOCKED: {
    exit: EXIT.config,
    text: 'nothing was done: {where}: {reason}',
    hint: 'see "popbsmtp migrate" without --apply for all that it found',
  },
  MIGRATE_STEP: {
    exit: EXIT.software,
    text: '"popbsmtp {step}" ended with status {status}: {reason}',
    hint: 'put that right, and run "popbsmtp migrate --apply" again: what is done already stays done',
  },
  LMDB_BUILD: {
    exit: EXIT.software,
    text: 'the lmdb addon is not the one that Postfix needs: {found}',
    hint: 'run "node src/packaging/lmdb/lmdb-addon.mjs" in {directory}',
  },
  LMDB_MISSING: {
    exit: EXIT.software,
    text: 'the lmdb addon cannot be loaded: {reason}',
    hint: 'run "node src/packaging/lmdb/lmdb-addon.mjs" in {directory}',
  },
  LOCK_MISSING: {
    exit: EXIT.software,
    text: 'the addon for file locks cannot be loaded: {reason}',
    hint: 'run "npm ci" again; fs-native-extensions serves Linux with glibc on x86-64 and arm64',
  },
  DEMO: {
    exit: EXIT.software,
    text: 'the demo gave up waiting for {what}',
    hint: 'this installation does not work: run "npm ci && npm test" and look at the first failure',
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(CATALOGUE, text);
}

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never;

/** What an error of this code must be told, read off its text and hint by the compiler. */
export type Parameters<C extends ErrorCode> = Record<
  Names<(typeof CATALOGUE)[C]['text'] | (typeof CATALOGUE)[C]['hint']>,
  string | number
>;

/** A wrong value is a usage error where it was typed, and an error of the configuration where a file has it. */
function exitOf(code: ErrorCode, text: string): ExitStatus {
  const { exit }: Entry = CATALOGUE[code];
  if (exit !== OF_ORIGIN) return exit;
  return text.startsWith('--') ? EXIT.usage : EXIT.config;
}

const fill = (template: string, parameters: Record<string, string | number>): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => String(parameters[name]));

/** An error that the user can do something about. */
export class Failure extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly exit: ExitStatus;

  constructor(code: ErrorCode, text: string, hint: string, cause?: unknown) {
    super(text, { cause });
    this.name = 'Failure';
    this.code = code;
    this.hint = hint;
    this.exit = exitOf(code, text);
  }

  /** The one line that the user sees. */
  get line(): string {
    return `${this.message}; ${this.hint}`.replace(/\s*\n\s*/g, ' ');
  }
}

/**
 * Makes the `Failure` of a code; the compiler asks for exactly the parameters its texts name.
 *
 * @param cause what was caught, kept for a stack trace with `--debug`
 */
export function failure<C extends ErrorCode>(
  code: C,
  parameters: Parameters<C>,
  cause?: unknown,
): Failure {
  const entry: Entry = CATALOGUE[code];
  return new Failure(code, fill(entry.text, parameters), fill(entry.hint, parameters), cause);
}

/** The system's own words for a caught error, without Node's prefix: `no such file or directory`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const system = /^E[A-Z0-9]+: (.*?)(?:, \w+(?: '.*')?)?$/s.exec(error.message);
  return system?.[1] ?? error.message;
}

/** The errno name of a caught system error, such as `ENOENT`, or null. */
export function errnoOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}
