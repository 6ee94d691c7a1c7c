/** The fast path for finished logs against the plain one, on what servers and outsiders write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import type { Line } from '../../src/line/prefix.ts';
import { StampReader } from '../../src/line/stamp.ts';
import type { ServerEvent } from '../../src/recogniser/event.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { LogMemory } from '../../src/recogniser/log-memory.ts';
import type { Pattern } from '../../src/recogniser/pattern.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { streamLog, streamReader } from '../../src/source/finished-log.ts';
import { hostileText } from './arbitrary.ts';
import { TORN_LOGS } from './torn-logs.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });
const NOW = epoch(1_795_000_000);

/** Lines of a log: what they tell, and of which no pattern knows anything. */
interface Read {
  readonly events: readonly (ServerEvent | null)[];
  readonly unrecognised: readonly Line[];
  readonly torn: readonly string[];
}

type Take = (recogniser: Recogniser, lines: readonly string[]) => Promise<Read['events']>;

async function read(lines: readonly string[], take: Take): Promise<Read> {
  const unrecognised: Line[] = [];
  const torn: string[] = [];
  const recogniser = new Recogniser(registry, new StampReader(() => NOW), new LogMemory(), {
    unrecognised: line => unrecognised.push(line),
    torn: (line, isLogin) => torn.push(`${line.message} ${isLogin}`),
  });
  return { events: await take(recogniser, lines), unrecognised, torn };
}

const plainly: Take = (recogniser, lines) =>
  Promise.resolve(lines.map(line => recogniser.recognise(line)).filter(event => event !== null));

const fast =
  (asked: 'recogniseIn' | 'kindIn'): Take =>
  async (recogniser, lines) => {
    const text = Buffer.from(lines.map(line => `${line}\n`).join(''), 'latin1');
    const log = streamLog('a log', streamReader(pieces(text)));
    const events: (ServerEvent | null)[] = [];
    for await (const batch of log.batches(recogniser.reading(0)))
      for (let index = 0; index < batch.size; index++) {
        const event = recogniser[asked](batch, index);
        // Of another type, which is compared by what both have.
        if (event !== null) events.push(event as ServerEvent);
      }
    return events;
  };

async function* pieces(text: Buffer): AsyncGenerator<Buffer> {
  yield text;
}

const linesOf = ({ samples }: Pattern): string[] =>
  samples.flatMap(({ after, line }) => [...after, line]);
const samples = registry.files.flatMap(({ patterns }) => patterns.flatMap(linesOf));
const tornLines = TORN_LOGS.flatMap(({ tag, lines }) =>
  lines.map(({ message }) => `Nov 23 00:53:00 ${tag}: ${message}`),
);

/** A line with something else in the place of a part of it. */
const mutated = fc
  .tuple(fc.constantFrom(...samples), fc.nat(400), fc.nat(12), hostileText)
  .map(([line, at, length, text]) => line.slice(0, at) + text + line.slice(at + length));
const repeated = fc
  .constantFrom(...samples)
  .map(line => line.replace(/^(.{15,60}?: )(.*)$/, '$1message repeated 2 times: [ $2]'));
const line = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom(...samples) },
    { weight: 4, arbitrary: mutated },
    { weight: 1, arbitrary: repeated },
    { weight: 1, arbitrary: fc.constantFrom(...samples).map(text => `${text}\r`) },
    { weight: 1, arbitrary: fc.constantFrom(...samples).map(text => `${text}#015`) },
    { weight: 1, arbitrary: fc.constantFrom(...tornLines) },
  )
  .map(text => text.replace(/[\n\u0100-\uffff]/g, '?'));

async function compare(lines: readonly string[]): Promise<void> {
  const plain = await read(lines, plainly);
  assert.deepEqual(await read(lines, fast('recogniseIn')), plain);
  const { events, ...told } = await read(lines, fast('kindIn'));
  assert.deepEqual(told, { unrecognised: plain.unrecognised, torn: plain.torn });
  const kinds = (all: Read['events']): unknown[] => all.map(event => [event?.event, event?.server]);
  assert.deepEqual(kinds(events), kinds(plain.events));
}

test('in the bytes of a log, each line tells what it tells by itself', async () => {
  await fc.assert(fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 200 }), compare), {
    numRuns: 30,
  });
});

test('so do the samples of each server, one after the other', async () => {
  for (const { patterns } of registry.files) await compare(patterns.flatMap(linesOf));
});

test('most logins and logouts are told without the plain path', async () => {
  const recogniser = new Recogniser(registry, new StampReader(() => NOW));
  const log = streamLog(
    'a log',
    streamReader(pieces(Buffer.from(`${samples.join('\n')}\n`, 'latin1'))),
  );
  let seen = 0;
  let events = 0;
  for await (const batch of log.batches(recogniser.reading(0)))
    for (let index = 0; index < batch.size; index++) {
      const isSeen = batch.seen(index) !== null;
      if (recogniser.recogniseIn(batch, index) === null) continue;
      events++;
      if (isSeen) seen++;
    }
  assert.ok(seen > 0.6 * events, `${seen} of ${events}`);
});
