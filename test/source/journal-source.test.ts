/**
 * The journal as a source, with a script in place of journalctl that does what a test says, run by run.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { Failure } from '../../src/base/errors.ts';
import { MAX_LINE } from '../../src/line/length.ts';
import { type JournalRules, JournalSource } from '../../src/source/journal-source.ts';
import { checkJournal } from '../../src/source/journalctl.ts';
import type { Notice, Receiver } from '../../src/source/source.ts';
import { waitFor } from '../real/wait.ts';

const SINCE = 1795559000;
/** No test waits for a pause of this length. */
const NEVER_MS = 1_000_000;

let directory: string;
let program: string;
let lines: string[];
let notices: Notice[];
let source: JournalSource | null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'popbsmtp-test-'));
  program = join(directory, 'journalctl');
  writeFileSync(
    program,
    `#!/bin/sh
cd ${directory} || exit
echo "$*" >> calls
run=$(wc -l < calls)
test -f "run-$run" && . "./run-$run"
exec sleep 1000
`,
  );
  chmodSync(program, 0o755);
  lines = [];
  notices = [];
  source = null;
});

afterEach(async () => {
  await source?.stop();
  rmSync(directory, { recursive: true });
});

/** What the runs of journalctl do, in sh; after the last, they wait in silence. */
function plan(...runs: readonly string[]): void {
  for (const [index, text] of runs.entries())
    writeFileSync(join(directory, `run-${index + 1}`), text);
}

/** How journalctl was called so far. */
function calls(): string[] {
  const path = join(directory, 'calls');
  return existsSync(path) ? readFileSync(path, 'latin1').split('\n').slice(0, -1) : [];
}

const cursorOf = (number: number): string =>
  `s=1;i=${number.toString(16)};b=2;m=${number.toString(16)};t=6610d501342cd;x=${number}`;

/** What journalctl prints for an entry. */
const entry = (number: number, fields: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    __CURSOR: cursorOf(number),
    __REALTIME_TIMESTAMP: '1795559666172621',
    SYSLOG_IDENTIFIER: 'dovecot',
    MESSAGE: `message ${number}`,
    _TRANSPORT: 'syslog',
    _HOSTNAME: 'mx',
    _UID: '0',
    ...fields,
  });

/** A command that prints lines. */
function print(...texts: readonly string[]): string {
  const quoted = texts.map(text => `'${text.replaceAll("'", "'\\''")}'`);
  return `printf '%s\\n' ${quoted.join(' ')}\n`;
}

const RULES: JournalRules = { tags: ['dovecot', 'imapd'], trust: ({ uid }) => uid === 0 };

interface Options {
  readonly cursor?: string | null;
  readonly booted?: number;
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
  readonly lines?: Receiver['lines'];
  readonly rules?: JournalRules;
}

function follow(options: Options = {}): JournalSource {
  const { cursor = null, booted = 0, firstPauseMs = 1, longestPauseMs = NEVER_MS } = options;
  const receiver: Receiver = {
    lines: options.lines ?? (async batch => void lines.push(...batch)),
    notice: notice => void notices.push(notice),
  };
  const times = { firstPauseMs, longestPauseMs, noticeMs: NEVER_MS };
  const start = { cursor, since: () => epoch(SINCE), booted: () => epoch(booted) };
  source = new JournalSource(receiver, options.rules ?? RULES, start, program, times);
  source.start();
  return source;
}

const lineOf = (number: number): string =>
  `2026-11-24T22:34:26.172621Z mx dovecot: message ${number}`;

async function seen(...numbers: readonly number[]): Promise<void> {
  await waitFor(`${numbers.length} lines`, () => lines.length >= numbers.length, {
    seen: () => `${lines.join('\n')}\n${JSON.stringify(notices)}`,
  });
  assert.deepEqual(lines, numbers.map(lineOf));
}

const called = (times: number): Promise<unknown> =>
  waitFor(`call ${times}`, () => calls().length >= times, { seen: () => JSON.stringify(notices) });

