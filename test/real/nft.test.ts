/**
 * The real nftables with `nft:` maps, in the network of the test: who has logged in reaches a port, and nobody else, for as long as the
 * grant lasts, also when no daemon is there to end it.
 */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Change } from '../../src/grant/change.ts';
import type { LookupMap, MapSpec } from '../../src/map/map.ts';
import { formatMapSpec, mapExists, openMap, readRows } from '../../src/map/map-types.ts';
import { isEndless } from '../../src/map/row.ts';
import { addresses, ip } from '../map/addresses.ts';
import { failing } from '../map/failing.ts';
import { killWriter, ROWS } from '../map/killed-writer.ts';
import { behavesLikeMemory, holdsManyRows } from '../map/model.ts';
import { startDovecot } from './dovecot.ts';
import { doctorIn, goesTheWholeWay } from './other-mta.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { startRsyslog } from './rsyslog.ts';
import { startFirewalled } from './tcpserver.ts';
import { waitFor } from './wait.ts';

const NFT = { family: 'inet', table: 'filter', set: 'pop' } as const;
const A = ip('192.0.2.1');

const nft = (...args: readonly string[]): Promise<string> => mustRun('nft', args);
const now = () => Math.floor(Date.now() / 1000);
const put = (address: string, age = 0): Change => ({ ip: ip(address), stamp: epoch(now() - age) });
const end = (address: string): Change => ({ ip: ip(address), stamp: null });

const keys = async (spec: MapSpec): Promise<string[]> =>
  (await readRows(spec)).map(({ key }) => key);

