import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import type { Line } from '../../src/line/prefix.ts';
import { ALARM_INTERVAL, Drift, LINES_BEFORE_ALARM } from '../../src/recogniser/drift.ts';

const line = (program: string | null, message: string): Line => ({
  time: null,
  host: 'mx',
  program,
  pid: null,
  message,
});
const LOGIN = 'imap-login: Logged on: user=<nick>, rip=192.0.2.10';
const FAILURE = 'imap-login: Aborted login (auth failed, 1 attempts): user=<nick>, rip=192.0.2.10';

function drift(): { readonly alarm: Drift; readonly warnings: string[] } {
  const warnings: string[] = [];
  return { alarm: new Drift(text => warnings.push(text)), warnings };
}

function miss(alarm: Drift, times: number, now = 0, message = LOGIN, program = 'dovecot'): void {
  for (let n = 0; n < times; n++) alarm.unrecognised(line(program, message), epoch(now));
}

describe('the alarm', () => {
  test('is one line with the program, an example and what to do', () => {
    const { alarm, warnings } = drift();
    alarm.recognised('dovecot');
    miss(alarm, LINES_BEFORE_ALARM);
    const [warning = ''] = warnings;
    assert.equal(warnings.length, 1);
    for (const mention of ['dovecot', LOGIN, 'popbsmtp explain', 'update', 'pattern of your own'])
      assert.ok(warning.includes(mention), mention);
    assert.doesNotMatch(warning, /\n/);
  });

  test('quotes no line where users are not to be named', () => {
    const warnings: string[] = [];
    const alarm = new Drift(text => warnings.push(text), false);
    alarm.recognised('dovecot');
    miss(alarm, LINES_BEFORE_ALARM);
    assert.equal(warnings.length, 1);
    assert.doesNotMatch(warnings.join(), /nick|192\.0\.2\.10/);
    assert.match(warnings.join(), /dovecot .* \(has it been updated\?\); run "popbsmtp explain"/);
  });

  test('shows a long or hostile example safely', () => {
    const { alarm, warnings } = drift();
    alarm.recognised('dovecot');
    miss(alarm, LINES_BEFORE_ALARM, 0, `${LOGIN}\x1b[2J ${'x'.repeat(700)}`);
    assert.match(warnings[0] ?? '', /rip=192\.0\.2\.10\\x1b\[2J x+…"/);
    assert.ok((warnings[0] ?? '').length < 500);
  });

  test('waits for several lines in a row', () => {
    const { alarm, warnings } = drift();
    alarm.recognised('dovecot');
    miss(alarm, LINES_BEFORE_ALARM - 1);
    alarm.recognised('dovecot');
    miss(alarm, LINES_BEFORE_ALARM - 1);
    assert.deepEqual(warnings, []);
    miss(alarm, 1);
    assert.equal(warnings.length, 1);
  });

  test('comes again once an hour at most, while it goes on', () => {
    const { alarm, warnings } = drift();
    alarm.recognised('dovecot');
    miss(alarm, 100, 0);
    miss(alarm, 100, ALARM_INTERVAL - 1);
    assert.equal(warnings.length, 1);
    miss(alarm, 1, ALARM_INTERVAL);
    assert.equal(warnings.length, 2);
    // Mended for a while, then the same again: still no more than once an hour.
    alarm.recognised('dovecot');
    miss(alarm, 100, ALARM_INTERVAL + 1);
    assert.equal(warnings.length, 2);
    miss(alarm, 1, 2 * ALARM_INTERVAL);
    assert.equal(warnings.length, 3);
  });

  test('is raised once for a program that never produced a login', () => {
    const { alarm, warnings } = drift();
    miss(alarm, LINES_BEFORE_ALARM - 1);
    assert.deepEqual(warnings, []);
    miss(alarm, 100);
    miss(alarm, 100, 10 * ALARM_INTERVAL);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /dovecot logs .* none was ever recognised/);
    assert.doesNotMatch(warnings[0] ?? '', /updated\?/);
  });

  test('is not raised by failures, nor for no program', () => {
    const { alarm, warnings } = drift();
    alarm.recognised('dovecot');
    miss(alarm, 100, 0, FAILURE);
    miss(alarm, 100, 0, FAILURE, 'imapd');
    alarm.unrecognised(line(null, LOGIN), epoch(0));
    assert.deepEqual(warnings, []);
  });

  test('is one for each program', () => {
    const { alarm, warnings } = drift();
    alarm.recognised('imapd');
    alarm.recognised('pop3d');
    miss(alarm, LINES_BEFORE_ALARM - 1, 0, LOGIN, 'imapd');
    alarm.recognised('pop3d');
    miss(alarm, 1, 0, LOGIN, 'imapd');
    assert.equal(warnings.length, 1);
    miss(alarm, LINES_BEFORE_ALARM, 0, LOGIN, 'pop3d');
    assert.equal(warnings.length, 2);
  });
});

/** What the alarm promises, told the plain way. */
class Model {
  readonly #programs = new Map<string, { known: boolean; missed: number; alarmedAt: number }>();

  #stateOf(program: string) {
    const state = this.#programs.get(program) ?? {
      known: false,
      missed: 0,
      alarmedAt: Number.NEGATIVE_INFINITY,
    };
    this.#programs.set(program, state);
    return state;
  }

  recognised(program: string): void {
    Object.assign(this.#stateOf(program), { known: true, missed: 0 });
  }

  /** Whether an alarm is due. */
  missed(program: string, now: number): boolean {
    const state = this.#stateOf(program);
    state.missed++;
    const pause = state.known ? ALARM_INTERVAL : Number.POSITIVE_INFINITY;
    const due = state.missed >= LINES_BEFORE_ALARM && now - state.alarmedAt >= pause;
    if (due) state.alarmedAt = now;
    return due;
  }
}

test('whatever happens: an alarm after misses in a row, none within an hour of another', () => {
  const step = fc.record({
    program: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom('recognised', 'missed', 'missed', 'missed', 'failure'),
    pause: fc.integer({ min: 0, max: 1000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const { alarm, warnings } = drift();
      const model = new Model();
      let now = 0;
      let due = 0;
      for (const { program, kind, pause } of steps) {
        now += pause;
        if (kind === 'recognised') {
          alarm.recognised(program);
          model.recognised(program);
        } else miss(alarm, 1, now, kind === 'missed' ? LOGIN : FAILURE, program);
        if (kind === 'missed' && model.missed(program, now)) due++;
        assert.equal(warnings.length, due);
      }
    }),
  );
});