const noticesOf = (kind: string): Notice[] => notices.filter(notice => notice.kind === kind);

const told = (kind: string): Promise<unknown> =>
  waitFor(`the notice ${kind}`, () => noticesOf(kind).length > 0, {
    seen: () => JSON.stringify(notices),
  });

describe('journalctl is asked', () => {
  test('for the tags and fields that matter, since the moment given', async () => {
    follow();
    await called(1);
    const [call = ''] = calls();
    assert.match(call, /--identifier=dovecot --identifier=imapd /);
    assert.match(call, /--output=json --output-fields=\S*_UID --follow --lines=all /);
    assert.match(call, new RegExp(`--since=@${SINCE - 60}$`));
  });

  test('for those without a tag as well, of which no others count, and none is told of', async () => {
    const untagged = [[{ name: '_SYSTEMD_UNIT', value: 'nginx.service' }]];
    const said = { SYSLOG_IDENTIFIER: undefined, _TRANSPORT: 'syslog' };
    plan(
      print(
        entry(1, { ...said, MESSAGE: 'mx dovecot: message 1' }),
        entry(2, { SYSLOG_IDENTIFIER: 'access', _UID: '33' }),
        entry(3, { ...said, MESSAGE: 'mx imapd: message 3' }),
        entry(4),
      ),
    );
    follow({ rules: { ...RULES, untagged, hostFirst: new Set(['dovecot']) } });
    await seen(1, 4);
    assert.match(
      calls()[0] ?? '',
      / SYSLOG_IDENTIFIER=dovecot SYSLOG_IDENTIFIER=imapd \+ _SYSTEMD_UNIT=nginx.service /,
    );
    assert.deepEqual(noticesOf('untrusted'), []);
  });

  test('for what follows the saved cursor, whose own entry does not come again', async () => {
    plan(print(entry(7), entry(8)));
    follow({ cursor: cursorOf(7) });
    await seen(8);
    assert.ok(calls()[0]?.endsWith(`--cursor=${cursorOf(7)}`));
  });

  test('for what follows it even if that entry was deleted', async () => {
    plan(print(entry(8), entry(9)));
    follow({ cursor: cursorOf(7) });
    await seen(8, 9);
  });

  test('and known again when the journal was moved to disk meanwhile', async () => {
    plan(print(entry(7), entry(8)));
    follow({ cursor: cursorOf(7).replace(/^s=1;i=7/, 's=f;i=1') });
    await seen(8);
  });

  for (const [where, cursor, first] of [
    ['behind the cursor', cursorOf(7), `--cursor=${cursorOf(7)}`],
    ['by time', null, `--since=@${SINCE - 60}`],
  ] as const) {
    test(`${where} first for what was written before the host was booted, then for what follows`, async () => {
      plan(`${print(entry(8))}exit 0`, print(entry(8), entry(9)));
      follow({ cursor, booted: 1795559667 });
      await seen(8, 9);
      const [older = '', newer = ''] = calls();
      assert.ok(!older.includes('--follow') && older.endsWith(first));
      assert.ok(newer.includes(' --follow ') && newer.endsWith(`--cursor=${cursorOf(8)}`));
      assert.deepEqual(noticesOf('failed'), []);
    });
  }

  test('once more for what was written before, when that fails', async () => {
    plan('exit 1', 'exit 0', print(entry(1)));
    follow({ booted: SINCE });
    await seen(1);
    assert.deepEqual(
      calls().map(call => call.includes('--follow')),
      [false, false, true],
    );
  });

  test('by time, when the cursor is from the future', async () => {
    follow({ cursor: cursorOf(7).replace(/t=\w+/, 't=ffffffffffffff') });
    await called(1);
    assert.match(calls()[0] ?? '', /--since=@\d+$/);
  });

  test('by time, when it refuses the cursor', async () => {
    plan('echo "Failed to seek to cursor: Invalid argument" >&2; exit 1\n', print(entry(1)));
    follow({ cursor: 'rubbish' });
    await seen(1);
    assert.ok(calls()[0]?.endsWith('--cursor=rubbish'));
    assert.match(calls()[1] ?? '', /--since=@\d+$/);
    assert.deepEqual(
      notices.map(({ kind }) => kind),
      ['opened', 'warned', 'failed'],
    );
  });

  test('by the cursor again, when going by time is no better', async () => {
    plan('exit 1', 'exit 1');
    follow({ cursor: cursorOf(7) });
    await called(3);
    assert.ok(calls()[2]?.endsWith(`--cursor=${cursorOf(7)}`));
  });
});

