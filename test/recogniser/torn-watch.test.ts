import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import type { Line } from '../../src/line/prefix.ts';
import { TELLING_INTERVAL, TornWatch } from '../../src/recogniser/torn-watch.ts';

const line = (program = 'imapd', host: string | null = 'mx'): Line => ({
  time: epoch(0),
  host,
  program,
  pid: null,
  message: 'x',
});

/** What a watch tells of lines at their times. */
function told(lines: readonly (readonly [Line, boolean, number])[]): string[] {
  const warnings: string[] = [];
  const watch = new TornWatch(text => warnings.push(text));
  for (const [torn, isLogin, now] of lines) watch.torn(torn, isLogin, epoch(now));
  return warnings.map(text => text.split(',', 1)[0] ?? '');
}

test('the first login that is passed over is told, once', () => {
  assert.deepEqual(told([[line(), false, 0]]), []);
  const lines = [0, 1, 2, TELLING_INTERVAL - 1].map(now => [line(), true, now] as const);
  assert.deepEqual(told(lines), [
    'somebody is tearing lines of imapd on mx: logins of 1 line were passed over',
  ]);
});

test('and again while it goes on, an hour later, with their number', () => {
  const lines = [0, 1, 3000, TELLING_INTERVAL + 1].map(now => [line(), true, now] as const);
  assert.deepEqual(told(lines), [
    'somebody is tearing lines of imapd on mx: logins of 1 line were passed over',
    'somebody is tearing lines of imapd on mx: logins of 4 lines were passed over',
  ]);
});

test('each program and host on its own', () => {
  assert.deepEqual(
    told([
      [line('imapd', 'mx'), true, 0],
      [line('imapd', 'px'), true, 0],
      [line('pop3d', null), true, 0],
    ]),
    ['imapd on mx', 'imapd on px', 'pop3d'].map(
      name => `somebody is tearing lines of ${name}: logins of 1 line were passed over`,
    ),
  );
});

test('what was quiet for an hour begins anew', () => {
  assert.deepEqual(
    told([
      [line(), true, 0],
      [line(), true, 10],
      [line(), true, 10 + TELLING_INTERVAL],
    ]),
    [1, 2].map(() => 'somebody is tearing lines of imapd on mx: logins of 1 line were passed over'),
  );
});
