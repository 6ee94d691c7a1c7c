/** What the Dovecot of this host says of its log lines, through a doveconf of the test's own. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { askElements } from '../../src/daemon/doveconf.ts';
import { registryFor } from '../../src/daemon/rules.ts';
import { patternsIn } from '../../src/recogniser/load.ts';
import { standIns } from '../stand-in.ts';

const programs = standIns();
const doveconf = (script: string): Promise<void> => programs.put('doveconf', script);

/** As `doveconf -h` prints them, a value a line. */
const saying = (elements: string, format = '%$: %s'): Promise<void> =>
  doveconf(`cat <<'END'\n${elements}\n${format}\nEND`);

const OTHER = 'rip=%r user=<%u> %c';

describe('the elements', () => {
  const table: readonly (readonly [string, () => Promise<void>, string | null])[] = [
    ['as 2.3 says them', () => saying(OTHER), OTHER],
    ['as 2.4 says them', () => saying(OTHER, '%{message}: %{elements}'), OTHER],
    ['in quotes', () => saying(`"${OTHER} "`, '"%$: %s"'), `${OTHER} `],
    ['in a format that is not known', () => saying(OTHER, '%s %$'), null],
    ['none', () => saying(''), null],
    ['of one line only', () => doveconf(`echo '${OTHER}'`), null],
    ['with an exit status', () => doveconf(`echo '${OTHER}'; echo '%$: %s'; exit 89`), null],
    ['not a program', () => doveconf('#!/nonexistent\nexit 1'), null],
  ];
  for (const [name, arrange, expected] of table)
    test(name, async () => {
      await arrange();
      assert.equal(await askElements(), expected);
    });

  test('are asked for by name, in an environment of our own', async () => {
    process.env['POPBSMTP_TEST_STRAY'] = 'x';
    const said = programs.path('said');
    await doveconf(`echo "$* $LC_ALL $POPBSMTP_TEST_STRAY" > ${said}; exit 1`);
    await askElements();
    delete process.env['POPBSMTP_TEST_STRAY'];
    assert.equal(
      await readFile(said, 'utf8'),
      '-h login_log_format_elements login_log_format C \n',
    );
  });
});

describe('the patterns', () => {
  const loaded = async (given: readonly string[] | null = null) => {
    const warnings: string[] = [];
    const registry = await registryFor(
      {
        patterns: patternsIn(null),
        dovecotElements: given && { value: given, origin: '--dovecot-elements' },
        trustedRelays: null,
      },
      text => warnings.push(text),
    );
    const names = registry.files.find(({ server }) => server === 'dovecot')?.patterns ?? [];
    const isOther = names.some(({ name }) => name === 'login_log_format_elements');
    return { warnings, isOther };
  };

  test('take what doveconf says', async () => {
    await saying(OTHER);
    assert.deepEqual(await loaded(), { warnings: [], isOther: true });
  });

  test('do without what cannot be used of it, and one warning says why and what to do', async () => {
    await saying('user=%u rip=%r lip=%l');
    const { warnings, isOther } = await loaded();
    assert.equal(isOther, false);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? '',
      /^login_log_format_elements of doveconf: "user=%u" holds what a client may choose, .*; write user=<…> .*$/,
    );
  });

  test('do not ask where the elements are given, which are an error if they cannot be used', async () => {
    await saying(OTHER);
    assert.deepEqual(await loaded([]), { warnings: [], isOther: false });
    await assert.rejects(loaded(['user=%u rip=%r lip=%l']), /--dovecot-elements/);
  });
});
