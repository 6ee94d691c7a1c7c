/**
 * One entry of the systemd journal, as `journalctl -o json` prints it, and the log line that it stands for.
 *
 * Promises: the line has the form that every syslog file has, so that it is recognised in the same way; nothing in
 * an entry can begin a second line or pass for the prefix.  Blanks at the end of a message are put back: journald
 * takes them off and keeps the datagram as SYSLOG_RAW, and torn lines are told by their length.
 * What a container prints is a stream that its engine cuts into entries: at 16 KiB (Docker) or less (conmon), too, and a carriage
 * return that a terminal's line end has is none of the message's.
 * Fields that begin with an underscore are set by journald from what the kernel says of the sender
 * (systemd.journal-fields(7), trusted fields); all others are the sender's words.
 * A program that puts the host before its tag itself has no tag there: of those that are known to, the message is taken apart.
 * Known limits: journalctl leaves out a field of 4096 bytes or more (journalctl(1), `-o json`), so such a message is
 * too long for us; an entry with several tags, which only the journal's own protocol can make, is not read.
 */
import { escapeControls } from '../line/controls.ts';
import { PROGRAM } from '../line/prefix.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface JournalEntry {
  readonly cursor: string;
  /** When journald received it, in microseconds since 1970-01-01 UTC. */
  readonly microseconds: number;
  /** The tag that the sender gave. */
  readonly tag: string;
  /** A character a byte; null when journalctl left it out for its length. */
  readonly message: string | null;
  /** The severity that the sender gave, 0 (emerg) to 7 (debug). */
  readonly priority: number | null;
  readonly host: string | null;
  readonly pid: string | null;
  readonly uid: number | null;
  /** The unit in whose control group the sender ran. */
  readonly unit: string | null;
  /** The name of the sender's process, and the path of its executable; missing when it had ended already. */
  readonly comm: string | null;
  readonly exe: string | null;
  /** The way in by which it came: `syslog`, `journal`, `stdout` and others. */
  readonly transport: string | null;
  /** The container that printed it, as its engine calls it; null for none. */
  readonly container: string | null;
  /**
   * Which standard output or error it came by, if by one; of a container, which has one for both.  Null also where each piece of
   * a line is marked, so that nothing has to be known of the one before.
   */
  readonly stream: string | null;
  /** What ended it in that stream other than a line end, so that it is no whole line; null for a line end. */
  readonly lineBreak: string | null;
  /** All that was asked for, as journalctl prints it. */
  readonly fields: Fields;
}

/** What has to be asked of journalctl (`--output-fields`); cursor and time come in any case. */
export const ENTRY_FIELDS = [
  'CONTAINER_ID',
  'CONTAINER_ID_FULL',
  'CONTAINER_NAME',
  'CONTAINER_PARTIAL_ID',
  'CONTAINER_PARTIAL_MESSAGE',
  'MESSAGE',
  'PRIORITY',
  'SYSLOG_IDENTIFIER',
  'SYSLOG_PID',
  'SYSLOG_RAW',
  '_COMM',
  '_EXE',
  '_HOSTNAME',
  '_LINE_BREAK',
  '_PID',
  '_STREAM_ID',
  '_SYSTEMD_UNIT',
  '_TRANSPORT',
  '_UID',
] as const;

const TAG = new RegExp(`^${PROGRAM}$`);
const HOST = /^[\w.-]{1,255}$/;
const DIGITS = /^\d{1,15}$/;
/** What journald takes off the end of a message (systemd, journald-syslog.c, WHITESPACE). */
const BLANKS_AT_END = /[ \t\r\n]*$/;

/** What a program that puts the host before its tag says, of which journald makes one message. */
const HOST_FIRST = /^([\w.-]{1,255}) ([^\s:]+): /;

/**
 * Reads an entry; null for what is none, or has no tag that a line could have.
 *
 * @param hostFirst the tags that may stand behind the host's name in a message that came by syslog without one
 * @param json a line of journalctl's output, a character a byte.  Only ASCII is ever escaped in it, so its texts
 *   come out a character a byte as well.
 */