describe('the cursor', () => {
  test('moves on when the receiver has dealt with the entry, and not before', async () => {
    plan(print(entry(1)));
    const busy: (() => void)[] = [];
    const following = follow({ lines: () => new Promise(resolve => busy.push(resolve)) });
    await waitFor('the delivery', () => busy.length > 0);
    assert.equal(following.cursor, null);
    busy[0]?.();
    await waitFor('the cursor', () => following.cursor === cursorOf(1));
  });

  test('moves on past entries that are not delivered', async () => {
    plan(print(entry(1, { _UID: '1000' })));
    const following = follow();
    await waitFor('the cursor', () => following.cursor === cursorOf(1));
    assert.deepEqual(lines, []);
  });

  test('stays when the receiver fails, and the entry comes again', async () => {
    plan(print(entry(1)), print(entry(1)));
    let tries = 0;
    follow({
      lines: async batch => {
        tries++;
        if (tries === 1) throw new Error('no room');
        lines.push(...batch);
      },
    });
    await seen(1);
    assert.deepEqual(noticesOf('failed'), [{ kind: 'failed', path: 'journal', reason: 'no room' }]);
  });
});

describe('when journalctl ends', () => {
  for (const [name, end, reason] of [
    ['with a status', 'exit 3', 'ended with status 3'],
    ['without trouble', 'exit 0', 'ended with status 0'],
    ['by a signal', 'kill -TERM $$', 'was ended by SIGTERM'],
  ] as const) {
    test(`${name}, another goes on where it stopped`, async () => {
      plan(print(entry(1), entry(2)) + end, print(entry(2), entry(3)));
      follow();
      await seen(1, 2, 3);
      assert.ok(calls()[1]?.endsWith(`--cursor=${cursorOf(2)}`));
      assert.deepEqual(noticesOf('failed'), [
        { kind: 'failed', path: 'journal', reason: `${program} ${reason}` },
      ]);
    });
  }

  test('in the middle of an entry, that one comes whole', async () => {
    plan(`${print(entry(1))}printf '%s' '${entry(2).slice(0, 50)}'; exit 1`, print(entry(2)));
    follow();
    await seen(1, 2);
  });

  test('again and again, it is told once, and the pauses grow', async () => {
    plan(...Array.from({ length: 7 }, () => 'echo "out of order" >&2; exit 1'));
    const from = performance.now();
    follow({ firstPauseMs: 2 });
    await called(8);
    // 2 + 4 + … + 128
    assert.ok(performance.now() - from >= 250);
    assert.equal(noticesOf('failed').length, 1);
    assert.deepEqual(noticesOf('warned'), [
      { kind: 'warned', path: 'journal', text: 'out of order' },
    ]);
  });

  test('it is told that it runs well again, and then a new trouble', async () => {
    plan('exit 1', 'while ! test -f go; do sleep 0.02; done; exit 2');
    follow({ longestPauseMs: 50 });
    await waitFor('the recovery', () => noticesOf('opened').length === 2);
    writeFileSync(join(directory, 'go'), '');
    await waitFor('the second recovery', () => noticesOf('opened').length === 3);
    assert.deepEqual(
      notices.map(({ kind }) => kind),
      ['opened', 'failed', 'opened', 'failed', 'opened'],
    );
  });

  test('or cannot be started at all, it is tried again', async () => {
    const hidden = `${program}.hidden`;
    program = `${program}.missing`;
    writeFileSync(hidden, readFileSync(join(directory, 'journalctl')));
    chmodSync(hidden, 0o755);
    plan(print(entry(1)));
    follow();
    await told('failed');
    assert.deepEqual(noticesOf('failed'), [
      {
        kind: 'failed',
        path: 'journal',
        reason: `cannot start ${program} (ENOENT)`,
      },
    ]);
    writeFileSync(program, readFileSync(hidden));
    chmodSync(program, 0o755);
    await seen(1);
  });
});

