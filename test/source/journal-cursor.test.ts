import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cursorTime, isSameEntry } from '../../src/source/journal-cursor.ts';

/** As journald 252 made it on 2026-11-24 at 22:34:26.172621 UTC. */
const CURSOR =
  's=c9c279854ea14a8d8e4766bdb53209aa;i=15b;b=a996c7198db64376b79434e7ded31575;m=103030a01;t=6610d501342cd;x=90923a35d78404fd';

describe('two cursors', () => {
  for (const [name, other, same] of [
    ['that are equal name the same entry', CURSOR, true],
    [
      'name the same entry wherever it is stored',
      CURSOR.replace(/^s=c9/, 's=ab').replace('i=15b', 'i=1'),
      true,
    ],
    ['name different entries of different boots', CURSOR.replace('b=a9', 'b=b9'), false],
    ['name different entries of different times', CURSOR.replace('2cd;', '2ce;'), false],
    ['name different entries of the same moment', CURSOR.replace('4fd', '4fe'), false],
    ['of unknown form are compared as they are', 'rubbish', false],
  ] as const) {
    test(name, () => assert.equal(isSameEntry(CURSOR, other), same));
  }

  test('of unknown form are the same only if they are equal', () => {
    assert.equal(isSameEntry('rubbish', 'rubbish'), true);
    assert.equal(isSameEntry('rubbish', 'garbagerubbish'), false);
  });
});

describe('the time of a cursor', () => {
  for (const [name, cursor, time] of [
    ['is that of its entry', CURSOR, 1795559666.172621],
    ['is not known of another form', 'rubbish', null],
    ['is not known without digits', 't=;x=1', null],
    ['is not known of a number beyond all clocks', `t=${'f'.repeat(40)};x=1`, null],
    ['is no other field that ends alike', 'st=1;x=2', null],
  ] as const) {
    test(name, () => assert.equal(cursorTime(cursor), time));
  }
});
