/** The report as text for a terminal, and as an object for programs, which is a contract. */
import type { Counts, LoginRow, Summed } from '../history/summary-rows.ts';
import { isoMoment, localTime } from './history-rows.ts';
import {
  bytesText,
  countsTable,
  grouped,
  hourRows,
  type UsageTable,
  usageTables,
} from './usage-tables.ts';

export function usageText(summed: Summed): string {
  const { since, until, totals, days } = summed;
  const head =
    `From ${localTime(since)} to ${localTime(until)}\n\n` +
    `${grouped(totals.granted)} logins, ${grouped(totals.ignored)} more that granted nothing; ${grouped(totals.grants)} grants; ` +
    `${grouped(totals.messages)} messages relayed by grants to ${grouped(totals.recipients)} recipients (${bytesText(totals.bytes)}); ` +
    `${grouped(totals.authenticated)} messages of clients that authenticated; ${grouped(totals.refused)} recipients refused\n`;
  const tables = [
    ...usageTables(summed),
    countsTable('days', 'By day', days),
    countsTable('hours', 'By hour of the day', hourRows(summed)),
  ];
  return head + tables.map(tableText).join('');
}

function tableText({ title, about, columns, rows }: UsageTable): string {
  const head = `\n${title}${about === '' ? '' : `: ${about}`}\n`;
  if (rows.length === 0) return `${head}    none\n`;
  const lines = [columns.map(({ name }) => name.toUpperCase()), ...rows];
  const widths = columns.map((_, at) =>
    Math.max(...lines.map(line => [...(line[at] ?? '')].length)),
  );
  const text = lines.map(line =>
    line
      .map((cell, at) => {
        const gap = ' '.repeat((widths[at] ?? 0) - [...cell].length);
        return columns[at]?.isNumber === true ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd(),
  );
  return head + text.map(line => `    ${line}\n`).join('');
}

export function usageJson(summed: Summed): object {
  const { since, until, totals, days, hours, logins, relayed, ignored, shared } = summed;
  const login = ({ last, ...row }: LoginRow): object => ({ ...row, last: isoMoment(last) });
  const named = (counts: Counts): Counts => ({ ...counts });
  return {
    since: isoMoment(since),
    until: isoMoment(until),
    totals,
    days: days.map(([day, counts]) => ({ day, ...named(counts) })),
    hours: hours.map((counts, hour) => ({ hour, ...named(counts) })),
    relayed: relayed.map(({ first, last, ...row }) => ({
      ...row,
      first: isoMoment(first),
      last: isoMoment(last),
    })),
    needs: summed.needs.map(({ last, ...row }) => ({ ...row, last: isoMoment(last) })),
    logins: logins.map(login),
    ignored: ignored.map(([reason, count]) => ({ reason, logins: count })),
    refused: summed.refused.map(({ last, ...row }) => ({ ...row, last: isoMoment(last) })),
    shared,
    longest: summed.longest.map(({ from, to, ...row }) => ({
      ...row,
      from: isoMoment(from),
      to: isoMoment(to),
    })),
    withoutTls: summed.withoutTls.map(login),
  };
}
