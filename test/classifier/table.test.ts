import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failure } from '../../src/base/errors.ts';
import { Table } from '../../src/classifier/table.ts';
import { assertRejects } from '../failure.ts';
import { ip } from '../map/addresses.ts';

const A = ip('192.0.2.1');
const B = ip('192.0.2.2');

const broken = (reason: string) => failure('POSTMAP_FAILED', { key: A, table: 'hash:/a', reason });

describe('a table', () => {
  test('answers for the addresses last asked for', async () => {
    const table = new Table('hash:/a', async () => new Set<string>([A]), assert.fail);
    assert.equal(table.answer(A), 'unknown');
    await table.ask([A, B]);
    assert.deepEqual([table.answer(A), table.answer(B)], ['found', 'absent']);
    await table.ask([B]);
    assert.deepEqual([table.answer(A), table.answer(B)], ['unknown', 'absent']);
  });

  test('is told of once when it fails, and again only after it has worked', async () => {
    const warnings: string[] = [];
    let now = 0;
    let state: 'works' | 'first' | 'second' = 'works';
    const query = async () => {
      if (state !== 'works') throw broken(`the ${state} time`);
      return new Set<string>([A]);
    };
    const warn = (text: string) => warnings.push(text);
    const table = new Table('hash:/a', query, warn, () => now);
    const answers: string[] = [];
    for (state of ['works', 'first', 'first', 'works', 'second', 'second', 'works'] as const) {
      now += 5000;
      await table.ask([A]);
      answers.push(table.answer(A));
    }
    const unknown = 'unknown';
    assert.deepEqual(answers, ['found', unknown, unknown, 'found', unknown, unknown, 'found']);
    assert.deepEqual(warnings, [broken('the first time').line, broken('the second time').line]);
  });

  test('is left alone for five seconds after it has failed', async () => {
    let now = 0;
    const asked: number[] = [];
    const query = () => {
      asked.push(now);
      return Promise.reject(broken('no such table'));
    };
    const table = new Table(
      'hash:/a',
      query,
      () => undefined,
      () => now,
    );
    for (now of [1000, 1001, 5999, 6000, 10_999, 11_000]) {
      await table.ask([A]);
      assert.equal(table.answer(A), 'unknown');
    }
    assert.deepEqual(asked, [1000, 6000, 11_000]);
  });

  test('is never asked twice at a time', async () => {
    let running = 0;
    let calls = 0;
    const query = async () => {
      assert.equal(++running, 1);
      await new Promise(setImmediate);
      running--;
      calls++;
      return new Set<string>();
    };
    const table = new Table('hash:/a', query, assert.fail);
    await Promise.all([table.ask([A]), table.ask([B]), table.ask([A])]);
    assert.equal(calls, 3);
  });

  test('that fails when it is tried is an error', async () => {
    const query = () => Promise.reject(broken('no such table'));
    const table = new Table('hash:/a', query, assert.fail);
    await assertRejects(table.probe(), 'POSTMAP_FAILED', 'no such table');
  });

  test('does not take a mistake of ours for a failing table', async () => {
    const query = () => Promise.reject(new TypeError('a mistake'));
    const table = new Table('hash:/a', query, assert.fail);
    await assert.rejects(table.ask([A]), TypeError);
  });
});
