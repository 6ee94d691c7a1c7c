/**
 * The pattern file of a mail server (patterns/mta/): its lines about messages as data, under the rules of the login patterns.
 *
 * Promises: what is read has been checked in every respect that can be checked without a log line: keys, names, expressions and
 * the rules of recogniser/rules.ts.  The first fault found is an error with file and line.
 */

import { parseWithFields } from '../recogniser/expression.ts';
import { journalTrustOf } from '../recogniser/journal-table.ts';
import { checkExpression } from '../recogniser/rules.ts';
import { SAMPLE_KINDS, type SampleKind } from '../recogniser/sample.ts';
import { ExpressionError } from '../recogniser/scanner.ts';
import { TomlTable } from '../recogniser/toml-table.ts';
import type { JournalTrust } from '../source/journal-trust.ts';
import type { MailEvent, RefusalReason, Where } from './mail-event.ts';
import { REFUSALS, WHERE } from './mail-event.ts';

/** What an expression may name besides the address. */
export const MAIL_FIELDS = ['queue', 'user', 'origin', 'size', 'recipients', 'recipient'] as const;
export type MailField = (typeof MAIL_FIELDS)[number];

type Kind = MailEvent['event'];

export interface MailSample {
  readonly kind: SampleKind;
  /** A character a byte. */
  readonly line: string;
  /** What must come of it by its names, the address as `ip`; null for nothing. */
  readonly fields: Readonly<Record<string, string>> | null;
}

export interface MailPattern {
  readonly kind: Kind;
  readonly name: string;
  /** The last words of the tags whose lines it is for. */
  readonly programs: readonly string[];
  readonly expression: RegExp;
  /** What the groups of the expression are, in their order. */
  readonly groups: readonly string[];
  /** Of a delivery. */
  readonly where: Where;
  /** Of a refusal. */
  readonly why: RefusalReason;
  readonly samples: readonly MailSample[];
}

export interface MailPatternFile {
  readonly path: string;
  /** What tags begin with, before the last slash, where they must be known by name. */
  readonly names: readonly string[];
  readonly journal: JournalTrust;
  readonly patterns: readonly MailPattern[];
}

/** What each kind's expression has to name, and what else it may. */
const NEEDS: Readonly<Record<Kind, { readonly must: readonly string[] }>> = {
  accepted: { must: ['queue', 'ip'] },
  authenticated: { must: ['queue', 'ip', 'user'] },
  again: { must: ['queue', 'origin'] },
  queued: { must: ['queue', 'size', 'recipients'] },
  delivered: { must: ['queue', 'recipient'] },
  removed: { must: ['queue'] },
  refused: { must: ['ip'] },
};

export const KINDS = Object.keys(NEEDS).filter(isKind);

function isKind(text: string): text is Kind {
  return Object.hasOwn(NEEDS, text);
}

/** @throws Failure PATTERN_SYNTAX */
export function parseMailPatterns(path: string, text: string): MailPatternFile {
  const top = TomlTable.parse(path, text);
  top.allow(['names', 'journal', ...KINDS]);
  const patterns = KINDS.flatMap(kind => top.tables(kind).map(table => patternOf(table, kind)));
  return { path, names: top.strings('names'), journal: journalTrustOf(top), patterns };
}

function patternOf(table: TomlTable, kind: Kind): MailPattern {
  const own = kind === 'delivered' ? ['where'] : kind === 'refused' ? ['why'] : [];
  table.allow(['name', 'programs', 'expression', ...own, ...SAMPLE_KINDS]);
  const { compiled, groups } = expressionOf(table);
  const missing = NEEDS[kind].must.find(name => !groups.includes(name));
  if (missing !== undefined)
    throw table.error('expression', `it does not name the ${missing}`, `name it: (?<${missing}>…)`);
  return {
    kind,
    name: table.string('name'),
    programs: table.strings('programs'),
    expression: compiled,
    groups,
    where: kind === 'delivered' ? oneOf(table, 'where', WHERE) : 'unknown',
    why: kind === 'refused' ? oneOf(table, 'why', REFUSALS) : 'another restriction',
    samples: samplesOf(table, groups),
  };
}

function expressionOf(table: TomlTable): {
  readonly compiled: RegExp;
  readonly groups: readonly string[];
} {
  try {
    const expression = parseWithFields(table.strings('expression').join(''), MAIL_FIELDS);
    checkExpression(expression);
    return expression;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw table.error('expression', error.message, error.hint);
  }
}

function oneOf<T extends string>(table: TomlTable, key: string, known: readonly T[]): T {
  const text = table.string(key);
  const found = known.find(one => one === text);
  if (found === undefined)
    throw table.error(key, `"${text}" is not known`, `write ${known.join(' or ')}`);
  return found;
}

function samplesOf(table: TomlTable, groups: readonly string[]): MailSample[] {
  const samples = SAMPLE_KINDS.flatMap(kind =>
    table.list(kind, 'a list of { line = "…", … }').map(fields => sampleOf(table, kind, fields)),
  );
  const matches = samples.filter(({ kind }) => kind === 'match');
  if (matches.length === 0)
    throw table.error('match', 'an expression without a sample', 'add real lines as match = […]');
  const wanted = [...groups].sort().join();
  for (const { fields } of matches)
    if (
      Object.keys(fields ?? {})
        .sort()
        .join() !== wanted
    )
      throw table.error(
        'match',
        'a sample has another set of fields than the expression',
        `give ${groups.join(', ')}`,
      );
  return samples;
}

function sampleOf(
  table: TomlTable,
  kind: SampleKind,
  { line, ...others }: Readonly<Record<string, unknown>>,
): MailSample {
  const texts = Object.entries(others).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  if (typeof line !== 'string' || texts.length < Object.keys(others).length)
    throw table.error(kind, 'a sample has the wrong type', 'write texts');
  const fields = texts.length === 0 ? null : Object.fromEntries(texts);
  return { kind, line: Buffer.from(line).toString('latin1'), fields };
}
