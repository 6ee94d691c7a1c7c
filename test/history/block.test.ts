import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IpText } from '../../src/base/address.ts';
import { BlockWriter, HOUR } from '../../src/history/block.ts';
import { entryReader } from '../../src/history/block-reader.ts';
import { ENTRY_KINDS, type Entry, entryOf } from '../../src/history/entry.ts';

const HOUR_NUMBER = 498_611;

const text = fc.option(
  fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constantFrom('anna', 'dovecot')),
  {
    nil: null,
  },
);

/** With those fields that its kind has. */
const entry: fc.Arbitrary<Entry> = fc
  .record({
    kind: fc.constantFrom(...ENTRY_KINDS),
    ms: fc.nat(HOUR * 1000 - 1),
    ip: fc.constantFrom('192.0.2.1', '2001:db8::17', '198.51.100.7').map(ip => ip as IpText),
    user: text,
    server: text,
    what: text,
    tls: fc.constantFrom(null, true, false),
    id: fc.string({ maxLength: 30 }),
    messages: fc.nat(1),
    recipients: fc.nat(1_000_000),
    bytes: fc.nat(Number.MAX_SAFE_INTEGER),
    until: fc.nat(4_000_000_000),
  })
  .map(({ kind, ms, ip, user, server, what, tls, id, messages, recipients, bytes, until }) => {
    const fields: Record<Entry['kind'], Partial<Entry>> = {
      login: { ip, user, server, what, tls },
      ended: { ip, user, server, what },
      order: { ip, user, what, until },
      relayed: { ip, user, server, id, messages, recipients, bytes },
      sent: { ip, user, id },
      refused: { ip, what },
      limit: { ip, user, server, what },
      daemon: { what },
    };
    return entryOf(kind, HOUR_NUMBER * HOUR + ms / 1000, fields[kind]);
  });

function read(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  entryReader(one => entries.push(one))(bytes);
  return entries;
}

test('what was written is read, also of a block that grows', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 50 }), entries => {
      const writer = new BlockWriter(HOUR_NUMBER);
      for (const [index, one] of entries.entries()) {
        writer.add(one);
        if (index % 10 === 0) assert.deepEqual(read(writer.bytes()), entries.slice(0, index + 1));
      }
      assert.deepEqual(read(writer.bytes()), entries);
    }),
  );
});

test('a damaged block is never an error, and its beginning is read', () => {
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 20 }),
      fc.nat(),
      fc.nat(255),
      (entries, at, byte) => {
        const writer = new BlockWriter(HOUR_NUMBER);
        for (const one of entries) writer.add(one);
        const bytes = writer.bytes();
        const cut = read(bytes.subarray(0, at % bytes.length));
        assert.deepEqual(cut, entries.slice(0, cut.length));
        bytes[at % bytes.length] = byte;
        read(bytes);
      },
    ),
  );
});

test('an entry is small: texts stand in a block once', () => {
  const writer = new BlockWriter(HOUR_NUMBER);
  const login = entryOf('login', HOUR_NUMBER * HOUR + 12, {
    ip: '192.0.2.1' as IpText,
    ...{ user: 'anna@example.org', server: 'dovecot', what: 'refreshed', tls: true },
  });
  for (let n = 0; n < 1000; n++) writer.add(login);
  assert.ok(writer.length < 12_000, String(writer.length));
});
