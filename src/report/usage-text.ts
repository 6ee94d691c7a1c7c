/** The report as text for a terminal, and as an object for programs, which is a contract. */
import { noun } from '../base/quantity.ts';
import type { Counts, LoginRow, Summed } from '../history/summary-rows.ts';
import { isoMoment, localTime } from './history-rows.ts';
import {
  bytesText,
  countsTable,
  grouped,
  hourRows,
  moreText,
  type UsageTable,
  usageTables,
} from './usage-tables.ts';

export function usageText(summed: Summed): string {
  const { since, until, totals, days } = summed;
  const head =
    `From ${localTime(since)} to ${localTime(until)}\n\n` +
    `${some(totals.granted, 'login')}, ${grouped(totals.ignored)} more that granted nothing; ${some(totals.grants, 'grant')}; ` +
    `${some(totals.messages, 'message')} relayed by grants to ${some(totals.recipients, 'recipient')} (${bytesText(totals.bytes)}); ` +
    `${some(totals.authenticated, 'message')} of clients that authenticated; ${some(totals.refused, 'recipient')} refused\n`;
  const tables = [
    ...usageTables(summed),
    countsTable('days', 'By day', days),
    countsTable('hours', 'By hour of the day', hourRows(summed)),
  ];
  return head + tables.map(tableText).join('');
}

/** So many, with their digits in groups. */
const some = (count: number, one: string): string => `${grouped(count)} ${noun(count, one)}`;

function tableText({ title, about, columns, rows, more }: UsageTable): string {
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
  const rest = more === 0 ? '' : `    ${moreText(more)}\n`;
  return head + text.map(line => `    ${line}\n`).join('') + rest;
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
