/**
 * Who can read a map that is its account's alone: smtpd, also in a chroot, by all types of maps; and who cannot: proxymap,
 * which has Postfix's account (and, in map-guard.test.ts, `postmap -q` and `list` of other accounts).
 */
import assert from 'node:assert/strict';
import { appendFile, chmod, chown, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { MapSpec } from '../../src/map/map.ts';
import { formatMapSpec, mapPath } from '../../src/map/map-types.ts';
import { makeMap, requireType, TYPES } from './map-kinds.ts';
import { freePorts } from './ports.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { askToRelay } from './smtp.ts';
import { waitForPort } from './wait.ts';

const NOBODY = 65534;
const CLIENT = '127.0.0.51';

const skip =
  requirePrograms(['postfix', 'postmap'], { root: true }) ||
  (TYPES.map(requireType).find(reason => reason !== false) ?? false);

interface Place {
  readonly map: string;
  readonly isProxied: boolean;
  readonly isChrooted: boolean;
}

/** Adds an smtpd for each place, and waits until it is served. */
async function serve({ config }: Postfix, places: readonly Place[]): Promise<number[]> {
  const ports = await freePorts(places.length);
  const lines = places.map(({ map, isProxied, isChrooted }, index) => {
    const table = `${isProxied ? 'proxy:' : ''}${map}`;
    return (
      `127.0.0.1:${ports[index]} inet n - ${isChrooted ? 'y' : 'n'} - 1 smtpd\n` +
      `  -o { smtpd_relay_restrictions = check_client_access ${table}, reject_unauth_destination }\n`
    );
  });
  await appendFile(join(config, 'master.cf'), lines.join(''));
  await mustRun('postfix', ['-c', config, 'reload']);
  for (const port of ports) await waitForPort('127.0.0.1', port);
  return ports;
}

describe("a map that is its account's alone", { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('is read by smtpd, whatever its type, and not by proxymap, which map-mode helps', async () => {
    const directory = await rig.directory();
    await chown(directory, NOBODY, NOBODY);
    const specs = TYPES.map((type): MapSpec => ({ type, path: join(directory, `map-${type}`) }));
    const setAll = async (mode: number): Promise<void> => {
      for (const spec of specs) await chmod(mapPath(spec), mode);
    };
    for (const spec of specs) {
      await makeMap(spec, [{ key: CLIENT, value: '1795817958' }]);
      await chown(mapPath(spec), NOBODY, NOBODY);
    }
    await setAll(0o600);
    const maps = specs.map(formatMapSpec);
    const postfix = await startPostfix(rig, {
      mynetworks: '127.0.0.1/32',
      // proxymap serves what main.cf names.
      restrictions:
        `smtpd_relay_restrictions = reject_unauth_destination\n` +
        `proxy_read_maps = ${maps.map(map => `proxy:${map}`).join(' ')}\n`,
    });
    const places = maps.flatMap((map): Place[] => [
      { map, isProxied: false, isChrooted: false },
      { map, isProxied: false, isChrooted: true },
      { map, isProxied: true, isChrooted: false },
    ]);
    const queue = join(postfix.config, '../queue');
    await mkdir(join(queue, 'etc'), { recursive: true });
    await copyFile('/etc/services', join(queue, 'etc/services'));
    const answers = async (): Promise<string[]> => {
      const ports = await serve(postfix, places);
      const found: string[] = [];
      for (const [index, port] of ports.entries()) {
        const place = places[index];
        const how = place?.isProxied ? 'proxy' : place?.isChrooted ? 'chroot' : 'smtpd';
        const { code } = await askToRelay({ host: '127.0.0.1', port, from: CLIENT });
        found.push(`${place?.map.split(':')[0]} ${how} ${code}`);
      }
      return found;
    };
    const expected = (proxied: number): string[] =>
      TYPES.flatMap(type => [
        `${type} smtpd 250`,
        `${type} chroot 250`,
        `${type} proxy ${proxied}`,
      ]);
    assert.deepEqual(await answers(), expected(451));
    await setAll(0o644);
    assert.deepEqual(await answers(), expected(250));
  });
});
