/**
 * The Markdown of the manual pages and of CHANGELOG.md, read as blocks.
 *
 * It is a small part of CommonMark, which the pages keep to so that they are readable as they are: headings of three levels,
 * paragraphs, lists, tables, and literal text that is indented by four blanks.
 * Promises: what is none of these is an error that names the line, and never lost.
 * Leaves to others: what stands within a line (markdown-roff.ts).
 */

export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'literal'; readonly lines: readonly string[] }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

const INDENT = '    ';
const LEVELS = [1, 2, 3] as const;

/** Of other dialects, or of parts of CommonMark that are not read here. */
const UNKNOWN = /^(?:```|~~~|>|#{4}|\d+[.)] |[*+] |<)/;
const RULE = /^\|(?: *:?-+:? *\|)+$/;

/**
 * @throws Error that names the line of what is not known
 */
export function parseMarkdown(text: string): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at]?.trim() === '') {
      at++;
      continue;
    }
    const [block, end] = blockAt(lines, at);
    blocks.push(block);
    at = end;
  }
  return blocks;
}

/** The block that begins in this line, and the line behind it. */
function blockAt(lines: readonly string[], start: number): [Block, number] {
  const line = lines[start] ?? '';
  if (line.startsWith(INDENT)) return literalAt(lines, start);
  if (UNKNOWN.test(line)) throw unknown(start, `"${line}" is no form that the pages use`);
  if (line.startsWith('#')) return [heading(line, start), start + 1];
  let end = start;
  while (end < lines.length && lines[end]?.trim() !== '' && !lines[end]?.startsWith('#')) end++;
  const own = lines.slice(start, end);
  if (line.startsWith('|')) return [table(own, start), end];
  return [line.startsWith('- ') ? list(own) : { kind: 'paragraph', text: joined(own) }, end];
}

function heading(line: string, number: number): Block {
  const [, signs = '', text = ''] = /^(#+) (.+)$/.exec(line) ?? [];
  const level = LEVELS[signs.length - 1];
  if (level === undefined) throw unknown(number, `"${line}" is no heading`);
  return { kind: 'heading', level, text };
}

/** Empty lines belong to it where more of it comes behind them. */
function literalAt(lines: readonly string[], start: number): [Block, number] {
  let end = start;
  for (let at = start; at < lines.length; at++) {
    if (lines[at]?.startsWith(INDENT)) end = at + 1;
    else if (lines[at]?.trim() !== '') break;
  }
  const own = lines.slice(start, end).map(line => line.slice(INDENT.length));
  return [{ kind: 'literal', lines: own }, end];
}

const list = (lines: readonly string[]): Block => ({
  kind: 'list',
  items: `\n${lines.join('\n')}`
    .split('\n- ')
    .slice(1)
    .map(item => joined(item.split('\n'))),
});

function table([top = '', rule = '', ...rest]: readonly string[], start: number): Block {
  if (!RULE.test(rule)) throw unknown(start + 1, 'a table has a rule below its head');
  const head = cells(top);
  const rows = rest.map(cells);
  const odd = rows.findIndex(row => row.length !== head.length);
  if (odd >= 0) throw unknown(start + 2 + odd, `the row has not ${head.length} cells`);
  return { kind: 'table', head, rows };
}

/** A bar within a cell is written with a backslash. */
const cells = (row: string): string[] =>
  row
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map(cell => cell.replaceAll('\\|', '|').trim());

const joined = (lines: readonly string[]): string => lines.join(' ').replace(/\s+/g, ' ').trim();

const unknown = (index: number, problem: string): Error =>
  new Error(`line ${index + 1}: ${problem}`);
