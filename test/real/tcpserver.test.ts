/**
 * The real tcpserver, tcprules and tcprulescheck of ucspi-tcp with `tcprules:` maps: what they compile, look up and do is what we take
 * them to; and clients relay for as long as popbsmtp grants it.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { readCdb } from '../../src/map/cdb.ts';
import { openMap } from '../../src/map/map-types.ts';
import { keyOf, parseRules } from '../../src/map/tcprules.ts';
import { ip } from '../map/addresses.ts';
import { type MailServer, startDovecot } from './dovecot.ts';
import { goesTheWholeWay, popbsmtpIn } from './other-mta.ts';
import { OVERLAY_PROGRAMS } from './overlay.ts';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';
import { type Rsyslog, startRsyslog } from './rsyslog.ts';
import { askToRelay } from './smtp.ts';
import { startTcpServer, type TcpServer } from './tcpserver.ts';

const TOOLS = ['tcpserver', 'tcprules', 'tcprulescheck'];

const check = (path: string, address: string, info?: string): Promise<string> =>
  mustRun('tcprulescheck', [path], {
    env: { TCPREMOTEIP: address, ...(info !== undefined && { TCPREMOTEINFO: info }) },
  });

describe('rules', { skip: requirePrograms(TOOLS) }, () => {
  const rig = new Rig();
  after(() => rig.close());

  test('are read as tcprules compiles them', async () => {
    const text =
      '# all kinds\n\n127.:allow,RELAYCLIENT="" \t\n10.:deny,A="1",B=/x,y/\n1.2.3.4-6:allow\n10.2-3.:deny\n' +
      '1.2.3.254-999:deny\n1-2.:deny\njoe@1.2.3.4-5:deny\njoe@=a.example.org:allow\n::1:deny\n' +
      '2001:db8::allow,X="allow:"\n10.:allow\n:allow,E="=",F=""\n';
    const path = join(await rig.directory(), 'rules');
    await mustRun('tcprules', [path, `${path}.tmp`], { input: text });
    const known = readCdb(await readFile(path));
    assert.deepEqual(parseRules(Buffer.from(text), '').records, known);
  });

  test('of an address are followed alone, with what those of its network say', async () => {
    const directory = await rig.directory();
    const path = join(directory, 'map');
    const rules = join(directory, 'rules');
    await mustRun('sh', ['-c', 'cat > "$0"', rules], {
      input: 'joe@10.2.0.1:deny\n10.1.:deny\n10.2.:allow,A="1"\n',
    });
    const map = await openMap({ type: 'tcprules', path, rules });
    await map.commit(['10.1.0.1', '10.2.0.1'].map(one => ({ ip: ip(one), stamp: epoch(5) })));
    await map.close();
    assert.match(await check(path, '10.1.0.1'), /deny/);
    assert.equal(
      await check(path, '10.2.0.1'),
      'rule 10.2.0.1:\nset environment variable A=1\nset environment variable RELAYCLIENT=\nallow connection\n',
    );
    assert.doesNotMatch(await check(path, '10.2.0.10'), /RELAY/);
    assert.match(await check(path, '10.2.0.1', 'joe'), /deny/);
  });
});

const skip = requirePrograms([...OVERLAY_PROGRAMS, ...TOOLS, 'dovecot', 'rsyslogd', 'ip'], {
  root: true,
});

describe('tcpserver', { skip }, () => {
  const rig = new Rig();
  let syslog: Rsyslog;
  let dovecot: MailServer;
  let server: TcpServer;

  before(async () => {
    syslog = await startRsyslog(rig);
    dovecot = await startDovecot(rig);
    server = await startTcpServer(rig, syslog, '127.0.0.9:deny\n127.1.:deny\n:allow,A="1"\n');
  });
  after(() => rig.close());

  test('follows the grants, and says again what the rules say', async () => {
    await goesTheWholeWay(rig, server, { syslog, dovecot });
  });

  const popbsmtp = async (command: string, address: string): Promise<string> => {
    const networks = ['--mynetworks', 'none', '--exclude', 'none', '--allow-own-addresses'];
    const args = ['--map', server.map, ...server.options, ...networks];
    const { stdout, stderr } = await popbsmtpIn(server.overlay, [command, address, ...args]);
    return stdout + stderr;
  };

  // Each in the form that it has as TCPREMOTEIP there.
  test('looks IPv6 addresses up in its own form', async () => {
    const all = ['2001:db8:0:1:1:1:1:1', '2001:db8::1', '1:0:1:0:1:1:1:0', '1:1:1:1:1:1:1:0'];
    for (const address of [...all, '2001:db8::2'])
      await mustRun('ip', ['address', 'add', `${address}/128`, 'dev', 'lo', 'nodad']);
    for (const address of all) {
      await popbsmtp('allow', address);
      const { text } = await askToRelay(server.smtp6(address));
      assert.equal(text, `250 A=1 from ${keyOf(ip(address))}`);
    }
    assert.equal((await askToRelay(server.smtp6('2001:db8::2'))).code, 553);
  });

  test('denies whom the rules deny, also after a login, and as soon as they do', async () => {
    assert.match(await popbsmtp('allow', '127.1.0.5'), /a row of your own/);
    await assert.rejects(askToRelay(server.smtp('127.1.0.5')));
    await popbsmtp('allow', '127.0.0.81');
    assert.equal((await askToRelay(server.smtp('127.0.0.81'))).code, 250);
  });
});