describe('nft:', { skip: requirePrograms(['nft', 'ip'], { root: true }) }, () => {
  const rig = new Rig();
  after(() => rig.close());
  afterEach(() => nft('flush', 'ruleset'));

  const newSpec = async (): Promise<MapSpec> => ({
    type: 'nft',
    path: join(await rig.directory(), 'nft'),
    nft: NFT,
  });

  /** A map whose grants last so many seconds. */
  async function open(seconds = 900): Promise<{ spec: MapSpec; map: LookupMap }> {
    const spec = await newSpec();
    const map = await openMap(spec);
    map.setGrace?.(() => seconds);
    return { spec, map };
  }

  test('is made where there is none, and is there then', async () => {
    const spec = await newSpec();
    assert.equal(await mapExists(spec), false);
    await assert.rejects(readRows(spec), failing('MAP_MISSING'));
    const map = await openMap(spec);
    assert.equal(await mapExists(spec), true);
    assert.deepEqual(await map.rows(), []);
    await map.close();
    assert.match(await nft('list', 'set', 'inet', 'filter', 'pop6'), /type ipv6_addr/);
  });

  test('does what a map in memory does', async () => {
    // Their times are of any time, and so is when they end.
    const map = await openMap(await newSpec());
    await map.close();
    await behavesLikeMemory(await newSpec(), 10, () => 2 ** 33);
    await nft('flush', 'ruleset');
    await holdsManyRows(await newSpec(), 2000, () => 2 ** 33);
  });

  test("keeps the administrator's elements, and names those that have no end", async () => {
    const { spec, map } = await open();
    await nft('add element inet filter pop4 { 192.0.2.9, 192.0.2.10 timeout 1h }');
    assert.deepEqual(await map.commit([put('192.0.2.9'), put('192.0.2.10'), put(A)]), [
      ...['foreign', 'foreign', 'added'],
    ]);
    await nft('add element inet filter pop4 { 192.0.2.11 }');
    assert.deepEqual(await map.commit([put('192.0.2.11'), end('192.0.2.9'), end(A)]), [
      ...['foreign', 'foreign', 'removed'],
    ]);
    assert.deepEqual(await keys(spec), ['192.0.2.10', '192.0.2.11', '192.0.2.9']);
    const endless = (await map.rows()).filter(isEndless);
    assert.deepEqual(await map.remove(endless), ['removed', 'removed']);
    assert.deepEqual(await keys(spec), ['192.0.2.10']);
    await map.close();
  });

  test('has for its rows the time that is left, also for who opens it again', async () => {
    const started = now();
    const { spec, map } = await open(900);
    await map.commit([put(A, 600), put('2001:db8::1', 890)]);
    const expires = async (set: string): Promise<number> => {
      const [, minutes = '0', seconds = ''] =
        /expires (?:(\d+)m)?(\d+)s/.exec(await nft('list', 'set', 'inet', 'filter', set)) ?? [];
      return 60 * Number(minutes) + Number(seconds);
    };
    const isAbout = async (set: string, seconds: number): Promise<void> => {
      const left = await expires(set);
      const late = now() - started;
      assert.ok(
        left > seconds - late - 3 && left <= seconds + 6,
        `${set}: ${left} s, not ${seconds}`,
      );
    };
    await isAbout('pop4', 300);
    await isAbout('pop6', 10);
    await map.close();
    const again = await openMap(spec);
    assert.deepEqual(await again.commit([put(A, 500)]), ['renewed']);
    // Others last for longer now; none has to be written for it.
    again.setGrace?.(() => 3600);
    await again.close();
    await isAbout('pop4', 3100);
    await isAbout('pop6', 2710);
  });

  test('ends its rows when nobody does', async () => {
    const { spec, map } = await open(1);
    assert.deepEqual(await map.commit([put(A)]), ['added']);
    await map.close();
    await waitFor('the end of the element', async () => (await keys(spec)).length === 0);
    const again = await openMap(spec);
    assert.deepEqual(await again.commit([end(A)]), ['absent']);
    await again.close();
  });

  test('goes on when nft has ended a row that it had', async () => {
    const { spec, map } = await open(1);
    await map.commit([put(A), put('192.0.2.2')]);
    await waitFor('the end of the elements', async () => (await keys(spec)).length === 0);
    map.setGrace?.(() => 900);
    assert.deepEqual(await map.commit([put(A), end('192.0.2.2')]), ['renewed', 'removed']);
    assert.deepEqual(await keys(spec), [A]);
    await nft('flush', 'set', 'inet', 'filter', 'pop4');
    assert.deepEqual(await map.commit([put(A, -1)]), ['added']);
    await map.close();
  });

  test('tells when its table was made anew, and goes on in it', async () => {
    const { spec, map } = await open();
    await map.commit([put(A)]);
    const { identity } = map;
    await nft('flush', 'ruleset');
    await assert.rejects(map.commit([put('192.0.2.2')]), failing('MAP_REPLACED'));
    await waitFor('the map to tell', () => {
      try {
        map.check();
        return false;
      } catch (error) {
        return failing('MAP_REPLACED')(error);
      }
    });
    assert.deepEqual(await map.reopen(), []);
    map.check();
    assert.notEqual(map.identity, identity);
    assert.deepEqual(await map.commit([put(A)]), ['added']);
    assert.deepEqual(await keys(spec), [A]);
    await map.close();
  });

  test('refuses sets that are for something else, and leaves them as they are', async () => {
    await nft('add table inet filter');
    await nft('add set inet filter pop4 { type ipv4_addr; flags interval; }');
    await assert.rejects(openMap(await newSpec()), failing('NFT_SET'));
  });

  test('stays as it was when a set is full', async () => {
    await nft('add table inet filter');
    await nft('add set inet filter pop4 { type ipv4_addr; flags timeout; size 3; }');
    const { spec, map } = await open();
    assert.deepEqual(await map.commit([put(A)]), ['added']);
    const many = addresses('10.1', 10).map(one => put(one));
    await assert.rejects(map.commit([end(A), ...many]), failing('NFT_FAILED'));
    assert.deepEqual(await keys(spec), [A]);
    assert.deepEqual(await map.commit([end(A)]), ['removed']);
    await map.close();
  });

  test('may be left by a killed process at any moment', async () => {
    const spec = await newSpec();
    await killWriter(spec);
    const map = await openMap(spec);
    await waitFor('nft to end', async () => {
      const { length } = await map.rows();
      return length % ROWS === 0;
    });
    map.setGrace?.(() => 1e9 * 4);
    const before = (await map.rows()).length;
    await map.reopen();
    assert.deepEqual(await map.commit([{ ip: A, stamp: epoch(1) }]), ['added']);
    assert.equal((await map.rows()).length, before + 1);
    await map.close();
  });

  test('cannot be written without the capability, and says what is missing', async () => {
    const spec = await newSpec();
    const types = new URL('../../src/map/map-types.js', import.meta.url).href;
    const script = `const { openMap } = await import('${types}');
      const failed = await openMap(${JSON.stringify(spec)}).then(() => null, error => error);
      console.log(failed.code, failed.line);`;
    // Not by Node's own setuid(2), which it refuses where libuv may use io_uring (Debian 13).
    const said = await mustRun('setpriv', [
      ...['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath],
      ...['--input-type=module', '--eval', script],
    ]);
    assert.match(said, /^NFT_REFUSED cannot write nft:inet filter pop: .*CAP_NET_ADMIN/);
  });

  test('lets in who has logged in, and nobody else, over both families', async () => {
    const { spec, map } = await open();
    const port = 25_025;
    const servers = ['127.0.0.1', '::1'].map(host =>
      createServer(one => one.end()).listen(port, host),
    );
    rig.defer(async () => {
      for (const server of servers) server.close();
    });
    await mustRun('ip', ['address', 'add', '2001:db8::1/128', 'dev', 'lo', 'nodad']);
    await mustRun('nft', ['-f', '-'], {
      input: `table inet filter {
        chain input {
          type filter hook input priority 0;
          tcp dport ${port} ip saddr @pop4 accept
          tcp dport ${port} ip6 saddr @pop6 accept
          tcp dport ${port} reject with tcp reset
        }
      }`,
    });
    const reaches = (from: string): Promise<boolean> => {
      const host = from.includes(':') ? '::1' : '127.0.0.1';
      const socket = connect({ host, port, localAddress: from });
      return new Promise<boolean>(resolve => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      }).finally(() => socket.destroy());
    };
    const clients = ['127.0.0.7', '127.0.0.70', '2001:db8::1', '::1'];
    const states = () => Promise.all(clients.map(reaches));
    assert.deepEqual(await states(), [false, false, false, false]);
    await map.commit([put('127.0.0.7'), put('2001:db8::1')]);
    assert.deepEqual(await states(), [true, false, true, false]);
    await map.commit([end('127.0.0.7')]);
    assert.deepEqual(await states(), [false, false, true, false]);
    map.setGrace?.(() => 1);
    await map.close();
    await waitFor('the end of the other', async () => !(await reaches('2001:db8::1')));
    assert.equal(formatMapSpec(spec), 'nft:inet filter pop');
  });
});

const skip = requirePrograms([...OVERLAY_PROGRAMS, 'nft', 'tcpserver', 'dovecot', 'rsyslogd'], {
  root: true,
});

describe('a firewall', { skip }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('lets in whom popbsmtp has granted it, by an account that has CAP_NET_ADMIN alone', async () => {
    const syslog = await startRsyslog(rig);
    const dovecot = await startDovecot(rig);
    const server = await startFirewalled(rig, syslog);
    await goesTheWholeWay(rig, server, { syslog, dovecot });
    const { port } = server.smtp('127.0.0.1');
    const told = await doctorIn(server, `127.0.0.1:${port}`);
    assert.match(told[0] ?? '', /^mta ok: nftables names nft:inet filter pop$/, told.join('\n'));
    assert.match(told[1] ?? '', /^relay skipped: not tried: nftables decides before/);
    await server.overlay.run('nft', ['flush', 'chain', 'inet', 'filter', 'input']);
    const missed = await doctorIn(server, `127.0.0.1:${port}`);
    assert.match(missed.join('\n'), /^mta error: .* no rule asks for them/m);
  });
});
