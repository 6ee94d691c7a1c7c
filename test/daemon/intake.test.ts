import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { epoch } from '../../src/base/clock.ts';
import { Counters } from '../../src/control/counters.ts';
import { Intake } from '../../src/daemon/intake.ts';
import { loadRules } from '../../src/daemon/rules.ts';
import { rulesOf } from '../../src/daemon/settings.ts';
import { formatStamp } from '../../src/line/stamp.ts';
import { LOCAL } from '../../src/line/zone.ts';
import { Values } from '../../src/options/values.ts';
import type { ServerEvent } from '../../src/recogniser/event.ts';
import type { Notice } from '../../src/source/source.ts';

const NOON = 1_700_000_000;

const values = new Values(new Map([['mynetworks', { value: 'none', origin: '--mynetworks' }]]));

async function intakeOf(...names: readonly string[]) {
  let room: Promise<void> = Promise.resolve();
  const events: ServerEvent[] = [];
  const notices: Notice[] = [];
  const happened: string[] = [];
  const warnings: string[] = [];
  const now = () => ({ wall: epoch(NOON), steady: epoch(0) });
  const counters = new Counters(now);
  const settings = {
    ...rulesOf(values, { map: { type: 'lmdb', path: '/nowhere/map' }, mirrors: [] }),
    patterns: { directory: '/nonexistent', explicit: false },
    refuseOwn: false,
  };
  const rules = await loadRules(settings, text => assert.fail(text));
  const intake = new Intake({
    names,
    rules,
    pipeline: { events: async found => void events.push(...found) },
    counters,
    output: { notice: notice => void notices.push(notice), warn: text => void warnings.push(text) },
    now,
    zone: LOCAL,
    watch: step => step,
    room: () => room,
    isQuoted: true,
  });
  void intake.following.then(() => happened.push('following'));
  void intake.ended.then(() => happened.push('ended'));
  const seen = async (): Promise<string[]> => {
    await new Promise(setImmediate);
    return happened;
  };
  const until = (there: Promise<void>): void => {
    room = there;
  };
  return { intake, events, notices, warnings, counters, seen, until };
}

const opened = (path: string): Notice => ({ kind: 'opened', path, position: 0 });

describe('what receives lines', () => {
  test('hands on what they tell, and counts them by their source', async () => {
    const { intake, events, counters } = await intakeOf('/log');
    const login = `${formatStamp(epoch(NOON))} mx dovecot: pop3-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.5, mpid=1, session=<a>`;
    await intake.receiverOf('/log').lines([login, 'something else']);
    assert.deepEqual(
      events.map(event => [event.event, event.ip]),
      [['login', '198.51.100.1']],
    );
    assert.equal(counters.sources.get('/log')?.lines, 2);
  });

  test('takes no more while there is no room for what comes of it', async () => {
    const { intake, until } = await intakeOf('/log');
    let isThere = false;
    let make: () => void = () => undefined;
    until(new Promise(resolve => (make = resolve)));
    const done = intake.receiverOf('/log').lines(['something']);
    void done.then(() => assert.ok(isThere));
    await new Promise(setImmediate);
    isThere = true;
    make();
    await done;
  });

  test('looks at what strangers say, and takes nothing from it', async () => {
    const { intake, events, counters, warnings } = await intakeOf('journal');
    const said =
      'imap-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.5, mpid=1, session=<a>';
    const lineOf = (tag: string): string => `${formatStamp(epoch(NOON))} mx ${tag}: ${said}`;
    const { strangers } = intake.receiverOf('journal');
    strangers?.([lineOf('toyd'), lineOf('toyd')]);
    assert.equal(warnings.length, 1);
    strangers?.([lineOf('dovecot')]);
    await new Promise(setImmediate);
    assert.deepEqual(events, []);
    assert.equal(counters.sources.get('journal')?.lines ?? 0, 0);
    assert.match(warnings[0] ?? '', /under the tag toyd look like logins of dovecot/);
  });

  test('follows when it has heard of every log, and ends with the last', async () => {
    const { intake, notices, seen } = await intakeOf('/one', '/other');
    const one = intake.receiverOf('/one');
    const other = intake.receiverOf('/other');
    one.notice(opened('/one'));
    one.notice(opened('/one'));
    assert.deepEqual(await seen(), []);
    other.notice({ kind: 'missing', path: '/other' });
    assert.deepEqual(await seen(), ['following']);
    other.notice({ kind: 'ended', path: '/other' });
    assert.deepEqual(await seen(), ['following']);
    one.notice({ kind: 'ended', path: '/one' });
    assert.deepEqual(await seen(), ['following', 'ended']);
    assert.equal(notices.length, 5);
  });

  test('follows at once when there is no log, and never ends', async () => {
    const { seen } = await intakeOf();
    assert.deepEqual(await seen(), ['following']);
  });

  const message = 'pop3-login: Login: user=<anna>, method=PLAIN, rip=198.51.100.1, lip=192.0.2.5';

  test('puts the pieces of a line together, of each log by itself', async () => {
    const { intake, events } = await intakeOf('/a', '/b');
    const at = new Date(NOON * 1000).toISOString();
    const [a, b] = [intake.receiverOf('/a'), intake.receiverOf('/b')];
    await a.lines([`${at} stdout P dovecot: ${message.slice(0, 30)}`]);
    await b.lines([`${at} stdout F ${message.slice(30)}`]);
    assert.deepEqual(events, []);
    await a.lines([`${at} stdout F ${message.slice(30)}`]);
    assert.deepEqual(
      events.map(({ ip }) => ip),
      ['198.51.100.1'],
    );
  });

  test('warns of stamps of another time zone, in lines that have just been written', async () => {
    const { intake, warnings } = await intakeOf('/log');
    const line = `${formatStamp(epoch(NOON - 3600))} mx dovecot: ${message}`;
    const lines = Array.from({ length: 10 }, () => line);
    const receiver = intake.receiverOf('/log');
    await receiver.lines(lines, epoch(NOON));
    assert.deepEqual(warnings, []);
    await receiver.lines(lines);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? '',
      /^the last 5 logins in \/log are stamped 1 h before .* watchlog-zone/,
    );
  });

  test('warns of logins of no known server, once and without any that was recognised', async () => {
    const { intake, events, warnings } = await intakeOf('/log');
    const line = `${formatStamp(epoch(NOON))} mx 0123456789ab[7]: ${message}`;
    await intake.receiverOf('/log').lines(Array.from({ length: 200 }, () => line));
    await intake.receiverOf('/log').lines([`xyz ${message}`, `xyz ${message}`]);
    assert.deepEqual(events, []);
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /^lines under the tag 0123456789ab look like logins/);
    assert.match(warnings[1] ?? '', /beginning is not understood: "xyz "/);
  });
});
