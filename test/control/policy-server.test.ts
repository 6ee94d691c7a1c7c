import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import type { PolicyRequest } from '../../src/control/policy-request.ts';
import {
  type PolicyAnswer,
  PolicyServer,
  type PolicyServerOptions,
} from '../../src/control/policy-server.ts';
import { assertRejects } from '../failure.ts';
import { startNode } from '../map/child.ts';
import { directory } from '../map/scratch.ts';
import { waitFor } from '../real/wait.ts';

const REQUEST = 'request=smtpd_access_policy\nclient_address=192.0.2.7\ninstance=1.2.3.0\n\n';
const DUNNO = 'action=DUNNO\n\n';

const base = await directory();
let count = 0;
let path: string;
let server: PolicyServer;
let asked: PolicyRequest[];
let header: PolicyAnswer;

const start = (options: PolicyServerOptions = {}): Promise<PolicyServer> =>
  PolicyServer.listen(
    path,
    request => {
      asked.push(request);
      return header;
    },
    options,
  );

interface Client {
  readonly socket: Socket;
  readonly received: () => string;
  readonly closed: () => boolean;
}

async function client(): Promise<Client> {
  const socket = connect(path);
  let received = '';
  let isClosed = false;
  socket.on('data', data => {
    received += data;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
  });
  await once(socket, 'connect');
  return { socket, received: () => received, closed: () => isClosed };
}

beforeEach(async () => {
  path = join(base, `policy${++count}`);
  asked = [];
  header = null;
  server = await start();
});
afterEach(() => server.close());

async function restart(options: PolicyServerOptions): Promise<void> {
  await server.close();
  server = await start(options);
}

describe('the policy socket', () => {
  test('answers one request after the other, in pieces as well', async () => {
    const { socket, received } = await client();
    socket.write(REQUEST + REQUEST.slice(0, 20));
    await waitFor('an answer', () => received() === DUNNO);
    header = 'X-Relayed-By: user=0123';
    socket.write(REQUEST.slice(20));
    await waitFor(
      'another',
      () => received() === `${DUNNO}action=PREPEND X-Relayed-By: user=0123\n\n`,
    );
    assert.deepEqual(
      asked.map(({ client }) => client),
      ['192.0.2.7', '192.0.2.7'],
    );
    socket.destroy();
  });

  test('permits nothing, whatever it is asked', async () => {
    const { socket, received } = await client();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary-ascii' }), async text => {
        const before = received().length;
        const body = text.replaceAll(/\n+/g, '\n').trim();
        socket.write(`${body}\n\n`);
        await waitFor('an answer', () => received().length > before);
        assert.match(received(), /^(action=DUNNO\n\n)+$/);
      }),
      { numRuns: 50 },
    );
    socket.destroy();
  });

  test('is open to all who may enter its directory, and gone at the end', async () => {
    assert.equal(statSync(path).mode & 0o777, 0o666);
    await server.close();
    assert.equal(existsSync(path), false);
    server = await start();
  });

  test('drops a client whose request has no end', async () => {
    const { socket, closed } = await client();
    socket.write('x'.repeat(100_000));
    await waitFor('the end', closed);
    assert.deepEqual(asked, []);
  });

  test('drops a client that comes to no end in time, however busy it looks', async () => {
    await restart({ patienceMs: 200 });
    const { socket, closed } = await client();
    const drops = setInterval(() => socket.write('x'), 20);
    await waitFor('the end', closed);
    clearInterval(drops);
  });

  test('drops a client that has nothing to ask for long', async () => {
    await restart({ idleMs: 50 });
    const { closed } = await client();
    await waitFor('the end', closed);
  });

  test('drops a client that takes no answers', async () => {
    await restart({ patienceMs: 200 });
    header = `X-Relayed-By: ${'y'.repeat(10_000)}`;
    const { socket } = await client();
    socket.pause();
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    for (let each = 0; each < 1000; each++) socket.write(REQUEST);
    await waitFor('no more questions', async () => {
      const before = asked.length;
      await new Promise(resolve => setTimeout(resolve, 300));
      return asked.length === before;
    });
    assert.ok(asked.length < 1000, `${asked.length} were answered`);
    socket.resume();
    await waitFor('the end', () => isClosed);
  });

  test('of too many clients the one goes that was idle longest', async () => {
    await restart({ mostConnections: 2 });
    const first = await client();
    const second = await client();
    first.socket.write(REQUEST);
    await waitFor('an answer', () => first.received() === DUNNO);
    const third = await client();
    await waitFor('the second to go', second.closed);
    third.socket.write(REQUEST);
    first.socket.write(REQUEST);
    await waitFor(
      'answers',
      () => first.received() === DUNNO + DUNNO && third.received() === DUNNO,
    );
    first.socket.destroy();
    third.socket.destroy();
  });

  test('is not taken from one who serves it', async () => {
    await assertRejects(start(), 'POLICY_LISTEN', 'another program listens there');
    const { socket, received } = await client();
    socket.write(REQUEST);
    await waitFor('an answer', () => received() === DUNNO);
    socket.destroy();
  });

  test('is taken from one who has died, and from no file', async () => {
    await server.close();
    const child = startNode(
      [
        `import { createServer } from 'node:net';`,
        `createServer().listen(${JSON.stringify(path)}, () => console.log('listening'));`,
      ].join('\n'),
    );
    assert.equal(await child.line(), 'listening');
    await child.kill('SIGKILL');
    assert.ok(existsSync(path));
    server = await start();
    const file = join(base, 'file');
    writeFileSync(file, '');
    const other = PolicyServer.listen(file, () => null);
    await assertRejects(other, 'POLICY_LISTEN', 'no socket');
  });
});
