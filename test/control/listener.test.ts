import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { closeListener, listen } from '../../src/control/listener.ts';
import { parseListening } from '../../src/control/listening.ts';
import { assertFails } from '../failure.ts';
import { freePort } from '../real/ports.ts';
import { waitFor } from '../real/wait.ts';

describe('where to listen', () => {
  for (const [text, host] of [
    ['127.0.0.1:9117', '127.0.0.1'],
    ['127.9.9.9:9117', '127.9.9.9'],
    ['[::1]:9117', '::1'],
  ] as const) {
    test(`is ${text}`, () => {
      assert.deepEqual(parseListening(text, '--metrics-listen'), { host, port: 9117 });
    });
  }
  const wrong = [
    ...['0.0.0.0:9117', '192.0.2.1:9117', '[::]:9117', '[::ffff:127.0.0.1]:9117', '::1:9117'],
    ...[
      'localhost:9117',
      '9117',
      ':9117',
      '127.0.0.1',
      '127.0.0.1:0',
      '127.0.0.1:65536',
      '127.1:80',
    ],
  ];
  for (const text of wrong) {
    test(`is not ${text}`, () => {
      assertFails(() => parseListening(text, 'here'), 'METRICS_LISTEN', 'here', text, 'loopback');
    });
  }
});

describe('over HTTP', () => {
  const warnings: string[] = [];
  let port: number;
  let server: ReturnType<typeof listen>;

  before(async () => {
    port = await freePort();
    server = listen(
      { host: '127.0.0.1', port },
      () => 'a 1\n',
      text => warnings.push(text),
    );
    await once(server, 'listening');
  });
  after(() => closeListener(server));

  async function ask(method: string, path: string): Promise<[number | undefined, string, string]> {
    const asking = request({ host: '127.0.0.1', port, path, method });
    asking.end();
    const [answer] = await once(asking, 'response');
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += chunk;
    return [answer.statusCode, answer.headers['content-type'] ?? '', text];
  }

  /** Null when the connection is refused. */
  async function statusOf(at: number): Promise<number | null> {
    const asking = request({ host: '127.0.0.1', port: at, path: '/metrics', agent: false });
    asking.end();
    try {
      const [answer] = await once(asking, 'response');
      answer.resume();
      return answer.statusCode;
    } catch {
      return null;
    }
  }

  test('GET /metrics gives the text, in the type of the format, and nothing else is there', async () => {
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    assert.deepEqual(await ask('GET', '/metrics'), [200, type, 'a 1\n']);
    assert.deepEqual(await ask('HEAD', '/metrics'), [200, type, '']);
    assert.equal((await ask('POST', '/metrics'))[0], 405);
    assert.equal((await ask('GET', '/'))[0], 404);
    assert.equal((await ask('GET', '/metrics/../etc'))[0], 404);
  });

  test('what is no HTTP harms nothing', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(Buffer.from([0, 1, 2, 255, 10, 10]));
    await once(socket, 'close');
    assert.equal((await ask('GET', '/metrics'))[0], 200);
  });

  test('clients that send a little now and then keep nobody else out for long', async () => {
    const slow = await freePort();
    const patient = listen(
      { host: '127.0.0.1', port: slow },
      () => 'a 1\n',
      text => warnings.push(text),
      500,
    );
    await once(patient, 'listening');
    const sockets = Array.from({ length: 16 }, () => connect(slow, '127.0.0.1'));
    for (const socket of sockets) socket.on('error', () => undefined).resume();
    await Promise.all(sockets.map(socket => once(socket, 'connect')));
    for (const socket of sockets) socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n');
    const busy = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('X-A: b\r\n');
    }, 50);
    try {
      await waitFor('an answer', async () => (await statusOf(slow)) === 200);
      await waitFor('the end of all', () => sockets.every(({ destroyed }) => destroyed));
    } finally {
      clearInterval(busy);
      await closeListener(patient);
    }
  });

  test('a port that is taken is told, and no more', async () => {
    const second = listen(
      { host: '127.0.0.1', port },
      () => '',
      text => warnings.push(text),
    );
    await waitFor('the warning', () => warnings.length === 1);
    assert.match(warnings[0] ?? '', new RegExp(`${port}: .*in use`));
    await closeListener(second);
    assert.equal((await ask('GET', '/metrics'))[0], 200);
  });
});
