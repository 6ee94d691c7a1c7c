import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeOtherMta, namesMap, type ServerFile } from '../../src/doctor/other-mta.ts';
import type { MapSpec } from '../../src/map/map.ts';

const MAP: MapSpec = { type: 'makemap:hash', path: '/var/popbsmtp/pop' };
const file = (text: ServerFile['text']): ServerFile => ({ name: 'sendmail', file: '/x.cf', text });

describe('a map is named', () => {
  for (const [text, expected] of [
    ['Kpopauth hash -a<OK> /var/popbsmtp/pop\n', true],
    ['x {cdb{/var/popbsmtp/pop.db}{yes}{no}}', true],
    ['table t file:/var/popbsmtp/pop', true],
    ['# Kpopauth hash /var/popbsmtp/pop', false],
    ['Kpopauth hash /var/popbsmtp/pop-other', false],
    ['Kpopauth hash /srv/var/popbsmtp/pop', false],
    ['/var/popbsmtp/popular /var/popbsmtp/pop', true],
    ['', false],
  ] as const) {
    test(`${JSON.stringify(text)}: ${expected}`, () => {
      assert.equal(namesMap(file(text), MAP), expected);
    });
  }
});

describe('the doctor says of another server', () => {
  const table: [what: string, files: ServerFile[], found: RegExp][] = [
    ['that it has the map', [file(''), file(MAP.path)], /^ok sendmail has makemap:hash:/],
    ['that it has it not', [file('')], /^warning sendmail does not name .* \/x\.cf$/],
    ['that it may not look', [file({ unreadable: 'no' })], /^warning cannot look .*: no$/],
    ['that there is none', [], /^skipped no configuration/],
  ];
  for (const [what, files, found] of table) {
    test(what, () => {
      const [verdict] = judgeOtherMta(files, MAP);
      assert.match(`${verdict?.level} ${verdict?.what}`, found);
    });
  }
});
