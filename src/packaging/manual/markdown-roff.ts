/**
 * Blocks of Markdown as roff, with the macros of mdoc(7).
 *
 * A table becomes a list with its first column as tags, since cells of running text fit no column of a terminal; the heads
 * of further columns stand in front of what is in them.  Code and emphasis are bold, a link is its text.
 */
import { sentence } from '../../options/running-text.ts';
import type { Block } from './markdown.ts';
import { section, tagList } from './page.ts';
import { argument, literal, prose } from './roff.ts';

/** Private to Unicode, so that no text has them; escapeRoff makes of them what is replaced at last. */
const [BOLD, PLAIN] = ['\uE000', '\uE001'];

/** The description is what stands before the first heading of a section. */
export function sectionsOf(blocks: readonly Block[]): {
  readonly description: readonly string[];
  readonly others: readonly string[];
} {
  const starts = blocks.flatMap((block, index) =>
    block.kind === 'heading' && block.level === 2 ? [index] : [],
  );
  const isTitle = (block: Block): boolean => block.kind === 'heading' && block.level === 1;
  const first = blocks.slice(0, starts[0]).filter(block => !isTitle(block));
  return {
    description: section('DESCRIPTION', roffOf(first)),
    others: starts.flatMap((start, index) => namedSection(blocks.slice(start, starts[index + 1]))),
  };
}

function namedSection([heading, ...rest]: readonly Block[]): string[] {
  const title = heading?.kind === 'heading' ? heading.text : '';
  return section(inline(title.toUpperCase()), roffOf(rest));
}

/** Blocks of one section. */
export const roffOf = (blocks: readonly Block[]): string[] =>
  blocks.flatMap((block, index) => blockLines(block, blocks[index - 1]));

function blockLines(block: Block, before: Block | undefined): string[] {
  switch (block.kind) {
    case 'heading':
      return [`.Ss ${inline(block.text)}`];
    case 'paragraph':
      return [
        ...(before === undefined || before.kind === 'heading' ? [] : ['.Pp']),
        ...running(block.text),
      ];
    case 'literal':
      return literal(block.lines);
    case 'list':
      return ['.Bl -bullet', ...block.items.flatMap(item => ['.It', ...running(item)]), '.El'];
    case 'table':
      return tagList(block.rows.map(row => rowLines(block.head, row)));
  }
}

function rowLines(head: readonly string[], [tag = '', ...others]: readonly string[]): string[] {
  const [only] = others.length === 1 ? others : [];
  const lines =
    only === undefined
      ? others.flatMap((text, index) => running(sentence(`${head[index + 1]}: ${text}`)))
      : running(only);
  return [`.It ${withFonts(argument(marked(tag)))}`, ...lines];
}

const running = (text: string): string[] => prose(marked(text)).map(withFonts);

/** For a place in which only one line may stand. */
const inline = (text: string): string => running(text).join(' ');

/** Code first: what stands in it means nothing else. */
const marked = (text: string): string =>
  text
    .split(/(`[^`]+`)/)
    .map(part => (part.startsWith('`') ? `${BOLD}${part.slice(1, -1)}${PLAIN}` : outsideCode(part)))
    .join('')
    .replace(/\[([^\]]+)\]\([^) ]+\)/g, '$1');

const outsideCode = (text: string): string => text.replace(/\*\*([^*]+)\*\*/g, `${BOLD}$1${PLAIN}`);

const withFonts = (line: string): string =>
  line.replaceAll('\\[uE000]', '\\fB').replaceAll('\\[uE001]', '\\fP');
