/**
 * The changelog of the package, as deb-changelog(5) wants it, from CHANGELOG.md.
 *
 * Promises: all that CHANGELOG.md has of changes is in it; its first entry is of the version that is built, and has what is not released
 * yet as well.  No line is longer than 80 characters, but for a word that is.
 */
import { wrap } from '../../options/running-text.ts';
import { type Block, parseMarkdown } from '../manual/markdown.ts';
import type { Facts } from './metadata.ts';

interface Group {
  /** Such as `Security`; empty for what stands before the first. */
  readonly title: string;
  readonly items: readonly string[];
}

interface Release {
  /** Null for what is not released yet. */
  readonly version: string | null;
  readonly date: Date | null;
  readonly groups: readonly Group[];
}

const WIDTH = 76;
const NOTHING: Group = { title: '', items: ['No changes for whoever runs it.'] };

/**
 * @param text of CHANGELOG.md
 * @throws Error if it has another form
 */
export function changelog(
  text: string,
  { version, maintainer, date }: Pick<Facts, 'version' | 'maintainer' | 'date'>,
): string {
  const releases = releasesOf(parseMarkdown(text));
  const isBuilt = (release: Release): boolean =>
    release.version === null || release.version === version;
  const built = merged(releases.filter(isBuilt).flatMap(({ groups }) => groups));
  const older = releases.filter(release => !isBuilt(release));
  return [
    entry({ version, date, groups: built.length === 0 ? [NOTHING] : built }, maintainer),
    ...older.map(release => entry(release, maintainer)),
  ].join('\n');
}

const HEADING = /^(?:Unreleased|(\d\S*) - (\d{4}-\d\d-\d\d))$/;

function releasesOf(blocks: readonly Block[]): Release[] {
  const starts = blocks.flatMap((block, index) =>
    block.kind === 'heading' && block.level === 2 ? [index] : [],
  );
  return starts.map((start, index) => {
    const [heading, ...rest] = blocks.slice(start, starts[index + 1]);
    const title = heading?.kind === 'heading' ? heading.text : '';
    const found = HEADING.exec(title);
    if (found === null)
      throw new Error(`"${title}" is no heading of a release: VERSION - YYYY-MM-DD`);
    const [, version, day] = found;
    return {
      version: version ?? null,
      date: day === undefined ? null : new Date(`${day}T00:00:00Z`),
      groups: groupsOf(rest),
    };
  });
}

function groupsOf(blocks: readonly Block[]): Group[] {
  const groups: Group[] = [];
  let title = '';
  for (const block of blocks) {
    if (block.kind === 'heading') title = block.text;
    else groups.push({ title, items: itemsOf(block) });
  }
  return groups;
}

function itemsOf(block: Exclude<Block, { kind: 'heading' }>): readonly string[] {
  switch (block.kind) {
    case 'list':
      return block.items;
    case 'paragraph':
      return [block.text];
    case 'literal':
    case 'table':
      throw new Error(`a ${block.kind} has no place in a changelog`);
  }
}

/** Those of one title together. */
const merged = (groups: readonly Group[]): Group[] =>
  [...new Set(groups.map(({ title }) => title))].map(title => ({
    title,
    items: groups.filter(group => group.title === title).flatMap(({ items }) => items),
  }));

const entry = ({ version, date, groups }: Release, maintainer: string): string =>
  [
    `popbsmtp (${version}) unstable; urgency=medium`,
    ...groups.map(groupText),
    ` -- ${maintainer}  ${changeDate(date ?? new Date(0))}\n`,
  ].join('\n\n');

const groupText = ({ title, items }: Group): string =>
  [...(title === '' ? [] : [`  [ ${title} ]`]), ...items.map(itemText)].join('\n');

const itemText = (text: string): string =>
  `  * ${wrap(plain(text), WIDTH).replaceAll('\n', '\n    ')}`;

/** Without the signs of Markdown. */
const plain = (text: string): string =>
  text.replace(/\*\*|`/g, '').replace(/\[([^\]]+)\]\([^) ]+\)/g, '$1');

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function changeDate(date: Date): string {
  const time = date.toISOString().slice(11, 19);
  const day = String(date.getUTCDate()).padStart(2, '0');
  return `${DAYS[date.getUTCDay()]}, ${day} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ${time} +0000`;
}
