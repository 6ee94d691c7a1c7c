/**
 * Pattern files: one server's log lines as data.  patterns/README.md is their manual.
 *
 * Promises: what is read has been checked in every respect that can be checked without a log line: keys,
 * kinds, names, expressions and the rules of rules.ts.  The first fault found is an error with file and line.
 * Leaves to others: reading files (load.ts), samples (sample.ts, samples.ts), lines without a tag (own-log.ts).
 */
import { MAX_LINE } from '../line/length.ts';
import { type LinePrefix, PROGRAM } from '../line/prefix.ts';
import type { JournalTrust } from '../source/journal-trust.ts';
import { expressionsOfElements } from './dovecot-elements.ts';
import {
  type Expression,
  type Group,
  type GroupNumbers,
  groupNumbersOf,
  parseExpression,
  type Sequence,
} from './expression.ts';
import { journalTrustOf } from './journal-table.ts';
import { parseOwnForm } from './own-log.ts';
import { checkProtocol, type Protocol, protocolsOf, someOf } from './protocol.ts';
import { checkExpression } from './rules.ts';
import { parseSamples, SAMPLE_KINDS, type Sample } from './sample.ts';
import { ExpressionError } from './scanner.ts';
import { type Splitting, splittingOf } from './splitting.ts';
import { TomlTable } from './toml-table.ts';

export type { Sample, SampleKind } from './sample.ts';

/** What a line tells: `connect` an address before any login, `failure` that none will come of it. */
export type PatternEvent = (typeof EVENTS)[number];

/** What may be the same in the login and in the logout of a session, and in no other session's. */
export type JoinField = (typeof JOIN_FIELDS)[number];

export interface Pattern {
  /** The name of its file. */
  readonly server: string;
  readonly name: string;
  readonly event: PatternEvent;
  /** Describes a whole message. */
  readonly expression: RegExp;
  /** What the groups of the expression are, in their order. */
  readonly groups: readonly Group[];
  readonly groupNumbers: GroupNumbers;
  /** The same, part by part. */
  readonly sequence: Sequence;
  /** A longer message, in bytes, is none of the server's. */
  readonly maxLength: number;
  /** What the session of its events is made of; nothing when the server's logouts tell no session. */
  readonly join: readonly JoinField[];
  /** Whether the server tells the address of some logins in a line of their own (connects.ts). */
  readonly connects: boolean;
  /** Those of its programs that serve encrypted connections only. */
  readonly tlsPrograms: readonly string[];
  /** What those of its programs speak that speak one protocol only. */
  readonly protocols: ReadonlyMap<string, Protocol>;
  /** Whether the server's logouts tell their protocol in the line; if not, the program tells whose they are. */
  readonly namesProtocol: boolean;
  readonly samples: readonly Sample[];
}

export interface PatternFile {
  readonly path: string;
  readonly server: string;
  /** The programs, by their syslog tags, whose lines are the server's. */
  readonly programs: readonly string[];
  /** What lines of the server's own log files begin with; they are taken for the first program's. */
  readonly linePrefixes: readonly LinePrefix[];
  /** How the server's own logger tears long lines apart, or null if it does not. */
  readonly splitting: Splitting | null;
  /** What the server's own entries in the systemd journal look like. */
  readonly journal: JournalTrust;
  readonly patterns: readonly Pattern[];
}

/** What all patterns of a file share. */
type Shared = Pick<
  Pattern,
  'server' | 'maxLength' | 'join' | 'connects' | 'tlsPrograms' | 'protocols'
>;

export const EVENTS = ['login', 'logout', 'connect', 'failure'] as const;
const JOIN_FIELDS = ['session', 'port', 'ip', 'user', 'pid'] as const;
const WHOLE_PROGRAM = new RegExp(`^${PROGRAM}$`);
/** Below what an old syslogd leaves of a message that it cuts at 1024 bytes in all. */
const MAX_LENGTH = 900;

/**
 * @param path for errors
 * @param server the file's name without its suffix
 * @throws Failure PATTERN_SYNTAX
 */
export function parsePatternFile(path: string, server: string, text: string): PatternFile {
  return patternFileOf(TomlTable.parse(path, text), path, server);
}

/** @throws Failure PATTERN_SYNTAX */
export function patternFileOf(top: TomlTable, path: string, server: string): PatternFile {
  top.allow([
    ...['programs', 'tls-programs', 'imap-programs', 'pop3-programs', 'own-log', 'join'],
    ...['max-length', 'splits-at', 'whole', 'journal', ...EVENTS],
  ]);
  const programs = programsOf(top);
  const shared: Shared = {
    server,
    maxLength: top.number('max-length', MAX_LINE) ?? MAX_LENGTH,
    join: joinOf(top),
    connects: top.tables('connect').length > 0,
    tlsPrograms: tlsProgramsOf(top, programs),
    protocols: protocolsOf(top, programs),
  };
  const parsed = EVENTS.flatMap(event =>
    top.tables(event).map(table => parsePattern(table, event, shared)),
  );
  const logouts = parsed.filter(({ event }) => event === 'logout');
  const namesProtocol =
    logouts.length > 0 && logouts.every(({ groups }) => groups.includes('protocol'));
  const patterns = parsed.map(pattern => ({ ...pattern, namesProtocol }));
  if (top.tables('login').length === 0)
    throw top.error('login', 'there is no login', 'add a table headed [[login]]');
  checkJoin(top, shared.join, patterns);
  const linePrefixes = ownFormsOf(top, programs[0] ?? server);
  const splitting = splittingOf(top);
  const journal = journalTrustOf(top);
  return { path, server, programs, linePrefixes, splitting, journal, patterns };
}

