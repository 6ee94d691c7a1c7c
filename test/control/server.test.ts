import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { type AnswerLine, MAX_REQUEST, type Request } from '../../src/control/protocol.ts';
import { ControlServer } from '../../src/control/server.ts';
import { assertRejects } from '../failure.ts';
import { startNode } from '../map/child.ts';
import { directory } from '../map/scratch.ts';
import { waitFor } from '../real/wait.ts';

const STATUS = '{"command":"status"}\n';
/** More than the buffers of a socket hold. */
const MANY_LINES = 2000;

const base = await directory();
let count = 0;
let path: string;
let server: ControlServer;
let asked: Request[];

const say = (text: string): AnswerLine => ({ error: { code: '', text, hint: '' } });

/** Answers with the number of the request; a list with more than anybody takes unread. */
async function* handle(request: Request): AsyncGenerator<AnswerLine> {
  asked.push(request);
  if (request.command === 'list') {
    for (let line = 0; line < MANY_LINES; line++) {
      yield say('x'.repeat(1000));
    }
  }
  yield say(`answer ${asked.length}`);
}

const start = (patienceMs = 1_000_000): Promise<ControlServer> =>
  ControlServer.listen(path, handle, { patienceMs });

/** Sends all this, and gives what came back until the other side hung up, be it before all was sent. */
async function exchange(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  const received: Buffer[] = [];
  socket.on('data', data => received.push(data));
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  socket.end();
  // Not `once` of node:events: it rejects at an error, and who is turned away may get one.
  await new Promise(resolve => socket.once('close', resolve));
  return Buffer.concat(received).toString();
}

const texts = (answer: string): string[] =>
  answer
    .split('\n')
    .slice(0, -1)
    .map((line): { error: { text: string } } => JSON.parse(line))
    .map(({ error }) => error.text);

beforeEach(() => {
  path = join(base, `map-${++count}.sock`);
  asked = [];
});

afterEach(() => server.close());

describe('the socket', () => {
  test('is for its owner alone, and goes with the server', async () => {
    server = await start();
    assert.equal(lstatSync(path).mode & 0o777, 0o600);
    await server.close();
    assert.equal(existsSync(path), false);
    server = await start();
  });

  test('takes the place of one that a dead daemon has left', async () => {
    const child = startNode(
      [
        `import { createServer } from 'node:net';`,
        `createServer().listen(${JSON.stringify(path)}, () => console.log('listening'));`,
      ].join('\n'),
    );
    assert.equal(await child.line(), 'listening');
    await child.kill('SIGKILL');
    assert.ok(lstatSync(path).isSocket());
    server = await start();
    assert.deepEqual(texts(await exchange(STATUS)), ['answer 1']);
  });

  test('takes the place of nothing else', async () => {
    writeFileSync(path, 'mine');
    await assertRejects(start(), 'CONTROL_LISTEN', path, 'no socket');
    assert.equal(lstatSync(path).size, 4);
    path = `${path}.other`;
    server = await start();
  });
});

describe('a client', () => {
  test('may ask more than once, and be answered in that order', async () => {
    server = await start();
    assert.deepEqual(texts(await exchange(STATUS, STATUS + STATUS.slice(0, 5), STATUS.slice(5))), [
      'answer 1',
      'answer 2',
      'answer 3',
    ]);
  });

  test('is told what is wrong with a request, and may go on', async () => {
    server = await start();
    const [first = '', second] = texts(await exchange('nonsense\n', STATUS));
    assert.match(first, /JSON/);
    assert.equal(second, 'answer 1');
  });

  test('may send 64 KiB and no more, with a line end or without', async () => {
    server = await start();
    const request = (bytes: number): string => STATUS.replace('}\n', '}').padEnd(bytes - 1);
    assert.deepEqual(texts(await exchange(`${request(MAX_REQUEST)}\n`)), ['answer 1']);
    for (const long of [`${request(MAX_REQUEST + 1)}\n`, request(MAX_REQUEST * 4)]) {
      assert.match(await exchange(long), /at most 65536 bytes|^$/);
    }
    assert.equal(asked.length, 1);
  });

  test('that sends no whole request in time is dropped', async () => {
    server = await start(100);
    const idle = connect(path);
    const slow = connect(path);
    slow.write(STATUS.slice(0, 9));
    await Promise.all([once(idle, 'close'), once(slow, 'close')]);
    assert.equal(asked.length, 0);
  });

  test('that takes no answer is dropped, and holds up nobody', async () => {
    server = await start(300);
    const greedy = connect(path);
    greedy.pause();
    greedy.on('error', () => undefined);
    greedy.write('{"command":"list"}\n');
    await waitFor('the list to be asked for', () => asked.length === 1);
    // Not in time is dropped as well, and asks again.
    await waitFor('somebody else', async () =>
      /^answer /.test(texts(await exchange(STATUS))[0] ?? ''),
    );
    greedy.on('end', () => assert.fail('it was served to the end'));
    await waitFor('it to be dropped', async () => {
      greedy.write('\n');
      return greedy.destroyed;
    });
  });

  test('is one of few: others are turned away, and served when there is room again', async () => {
    server = await start();
    const idle: Socket[] = [];
    for (let index = 0; index < 40; index++) idle.push(connect(path));
    for (const socket of idle) socket.on('error', () => undefined);
    await waitFor('some to be turned away', () => idle.some(socket => socket.closed));
    assert.ok(idle.some(socket => !socket.closed));
    for (const socket of idle) socket.destroy();
    await waitFor('an answer', async () => texts(await exchange(STATUS)).length === 1);
  });

  test('may send any bytes', async () => {
    server = await start();
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.constant(STATUS),
      fc.constant('\n\n{}\n"\\ud800"\n{"command":"allow"}\n'),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async pieces => {
        const before = asked.length;
        const answer = texts(await exchange('\n', ...pieces, '\n', STATUS));
        assert.ok(asked.length > before);
        assert.equal(answer.at(-1), `answer ${asked.length}`);
      }),
      { numRuns: 100 },
    );
  });
});

test('a server that closes drops its clients', async () => {
  server = await start();
  const idle = connect(path);
  await once(idle, 'connect');
  const closed = once(idle, 'close');
  await server.close();
  await closed;
  server = await start();
});
