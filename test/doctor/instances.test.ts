import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Instance, judgeInstances } from '../../src/doctor/instances.ts';

const MAP = 'lmdb:/var/popbsmtp/pop-before-smtp';
const OUT: Instance = { directory: '/etc/postfix-out', names: true, reason: '', others: [] };

const levels = (isNamed: boolean, ...instances: Instance[]): string[] =>
  judgeInstances({ isNamed, map: MAP, instances }).map(({ level }) => level);

describe('other Postfix instances', () => {
  test('are nothing to tell where there are none', () => {
    assert.deepEqual(levels(false), []);
  });

  test('may use the map as well, or not', () => {
    assert.deepEqual(levels(true, OUT, { ...OUT, names: false }), ['ok', 'ok']);
  });

  test('that alone use it are to be the one that counts', () => {
    const [found] = judgeInstances({ isNamed: false, map: MAP, instances: [OUT] });
    assert.equal(found?.level, 'warning');
    assert.match(found?.hint ?? '', /postfix-config = "\/etc\/postfix-out"/);
  });

  test('that cannot be asked are told', () => {
    const broken = { ...OUT, names: null, reason: 'bad line' };
    const [found] = judgeInstances({ isNamed: true, map: MAP, instances: [broken] });
    assert.deepEqual([found?.level, /bad line/.test(found?.what ?? '')], ['warning', true]);
  });

  test('with a map that nobody looks after are an error', () => {
    const others = [{ name: 'lmdb:/x', map: 'lmdb:/x', rows: 9, owner: null }];
    assert.deepEqual(levels(true, { ...OUT, others }), ['ok', 'error']);
  });
});