/** Whether a program may log under this name. */
export const isTag = (name: string): boolean => WHOLE_PROGRAM.test(name);

/** The syslog tags under `programs`. @throws Failure PATTERN_SYNTAX */
export function programsOf(top: TomlTable): string[] {
  const programs = top.strings('programs');
  const odd = programs.find(program => !isTag(program));
  if (odd !== undefined)
    throw top.error('programs', `"${odd}" is no syslog tag`, 'write it without pid and colon');
  return programs;
}

/** The programs under `tls-programs`, which are among the others. @throws Failure PATTERN_SYNTAX */
export const tlsProgramsOf = (top: TomlTable, programs: readonly string[]): string[] =>
  someOf(top, 'tls-programs', programs);

function ownFormsOf(top: TomlTable, program: string): LinePrefix[] {
  if (!top.has('own-log')) return [];
  return top
    .strings('own-log')
    .map(text => ({ program, prefix: checked(top, 'own-log', () => parseOwnForm(text)) }));
}

function joinOf(top: TomlTable): JoinField[] {
  if (!top.has('join')) return [];
  return top.strings('join').map(text => {
    const field = JOIN_FIELDS.find(known => known === text);
    if (field === undefined)
      throw top.error(
        'join',
        `"${text}" joins nothing`,
        `the fields are ${JOIN_FIELDS.join(', ')}`,
      );
    return field;
  });
}

/** A session that no logout can end would be held open for the age limit, each of them. */
function checkJoin(top: TomlTable, join: readonly JoinField[], patterns: readonly Pattern[]): void {
  for (const field of join) {
    for (const event of ['login', 'logout'] as const) {
      const told = patterns.some(
        pattern => pattern.event === event && (field === 'pid' || pattern.groups.includes(field)),
      );
      if (!told)
        throw top.error(
          'join',
          `no ${event} tells the ${field}`,
          `name it in an expression of a [[${event}]], or take it out of join`,
        );
    }
  }
}

function parsePattern(
  table: TomlTable,
  event: PatternEvent,
  shared: Shared,
): Omit<Pattern, 'namesProtocol'> {
  table.allow(['name', 'expression', ...SAMPLE_KINDS]);
  const text = table.strings('expression').join('');
  const expression = checked(table, 'expression', () => parseExpression(text));
  const { address, compiled, groups } = expression;
  if (event === 'connect' && address === null)
    throw table.error('expression', 'a connect without {ip}', 'put {ip} where the address stands');
  if (event === 'login' && address === null && !shared.connects)
    throw table.error(
      'expression',
      'a login without {ip}',
      'put {ip} where the address stands, or describe the line that tells it as a [[connect]]',
    );
  if (event !== 'login' && expression.tls !== null)
    throw table.error('expression', '(?<tls>…) in no login', 'leave it out: only logins need it');
  checked(table, 'expression', () => checkExpression(expression));
  const { protocol } = expression;
  if (protocol !== null) checked(table, 'expression', () => checkProtocol(protocol));
  return {
    ...shared,
    event,
    name: table.string('name'),
    expression: compiled,
    sequence: expression.sequence,
    groups,
    groupNumbers: groupNumbersOf(groups),
    samples: samplesOf(table, event, expression, shared),
  };
}

/**
 * A file with more logins, by Dovecot's setting, which are tried before its own.
 *
 * @param setting the text of login_log_format_elements
 * @throws ExpressionError
 */
export function withElements(file: PatternFile, setting: string): PatternFile {
  const like = file.patterns.find(({ event }) => event === 'login');
  if (like === undefined) return file;
  const { login, proxy, oldProxy } = expressionsOfElements(setting);
  const patterns = [
    { text: login, name: 'login_log_format_elements' },
    { text: proxy, name: 'login_log_format_elements, as a proxy' },
    { text: oldProxy, name: 'login_log_format_elements, as a proxy up to 2.3.10' },
  ].map(({ text, name }): Pattern => {
    const { compiled, sequence, groups } = parseExpression(text);
    const groupNumbers = groupNumbersOf(groups);
    return { ...like, name, expression: compiled, sequence, groups, groupNumbers, samples: [] };
  });
  return { ...file, patterns: [...patterns, ...file.patterns] };
}

function samplesOf(
  table: TomlTable,
  event: PatternEvent,
  expression: Expression,
  { tlsPrograms }: Shared,
): Sample[] {
  const samples = parseSamples(table);
  const matches = samples.filter(({ kind }) => kind === 'match');
  if (matches.length === 0)
    throw table.error('match', 'an expression without a sample', 'add real lines as match = […]');
  const tellsIp = expression.address !== null || event === 'login';
  const tellsUser = expression.groups.includes('user');
  const tellsTls = expression.tls !== null || (event === 'login' && tlsPrograms.length > 0);
  for (const { outcome } of matches) {
    if (
      (outcome?.ip === null) === tellsIp ||
      (outcome?.user === null) === tellsUser ||
      (outcome?.tls !== null && !tellsTls)
    )
      throw table.error(
        'match',
        'a sample has another set of fields than the expression',
        'give the ip of a login or of {ip}, user for (?<user>…), tls for (?<tls>…), and no others',
      );
  }
  return samples;
}

/** What is wrong with an expression, told with its place in the file. @throws Failure PATTERN_SYNTAX */
function checked<T>(table: TomlTable, key: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw table.error(key, error.message, error.hint);
  }
}
