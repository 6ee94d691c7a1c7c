/** The row of a test, and the daemon that is to write it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { AnswerLine, Request } from '../../src/control/protocol.ts';
import { ControlServer } from '../../src/control/server.ts';
import { ofDaemon } from '../../src/doctor/probe-writer.ts';
import { parseMapSpec } from '../../src/map/spec.ts';
import { socketPath } from '../../src/state/socket.ts';
import { someStatus } from '../control/status.ts';
import { ip } from '../map/addresses.ts';
import { directory } from '../map/scratch.ts';

const PROBE = ip('192.0.2.9');
const base = await directory();
const servers: ControlServer[] = [];
after(() => Promise.all(servers.map(server => server.close())));

/** What stands in for a daemon: it tells how it is, unless it hangs, and what it was asked. */
async function standIn(name: string, answers: Readonly<Record<string, object>>) {
  const spec = parseMapSpec(`cdb:${join(base, name)}`, 'the test');
  const asked: string[] = [];
  async function* handle({ command }: Request): AsyncGenerator<AnswerLine> {
    asked.push(command);
    const result = answers[command];
    if (result === undefined) await new Promise(() => undefined);
    else yield JSON.parse(JSON.stringify({ result }));
  }
  const path = socketPath(spec);
  assert.ok(path !== null);
  servers.push(await ControlServer.listen(path, handle));
  return { asked, writer: ofDaemon(spec) };
}

describe('a daemon that is to write the row', () => {
  test('and does', async () => {
    const status = someStatus();
    const { asked, writer } = await standIn('well', {
      status,
      probe: { kind: 'written' },
      unprobe: { gone: true },
    });
    assert.equal(await writer.write(PROBE), null);
    await writer.takeAway(PROBE);
    assert.deepEqual(asked, ['status', 'probe', 'status', 'unprobe']);
  });

  test('and hangs by now, is told nothing and not waited for', async () => {
    const { asked, writer } = await standIn('hung', {});
    const verdict = await writer.write(PROBE);
    assert.equal(verdict?.level, 'skipped');
    assert.match(verdict?.what ?? '', /^not tried: .* no sign of it at .* for 2 s$/);
    await assert.rejects(writer.takeAway(PROBE), /for 2 s/);
    assert.deepEqual(asked, ['status', 'status']);
    assert.match(writer.remedy(PROBE), /by itself/);
  });
});
