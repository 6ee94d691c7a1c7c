/**
 * `npm run report:pictures [DIRECTORY]`: the page of `report --html` as Chromium shows it, on a phone, a tablet and a large screen, light and
 * dark, for people to look at.
 *
 * Leaves to others: Chromium, which no test needs and which has to be installed (Debian's package chromium).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { IpText } from '../../src/base/address.ts';
import { type Entry, entryOf } from '../../src/history/entry.ts';
import { Summary } from '../../src/history/summary.ts';
import { usageHtml } from '../../src/report/usage-html.ts';
import { blocksOf } from '../history/blocks.ts';
import { mustRun } from '../real/processes.ts';

const DAY = 86_400;
const DAYS = 30;
const SIZES = ['390,844', '1024,768', '1920,1080'];
/** Blink's PreferredColorScheme. */
const SCHEMES = { dark: 0, light: 1 };
const USERS = [
  'anna',
  'bert@example.org',
  'scanner.second-floor.accounting@a-very-long-name.example.org',
  'carl',
  'dora',
  'eve',
];

/** Busy at noon, quiet at night. */
function entries(start: number): Entry[] {
  return Array.from({ length: DAYS * 200 }, (_, step) => step).flatMap(step => {
    const time = start + (step * DAY) / 200;
    const busy = 1 + Math.cos(((new Date(time * 1000).getHours() - 12) * Math.PI) / 12);
    return (step * 7) % 11 > busy * 5 ? [] : entriesAt(step, time);
  });
}

function entriesAt(step: number, time: number): Entry[] {
  const at = (step * 5 + (step >> 3)) % USERS.length;
  const user = USERS[at] ?? '';
  const ip = (
    at === 1 ? '2001:db8:1234:5678:9abc:def0:1234:5678' : `198.51.100.${at + 1}`
  ) as IpText;
  const whose = { ip, user, server: 'dovecot' };
  const what = step % 13 === 0 ? 'not encrypted' : step % 4 === 0 ? 'granted' : 'refreshed';
  const sizes = { messages: 1, recipients: 1 + (step % 3), bytes: step * 300 };
  const some: readonly (readonly [isThere: boolean, entry: Entry])[] = [
    [true, entryOf('login', time, { ...whose, what, tls: at !== 3 })],
    [at < 3 && step % 5 < 2, entryOf('relayed', time + 5, { ...whose, ...sizes, id: 'mx 1' })],
    [at > 3 && step % 5 === 0, entryOf('sent', time + 6, { ip, user, id: 'mx 2' })],
    [step % 17 === 0, entryOf('refused', time + 7, { ip, what: 'relay access denied' })],
    [step % 6 === 0, entryOf('ended', time + 400, { ip, what: 'purged' })],
  ];
  return some.flatMap(([isThere, entry]) => (isThere ? [entry] : []));
}

const directory = resolve(process.argv[2] ?? 'dist/pictures');
mkdirSync(directory, { recursive: true });
const end = Date.now() / 1000;
const summary = new Summary(end - DAYS * DAY, end);
for (const block of blocksOf(entries(end - DAYS * DAY))) summary.take(block);
const page = join(directory, 'report.html');
writeFileSync(page, usageHtml(summary.sum()));
const profile = mkdtempSync(join(tmpdir(), 'popbsmtp-chromium-'));
try {
  for (const size of SIZES)
    for (const [name, scheme] of Object.entries(SCHEMES)) {
      const picture = join(directory, `${size.split(',')[0]}-${name}.png`);
      await mustRun('chromium', [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'],
        ...[`--blink-settings=preferredColorScheme=${scheme}`, `--window-size=${size}`],
        ...[`--user-data-dir=${profile}`, `--screenshot=${picture}`, `file://${page}`],
      ]);
      process.stdout.write(`${picture}\n`);
    }
} finally {
  rmSync(profile, { recursive: true, force: true });
}
