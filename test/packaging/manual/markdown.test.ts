import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Block, parseMarkdown } from '../../../src/packaging/manual/markdown.ts';
import { roffOf, sectionsOf } from '../../../src/packaging/manual/markdown-roff.ts';

const TEXT = `# toy(7): a toy

First line
goes on.

## What it is

### A part

    key = "value"

        deeper

- one
  and more
- two

| name | about | cost |
|---|---|---|
| \`a\\|b\` | see [there](x.md) | nothing |
`;

test('the forms that the pages use are read, each as a block', () => {
  const expected: Block[] = [
    { kind: 'heading', level: 1, text: 'toy(7): a toy' },
    { kind: 'paragraph', text: 'First line goes on.' },
    { kind: 'heading', level: 2, text: 'What it is' },
    { kind: 'heading', level: 3, text: 'A part' },
    { kind: 'literal', lines: ['key = "value"', '', '    deeper'] },
    { kind: 'list', items: ['one and more', 'two'] },
    {
      kind: 'table',
      head: ['name', 'about', 'cost'],
      rows: [['`a|b`', 'see [there](x.md)', 'nothing']],
    },
  ];
  assert.deepEqual(parseMarkdown(TEXT), expected);
});

test('what is none of them is an error that names the line', () => {
  const cases: [string, RegExp][] = [
    ['```\ncode\n```', /^Error: line 1: /],
    ['text\n\n1. one', /^Error: line 3: /],
    ['text\n\n> quoted', /^Error: line 3: /],
    ['#### deep', /^Error: line 1: /],
    ['| a | b |\n|---|---|\n| one |', /^Error: line 3: /],
    ['| a | b |\n| c | d |', /^Error: line 2: /],
  ];
  for (const [text, problem] of cases) assert.throws(() => parseMarkdown(text), problem);
});

test('code and what is emphasised stand in bold, a link is its text', () => {
  assert.deepEqual(roffOf(parseMarkdown('Say `a-b --c`, **not** [this one](x.md). Next.')), [
    'Say \\%\\fBa\\-b \\%\\-\\-c\\fP, \\fBnot\\fP this one.',
    'Next.',
  ]);
});

test('a paragraph behind another block is parted from it, and no other block is', () => {
  const lines = roffOf(parseMarkdown('One.\n\nTwo:\n\n    x\n\n- item\n\nThree.'));
  assert.deepEqual(lines, [
    'One.',
    '.Pp',
    'Two:',
    '.Bd -literal -offset indent',
    'x',
    '.Ed',
    '.Bl -bullet',
    '.It',
    'item',
    '.El',
    '.Pp',
    'Three.',
  ]);
});

test('a table is a list of its first column, and more than two columns keep their heads', () => {
  const two = '| event | what happens |\n|---|---|\n| the `log` goes | it waits |';
  assert.deepEqual(roffOf(parseMarkdown(two)), [
    '.Bl -tag -width Ds',
    '.It "\\&the \\fBlog\\fP goes"',
    'it waits',
    '.El',
  ]);
  const three = '| type | how | cost |\n|---|---|---|\n| `x:` | in place | none |';
  assert.deepEqual(roffOf(parseMarkdown(three)), [
    '.Bl -tag -width Ds',
    '.It "\\&\\fBx:\\fP"',
    'How: in place.',
    'Cost: none.',
    '.El',
  ]);
});

test('sections begin at their headings, and what stands before the first is the description', () => {
  const text = '# x(8): y\n\nText.\n\n## Maps: all\n\n### LMDB\n\nMore.\n\n## End';
  assert.deepEqual(sectionsOf(parseMarkdown(text)), {
    description: ['.Sh DESCRIPTION', 'Text.'],
    others: ['.Sh MAPS: ALL', '.Ss LMDB', 'More.', '.Sh END'],
  });
});
