import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readPerl } from '../../src/migrate/perl-reader.ts';

const values = (text: string): Record<string, unknown> =>
  Object.fromEntries(readPerl(text).assignments.map(({ name, value }) => [name, value]));

const oddLines = (text: string): number[] => readPerl(text).others.map(({ line }) => line);

describe('plain values are read', () => {
  const table: readonly (readonly [string, Record<string, unknown>])[] = [
    ['$grace = 1800;', { grace: 1800 }],
    ['$grace = 30*60;', { grace: 1800 }],
    ['our $grace = 60 * 10 + 5; # ten minutes', { grace: 605 }],
    ['$main::grace = 1_800;', { grace: 1800 }],
    ['$::grace=900', { grace: 900 }],
    ["$dbfile = '/etc/postfix/it\\'s';", { dbfile: "/etc/postfix/it's" }],
    ['$dbfile = "/var/lib/x";', { dbfile: '/var/lib/x' }],
    ['$dbfile = q(/a(b)c);', { dbfile: '/a(b)c' }],
    ["$pat = '^a' .\n  'b$';", { pat: '^ab$' }],
    ["$file_tail{'name'} = '/var/log/maillog';", { 'file_tail{name}': '/var/log/maillog' }],
    ['$file_tail{name}="/x";', { 'file_tail{name}': '/x' }],
    [
      "%file_tail = (\n name => '/l',\n interval => 5,\n tail => -1,\n);",
      { 'file_tail{name}': '/l', 'file_tail{interval}': 5, 'file_tail{tail}': -1 },
    ],
    ['#$grace = 5;\n=cut # START\n$grace = 6;\n=cut # END\n$flock = 0;', { flock: 0 }],
    ['$grace = 7;\n\n=pod\n\n$grace = 8;\n\n=cut\n', { grace: 7 }],
    ['$grace = 7;\n__END__\n$grace = 8;', { grace: 7 }],
    ['our $grace;', {}],
  ];
  for (const [text, expected] of table)
    test(JSON.stringify(text), () => {
      assert.deepEqual(values(text), expected);
      assert.deepEqual(oddLines(text), []);
    });
});

describe('a value that depends on something has none', () => {
  for (const text of [
    '$dbfile = "/var/$x";',
    '$grace = $other;',
    '$grace = 5 if $x;',
    '$grace = time();',
    '$grace = 60 / 2;',
    "$dbfile = $x ? '/a' : '/b';",
    '$dbfile = `hostname`;',
    '$dbfile = "a\\n";',
  ])
    test(text, () => {
      const [only, ...more] = readPerl(text).assignments;
      assert.deepEqual([only?.value, more], [null, []]);
    });
});

describe('what is not understood is told with its line, and sets nothing', () => {
  const table: readonly (readonly [string, string, readonly number[]])[] = [
    ['code with conditions', "$a = 1;\nif (-f '/x') {\n  $grace = 5;\n}\n$b = 2;", [2]],
    [
      'a function',
      "sub custom_match {\n  return ($1, $2) if /}'{/;\n  $grace = 5;\n}\n$b = 2;",
      [1],
    ],
    ['a module', 'use Sys::Syslog qw(:DEFAULT setlogsock);', [1]],
    ['an appended value', "$pat .= 'x';", [1]],
    ['a comparison', '$grace == 5;', [1]],
    ['a list', "@mynets = ('a');", [1]],
    ['a lexical variable', 'my $grace = 5;', [1]],
    ['text that is evaluated', "eval <<'EOT';\n$grace = 5;\nEOT\n$b = 2;", [1]],
    ['a substitution', '$x =~ s{a}{$grace = 5;};\n$b = 2;', [1]],
    ['a quote without an end', "$b = 2;\n$dbfile = '/etc;\n$grace = 5;\n", [2]],
    ['a heredoc without an end', '$b = 2;\neval <<EOT;\n$grace = 5;\n', [2, 3]],
  ];
  for (const [name, text, lines] of table)
    test(name, () => {
      assert.deepEqual(oddLines(text), lines);
      assert.ok(!('grace' in values(text)), JSON.stringify(values(text)));
    });

  test('what is behind it is read all the same', () => {
    const text = "sub x { my %h = (y => 1, s => q{}, m => '}'); @{$a}; }\n$grace = 5;";
    assert.equal(values(text)['grace'], 5);
  });
});

test('the code with which the shipped file looks for a log is known', () => {
  const text =
    "if (!-f $file_tail{'name'}) {\n    foreach (qw( /a/b\n\t/c )) {\n\tif (-f $_) {\n\t    $file_tail{'name'} = $_;\n\t    last;\n\t}\n    }\n}\n";
  const file = readPerl(text);
  assert.deepEqual(file.candidates, ['/a/b', '/c']);
  assert.deepEqual([file.others, file.assignments], [[], []]);
});

test('so is the code that joins three patterns, and what only says how a file is read', () => {
  const text =
    "use strict;\nuse vars qw( $pat );\nif (defined($PID_pat) && defined($IP_pat) && defined($OK_pat)) {\n  eval <<'EOT';\n sub custom_match { if (/x/) { '  } }\nEOT\n}\n1; ## LAST\n";
  assert.deepEqual(readPerl(text), { assignments: [], candidates: null, others: [] });
});

test('any text is read to its end', () => {
  const pieces = fc.constantFrom(
    ...[
      '$grace',
      '=',
      '5',
      ';',
      "'",
      '"',
      '{',
      '}',
      '(',
      ')',
      '\n',
      '/',
      '<<EOT',
      '=cut',
      '#',
      '\\',
      'q',
      'qw',
      's',
      ' ',
      '%x',
      '@',
      '$',
      '__END__',
    ],
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string())), parts => {
      readPerl(parts.join(''));
    }),
  );
});

test('whatever stands inside a block, nothing of it sets anything', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\w $=;,.+*#\n]*$/), inner => {
      const text = `if ($x) {\n${inner}\n}\n$b = 2;`;
      const { assignments } = readPerl(text);
      assert.ok(assignments.every(({ name }) => name === 'b'));
    }),
  );
});
