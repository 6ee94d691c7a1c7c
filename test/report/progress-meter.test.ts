import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ProgressMeter, type Reading, readingText } from '../../src/report/progress-meter.ts';
import { TestScreen } from './test-screen.ts';

const WIDE = 100;

describe('the line', () => {
  const cases: [string, Reading][] = [
    [
      '36 %, 123 MB of 340 MB, 615,000 lines/s, 2 s left',
      { bytes: 123e6, size: 340e6, lines: 615_000, seconds: 1 },
    ],
    ['0 %, 0 MB of 5 MB, 0 lines/s, ? left', { bytes: 0, size: 5e6, lines: 0, seconds: 2 }],
    [
      '50 %, 1.5 MB of 3 MB, 10 lines/s, 2:05 min left',
      { bytes: 1.5e6, size: 3e6, lines: 1250, seconds: 125 },
    ],
    [
      '1 %, 10 MB of 1,000 MB, 1,000 lines/s, 1:02 h left',
      { bytes: 10e6, size: 1e9, lines: 37_600, seconds: 37.6 },
    ],
    // A log that was written to meanwhile.
    [
      '100 %, 6.2 MB of 6.1 MB, 7 lines/s, 0 s left',
      { bytes: 6.2e6, size: 6.1e6, lines: 70, seconds: 10 },
    ],
    ['12 MB, 34,567 lines, 17,284 lines/s', { bytes: 12e6, size: null, lines: 34_567, seconds: 2 }],
  ];
  for (const [text, reading] of cases) {
    test(text, () => assert.equal(readingText(reading, WIDE), text));
  }

  test('is never longer than the terminal is wide, whatever is read', () => {
    const amount = fc.maxSafeNat();
    const seconds = fc.double({ min: 0, max: 1e9, noNaN: true });
    const reading = fc.record({
      bytes: amount,
      size: fc.option(amount),
      lines: amount,
      seconds,
    });
    fc.assert(
      fc.property(reading, fc.integer({ min: 1, max: WIDE }), (given, columns) => {
        const text = readingText(given, columns);
        assert.ok(text.length <= columns);
        assert.doesNotMatch(text, /NaN|Infinity|-/);
      }),
    );
  });
});

describe('the meter', () => {
  function started(): { screen: TestScreen; meter: ProgressMeter; at(ms: number): void } {
    const screen = new TestScreen();
    let now = 0;
    const what = { size: 1000, bytes: () => now / 10, lines: () => now };
    const meter = new ProgressMeter([what], screen, () => now);
    const at = (ms: number): void => {
      now = ms;
      meter.update();
    };
    return { screen, meter, at };
  }

  test('shows nothing for the first half second', () => {
    const { screen, meter, at } = started();
    for (let ms = 0; ms < 500; ms++) at(ms);
    meter.clear();
    assert.deepEqual(screen.writes, []);
  });

  test('is drawn ten times a second at most, in one line', () => {
    const { screen, at } = started();
    for (let ms = 0; ms < 3000; ms++) at(ms);
    assert.equal(screen.writes.length, 25);
    assert.match(screen.text, /^29 %, /);
    assert.ok(screen.writes.every(text => text.startsWith('\r') && !text.includes('\n')));
  });

  test('leaves a blank line behind, and may be drawn again', () => {
    const { screen, meter, at } = started();
    at(600);
    meter.clear();
    assert.deepEqual(
      { text: screen.text.trimEnd(), column: screen.column },
      { text: '', column: 0 },
    );
    const { length } = screen.writes;
    meter.clear();
    assert.equal(screen.writes.length, length);
    at(700);
    assert.match(screen.text, /^7 %, /);
  });

  test('leaves nothing of a longer line beside a shorter one', () => {
    const screen = new TestScreen();
    let lines = 1e9;
    let now = 0;
    const what = { size: null, bytes: () => 0, lines: () => lines };
    const meter = new ProgressMeter([what], screen, () => now);
    for ([now, lines] of [
      [600, 1e9],
      [800, 8],
    ] as const) {
      meter.update();
    }
    assert.equal(screen.text.trimEnd(), '0 MB, 8 lines, 10 lines/s');
  });

  test('knows how much there is only if it knows it of every log', () => {
    const screen = new TestScreen();
    let now = 0;
    const log = (size: number | null) => ({ size, bytes: () => 5e6, lines: () => 3 });
    const show = (...sizes: (number | null)[]): string => {
      now = 0;
      const meter = new ProgressMeter(sizes.map(log), screen, () => now);
      now = 1000;
      meter.update();
      const text = screen.text.trimEnd();
      meter.clear();
      return text;
    };
    assert.equal(show(15e6, 5e6), '50 %, 10 MB of 20 MB, 6 lines/s, 1 s left');
    assert.equal(show(15e6, null), '10 MB, 6 lines, 6 lines/s');
  });
});
