/**
 * `npm run test:faults`: every fault as often as it takes to trust the daemon, and a table of what was lost.
 *
 * With arguments only the faults whose names contain one of them.
 */
import { OUTER_NETWORK } from '../isolation.ts';
import { Rig } from '../real/rig.ts';
import { FAULTS } from './faults.ts';
import { FLEET_FAULTS } from './fleet-faults.ts';

const HEAD = [
  'fault',
  'times injected',
  'logins logged',
  'lost',
  'left open',
  'asked of Postfix',
  'wrong',
];

const wanted = process.argv.slice(2);
const rows: (string | number)[][] = [HEAD];
for (const { name, times, needsIsolation, run } of [...FAULTS, ...FLEET_FAULTS]) {
  if (wanted.length > 0 && !wanted.some(part => name.includes(part))) continue;
  if (needsIsolation && process.env[OUTER_NETWORK] === undefined) {
    process.stderr.write(
      `${name} · left out, since it would change the firewall of this machine\n`,
    );
    continue;
  }
  const rig = new Rig();
  try {
    const { logins, lost, open, postfix } = await run(rig, times);
    rows.push([name, times, logins, lost, open, postfix?.asked ?? '-', postfix?.wrong ?? '-']);
    if (lost + open + (postfix?.wrong ?? 0) > 0) process.exitCode = 1;
  } finally {
    await rig.close();
  }
  process.stderr.write(`${rows.at(-1)?.join(' · ')}\n`);
}

const widths = HEAD.map((_, column) => Math.max(...rows.map(row => String(row[column]).length)));
for (const row of rows) {
  const cells = row.map((cell, column) =>
    column === 0 ? String(cell).padEnd(widths[0] ?? 0) : String(cell).padStart(widths[column] ?? 0),
  );
  process.stdout.write(`${cells.join('  ')}\n`);
}
