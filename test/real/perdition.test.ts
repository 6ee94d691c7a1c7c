/**
 * The real perdition, in a syslog file and in the journal.
 */
import { after, afterEach, describe, test } from 'node:test';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { JOURNAL_PROGRAMS, startJournal } from './journal.ts';
import { openImap } from './login.ts';
import { PERDITION_PROGRAMS, type Perdition, startPerdition } from './perdition.ts';
import { requirePrograms } from './programs.ts';
import { journalLog, type ProxyLog, proveProxy, syslogLog } from './proxied.ts';
import { Rig } from './rig.ts';
import { RSYSLOG_PROGRAMS, startRsyslog } from './rsyslog.ts';

const skip = requirePrograms([...PERDITION_PROGRAMS, ...RSYSLOG_PROGRAMS, ...JOURNAL_PROGRAMS], {
  root: true,
});

const prove = (proxy: Perdition, backend: Dovecot, log: ProxyLog): Promise<void> =>
  proveProxy({
    server: 'perdition',
    proxy,
    backend,
    log,
    // Of a connection that is reset it tells the process only.
    ends: /: (?:Closing session: |Fatal error piping data\. Exiting child\.)/,
    resets: { ip: null, user: null },
    more: async begin => {
      await (await begin(openImap, proxy.impatient)).dialog.until(/^never$/).catch(() => undefined);
    },
  });

describe('perdition', { skip }, () => {
  let rig = new Rig();
  afterEach(async () => {
    await rig.close();
    rig = new Rig();
  });
  after(() => rig.close());

  test('in files of rsyslog', async () => {
    const syslog = await startRsyslog(rig);
    const backend = await startDovecot(rig);
    await prove(await startPerdition(rig, backend), backend, syslogLog(syslog, 'perdition'));
  });

  test('in the journal', async () => {
    const journal = await startJournal(rig);
    const log = await journalLog(rig, journal, 'perdition');
    const backend = await startDovecot(rig);
    await prove(await startPerdition(rig, backend, journal.enter), backend, log);
  });
});
