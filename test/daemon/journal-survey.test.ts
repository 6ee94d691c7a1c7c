/** What stands in the journal under tags that are not asked for is told, and never more than that. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { failure } from '../../src/base/errors.ts';
import { JournalSurvey, strangersIn } from '../../src/daemon/journal-survey.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { parseMatch } from '../../src/source/journal-match.ts';
import { waitFor } from '../real/wait.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });
const directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
const PATH = process.env['PATH'] ?? '';
after(() => {
  process.env['PATH'] = PATH;
  rmSync(directory, { recursive: true });
});

const NOW = 1795559666;
const entry = (fields: object): string =>
  JSON.stringify({
    ...{ __CURSOR: 's=1', __REALTIME_TIMESTAMP: `${NOW}000000`, _TRANSPORT: 'journal' },
    ...{ SYSLOG_IDENTIFIER: '0123456789ab', _UID: '0', MESSAGE: 'x', CONTAINER_ID: 'a' },
    ...fields,
  });

/** Puts a journalctl in the way that prints entries. */
function printing(...entries: readonly string[]): void {
  const program = join(directory, 'journalctl');
  writeFileSync(join(directory, 'entries'), entries.map(text => `${text}\n`).join(''));
  writeFileSync(
    program,
    `#!/bin/sh\ncase $* in *--lines=0*) ;; *) cat ${directory}/entries ;; esac\n`,
  );
  chmodSync(program, 0o755);
  process.env['PATH'] = `${directory}${delimiter}${PATH}`;
}

describe('of the entries in a journal', () => {
  for (const [name, fields, isFound] of [
    ['those of root under another tag are looked at', {}, true],
    ['those of a service of the system', { _UID: '999', _SYSTEMD_UNIT: 'mail.service' }, true],
    ['none of a user', { _UID: '1000', _SYSTEMD_UNIT: 'session-3.scope' }, false],
    ['none of a service of a user', { _UID: '1000', _SYSTEMD_UNIT: 'user@1000.service' }, false],
    ['none of nobody knows whom', { _UID: undefined }, false],
    ['none under the tag of a server, which are read', { SYSLOG_IDENTIFIER: 'dovecot' }, false],
    ['none that is chosen, which are read', { CONTAINER_NAME: 'mail' }, false],
    ['no piece of a line', { CONTAINER_PARTIAL_MESSAGE: 'true' }, false],
    ['none from before', { __REALTIME_TIMESTAMP: `${NOW - 1}000000` }, false],
  ] as const)
    test(name, async () => {
      printing(entry(fields));
      const choice = { trustAny: false, matches: [parseMatch('CONTAINER_NAME=mail', '')] };
      const lines = await strangersIn('journal', registry, choice, epoch(NOW));
      assert.equal(lines.length, isFound ? 1 : 0);
    });
});

test('a survey looks again, from where it has looked, and goes on after a failure', async () => {
  const asked: number[] = [];
  const found: string[] = [];
  const survey = new JournalSurvey(
    {
      strangers: async since => {
        asked.push(since);
        if (asked.length === 2) throw failure('JOURNAL_MISSING', {});
        return [`look ${asked.length}`];
      },
      found: lines => void found.push(...lines),
    },
    1,
  );
  survey.start(epoch(NOW));
  await waitFor('three looks', () => found.includes('look 3'));
  await survey.stop();
  const [first, second, third] = asked;
  assert.equal(first, NOW);
  assert.notEqual(second, NOW);
  assert.equal(third, second);
  const count = asked.length;
  await new Promise(setImmediate);
  assert.equal(asked.length, count);
});

test('a stop does not wait for a look to end', async () => {
  let isAborted = false;
  const survey = new JournalSurvey({
    strangers: (_, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          isAborted = true;
          reject(failure('JOURNAL_MISSING', {}));
        }),
      ),
    found: () => assert.fail('nothing was found'),
  });
  survey.start(epoch(NOW));
  await survey.stop();
  assert.equal(isAborted, true);
});
