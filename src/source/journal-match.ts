/**
 * Which entries of the journal the administrator has chosen, by their fields: those of a container, of a unit.
 *
 * A match is written `FIELD=VALUE`, or several of these with blanks between them, as journalctl(1) takes them: all fields must have
 * one of the values that are given for them.  Of several matches one must fit.
 * Promises: what a local user can say of himself is no match.  Whoever sends an entry by the journal's own protocol writes all of its
 * fields but those with an underscore before them, which are journald's (systemd.journal-fields(7)).  So what is chosen is to come from
 * root, as the entries of containers' engines do, unless the match names the account (_UID) itself (fromRoot).  A container is
 * chosen by its own fields alone, since the engine's unit and account are those of all containers.
 * Known limit: a container whose processes are root's on the host, and that has the journal's socket, speaks as root.
 */
import { failure } from '../base/errors.ts';
import { escapeControls } from '../line/controls.ts';
import type { JournalEntry } from './journal-entry.ts';

export interface JournalField {
  readonly name: string;
  readonly value: string;
}

export type JournalMatch = readonly JournalField[];

/** systemd, src/libsystemd/sd-journal/journal-file.c, journal_field_valid; two underscores are of what is no field. */
const FIELD = '_?[A-Z][A-Z0-9_]{0,62}';
const PAIR = new RegExp(`^(${FIELD})=(.+)$`);
/** journalctl's word between alternatives, each of which is a match of its own here. */
const PLUS = /(?:^| )\+(?: |$)/;
const BETWEEN = new RegExp(` +(?=${FIELD}=)`);
/** What the engine says of one container. */
const CONTAINERS = /^(?:CONTAINER_|IMAGE_NAME$|SYSLOG_IDENTIFIER$)/;
/** One of these tells a server from all that root says. */
const TELLING = /^(?:CONTAINER_|IMAGE_NAME$|_SYSTEMD_UNIT$|SYSLOG_IDENTIFIER$)/;
/** What may differ between the pieces of one line, so that the rest would come without its head. */
const OF_PIECES =
  /^(?:MESSAGE|PRIORITY|SYSLOG_TIMESTAMP|_LINE_BREAK|CONTAINER_(?:PARTIAL|LOG)_.+)$/;

/**
 * @param where for errors
 * @throws Failure JOURNAL_MATCH
 */
export function parseMatch(text: string, where: string): JournalMatch {
  const match = text
    .trim()
    .split(BETWEEN)
    .map(pair => fieldOf(pair, where));
  const isOfWholeLines = !match.some(({ name }) => OF_PIECES.test(name));
  if (isOfWholeLines && match.some(({ name }) => TELLING.test(name))) return match;
  throw failure('JOURNAL_MATCH', { where, value: text });
}

function fieldOf(pair: string, where: string): JournalField {
  const [, name, value] = PAIR.exec(pair) ?? [];
  const isPlain = value !== undefined && escapeControls(value) === value && !PLUS.test(value);
  if (name !== undefined && isPlain) return { name, value };
  throw failure('JOURNAL_MATCH', { where, value: pair });
}

/** A match as it holds where not everybody is trusted: of root, unless it names the account. */
export const fromRoot = (match: JournalMatch): JournalMatch =>
  match.some(({ name }) => name === '_UID') ? match : [...match, { name: '_UID', value: '0' }];

/** Whether an entry fits one of the matches; journalctl was asked for no other, but is not relied on. */
export const isChosen = (entry: JournalEntry, matches: readonly JournalMatch[]): boolean =>
  matches.some(match => fits(entry, match));

function fits({ container, fields }: JournalEntry, match: JournalMatch): boolean {
  if (container !== null && !match.some(({ name }) => CONTAINERS.test(name))) return false;
  return match.every(({ name }) =>
    match.some(other => other.name === name && bytesOf(other.value) === fields[name]),
  );
}

/** As journalctl's output is read: a character a byte. */
const bytesOf = (value: string): string => Buffer.from(value).toString('latin1');

/** How journalctl is told of what is wanted of it. */
export const matchArguments = (matches: readonly JournalMatch[]): string[] =>
  matches.flatMap((match, index) => [
    ...(index === 0 ? [] : ['+']),
    ...match.map(({ name, value }) => `${name}=${value}`),
  ]);

/** The fields that have to be asked for. */
export const matchFields = (matches: readonly JournalMatch[]): string[] =>
  matches.flatMap(match => match.map(({ name }) => name));
