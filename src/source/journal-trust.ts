/**
 * Whether an entry of the journal is a server's own words.
 *
 * Every local user may write to the journal under every tag (`logger -t dovecot …`), and so could write a login.
 * What the kernel says of the sender gives him away: his uid, and the unit that his process was started in.
 * Executable and process name are no proof by themselves, since a user can have a program of his own
 * choosing run a library of his (LD_PRELOAD, ld.so(8)), and journald cannot read them once the sender has ended.
 *
 * How it came counts as much as who sent it: a datagram, or the journal's own protocol, is one entry whatever is in it,
 * but in a stream (the standard output of a service) each line end begins another entry with the same trusted fields.
 * So the stream of a server that writes a stranger's text as it is holds entries in the stranger's words; and where one
 * process of a server puts a stamp and a name before each line, only what that process wrote is the server's.
 * What a container prints is such a stream, though its engine sends each line as an entry of its own.
 */
import type { JournalEntry } from './journal-entry.ts';

/** What a genuine entry looks like: everything that is not null must fit. */
export interface JournalTrust {
  readonly uids: readonly number[] | null;
  /** A template, `imap@.service`, stands for all its instances. */
  readonly units: readonly string[] | null;
  readonly comms: readonly string[] | null;
  readonly exes: readonly string[] | null;
  /** Of syslog(3), 0 to 7: the only severity that the server logs its logins with. */
  readonly priority: number | null;
  /** The ways in by which the server's own words come (systemd.journal-fields(7), _TRANSPORT). */
  readonly transports: readonly Transport[];
  /** What must have written it where it came by a stream; null for anything. */
  readonly streamExes: readonly string[] | null;
  /** Whether it may put the host's name before its tag, so that journald finds none. */
  readonly isHostFirst: boolean;
}

/** The ways in that a program can take. */
export const TRANSPORTS = ['syslog', 'journal', 'stdout'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** Those that keep a message whole. */
export const WHOLE_TRANSPORTS: readonly Transport[] = ['syslog', 'journal'];

/** For a server that says nothing else. */
export const ONLY_ROOT: JournalTrust = {
  uids: [0],
  units: null,
  comms: null,
  exes: null,
  priority: null,
  transports: WHOLE_TRANSPORTS,
  streamExes: null,
  isHostFirst: false,
};

export const isTrusted = (entry: JournalEntry, declared: JournalTrust): boolean =>
  isSender(entry, declared) && isWay(entry, declared);

/** Whether it is from whom it should be. */
function isSender(entry: JournalEntry, { uids, units, comms, exes }: JournalTrust): boolean {
  return (
    isAmong(entry.uid, uids) &&
    (isAmong(entry.unit, units) || isAmong(templateOf(entry.unit), units)) &&
    isAmong(entry.comm, comms) &&
    isAmong(entry.exe, exes)
  );
}

/** Whether it came as the server's own words come, whoever the sender is. */
export function isWay(
  entry: JournalEntry,
  { priority, transports, streamExes }: JournalTrust,
): boolean {
  return (
    transports.some(transport => transport === wayOf(entry)) &&
    (entry.transport !== 'stdout' || isAmong(entry.exe, streamExes)) &&
    (priority === null || entry.priority === priority)
  );
}

/** By which way its text came to be an entry. */
export const wayOf = ({ container, transport }: JournalEntry): string | null =>
  container === null ? transport : 'stdout';

/**
 * Trusts an entry if any of the servers that log under its tag would (Courier and UW-IMAP share `imapd`).
 *
 * @param servers each with its tags and what its entries look like
 */
export function trustDeclared(
  servers: Iterable<{ readonly programs: readonly string[]; readonly journal: JournalTrust }>,
): (entry: JournalEntry) => boolean {
  const byTag = new Map<string, JournalTrust[]>();
  for (const { programs, journal } of servers) {
    for (const tag of programs) byTag.set(tag, [...(byTag.get(tag) ?? []), journal]);
  }
  return entry => byTag.get(entry.tag)?.some(declared => isTrusted(entry, declared)) ?? false;
}

/** Whether an entry is of root, or of a service of the system: of no user's session, and of no service of his. */
export const isSystems = ({ uid, unit }: JournalEntry): boolean =>
  uid === 0 || (unit !== null && /^(?!user@).+\.service$/.test(unit));

/** The tag under which journald speaks of itself, as of messages that it dropped. */
export const JOURNALD = 'systemd-journald';

/** Whether an entry is journald's own (systemd.journal-fields(7), _TRANSPORT=driver). */
export const isJournald = ({ tag, uid, transport }: JournalEntry): boolean =>
  tag === JOURNALD && uid === 0 && transport === 'driver';

const isAmong = <T>(value: T | null, declared: readonly T[] | null): boolean =>
  declared === null || (value !== null && declared.includes(value));

/** `imap@.service` for `imap@3-192.0.2.5:143-192.0.2.10:4711.service` (systemd.unit(5), instances). */
const templateOf = (unit: string | null): string | null =>
  unit === null ? null : unit.replace(/@.+(?=\.\w+$)/, '@');
