/**
 * The samples that stand beside each expression of a pattern file: lines, and what must come of them.
 *
 * Promises: a sample has a line, and exactly the outcome that its kind calls for.
 * Leaves to others: whether it does what it says (samples.ts).
 */
import type { TomlTable } from './toml-table.ts';

/** Whole log lines, a character a byte, and what must come of the last; `outcome` null for nothing. */
export interface Sample {
  readonly kind: SampleKind;
  /** What the log has before the line. */
  readonly after: readonly string[];
  readonly line: string;
  readonly outcome: {
    readonly ip: string | null;
    readonly user: string | null;
    readonly tls: boolean | null;
  } | null;
}

/** `match`: a line of the server's; `refuse`: another one; `attack`: one with an outsider's text in it. */
export type SampleKind = (typeof SAMPLE_KINDS)[number];

export const SAMPLE_KINDS = ['match', 'refuse', 'attack'] as const;

/** One sample as it stands in the file. */
interface Entry {
  readonly kind: SampleKind;
  readonly fields: Readonly<Record<string, unknown>>;
  /** From 1. */
  readonly number: number;
}

/** All samples of a table. @throws Failure PATTERN_SYNTAX */
export function parseSamples(table: TomlTable): Sample[] {
  return SAMPLE_KINDS.flatMap(kind =>
    table
      .list(kind, 'a list of { line = "…", ip = "…", user = "…" }')
      .map((fields, index) => parseSample(table, { kind, fields, number: index + 1 })),
  );
}

function parseSample(table: TomlTable, { kind, fields, number }: Entry): Sample {
  const { after = [], line, ip, user, tls, ...others } = fields;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw table.error(
      kind,
      `unknown key "${unknown}" in sample ${number}`,
      'use line, ip, user, tls, after',
    );
  if (
    typeof line !== 'string' ||
    !isTextOrAbsent(ip) ||
    !isTextOrAbsent(user) ||
    !isFlagOrAbsent(tls) ||
    !isTexts(after)
  )
    throw table.error(
      kind,
      `sample ${number} has the wrong type`,
      'write texts: line, ip, user; true or false: tls; and a list of texts: after',
    );
  const nothing = kind === 'refuse' || (kind === 'attack' && ip === undefined);
  if (nothing && (ip !== undefined || user !== undefined || tls !== undefined))
    throw table.error(kind, `sample ${number} has an outcome`, 'give its line alone');
  const outcome = nothing ? null : { ip: ip ?? null, user: user ?? null, tls: tls ?? null };
  return { kind, after: after.map(bytesOf), line: bytesOf(line), outcome };
}

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');

const isTextOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string';

const isFlagOrAbsent = (value: unknown): value is boolean | undefined =>
  value === undefined || typeof value === 'boolean';

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string');
