import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaySettings, runSettings } from '../../src/daemon/settings.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { settingsOf, someOf } from '../../src/options/settings.ts';
import { patternsIn } from '../../src/recogniser/load.ts';
import { assertRejects } from '../failure.ts';

const parse = async (...args: string[]) => parseCommandLine(args, '1.2.3');

test('a bare call, with options or without, is the daemon', async () => {
  for (const args of [[], ['--debug'], ['run'], ['run', '--nowrite']]) {
    assert.equal((await parse(...args)).command, 'run', args.join(' '));
  }
});

test('the historical command line works unchanged', async () => {
  const { command, values } = await parse(
    '--watchlog=/var/log/maillog',
    '--logto=/var/log/pop-before-smtp',
    '--daemon=/var/run/pop-before-smtp.pid',
    '--dbfile=hash:/etc/postfix/pop-before-smtp',
    '--grace=900',
    '--reprocess',
  );
  const settings = runSettings(values);
  assert.equal(command, 'run');
  assert.deepEqual(settings.watchlog, ['/var/log/maillog']);
  assert.equal(settings.logto, '/var/log/pop-before-smtp');
  assert.equal(settings.daemon, '/var/run/pop-before-smtp.pid');
  assert.deepEqual(settings.map, { type: 'hash', path: '/etc/postfix/pop-before-smtp' });
  assert.equal(settings.grace.standard, 900);
  assert.equal(settings.reprocess, true);
});

test('logs and maps may be named more than once; of anything else the last one counts', async () => {
  const { values } = await parse(
    '--watchlog',
    '/a',
    '--watchlog=/b',
    '--map=lmdb:/x',
    '--dbfile=cdb:/x',
    '--grace',
    '1m',
    '--grace',
    '2m',
  );
  const settings = runSettings(values);
  assert.deepEqual(settings.watchlog, ['/a', '/b']);
  assert.deepEqual(settings.map, { type: 'lmdb', path: '/x' });
  assert.deepEqual(settings.mirrors, [{ type: 'cdb', path: '/x' }]);
  assert.equal(settings.grace.standard, 120);
});

test('the commands for finished logs take files, and - for standard input', async () => {
  const { command, operands, values } = await parse('match', '/a', '-', '--json', '/b');
  assert.equal(command, 'match');
  assert.deepEqual(operands, ['/a', '-', '/b']);
  assert.equal(settingsOf(values, 'match').json, true);
  assert.deepEqual((await parse('match', '-')).operands, ['-']);
  assert.deepEqual((await parse('--count', 'match', '--', '-x', '--json')).operands, [
    '-x',
    '--json',
  ]);
  assert.deepEqual(runSettings((await parse('--watchlog', '-')).values).watchlog, ['-']);
  assert.deepEqual(runSettings((await parse('--watchlog=-')).values).watchlog, ['-']);
  const replay = await parse('replay', '0123', '--mynetworks', '[::1]/128, 192.0.2.0/24');
  assert.deepEqual(replay.operands, ['0123']);
  assert.deepEqual(replaySettings(replay.values).mynetworks, {
    value: '[::1]/128, 192.0.2.0/24',
    origin: '--mynetworks',
  });
});

test('explain takes lines as they are, or none', async () => {
  const line = 'Nov 23 00:53:00 mx dovecot: imap-login: Login: user=<a>, rip=192.0.2.1, --json';
  const { command, operands, values } = await parse('explain', line, '007', '--grace', '2h');
  assert.equal(command, 'explain');
  assert.deepEqual(operands, [line, '007']);
  const settings = settingsOf(values, 'explain');
  assert.equal(settings.grace, 7200);
  assert.equal(settings.json, false);
  assert.deepEqual((await parse('explain')).operands, []);
  assert.deepEqual((await parse('explain', '-', '--json')).operands, ['-']);
});

test('patterns takes its options and nothing else', async () => {
  const { command, values } = await parse('patterns', '--test', '--patterns=/p');
  assert.equal(command, 'patterns');
  assert.equal(settingsOf(values, 'patterns').test, true);
  assert.deepEqual(patternsIn(someOf(values, 'patterns').patterns), {
    directory: '/p',
    explicit: true,
  });
});

test('a directory of patterns that is named has to be there', async () => {
  const { values } = await parse('match', '/a', '--patterns', '/p');
  assert.deepEqual(patternsIn(someOf(values, 'patterns').patterns), {
    directory: '/p',
    explicit: true,
  });
});

test('what is not understood is told in one line, with the nearest name', async () => {
  const table: [string[], ...string[]][] = [
    [['--mynetwork', 'x'], '--mynetwork', 'nearest is --mynetworks'],
    [['list', '--watchlog', '/a'], '--watchlog', 'popbsmtp list --help'],
    [['replya', '/a'], '"replya"', 'nearest command is replay'],
    [['match'], 'popbsmtp match --help'],
    [['match', '--foo', '/a'], 'unknown option --foo', 'popbsmtp match --help'],
    [['match', '--cuont', '/a'], '--cuont', 'nearest is --count'],
    [['match', '/a', '--test'], '--test', 'popbsmtp match --help'],
    [['patterns', 'dovecot'], '"dovecot"'],
    [['--grace'], '--grace takes a duration: ', ', and has no value'],
    [['run', '--grace'], '--grace takes a duration: '],
    [['--grace', '--debug'], '--grace takes a duration: '],
    [['match', '/a', '--patterns'], '--patterns takes a text, and has no value'],
    [['--no-debug'], '--no-debug'],
    [['-x'], 'unknown option -x'],
    [['--debug=perhaps'], '--debug takes true or false'],
    [['config', '--check', '/a', 'x'], 'unknown argument "x"'],
    [['--map='], '--map takes a text'],
  ];
  for (const [args, ...mentions] of table) {
    await assertRejects(parse(...args), 'USAGE', ...mentions);
  }
});

test('no name is called the nearest that more than two letters part from what was written', async () => {
  const far = [['extra'], ['203.0.113.2'], ['-x'], ['--fast'], ['demo', '--fast'], ['list', '--x']];
  for (const args of far) {
    await assert.rejects(
      parse(...args),
      error => /unknown/.test(String(error)) && !/nearest/.test(String(error)),
    );
  }
});

test('--no-smtp is an option of its own, not the opposite of --smtp', async () => {
  const without = await parse('doctor', '--no-smtp');
  assert.deepEqual(someOf(without.values, 'smtp', 'no-smtp'), { smtp: null, noSmtp: true });
  const named = await parse('doctor', '--smtp', '127.0.0.1:2525');
  assert.deepEqual(someOf(named.values, 'smtp', 'no-smtp'), {
    smtp: { value: '127.0.0.1:2525', origin: '--smtp' },
    noSmtp: false,
  });
  await assertRejects(parse('--no-smtp'), 'USAGE', '--');
});
