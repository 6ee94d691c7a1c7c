/**
 * The servers' own format strings, with whatever outsiders may choose put into them: a success tells the
 * client's address or nothing, and a failure never tells of a login.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { epoch } from '../../src/base/clock.ts';
import { StampReader } from '../../src/line/stamp.ts';
import type { ServerEvent } from '../../src/recogniser/event.ts';
import { loadPatterns } from '../../src/recogniser/load.ts';
import { Recogniser } from '../../src/recogniser/recogniser.ts';
import { client, hostileName, hostileText } from './arbitrary.ts';
import { type Fields, type Format, SERVERS, type Server } from './formats.ts';

const registry = await loadPatterns({ directory: '/nonexistent', explicit: false });

/** What comes of a line, behind that of the connection if the server has one. */
function recognise({ connect }: Server, tag: string, format: Format, fields: Fields) {
  // Anew for each line: the lines of these tests are no log.
  const recogniser = new Recogniser(registry, new StampReader(() => epoch(0)));
  const read = (message: string): ServerEvent | null =>
    recogniser.recognise(`2026-11-23T00:53:00Z mx ${tag}: ${message}`);
  if (connect !== undefined) assert.equal(read(connect(fields)), null);
  return read(format(fields));
}

const plainName = fc.stringMatching(/^[a-z][a-z0-9._+-]{0,30}(?:@[a-z0-9.-]{1,30})?$/);

for (const one of SERVERS) {
  const { server, tags, successes, failures } = one;
  describe(`${server}, as ${tags.join(', ')}`, () => {
    const tag = fc.constantFrom(...tags);
    test('a login of anybody is one, whatever his host calls itself', () => {
      const name = fc.stringMatching(/^[a-z0-9.-]{1,20}$/);
      fc.assert(
        fc.property(
          tag,
          fc.constantFrom(...successes),
          client,
          plainName,
          name,
          (program, format, [ip, canonical], user, host) => {
            const event = recognise(one, program, format, { user, ip, host, text: 'x' });
            assert.ok(event !== null);
            const { event: kind, server: from, ip: found, user: who } = event;
            assert.deepEqual([kind, from, found, who], ['login', server, canonical, user]);
          },
        ),
        { numRuns: 500 },
      );
    });

    test('a success tells the address of the client, or nothing', () => {
      fc.assert(
        fc.property(
          tag,
          fc.constantFrom(...successes),
          client,
          hostileText,
          hostileName,
          hostileText,
          (program, format, [ip, canonical], user, host, text) => {
            const event = recognise(one, program, format, { user, ip, host, text });
            if (event === null) return;
            assert.ok(event.event === 'login');
            assert.equal(event.ip, canonical);
            // Nor can he have a plain connection look like an encrypted one.
            const plain = recognise(one, program, format, { user: 'a', ip, host: 'h', text: 'x' });
            assert.ok(plain?.event === 'login');
            assert.equal(event.tls, plain.tls);
          },
        ),
        { numRuns: 3000 },
      );
    });

    test('a failure tells of no login', () => {
      fc.assert(
        fc.property(
          tag,
          fc.constantFrom(...failures),
          client,
          hostileText,
          hostileName,
          hostileText,
          (program, format, [ip], user, host, text) => {
            assert.notEqual(
              recognise(one, program, format, { user, ip, host, text })?.event,
              'login',
            );
          },
        ),
        { numRuns: 3000 },
      );
    });
  });
}
