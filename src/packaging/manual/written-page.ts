/**
 * The pages whose text is written and not made of tables: Markdown below pages/, which is read in the repository as it stands.
 *
 * Promises: each begins with `# NAME(SECTION): what it is`; of popbsmtp(8) and popbsmtp.toml(5) the text holds what no table does,
 * and the makers of those pages put it among the tables.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../base/package.ts';
import { parseMarkdown } from './markdown.ts';
import { sectionsOf } from './markdown-roff.ts';
import { type Edition, page } from './page.ts';
import { escapeRoff } from './roff.ts';

const DIRECTORY = join(packageRoot(), 'src/packaging/manual/pages');
const TITLE = /^# ([a-z.-]+)\(([1-9])\): (.+)\n/;

export interface WrittenPage {
  readonly name: string;
  readonly section: number;
  readonly about: string;
  /** The whole section, as roff. */
  readonly description: readonly string[];
  /** The other sections. */
  readonly others: readonly string[];
}

/** In the order of their sections, and of their names in each. */
export const PAGES: readonly WrittenPage[] = readdirSync(DIRECTORY)
  .map(readPage)
  .sort((a, b) => a.section - b.section || (a.name < b.name ? -1 : 1));

function readPage(file: string): WrittenPage {
  const text = readFileSync(join(DIRECTORY, file), 'utf8');
  const [, name = '', section = '', about = ''] = TITLE.exec(text) ?? [];
  if (file !== `${name}.${section}.md`)
    throw new Error(`${file}: its first line names another page`);
  const { description, others } = sectionsOf(parseMarkdown(text));
  return { name, section: Number(section), about, description, others };
}

/** @throws Error if there is none */
export function pageOf(name: string): WrittenPage {
  const found = PAGES.find(one => one.name === name);
  if (found === undefined) throw new Error(`no text for the page ${name}`);
  return found;
}

export const nameSection = (
  { name, about }: WrittenPage,
  ...alsoCalled: readonly string[]
): string[] => [
  '.Sh NAME',
  ...[name, ...alsoCalled].map(
    (called, index) => `.Nm ${escapeRoff(called)}${index < alsoCalled.length ? ' ,' : ''}`,
  ),
  `.Nd ${escapeRoff(about)}`,
];

/** One that no table adds to. */
export const writtenPage = (written: WrittenPage, edition: Edition): string =>
  page(written.name, written.section, edition, [
    nameSection(written),
    written.description,
    written.others,
  ]);
