/** How a migration looks: for people, with commands that can be pasted, and as one JSON object. */
import { quantity } from '../base/quantity.ts';
import { formatCtime } from '../line/stamp.ts';
import { linesOf } from '../migrate/configuration-file.ts';
import type { Remark } from '../migrate/former-settings.ts';
import { isDone, type Migration, type Request } from '../migrate/migration.ts';
import { commandOf, reloadOf } from '../postfix/edit.ts';

/** That are shown one by one. */
const MOST_ROWS = 10;

const indented = (lines: readonly string[]): string => lines.map(line => `    ${line}\n`).join('');

/** @param lines nothing is printed without any */
const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `\n${title}\n${indented(lines)}`;

const remarkLine = ({ where, text }: Remark): string => `${where}: ${text}`;

export function migrationText(
  migration: Migration,
  { postfixConfig }: Pick<Request, 'postfixConfig'>,
): string {
  const { read, oldMap, map, configuration, settings, rows, edits, remarks, blockers } = migration;
  const commands = edits.map(edit => commandOf(edit, postfixConfig));
  return [
    `read: ${[...read, ...(oldMap === null ? [] : [oldMap])].join(', ')}\n`,
    section(
      `${configuration} gets`,
      linesOf(settings).map((line, index) => `${line}  # ${settings[index]?.from ?? ''}`),
    ),
    section(
      `${map} takes the place of ${oldMap ?? 'the old map'}`,
      isDone(migration) ? [] : rowLines(rows),
    ),
    section('Postfix is told', commands.length === 0 ? [] : [...commands, reloadOf(postfixConfig)]),
    section('not carried over, or to be looked at', remarks.map(remarkLine)),
    section('in the way', blockers.map(remarkLine)),
    `\n${outlook(migration)}\n`,
  ].join('');
}

function outlook(migration: Migration): string {
  if (migration.blockers.length > 0)
    return 'nothing was done, and --apply does nothing until that is put right';
  return isDone(migration)
    ? 'there is nothing left to do'
    : 'nothing was done; "popbsmtp migrate --apply" does it';
}

function rowLines({ carried, until }: Migration['rows']): string[] {
  if (until === null) return ['no row of it is carried over'];
  const more = carried.length - MOST_ROWS;
  return [
    `${quantity(carried.length, 'address', 'addresses')} until ${formatCtime(until)}`,
    ...carried.slice(0, MOST_ROWS),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

/** What is left for people, after the steps that were made. */
export function stepsText(
  { oldMap, edits, remarks }: Migration,
  done: readonly string[],
  { postfixConfig }: Pick<Request, 'postfixConfig'>,
): string {
  if (done.length === 0) return 'there is nothing left to do\n';
  const steps = [
    'end the Perl program, and take it out of the start of the machine',
    'systemctl restart popbsmtp',
    ...(edits.length === 0 ? [] : [reloadOf(postfixConfig)]),
    `popbsmtp doctor; when it is content, remove the file of ${oldMap}`,
  ];
  return `${section('not carried over, or to be looked at', remarks.map(remarkLine))}${section('left for you, in this order', steps)}`;
}

/** @param done the steps that were made; null when none was to be */
export const migrationJson = (migration: Migration, done: readonly string[] | null): string =>
  `${JSON.stringify({ ...migration, applied: done })}\n`;
