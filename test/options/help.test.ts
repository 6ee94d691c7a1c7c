import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { COMMAND_NAMES, commandOf } from '../../src/options/commands.ts';
import { helpText } from '../../src/options/help.ts';
import { type OptionName, optionsOf, specOf } from '../../src/options/options.ts';
import { COMMAND_TEXTS } from '../../src/options/texts.ts';
import { popbsmtp } from '../real/popbsmtp.ts';

/** The options that a help lists, without the general ones. */
const listed = (help: string): string[] =>
  [...help.matchAll(/^ {2}--([\w-]+)/gm)].flatMap(([, name = '']) =>
    name === 'version' ? [] : [name],
  );

/** What a help must say of an option. */
function partsOf(option: OptionName): string[] {
  const { value, default: preset, alias, about } = specOf(option);
  return [
    value === undefined ? `--${option} ` : `--${option} ${value} `,
    about,
    ...(preset === undefined ? [] : [`default: ${preset}`]),
    ...(alias === undefined ? [] : [`also --${alias}`]),
  ];
}

describe('the help that is really printed', () => {
  test('of the program has every command with its meaning', async () => {
    const { code, stdout, stderr } = await popbsmtp('--help');
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const flat = stdout.replace(/\s+/g, ' ');
    for (const name of COMMAND_NAMES) {
      assert.match(stdout, new RegExp(`^  \\[?${name}\\b`, 'm'));
      assert.ok(flat.includes(commandOf(name).about), name);
    }
  });

  for (const name of COMMAND_NAMES) {
    test(`of ${name} has each of its options and no other, and its examples`, async () => {
      const { code, stdout, stderr } = await popbsmtp(name, '--help');
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.deepEqual(listed(stdout), optionsOf(name));
      const flat = stdout.replace(/\s+/g, ' ');
      for (const part of optionsOf(name).flatMap(partsOf)) assert.ok(flat.includes(part), part);
      for (const { args } of COMMAND_TEXTS[name].examples) {
        assert.ok(stdout.includes(`\n  popbsmtp ${args}\n`));
      }
    });
  }

  test('comes wherever --help stands, and with -h', async () => {
    const { stdout } = await popbsmtp('match', '--help');
    assert.equal((await popbsmtp('match', '/no/such/log', '-h')).stdout, stdout);
    assert.equal((await popbsmtp('-h')).stdout, (await popbsmtp('--help')).stdout);
  });
});

describe('help as a command', () => {
  test('says what --help says, of the program and of a command', async () => {
    for (const args of [[], ['list']]) {
      const { code, stdout, stderr } = await popbsmtp('help', ...args);
      assert.deepEqual([code, stderr], [0, '']);
      assert.equal(stdout, (await popbsmtp(...args, '--help')).stdout);
    }
  });

  test('of what is no command is an error, with the nearest', async () => {
    const { code, stdout, stderr } = await popbsmtp('help', 'lits');
    assert.deepEqual([code, stdout], [64, '']);
    assert.match(stderr, /^popbsmtp: unknown command "lits" \(the nearest is list\); [^\n]*\n$/);
  });
});

test('the examples are command lines that are understood', async () => {
  for (const name of COMMAND_NAMES) {
    for (const { args } of COMMAND_TEXTS[name].examples) {
      const [typed = ''] = args.split(/ [|<]/);
      const words = [...typed.matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, bare]) => quoted ?? bare,
      );
      const { command } = await parseCommandLine(
        words.map(word => word ?? ''),
        '1',
      );
      assert.equal(command, name, args);
    }
  }
});

test('options used often come first', () => {
  assert.deepEqual(optionsOf('match'), [
    'follow',
    'count',
    'json',
    'config',
    'journal-match',
    'watchlog-zone',
    'journal-trust',
    'patterns',
    'dovecot-elements',
    'trusted-relays',
  ]);
  assert.equal(optionsOf('run')[0], 'watchlog');
});

test('no line is wider than the terminal, but for commands to be copied', () => {
  for (const columns of [undefined, 40, 60, 80, 200]) {
    const limit = Math.min(columns ?? 80, 80);
    for (const name of [null, ...COMMAND_NAMES]) {
      for (const line of helpText(name, columns).split('\n')) {
        const unbroken = /^Usage: |^ {2}popbsmtp |^ *\S+$/.test(line);
        assert.ok(unbroken || line.length < limit, `${name} at ${columns}: ${line}`);
      }
    }
  }
});