describe('an entry', () => {
  test('that is not trusted is counted and told, and not delivered', async () => {
    plan(print(entry(1), entry(2, { _UID: '1000' }), entry(3, { _UID: '1001' }), entry(4)));
    const following = follow();
    await seen(1, 4);
    await following.stop();
    const untrusted = { kind: 'untrusted', path: 'journal', tag: 'dovecot', transport: 'syslog' };
    assert.deepEqual(noticesOf('untrusted'), [
      { ...untrusted, uid: 1000, count: 1 },
      { ...untrusted, uid: 1001, count: 2 },
    ]);
  });

  test('that is none is counted and told, and the next one is delivered', async () => {
    plan(print(entry(1), 'rubbish', '{"MESSAGE":', '[]', entry(2)));
    const following = follow();
    await seen(1, 2);
    await following.stop();
    assert.deepEqual(noticesOf('unreadable').at(-1), {
      kind: 'unreadable',
      path: 'journal',
      count: 3,
    });
  });

  test('that is too long is counted and told, however that shows', async () => {
    const huge = entry(2, { MESSAGE: 'x'.repeat(3 * MAX_LINE) });
    const escapes = entry(3, { MESSAGE: '\\n'.repeat(MAX_LINE / 4) }).replaceAll('\\\\n', '\\n');
    plan(print(entry(1), huge, escapes, entry(4, { MESSAGE: null }), entry(5)));
    const following = follow();
    await seen(1, 5);
    await following.stop();
    assert.deepEqual(noticesOf('too long').at(-1), { kind: 'too long', path: 'journal', count: 3 });
  });

  test('that journald broke, and the rest of it, are counted and not delivered', async () => {
    const broken = entry(2, { _STREAM_ID: 'a', _LINE_BREAK: 'line-max' });
    plan(print(entry(1), broken, entry(3), entry(4, { _STREAM_ID: 'a' }), entry(5)));
    const following = follow();
    await seen(1, 3, 5);
    await following.stop();
    const [first, last] = noticesOf('untrusted');
    assert.deepEqual(last, { ...first, count: 2 });
  });

  test('that another run begins with is no rest of what the last one saw broken', async () => {
    const broken = entry(2, { _STREAM_ID: 'a', _LINE_BREAK: 'line-max' });
    const rest = entry(4, { _STREAM_ID: 'a' });
    plan(
      print(entry(1), broken, entry(3)),
      print(broken, entry(3), rest, entry(5, { _STREAM_ID: 'a' })),
    );
    const first = follow();
    await seen(1, 3);
    await waitFor('its place', () => first.cursor === cursorOf(2));
    await first.stop();
    const second = follow({ cursor: first.cursor });
    await seen(1, 3, 3, 5);
    assert.equal(calls()[1]?.endsWith(`--cursor=${cursorOf(2)}`), true);
    await waitFor('a place behind it', () => second.cursor === cursorOf(5));
  });

  test('that is broken is no place to go on from before those ahead of it are dealt with', async () => {
    plan(print(entry(1), entry(2, { _STREAM_ID: 'a', _LINE_BREAK: 'nul' })));
    let open: (() => void) | null = null;
    const following = follow({
      lines: async batch => {
        await new Promise<void>(resolve => (open = resolve));
        lines.push(...batch);
      },
    });
    await waitFor('a delivery', () => open !== null);
    assert.equal(following.cursor, null);
    (open as (() => void) | null)?.();
    await waitFor('the place', () => following.cursor === cursorOf(2));
    await seen(1);
  });

  test('may be made of bytes', async () => {
    plan(print(entry(1, { MESSAGE: [...Buffer.from('message 1')] })));
    follow();
    await seen(1);
  });
});

