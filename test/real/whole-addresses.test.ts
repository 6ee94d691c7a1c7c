/**
 * What of an IPv6 address the real smtpd looks up, with the map as main.cf names it usually and with it wrapped; what the program
 * writes for each, and what the doctor says of it.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { wrapped } from '../../src/doctor/map-naming.ts';
import { parseMapSpec } from '../../src/map/spec.ts';
import { loginLine } from '../cli/watched-log.ts';
import { backdate, findingsOf, Installation } from './doctor-world.ts';
import { popbsmtp } from './popbsmtp.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { askToRelayAs } from './xclient.ts';

const skip = requirePrograms(['postfix', 'postmap'], { root: true });

/** Its row is found for longer addresses in other networks. */
const OPENING = 'fd00::5';
const HARMLESS = ['2001:db8:aa:bb::5', '2001:db8:aa:bb:1:2:3:4', '::192.0.2.10', '198.51.100.7'];
const STRANGERS = ['fd00::6', 'fd00::', '2001:db8:aa:bb::6', '::192.0.2.11', '198.51.100.8'];
/** In another network than the one that it begins with, and in the same one. */
const ELSEWHERE = 'fd00::5:1:2:3:4';
const NEIGHBOUR = '2001:db8:aa:bb::5:1';
const TAKEN = 250;
const REFUSED = 554;

describe('a row of an IPv6 address', { skip }, () => {
  const rig = new Rig();
  let installation: Installation;
  /** Each with two maps: that of the daemon, for the doctor, and one for trial. */
  let trial: string;
  let usual: Postfix;
  let whole: Postfix;

  before(async () => {
    ({ installation } = await Installation.make(rig));
    trial = await installation.newMap();
    const maps = [installation.map, trial];
    const access = (name: string): string => `check_client_access ${name}`;
    const serve = async (lines: readonly string[], names: readonly string[]): Promise<Postfix> => {
      const list = [...names.map(access), 'reject_unauth_destination'].join(', ');
      const postfix = await startPostfix(rig, {
        mynetworks: '127.0.0.1/32',
        restrictions: [
          // Also whom it plays: the next address is claimed by the one before.
          'smtpd_authorized_xclient_hosts = static:all',
          ...lines,
          `smtpd_relay_restrictions = permit_mynetworks, ${list}`,
        ].join('\n'),
      });
      await backdate(postfix.config);
      return postfix;
    };
    usual = await serve([], maps);
    const own = maps.map((map, index) =>
      wrapped(parseMapSpec(map, 'the test')).line.replace('pbsmap', `map_${index}`),
    );
    whole = await serve(own, ['$map_0', '$map_1']);
  });
  after(() => rig.close());

  /** Makes the map hold what these logins open. */
  async function logIn(...options: readonly string[]): Promise<void> {
    const log = join(installation.base, 'finished.log');
    await writeFile(log, [OPENING, ...HARMLESS].map(ip => loginLine(ip)).join(''));
    const { code, stderr } = await popbsmtp(
      ...['replay', log, '--map', trial, '--mynetworks', 'none', ...options],
    );
    assert.equal(code, 0, stderr);
  }

  async function assertCodes(postfix: Postfix, codes: Readonly<Record<string, number>>) {
    const addresses = Object.keys(codes);
    const answers = await askToRelayAs(postfix.smtp('127.0.0.1'), addresses);
    const found = addresses.map((address, index) => [address, answers.codes[index]]);
    assert.deepEqual(Object.fromEntries(found), codes);
  }

  const all = (addresses: readonly string[], code: number): Record<string, number> =>
    Object.fromEntries(addresses.map(address => [address, code]));
  const ALWAYS = { ...all(HARMLESS, TAKEN), ...all(STRANGERS, REFUSED) };

  test('would open other networks, were it written; so it is not, unless it is asked for', async () => {
    await logIn('--whole-addresses');
    await assertCodes(usual, {
      ...ALWAYS,
      ...all([OPENING, ELSEWHERE, NEIGHBOUR], TAKEN),
    });
    await logIn();
    await assertCodes(usual, {
      ...ALWAYS,
      ...all([OPENING, ELSEWHERE], REFUSED),
      // In the /64 of one who has logged in.
      [NEIGHBOUR]: TAKEN,
    });
  });

  test('opens nothing but its own address with the map wrapped in main.cf', async () => {
    await logIn('--whole-addresses');
    await assertCodes(whole, {
      ...ALWAYS,
      [OPENING]: TAKEN,
      ...all([ELSEWHERE, NEIGHBOUR], REFUSED),
    });
  });

  /** What the doctor says of it, at all levels. */
  async function told(postfix: Postfix, ...more: readonly string[]): Promise<string> {
    const { port } = postfix.smtp('127.0.0.1');
    const given = { '--postfix-config': postfix.config, '--smtp': `127.0.0.1:${port}` };
    // Each Postfix names the maps of all that are asked here, and listens on loopback only.
    return findingsOf(await installation.doctor(given, ...more))
      .filter(({ check, what }) => check !== 'maps' && !what.startsWith('no client can reach'))
      .map(({ check, level, what }) => `${check} ${level} ${what}`)
      .join('\n');
  }

  test('the doctor knows both forms, and asks smtpd from a longer address', async () => {
    const good = await told(usual);
    assert.doesNotMatch(good, /^\S+ (?:error|warning)/m);
    assert.match(good, /^relay ok a row opens the relay for longer IPv6 addresses as well /m);

    const open = await told(usual, '--whole-addresses');
    assert.match(open, /^restrictions error whole-addresses is set, but main\.cf looks up/m);
    assert.match(
      open,
      /^relay error whole-addresses is set, but a row opens the relay for longer/m,
    );

    const closed = await told(whole, '--whole-addresses');
    assert.doesNotMatch(closed, /^\S+ (?:error|warning)/m);
    assert.match(closed, /^restrictions ok whole addresses only are looked up in lmdb:/m);
    assert.match(closed, /^relay ok a row opens the relay for its own address only/m);

    const untold = await told(whole);
    assert.match(untold, /^restrictions warning main\.cf looks up whole addresses only in lmdb:/m);
    assert.doesNotMatch(untold, /^\S+ error/m);
  });
});
