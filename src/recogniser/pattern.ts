/**
 * Pattern files: one server's log lines as data.  patterns/README.md is their manual.
 *
 * Promises: what is read has been checked in every respect that can be checked without a log line: keys,
 * kinds, names, expressions and the rules of rules.ts.  The first fault found is an error with file and line.
 * Leaves to others: reading files (load.ts), running samples (samples.ts).
 */
import { PROGRAM } from '../line/prefix.ts';
import { type Expression, parseExpression } from './expression.ts';
import { checkExpression } from './rules.ts';
import { ExpressionError } from './scanner.ts';
import { TomlTable } from './toml-table.ts';

/** A whole log line, a character a byte, and what must come of it; `event` null for nothing. */
export interface Sample {
  readonly kind: SampleKind;
  readonly line: string;
  readonly outcome: { readonly ip: string | null; readonly user: string | null } | null;
}

/** `match`: a line of the server's; `refuse`: another one; `attack`: one with an outsider's text in it. */
export type SampleKind = (typeof SAMPLE_KINDS)[number];

export interface Pattern {
  /** The name of its file. */
  readonly server: string;
  readonly name: string;
  readonly event: 'login' | 'logout';
  /** Describes a whole message; its groups are `ip` and `user`, as far as it has them. */
  readonly expression: RegExp;
  /** A longer message, in bytes, is none of the server's. */
  readonly maxLength: number;
  readonly samples: readonly Sample[];
}

export interface PatternFile {
  readonly path: string;
  readonly server: string;
  /** The programs, by their syslog tags, whose lines are the server's. */
  readonly programs: readonly string[];
  /** After how many bytes the server's own logger goes on in another line, or null if it does not. */
  readonly splitsAt: number | null;
  readonly patterns: readonly Pattern[];
}

const EVENTS = ['login', 'logout'] as const;
const SAMPLE_KINDS = ['match', 'refuse', 'attack'] as const;
const WHOLE_PROGRAM = new RegExp(`^${PROGRAM}$`);
/** Below what an old syslogd leaves of a message that it cuts at 1024 bytes in all. */
const MAX_LENGTH = 900;
/** The longest line that a source hands over. */
const LONGEST_LINE = 8192;

/**
 * @param path for errors
 * @param server the file's name without its suffix
 * @throws Failure PATTERN_SYNTAX
 */
export function parsePatternFile(path: string, server: string, text: string): PatternFile {
  const top = TomlTable.parse(path, text);
  top.allow(['programs', 'max-length', 'splits-at', ...EVENTS]);
  const programs = top.strings('programs');
  const odd = programs.find(program => !WHOLE_PROGRAM.test(program));
  if (odd !== undefined)
    throw top.error('programs', `"${odd}" is no syslog tag`, 'write it without pid and colon');
  const maxLength = top.number('max-length', LONGEST_LINE) ?? MAX_LENGTH;
  const patterns = EVENTS.flatMap(event =>
    top.tables(event).map(table => parsePattern(table, { server, event, maxLength })),
  );
  if (patterns.length === 0)
    throw top.error('login', 'there is no expression', 'add a table headed [[login]]');
  return { path, server, programs, splitsAt: top.number('splits-at', LONGEST_LINE), patterns };
}

function parsePattern(
  table: TomlTable,
  inherited: Pick<Pattern, 'server' | 'event' | 'maxLength'>,
): Pattern {
  table.allow(['name', 'expression', ...SAMPLE_KINDS]);
  const { compiled, address, namesUser } = parseChecked(table);
  if (inherited.event === 'login' && address === null)
    throw table.error('expression', 'a login without {ip}', 'put {ip} where the address stands');
  const samples = SAMPLE_KINDS.flatMap(kind =>
    table
      .list(kind, 'a list of { line = "…", ip = "…", user = "…" }')
      .map((fields, index) => parseSample(table, { kind, fields, number: index + 1 })),
  );
  const matches = samples.filter(({ kind }) => kind === 'match');
  if (matches.length === 0)
    throw table.error('match', 'an expression without a sample', 'add real lines as match = […]');
  for (const { outcome } of matches) {
    if ((outcome?.ip === null) !== (address === null) || (outcome?.user === null) === namesUser)
      throw table.error(
        'match',
        'a sample has another set of fields than the expression',
        'give ip for {ip} and user for (?<user>…), and no others',
      );
  }
  return { ...inherited, name: table.string('name'), expression: compiled, samples };
}

function parseChecked(table: TomlTable): Expression {
  const text = table.strings('expression').join('');
  try {
    const expression = parseExpression(text);
    checkExpression(expression);
    return expression;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw table.error('expression', error.message, error.hint);
  }
}

function parseSample(
  table: TomlTable,
  sample: {
    readonly kind: SampleKind;
    readonly fields: Readonly<Record<string, unknown>>;
    readonly number: number;
  },
): Sample {
  const { kind, fields, number } = sample;
  const { line, ip, user, ...others } = fields;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw table.error(kind, `unknown key "${unknown}" in sample ${number}`, 'use line, ip, user');
  if (typeof line !== 'string' || !isTextOrAbsent(ip) || !isTextOrAbsent(user))
    throw table.error(kind, `sample ${number} is of the wrong sort`, 'write texts: line, ip, user');
  const nothing = kind === 'refuse' || (kind === 'attack' && ip === undefined);
  if (nothing && (ip !== undefined || user !== undefined))
    throw table.error(kind, `sample ${number} has an outcome`, 'give its line alone');
  const bytes = Buffer.from(line).toString('latin1');
  return { kind, line: bytes, outcome: nothing ? null : { ip: ip ?? null, user: user ?? null } };
}

const isTextOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string';
