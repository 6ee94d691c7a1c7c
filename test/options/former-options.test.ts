/**
 * The command line of the Perl pop-before-smtp, as its users and start scripts type it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { popbsmtp } from '../real/popbsmtp.ts';

describe('options of the Perl program', () => {
  for (const [option, command] of [
    ['--dumpconfig', 'popbsmtp config'],
    ['--info', 'popbsmtp config'],
    ['--list', 'popbsmtp list'],
  ] as const) {
    test(`${option} says in one line what took its place`, async () => {
      const { code, stdout, stderr } = await popbsmtp(option);
      assert.deepEqual([code, stdout], [EXIT.usage, '']);
      assert.equal(stderr, `popbsmtp: ${option} is now "${command}"; see "popbsmtp --help"\n`);
    });
  }

  test('those without an effect keep no daemon from starting, whatever stands behind them', () => {
    for (const option of ['--noflock', '--flock', '--write', '--nodebug']) {
      const { command, values } = parseCommandLine([option, 'run', '--grace=900'], '1');
      assert.equal(command, 'run');
      assert.equal(values.given('grace')?.value, '900');
    }
  });

  test('--noflock says that it has no effect', async () => {
    const { stderr } = await popbsmtp('--noflock', '--grace=soon');
    assert.match(stderr, /^popbsmtp: --noflock has no effect: the map is always locked/);
  });

  test('--logfile is --watchlog', () => {
    const { values } = parseCommandLine(['--logfile=/var/log/maillog'], '1');
    assert.deepEqual(values.given('watchlog')?.value, ['/var/log/maillog']);
  });

  test('other commands know none of them', () => {
    assert.throws(() => parseCommandLine(['list', '--noflock'], '1'), /unknown option --noflock/);
  });
});
