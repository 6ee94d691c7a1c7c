/**
 * The `[journal]` table of a pattern file: what the server's own entries in the systemd journal look like.
 *
 * Without the table they come from root.  With it, only what it says is looked at, so it says something of the sender.
 * Either way they come by a way in that keeps a message whole, unless the table names another.
 */
import {
  type JournalTrust,
  ONLY_ROOT,
  TRANSPORTS,
  type Transport,
  WHOLE_TRANSPORTS,
} from '../source/journal-trust.ts';
import type { TomlTable } from './toml-table.ts';

/** What tells a sender. */
const KEYS = ['uids', 'units', 'comms', 'exes', 'priority'] as const;
/** Of syslog(3), debug. */
const LOWEST_PRIORITY = 7;
/** uid_t has 32 bits, and the last one stands for none. */
const LAST_UID = 2 ** 32 - 2;

/** @throws Failure PATTERN_SYNTAX */
export function journalTrustOf(top: TomlTable): JournalTrust {
  const table = top.table('journal');
  if (table === null) return ONLY_ROOT;
  table.allow([...KEYS, 'transports', 'stream-exes', 'host-first']);
  if (!KEYS.some(key => table.has(key)))
    throw top.error(
      'journal',
      'a table without a sender trusts everybody',
      `say one of ${KEYS.join(', ')}`,
    );
  const isHostFirst = table.has('host-first');
  if (isHostFirst) requireUnits(table);
  const texts = (key: string): string[] | null => (table.has(key) ? table.strings(key) : null);
  return {
    uids: table.has('uids') ? table.numbers('uids', LAST_UID) : null,
    units: texts('units'),
    comms: texts('comms'),
    exes: texts('exes'),
    priority: table.number('priority', LOWEST_PRIORITY),
    transports: table.has('transports') ? transportsOf(table) : WHOLE_TRANSPORTS,
    streamExes: texts('stream-exes'),
    isHostFirst,
  };
}

/** Entries without a tag are asked for by the units of who sent them. */
function requireUnits(table: TomlTable): void {
  table.flag('host-first');
  if (!table.has('units'))
    throw table.error('host-first', 'entries without a tag are found by units', 'say units');
}

function transportsOf(table: TomlTable): Transport[] {
  return table.strings('transports').map(text => {
    const transport = TRANSPORTS.find(known => known === text);
    if (transport === undefined)
      throw table.error(
        'transports',
        `"${text}" is no way into the journal`,
        `there are ${TRANSPORTS.join(', ')}`,
      );
    return transport;
  });
}
