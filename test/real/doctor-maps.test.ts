/**
 * The doctor and maps that are replaced as a whole: their daemon writes the row of its tests, and Postfix finds it; and a map that its
 * own account cannot get at.
 */
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readRows } from '../../src/map/map-types.ts';
import { parseMapSpec } from '../../src/map/spec.ts';
import { loginLine } from '../cli/watched-log.ts';
import { assertFound, backdate, findingsOf, good } from './doctor-world.ts';
import { requireType, type Type } from './map-kinds.ts';
import { popbsmtp, startPopbsmtp } from './popbsmtp.ts';
import { freePort } from './ports.ts';
import { startPostfix } from './postfix.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const NOBODY = 65_534;
const TYPES: readonly Type[] = ['hash', 'btree', 'cdb'];

const skip =
  requirePrograms(['postfix', 'postmap'], { root: true }) ||
  (TYPES.map(requireType).find(reason => reason !== false) ?? false);

describe('the doctor', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  for (const type of TYPES)
    test(`tries a ${type}: map through its daemon`, async () => {
      const base = await rig.directory();
      const map = `${type}:${join(base, 'pop-before-smtp')}`;
      const log = join(base, 'mail.log');
      await writeFile(log, loginLine('198.51.100.7'));
      const first = await popbsmtp('run', '--watchlog', '-', '--map', map, '--mynetworks', 'none');
      assert.equal(first.code, 0, first.stderr);
      const postfix = await startPostfix(rig, {
        mynetworks: '127.0.0.1/32',
        restrictions: good(map),
        services: `0.0.0.0:${await freePort()} inet n - n - 1 smtpd`,
      });
      await backdate(postfix.config);
      const options = { watchlog: log, map, grace: '15m', postfixConfig: postfix.config };
      const daemon = await startPopbsmtp(rig, options);
      await daemon.waitForLine(/^ {4}written ok$/);
      const rows = () => readRows(parseMapSpec(map, 'the test', postfix.config));
      const before = await rows();
      const place = ['--map', map, '--watchlog', log, '--postfix-config', postfix.config];

      const result = await popbsmtp('doctor', '--json', ...place);
      assertFound(result, []);
      const said = findingsOf(result).map(({ check, what }) => `${check} ${what}`);
      const shown = said.join('\n');
      assert.match(shown, /^lookup Postfix finds a row that is written to /m);
      assert.match(shown, /^relay strangers are refused in 23 forms, and a row opens the relay /m);
      assert.deepEqual(await rows(), before, 'nothing is left behind');
      // For the lookup and for the relay; the daemon's log has them, whatever else it prints.
      await daemon.waitForText(
        /(?:probe ip=\S+ for 120s by=control.*probe ended ip=\S+ by=control.*){2}/s,
      );
      assert.equal(daemon.stderr.match(/probe ip=\S+/g)?.length, 2);

      daemon.signal('SIGSTOP');
      const hung = await popbsmtp('doctor', '--json', ...place);
      daemon.signal('SIGCONT');
      assertFound(hung, [
        ['daemon', 'error', /has \w+:.*, but does not answer, so no login is granted/],
        ['lookup', 'skipped', /^not tried: the daemon .* does not answer/],
        ['relay', 'skipped', /^not tried: the daemon .* does not answer/],
      ]);
    });

  test('tells of a directory that the account of the map may not enter', async () => {
    const closed = join(await rig.directory(), 'closed');
    const own = join(closed, 'own');
    await mkdir(own, { recursive: true });
    await chmod(closed, 0o700);
    await chown(own, NOBODY, NOBODY);
    const log = join(await rig.directory(), 'mail.log');
    await writeFile(log, loginLine('198.51.100.7'));
    const options = ['--map', `lmdb:${own}/m`, '--watchlog', log, '--mynetworks', 'none'];
    const result = await popbsmtp('doctor', '--json', '--no-smtp', ...options);
    assert.deepEqual([result.code, result.stderr], [1, '']);
    const [{ what = '', hint = '' } = {}] = findingsOf(result).filter(
      ({ check }) => check === 'map',
    );
    assert.match(what, /^this account may not enter .*\/closed, behind which lmdb:/);
    assert.match(hint ?? '', /^run doctor as root, /);
  });
});
