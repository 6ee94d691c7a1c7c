/**
 * The parts that every manual page has, in mdoc(7).
 */
import { SEE_ALSO } from './facts.ts';
import { escapeRoff } from './roff.ts';

/** What a page states about itself. */
export interface Edition {
  readonly version: string;
  readonly date: Date;
}

/** @param sections lines of roff each, in their order; SEE ALSO is put where mdoc(7) wants it, at the end */
export function page(
  name: string,
  number: number,
  { version, date }: Edition,
  sections: readonly (readonly string[])[],
): string {
  const day = date.toLocaleDateString('en-US', { dateStyle: 'long', timeZone: 'UTC' });
  const lines = [
    '.\\" Made from src/packaging/manual/pages and the tables of options and errors by "npm run manual".',
    `.Dd ${day}`,
    `.Dt ${escapeRoff(name.toUpperCase())} ${number}`,
    `.Os popbsmtp ${escapeRoff(version)}`,
    ...sections.flat(),
    ...seeAlso(name),
  ];
  return `${lines.filter(line => line !== '').join('\n')}\n`;
}

export const section = (title: string, lines: readonly string[]): string[] => [
  `.Sh ${title}`,
  ...lines,
];

/** @param entries lines of roff each, the first of them `.It` */
export const tagList = (entries: readonly (readonly string[])[]): string[] => [
  '.Bl -tag -width Ds',
  ...entries.flat(),
  '.El',
];

function seeAlso(self: string): string[] {
  const others = SEE_ALSO.filter(([name]) => name !== self);
  return section(
    'SEE ALSO',
    others.map(
      ([name, number], index) =>
        `.Xr ${escapeRoff(name)} ${number}${index === others.length - 1 ? '' : ' ,'}`,
    ),
  );
}

/** A page that is only another name of one. */
export const linkPage = (target: string): string => `.so ${target}\n`;