export function parseEntry(
  json: string,
  hostFirst: ReadonlySet<string> = NO_TAGS,
): JournalEntry | null {
  const fields = taggedFields(parseObject(json), hostFirst);
  if (fields === null) return null;
  const cursor = textOf(fields['__CURSOR']);
  const microseconds = numberOf(fields['__REALTIME_TIMESTAMP']);
  const tag = textOf(fields['SYSLOG_IDENTIFIER']);
  const message = messageOf(fields);
  if (cursor === null || microseconds === null || tag === null || message === undefined)
    return null;
  if (!TAG.test(tag)) return null;
  const container = containerOf(fields);
  const uid = numberOf(fields['_UID']);
  return {
    cursor,
    microseconds,
    tag,
    message: container === null ? message : (message?.replace(/\r$/, '') ?? null),
    priority: numberOf(fields['PRIORITY']),
    host: textOf(fields['_HOSTNAME']),
    // The kernel's word before the sender's, as journalctl itself shows it.
    pid: textOf(fields['_PID']) ?? textOf(fields['SYSLOG_PID']),
    uid,
    unit: textOf(fields['_SYSTEMD_UNIT']),
    comm: textOf(fields['_COMM']),
    exe: textOf(fields['_EXE']),
    transport: textOf(fields['_TRANSPORT']),
    container,
    // Whoever else says the name of the same container breaks no line of it.
    stream:
      textOf(fields['_STREAM_ID']) ??
      (isMarked(fields) ? null : container && `${uid} ${container}`),
    lineBreak: textOf(fields['_LINE_BREAK']) ?? partOf(fields),
    fields,
  };
}

const NO_TAGS: ReadonlySet<string> = new Set();

/**
 * The fields, with the tag that stands in the message where the sender gave none to journald: only behind the host's name as
 * journald knows it, which nginx writes in small letters (src/core/nginx.c, ngx_init_cycle).
 */
function taggedFields(fields: Fields | null, hostFirst: ReadonlySet<string>): Fields | null {
  if (fields === null || hostFirst.size === 0) return fields;
  if (fields['SYSLOG_IDENTIFIER'] !== undefined || fields['_TRANSPORT'] !== 'syslog') return fields;
  const message = messageOf(fields) ?? '';
  const [all, host, tag] = HOST_FIRST.exec(message) ?? [];
  if (all === undefined || host === undefined || tag === undefined) return fields;
  if (host.toLowerCase() !== textOf(fields['_HOSTNAME'])?.toLowerCase()) return fields;
  if (!hostFirst.has(tag)) return fields;
  const { SYSLOG_RAW: _, ...rest } = fields;
  return { ...rest, SYSLOG_IDENTIFIER: tag, MESSAGE: message.slice(all.length) };
}

/** The line as rsyslog would have written it, but in UTC; null when the message was left out. */
export function entryLine(entry: JournalEntry): string | null {
  const { host, tag, pid, message } = entry;
  if (message === null) return null;
  const name = host !== null && HOST.test(host) ? host : 'localhost';
  const process = pid !== null && DIGITS.test(pid) ? `[${pid}]` : '';
  return `${stampOf(entry)} ${name} ${tag}${process}: ${escapeControls(message)}`;
}

/**
 * The line of an entry whose message is a line of some log: of what a container printed, as its engine would have written that into a file
 * (line/carriers.ts); null when the message was left out.
 */
export const carriedLine = (entry: JournalEntry): string | null =>
  entry.message === null ? null : `${stampOf(entry)} stderr F ${escapeControls(entry.message)}`;

/** RFC 3339 with microseconds. */
function stampOf({ microseconds }: JournalEntry): string {
  const second = new Date(microseconds / 1000).toISOString().slice(0, 19);
  return `${second}.${String(microseconds % 1_000_000).padStart(6, '0')}Z`;
}

function parseObject(json: string): Fields | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Docker (daemon/logger/journald), Podman and CRI-O (conmon, src/ctr_logging.c) name the container that they speak for. */
const containerOf = (fields: Fields): string | null =>
  textOf(fields['CONTAINER_ID_FULL']) ??
  textOf(fields['CONTAINER_ID']) ??
  textOf(fields['CONTAINER_NAME']);

/** Docker marks all pieces of a long line; older ones, and conmon, all but the last. */
const isMarked = (fields: Fields): boolean => textOf(fields['CONTAINER_PARTIAL_ID']) !== null;
const partOf = (fields: Fields): string | null =>
  textOf(fields['CONTAINER_PARTIAL_ID']) ?? textOf(fields['CONTAINER_PARTIAL_MESSAGE']);

/** Undefined when there is none, or several. */
function messageOf(fields: Fields): string | null | undefined {
  const message = fields['MESSAGE'] === null ? null : bytesOf(fields['MESSAGE']);
  if (message === null || message === undefined) return message;
  // A line end closes the datagram of some senders, and is part of no message.
  const raw = bytesOf(fields['SYSLOG_RAW'])?.replace(/\n$/, '') ?? '';
  return message + (BLANKS_AT_END.exec(raw)?.[0] ?? '');
}

/** A text; or bytes in a list, as journalctl prints what is not valid UTF-8 or not printable. */
function bytesOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || !value.every(isByte)) return undefined;
  return Buffer.from(value).toString('latin1');
}

const isByte = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function numberOf(value: unknown): number | null {
  return typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : null;
}
