/**
 * The report as one page that needs nothing else: no script, no font or picture from elsewhere.
 *
 * It is light or dark as the browser is, narrow on a phone, and prints.  Every chart has the table of its numbers below it.
 */
import type { Counts, Summed } from '../history/summary-rows.ts';
import { barChart } from './chart.ts';
import { escaped } from './escape.ts';
import { localTime } from './history-rows.ts';
import {
  bytesText,
  countsTable,
  grouped,
  hourRows,
  moreText,
  type UsageTable,
  usageTables,
} from './usage-tables.ts';

const STYLE = `
:root{color-scheme:light dark;--page:#fcfcfb;--ink:#16181d;--faint:#5b6270;--line:#dcdfe4;--card:#fff;--one:#2a78d6;--two:#d9722e}
@media(prefers-color-scheme:dark){:root{--page:#14161a;--ink:#e8eaee;--faint:#a2a9b6;--line:#343944;--card:#1c1f25;--one:#5b9ff0;--two:#f09a5c}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:72rem;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.5rem 0 0}
h2{font-size:1.15rem;margin:2.2rem 0 .2rem}
p{margin:.2rem 0 .8rem;color:var(--faint)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:1rem 0}
.figures div{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
.figures b{display:block;font-size:1.4rem;line-height:1.3}
.figures span{color:var(--faint);font-size:.85rem}
figure{margin:1rem 0 .4rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem}
figcaption{font-weight:600}
svg{display:block;width:100%;height:auto}
.grid{stroke:var(--line)}
.tick{fill:var(--faint);font-size:11px}
.series1{fill:var(--one);background:var(--one)}
.series2{fill:var(--two);background:var(--two)}
.legend{display:flex;gap:.1rem 1rem;flex-wrap:wrap;font-size:.85rem;margin:.2rem 0}
.legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.35rem .7rem;text-align:left;white-space:nowrap;border-bottom:1px solid var(--line)}
tr:last-child td{border-bottom:0}
th{color:var(--faint);font-weight:600}
.number{text-align:right;font-variant-numeric:tabular-nums}
summary{cursor:pointer;color:var(--faint);margin:.3rem 0 .6rem}
@media(max-width:40rem){body{padding:.7rem}.tick{font-size:20px}.spare{display:none}th,td{padding:.3rem .5rem}td{vertical-align:top}td:not(.number){min-width:7.6rem;max-width:10rem;white-space:normal;overflow-wrap:anywhere}}
@media print{details{display:none}}
`;

export function usageHtml(summed: Summed): string {
  const { since, until, days } = summed;
  const hours = hourRows(summed);
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n' +
    `<title>popbsmtp: who used the relay</title>\n<style>${STYLE}</style>\n</head>\n<body>\n` +
    `<h1>Who used the relay</h1>\n<p>From ${localTime(since)} to ${localTime(until)}</p>\n` +
    `${figures(summed)}\n` +
    `${chartsOf('day', days, day => day.slice(5))}\n${chartsOf('hour of the day', hours, hour => hour.slice(0, 2))}\n` +
    `${usageTables(summed).map(section).join('\n')}\n</body>\n</html>\n`
  );
}

function figures({ totals }: Summed): string {
  const all: readonly (readonly [string, string])[] = [
    [grouped(totals.granted), 'logins'],
    [grouped(totals.grants), 'grants'],
    [grouped(totals.messages), 'messages relayed by grants'],
    [grouped(totals.recipients), 'recipients of these'],
    [bytesText(totals.bytes), 'size of these'],
    [grouped(totals.authenticated), 'messages with a password'],
    [grouped(totals.refused), 'refused recipients'],
  ];
  const boxes = all.map(([value, name]) => `<div><b>${value}</b><span>${name}</span></div>`);
  return `<div class="figures">${boxes.join('')}</div>`;
}

function chartsOf(
  what: string,
  rows: readonly (readonly [string, Counts])[],
  label: (name: string) => string,
): string {
  const labels = rows.map(([name]) => label(name));
  const values = (field: keyof Counts): number[] => rows.map(([, counts]) => counts[field]);
  const logins = barChart(`Logins by ${what}`, labels, [
    { name: 'logins that granted', values: values('granted') },
    { name: 'logins that granted nothing', values: values('ignored') },
  ]);
  const messages = barChart(`Messages by ${what}`, labels, [
    { name: 'relayed by grants', values: values('messages') },
    { name: 'with a password', values: values('authenticated') },
  ]);
  const table = tableHtml(countsTable('', '', rows));
  return `${logins}\n${messages}\n<details><summary>The numbers by ${what}</summary>${table}</details>`;
}

const section = (table: UsageTable): string =>
  `<section id="${table.id}"><h2>${escaped(table.title)}</h2><p>${escaped(table.about)}</p>${tableHtml(table)}${moreHtml(table)}</section>`;

const moreHtml = ({ more }: UsageTable): string =>
  more === 0 ? '' : `<p>${escaped(moreText(more))}</p>`;

function tableHtml({ columns, rows }: UsageTable): string {
  if (rows.length === 0) return '<p>None.</p>';
  const kind = (at: number): string => (columns[at]?.isNumber === true ? ' class="number"' : '');
  const head = columns.map(({ name }, at) => `<th scope="col"${kind(at)}>${escaped(name)}</th>`);
  const body = rows.map(
    row => `<tr>${row.map((cell, at) => `<td${kind(at)}>${escaped(cell)}</td>`).join('')}</tr>`,
  );
  return `<div class="wide"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}
