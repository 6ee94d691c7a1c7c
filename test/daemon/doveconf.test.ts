/** What the Dovecot of this host says of its log lines, through a doveconf of the test's own. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { askDovecot } from '../../src/daemon/doveconf.ts';
import { registryFor } from '../../src/daemon/rules.ts';
import { StampReader } from '../../src/line/stamp.ts';
import { patternsIn } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { standIns } from '../stand-in.ts';

const USUAL_TAGS: readonly string[] = ['dovecot', 'imap-login', 'pop3-login'];
const programs = standIns();
const doveconf = (script: string): Promise<void> => programs.put('doveconf', script);

/** As `doveconf -h` prints them, a value a line. */
const saying = (elements: string, format = '%$: %s', instance = 'dovecot'): Promise<void> =>
  doveconf(`cat <<'END'\n${elements}\n${format}\n${instance}\nEND`);

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
      assert.equal((await askDovecot()).elements, expected);
    });

  test('and the instance_name, whatever the format', async () => {
    await saying('', '%s %$', 'mailstore');
    assert.deepEqual(await askDovecot(), { elements: null, instance: 'mailstore' });
    await saying(OTHER, '%$: %s', '"mail store"');
    assert.deepEqual(await askDovecot(), { elements: OTHER, instance: 'mail store' });
    await doveconf(`echo '${OTHER}'; echo '%$: %s'`);
    assert.deepEqual(await askDovecot(), { elements: OTHER, instance: null });
    await doveconf('exit 1');
    assert.deepEqual(await askDovecot(), { elements: null, instance: null });
  });

  test('are asked for by name, in an environment of our own', async () => {
    process.env['POPBSMTP_TEST_STRAY'] = 'x';
    const said = programs.path('said');
    await doveconf(`echo "$* $LC_ALL $POPBSMTP_TEST_STRAY" > ${said}; exit 1`);
    await askDovecot();
    delete process.env['POPBSMTP_TEST_STRAY'];
    assert.equal(
      await readFile(said, 'utf8'),
      '-h login_log_format_elements login_log_format instance_name C \n',
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
    const dovecot = registry.files.find(({ server }) => server === 'dovecot');
    const isOther = dovecot?.patterns.some(({ name }) => name === 'login_log_format_elements');
    const others = dovecot?.programs.filter(tag => !USUAL_TAGS.includes(tag));
    return { registry, warnings, isOther, others };
  };
  const told = async (given: readonly string[] | null = null) => {
    const { warnings, isOther, others } = await loaded(given);
    return { warnings, isOther, others };
  };

  test('take what doveconf says', async () => {
    await saying(OTHER);
    assert.deepEqual(await told(), { warnings: [], isOther: true, others: [] });
  });

  test('read lines under the instance_name as Dovecot’s, and other servers’ as before', async () => {
    const login = (tag: string) =>
      `Nov 23 00:53:00 mx ${tag}: imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.5, mpid=9`;
    await saying('', '%$: %s', 'mailstore');
    const { registry, ...rest } = await loaded();
    assert.deepEqual(rest, { warnings: [], isOther: false, others: ['mailstore'] });
    const stamps = new StampReader(() => epoch(Date.parse('2026-11-24T00:00:00Z') / 1000));
    const recogniser = new Recogniser(registry, stamps);
    const serverOf = (tag: string) => recogniser.recognise(login(tag))?.server ?? null;
    assert.deepEqual(['mailstore', 'dovecot', 'mailstore2', 'imapd', 'sshd'].map(serverOf), [
      ...['dovecot', 'dovecot'],
      ...[null, null, null],
    ]);
  });

  test('tell of an instance_name that cannot be a tag, and do without', async () => {
    for (const name of ['mail store', 'a:b', 'x'.repeat(65)]) {
      await saying(OTHER, '%$: %s', name);
      const { warnings, ...rest } = await told();
      assert.deepEqual(rest, { isOther: true, others: [] });
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', /^instance_name of doveconf: ".*" is no tag .*; change it/);
    }
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

  test('take the given elements before them, which are an error if they cannot be used', async () => {
    await saying(OTHER, '%$: %s', 'mailstore');
    assert.deepEqual(await told([]), { warnings: [], isOther: false, others: ['mailstore'] });
    await assert.rejects(loaded(['user=%u rip=%r lip=%l']), /--dovecot-elements/);
  });
});
