import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configOf, FormerReading } from '../../src/migrate/former-settings.ts';
import { readPerl } from '../../src/migrate/perl-reader.ts';
import { readStarts } from '../../src/migrate/shell-reader.ts';

const FILE = '/etc/pop-before-smtp-conf.pl';
const SCRIPT = '/etc/init.d/pop-before-smtp';

function reading(file: string, ...options: string[]): FormerReading {
  const made = new FormerReading();
  made.addFile(FILE, readPerl(file));
  const script = `pop-before-smtp ${options.join(' ')}\n`;
  for (const start of readStarts(script, 'pop-before-smtp', () => null))
    made.addCommandLine(SCRIPT, start);
  return made;
}

const settings = (file: string, ...options: string[]) =>
  reading(file, ...options).settings(() => true);

test('what is not set has the default of the Perl program', () => {
  const { grace, dbfile, dbvalue, watchlog, nowrite, reprocess } = settings('');
  assert.deepEqual(
    [grace, dbfile, dbvalue, watchlog, nowrite, reprocess].map(({ value }) => value),
    [1800, '/etc/postfix/pop-before-smtp', 'ok', '/var/log/maillog', false, false],
  );
});

test('the command line counts more than the file, and a later line more than an earlier one', () => {
  const file = "$grace = 60;\n$grace = 10*60;\n$dbfile = '/a';\n";
  assert.deepEqual(settings(file).grace, { value: 600, from: `${FILE}:2` });
  const { grace, dbfile } = settings(file, '--grace=900', '-dbfile', '/b');
  assert.deepEqual(
    [grace, dbfile],
    [
      { value: 900, from: `${SCRIPT}:1` },
      { value: '/b', from: `${SCRIPT}:1` },
    ],
  );
});

describe('what cannot be read has no value, and is told', () => {
  for (const [file, ...options] of [
    ['$grace = $x;'],
    ["$grace = 'soon';"],
    ['', '--grace=$(cat /x)'],
    ['', '--grace', '$1'],
    ['$grace = 0;'],
    // What is not understood may set it.
    ['$grace = 60; if ($x) { $grace = 90; }'],
    ['$grace = 60;\n$grace ||= 90;'],
    ['$grace = 60;\n$grace++;'],
    ["$grace = 60;\n($grace, $dbfile) = (90, '/a');"],
    [`$grace = 60;\n\${grace} = 90;`],
    ["$grace = 60;\neval '$grace = 90';"],
    ["$grace = 60;\nmy $x = 'torn"],
  ] as const)
    test([file, ...options].join(' '), () => {
      assert.equal(settings(file, ...options).grace.value, null);
    });
});

test('what is set behind it is known again, and what it does not speak of is as it was', () => {
  const file = "$dbfile = '/a';\n$grace = 60 if $x;\n$grace ||= 90;\n$grace = 120;\n";
  const { grace, dbfile } = settings(file);
  assert.deepEqual([grace.value, dbfile.value], [120, '/a']);
  assert.equal(settings("%file_tail = (%file_tail, name => '/x');").watchlog.value, null);
});

test('the log is the first that is there of the list of the shipped file', () => {
  const look =
    "if (!-f $file_tail{'name'}) { foreach (qw( /a /b /c )) { if (-f $_) { $file_tail{'name'} = $_; last; } } }";
  const made = reading(look);
  assert.equal(made.settings(path => path === '/b' || path === '/c').watchlog.value, '/b');
  assert.equal(made.settings(() => false).watchlog.value, '/var/log/maillog');
  assert.equal(made.settings(() => true).watchlog.value, '/var/log/maillog');
});

test('what is not carried over is told line by line, and nothing else', () => {
  const file = "use strict;\n$flock = 0;\n$pat = '^x';\n$grace = 60;\n$other = 1;\nsub x { }\n1;\n";
  const { remarks } = reading(file, '--noflock', '--nodebug', '--mappedv6', '$FOO');
  assert.deepEqual(
    remarks.map(({ where, text }) => [where, text.replace(/[:,].*/, '')]),
    [
      [`${FILE}:2`, '$flock'],
      [`${FILE}:3`, '$pat'],
      [`${FILE}:5`, '$other is not known'],
      [`${FILE}:6`, 'not understood'],
      [`${SCRIPT}:1`, '--noflock'],
      [`${SCRIPT}:1`, '--mappedv6 is not known'],
    ],
  );
});

test('a dry run stays one', () => {
  assert.deepEqual(
    [settings('$write = 0;').nowrite.value, settings('', '--nowrite').nowrite.value],
    [true, true],
  );
  assert.equal(settings('$write = 0;', '--write').nowrite.value, false);
});

test('the configuration that a script names is found', () => {
  const [start] = readStarts('pop-before-smtp --config=/x.pl', 'pop-before-smtp', () => null);
  assert.equal(start && configOf(start), '/x.pl');
});

test('of several configurations that a script names the last counts, and one that cannot be known is told', () => {
  const ofLine = (text: string): string | null | undefined => {
    const [start] = readStarts(`pop-before-smtp ${text}`, 'pop-before-smtp', () => null);
    return start && configOf(start);
  };
  assert.equal(ofLine('--config=/x.pl --config /y.pl'), '/y.pl');
  assert.equal(ofLine('--noflock'), undefined);
  assert.equal(ofLine('--config=$1'), null);
  const { remarks } = reading('', '--config=$1');
  assert.deepEqual(
    remarks.map(({ text }) => text),
    ['the configuration that it names cannot be read off it: --config=$1'],
  );
});

test('remarks on a file stand in the order of its lines', () => {
  const { remarks } = reading('sub x { }\n$flock = 0;\nsub y { }\n$other = 1;\n');
  assert.deepEqual(
    remarks.map(({ where }) => where),
    [1, 2, 3, 4].map(line => `${FILE}:${line}`),
  );
});
