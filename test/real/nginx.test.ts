/**
 * The real nginx as a mail proxy, with the setting that its pattern file asks for, in a syslog file and in the journal.
 */
import { after, afterEach, describe, test } from 'node:test';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { JOURNAL_PROGRAMS, startJournal } from './journal.ts';
import { openImap } from './login.ts';
import { NGINX_PROGRAMS, type Nginx, startNginx } from './nginx.ts';
import { requirePrograms } from './programs.ts';
import { journalLog, type ProxyLog, proveProxy, syslogLog } from './proxied.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, startRsyslog } from './rsyslog.ts';

const skip = requirePrograms([...NGINX_PROGRAMS, ...RSYSLOG_PROGRAMS, ...JOURNAL_PROGRAMS], {
  root: true,
});

const prove = (proxy: Nginx, backend: Dovecot, log: ProxyLog): Promise<void> =>
  proveProxy({
    server: 'nginx',
    proxy,
    backend,
    log,
    ends: /\*\d+ (?:proxied session done|client timed out .* while proxying|upstream timed out .* while proxying), .* upstream: /,
    more: async begin => {
      await (await begin(openImap, proxy.impatient)).dialog.until(/^never$/).catch(() => undefined);
    },
  });

describe('nginx as a mail proxy', { skip }, () => {
  let rig = new Rig();
  afterEach(async () => {
    await rig.close();
    rig = new Rig();
  });
  after(() => rig.close());

  test('in files of rsyslog', async () => {
    const syslog = await startRsyslog(rig);
    const backend = await startDovecot(rig);
    await prove(await startNginx(rig, backend), backend, syslogLog(syslog, 'nginx'));
  });

  test('in the journal', async () => {
    const journal = await startJournal(rig);
    const log = await journalLog(rig, journal, 'nginx');
    const backend = await startDovecot(rig);
    await prove(await startNginx(rig, backend, journal.enter), backend, log);
  });
});