test('nothing is read while the receiver is busy', async () => {
  // More than the pipe and the buffers on the way hold; the mark is written when all of it has been taken.
  const many = 20_000;
  writeFileSync(
    join(directory, 'entries'),
    Array.from({ length: many }, (_, index) => `${entry(index + 1)}\n`).join(''),
  );
  plan('cat entries; echo > written\n');
  const written = (): boolean => existsSync(join(directory, 'written'));
  let busy: (() => void) | null = null;
  let open = false;
  follow({
    lines: async batch => {
      if (!open) await new Promise<void>(resolve => (busy = resolve));
      lines.push(...batch);
    },
  });
  await waitFor('the first delivery', () => busy !== null);
  // A source that reads on is done with five megabytes long before this.
  await new Promise(resolve => setTimeout(resolve, 500));
  assert.equal(written(), false);
  open = true;
  (busy as (() => void) | null)?.();
  await waitFor('the end', written);
  await waitFor('all lines', () => lines.length === many);
  assert.equal(lines.at(-1), lineOf(many));
});

test('other tags are watched for from where it is', async () => {
  plan(print(entry(1)), print(entry(2, { SYSLOG_IDENTIFIER: 'dovecot' })));
  const following = follow();
  await waitFor('the cursor', () => following.cursor === cursorOf(1));
  following.setRules({ ...RULES, tags: ['popper'] });
  await seen(1, 2);
  assert.ok(calls()[1]?.endsWith(`--identifier=popper --cursor=${cursorOf(1)}`));
  assert.deepEqual(noticesOf('failed'), []);
});

describe('a stop', () => {
  test('ends journalctl, and nothing is delivered after it', async () => {
    plan(`${print(entry(1))}while :; do ${print(entry(2))} done`);
    const following = follow();
    await waitFor('a line', () => lines.length > 0);
    const { pid } = following;
    await following.stop();
    const count = lines.length;
    assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(lines.length, count);
  });

  test('does not wait for a pause to end', async () => {
    plan('exit 1');
    const following = follow({ firstPauseMs: NEVER_MS });
    await told('failed');
    await following.stop();
    assert.equal(calls().length, 1);
  });

  test('may come before journalctl runs', async () => {
    await follow().stop();
    assert.deepEqual(lines, []);
  });
});

describe('the check', () => {
  for (const [name, run, code, line] of [
    ['passes when journalctl does', 'exit 0', null, true],
    [
      'passes when there is no entry yet',
      'echo "No journal files were found." >&2; exit 0',
      null,
      false,
    ],
    [
      'fails when the account sees its own entries only',
      'echo "Hint: You are currently not seeing messages from other users and the system." >&2; exit 0',
      'JOURNAL_UNREADABLE',
      /permission denied; add the account to the group systemd-journal/,
    ],
    [
      "fails with journalctl's own words",
      'echo "Failed to open files: Bad message" >&2; exit 1',
      'JOURNAL_UNREADABLE',
      /journal: Failed to open files: Bad message;/,
    ],
  ] as const) {
    test(name, async () => {
      plan(run);
      const result = await checkJournal('journal', program).catch((error: unknown) => error);
      if (code === null) assert.equal(result, line);
      else {
        assert.ok(result instanceof Failure);
        assert.equal(result.code, code);
        assert.match(result.line, line);
      }
    });
  }

  test('fails when journalctl is missing', async () => {
    await assert.rejects(checkJournal('journal', `${program}.missing`), {
      code: 'JOURNAL_MISSING',
      exit: 69,
    });
  });
});
