/**
 * postconf and postmap as they are, asked as the classifier asks them.
 */
import assert from 'node:assert/strict';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { loadClassifier } from '../../src/classifier/classifier.ts';
import { askMynetworks } from '../../src/postfix/postconf.ts';
import { postmapQuery } from '../../src/postfix/table-query.ts';
import { assertRejects } from '../failure.ts';
import { addresses, ip } from '../map/addresses.ts';
import { freePorts } from './ports.ts';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

/** The commands are hidden from one process by what it alone sees mounted over them. */
const withoutPostfix = requirePrograms(['unshare', 'mount'], { root: true });

/** Postfix reads a main.cf of the last seconds for two seconds, until it is older. */
const LONG_AGO = new Date(2020, 0, 1);

describe('Postfix commands', { skip: requirePrograms(['postconf', 'postmap']) }, () => {
  const rig = new Rig();
  const environment = { ...process.env };
  let base: string;

  before(async () => {
    base = await rig.directory();
  });
  after(() => rig.close());
  afterEach(() => {
    process.env = { ...environment };
  });

  /** A configuration directory with this main.cf. */
  async function configure(name: string, mainCf: string): Promise<string> {
    const directory = join(base, name);
    await mkdir(directory);
    await writeFile(join(directory, 'master.cf'), '');
    await writeFile(join(directory, 'main.cf'), `compatibility_level = 3.6\n${mainCf}`);
    await utimes(join(directory, 'main.cf'), LONG_AGO, LONG_AGO);
    return directory;
  }

  test('variables are expanded; one that is not defined is warned of', async () => {
    const warnings: string[] = [];
    const mainCf = 'mynetworks = $ours\n  $theirs, [::1]\nours = 10.0.0.0/8\nnot_ours = 1\n';
    const config = await configure('variables', mainCf);
    const list = await askMynetworks(config, text => warnings.push(text));
    assert.deepEqual(list.split(/[\s,]+/).filter(Boolean), ['10.0.0.0/8', '[::1]']);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /undefined parameter: theirs/);
  });

  test('a setting left out has the default of Postfix', async () => {
    const list = await askMynetworks(await configure('default', ''), assert.fail);
    assert.match(list, /127\.0\.0\./);
  });

  test('an empty list is one only when Postfix says so', async () => {
    const config = await configure('empty', 'mynetworks =\n');
    assert.equal((await askMynetworks(config, assert.fail)).trim(), '');
  });

  test('what postconf cannot read is an error with its own words', async () => {
    const config = await configure('broken', 'mynetworks 10.0.0.0/8\n');
    await assertRejects(askMynetworks(config, assert.fail), 'POSTCONF_FAILED', "missing '='");
    const nowhere = join(base, 'nowhere');
    const asked = askMynetworks(nowhere, assert.fail);
    await assertRejects(asked, 'POSTCONF_FAILED', `open ${nowhere}/main.cf: No such file`);
  });

  test('neither PATH nor MAIL_CONFIG of the caller matters', async () => {
    const config = await configure('environment', 'mynetworks = 192.0.2.0/24\n');
    process.env = { PATH: '', MAIL_CONFIG: join(base, 'nowhere'), MAIL_VERBOSE: '1' };
    assert.equal(await askMynetworks(config, assert.fail), '192.0.2.0/24\n');
    assert.match(await askMynetworks(null, () => undefined), /./);
  });

  test('without postconf it is an error, not an empty list', { skip: withoutPostfix }, async () => {
    const script = `
      import { askMynetworks } from '${join(import.meta.dirname, '../../src/postfix/postconf.js')}';
      askMynetworks(null, console.error).catch(error => console.log(error.code, error.exit));`;
    const hide = 'mount -t tmpfs none /usr/sbin && exec "$0" --input-type=module --eval "$1"';
    const namespace = ['--mount', '--propagation', 'private'];
    const shell = ['sh', '-c', hide, process.execPath, script];
    assert.equal(await mustRun('unshare', [...namespace, ...shell]), 'POSTCONF_MISSING 69\n');
  });

  test('a table that does not answer is given up', async () => {
    const [port = 0] = await freePorts(1);
    const query = postmapQuery(await configure('silent', ''));
    const asked = query(`tcp:127.0.0.1:${port}`, ['192.0.2.1']);
    await assertRejects(asked, 'POSTMAP_FAILED', 'no answer in 5 s', 'Connection refused');
  });

  test('postmap is asked for thousands of addresses at once', async () => {
    const config = await configure('many', '');
    const table = join(base, 'many.cidr');
    await writeFile(table, '10.0.1.0/24 in\n');
    const keys = addresses('10.0', 5000);
    const found = await postmapQuery(config)(`cidr:${table}`, keys);
    assert.deepEqual(found, new Set(keys.filter(key => key.startsWith('10.0.1.'))));
    assert.equal((await postmapQuery(config)(`cidr:${table}`, [ip('192.0.2.1')])).size, 0);
  });

  test('a table with a line that Postfix skips is asked all the same', async () => {
    const config = await configure('skipped', '');
    const table = join(base, 'skipped.cidr');
    await writeFile(table, 'bogus x\n10.0.0.0/8 in\n');
    const query = postmapQuery(config);
    assert.deepEqual(await query(`cidr:${table}`, ['10.0.0.1']), new Set(['10.0.0.1']));
    assert.equal((await query(`cidr:${table}`, ['192.0.2.1'])).size, 0);
  });

  test('a table that breaks while in use makes logins grantable, until it is mended', async () => {
    const table = join(base, 'breaks');
    const config = await configure('breaks.d', `mynetworks = texthash:${table}\n`);
    const write = () => writeFile(table, '192.0.2.1 in\n');
    await write();
    const warnings: string[] = [];
    const classifier = await loadClassifier({
      mynetworks: null,
      mynetworksOrigin: '--mynetworks',
      postfixConfig: config,
      exclude: 'none',
      excludeOrigin: '--exclude',
      warn: text => warnings.push(text),
    });
    const kind = async () => {
      await classifier.prepare([ip('192.0.2.1')]);
      return classifier.classify(ip('192.0.2.1')).kind;
    };
    assert.equal(await kind(), 'ignored');
    await rm(table);
    assert.deepEqual([await kind(), await kind()], ['grantable', 'grantable']);
    await write();
    await waitFor('the table to be asked again', async () => (await kind()) === 'ignored');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^postmap could not look up 192\.0\.2\.1 in texthash:/);
  });
});
