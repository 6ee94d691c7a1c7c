/**
 * The tables of the report, as texts: one list, from which the text and the page are made.
 */
import { formatDuration } from '../base/duration.ts';
import type { Counts, LoginRow, Need, Summed } from '../history/summary-rows.ts';
import { localTime } from './history-rows.ts';

export interface UsageTable {
  readonly id: string;
  readonly title: string;
  /** What it tells, in a sentence. */
  readonly about: string;
  readonly columns: readonly { readonly name: string; readonly isNumber?: true }[];
  readonly rows: readonly (readonly string[])[];
  /** How many rows were left out. */
  readonly more: number;
}

/** Rows that are shown but of who still needs it, which is to be a whole list; the object for programs has all. */
const MOST_ROWS = 100;

export const moreText = (more: number): string => `and ${grouped(more)} more, which --json has`;

const text = (name: string): { readonly name: string } => ({ name });
const number = (name: string): { readonly name: string; readonly isNumber: true } => ({
  name,
  isNumber: true,
});

const LOGIN_COLUMNS = [
  text('user'),
  text('address'),
  text('server'),
  text('encrypted'),
  number('logins'),
  text('last'),
];

export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

export function bytesText(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const)
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  return `${bytes} B`;
}

const shown = (value: string | null): string => value ?? '-';
const tlsText = (tls: boolean | null): string => (tls === null ? '?' : tls ? 'yes' : 'no');

const NEED_TEXTS: Readonly<Record<Need, string>> = {
  relays: 'needs it: relays by a grant',
  authenticates: 'not: authenticates when sending',
  never: 'not: never sends here',
};

export function usageTables(summed: Summed): UsageTable[] {
  const tables: Omit<UsageTable, 'more'>[] = [
    {
      id: 'needs',
      title: 'Who still needs it',
      about:
        'Who relays by a grant needs POP before SMTP until the device can authenticate; when nobody does any more, it can be switched off.',
      columns: [
        text('user'),
        text(''),
        number('messages'),
        number('authenticated'),
        number('logins'),
        text('addresses'),
        text('last'),
      ],
      rows: summed.needs.map(row => [
        row.user,
        NEED_TEXTS[row.need],
        ...[row.messages, row.authenticated, row.logins].map(grouped),
        listed(row.addresses),
        localTime(row.last),
      ]),
    },
    {
      id: 'relayed',
      title: 'Relayed by grants',
      about: 'Messages of clients that had a grant and did not authenticate.',
      columns: [
        text('address'),
        text('user'),
        text('server'),
        number('messages'),
        number('recipients'),
        number('size'),
        text('first'),
        text('last'),
      ],
      rows: summed.relayed.map(row => [
        row.ip,
        shown(row.user),
        shown(row.server),
        grouped(row.messages),
        grouped(row.recipients),
        bytesText(row.bytes),
        localTime(row.first),
        localTime(row.last),
      ]),
    },
    {
      id: 'logins',
      title: 'Logins',
      about: 'Those that granted something.',
      columns: LOGIN_COLUMNS,
      rows: summed.logins.map(loginCells),
    },
    {
      id: 'ignored',
      title: 'Logins that granted nothing',
      about: 'By the reason.',
      columns: [text('reason'), number('logins')],
      rows: summed.ignored.map(([reason, logins]) => [reason, grouped(logins)]),
    },
    {
      id: 'refused',
      title: 'Refused relays of addresses that had logged in',
      about: '"popbsmtp why ADDRESS --at TIME" says why.',
      columns: [text('address'), text('user'), number('recipients'), text('last')],
      rows: summed.refused.map(row => [
        row.ip,
        shown(row.user),
        grouped(row.refused),
        localTime(row.last),
      ]),
    },
    {
      id: 'shared',
      title: 'Addresses that users share',
      about: 'Whoever else is behind such an address could relay, too.',
      columns: [text('address'), number('users'), text('names')],
      rows: summed.shared.map(({ ip, users }) => [ip, grouped(users.length), listed(users)]),
    },
    {
      id: 'longest',
      title: 'Open longest',
      about: 'Grants by how long they lasted without a break.',
      columns: [text('address'), text('user'), text('from'), text('to'), number('for')],
      rows: summed.longest.map(({ ip, user, from, to }) => [
        ip,
        shown(user),
        localTime(from),
        localTime(to),
        lasting(to - from),
      ]),
    },
    {
      id: 'without-tls',
      title: 'What require-tls would have refused',
      about: 'Logins that were not encrypted, or of which the server does not say so.',
      columns: LOGIN_COLUMNS,
      rows: summed.withoutTls.map(loginCells),
    },
  ];
  return tables.map(table => {
    const rows = table.id === 'needs' ? table.rows : table.rows.slice(0, MOST_ROWS);
    return { ...table, rows, more: table.rows.length - rows.length };
  });
}

/** Behind a chart. */
export const countsTable = (
  id: string,
  title: string,
  rows: readonly (readonly [string, Counts])[],
): UsageTable => ({
  id,
  title,
  about: '',
  more: 0,
  columns: [
    text(''),
    number('logins'),
    number('granting nothing'),
    number('grants'),
    number('relayed'),
    number('recipients'),
    number('authenticated'),
    number('refused'),
  ],
  rows: rows.map(([name, one]) => [
    name,
    ...[one.granted, one.ignored, one.grants, one.messages, one.recipients].map(grouped),
    ...[one.authenticated, one.refused].map(grouped),
  ]),
});

export const hourRows = ({ hours }: Summed): (readonly [string, Counts])[] =>
  hours.map((counts, hour) => [`${String(hour).padStart(2, '0')}:00`, counts]);

const loginCells = (row: LoginRow): string[] => [
  shown(row.user),
  row.ip,
  shown(row.server),
  tlsText(row.tls),
  grouped(row.logins),
  localTime(row.last),
];

function listed(names: readonly string[]): string {
  const more = names.length > 5 ? [`and ${names.length - 5} more`] : [];
  return [...names.slice(0, 5), ...more].join(', ');
}

/** In its two largest units. */
function lasting(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  const unit = whole >= 86_400 ? 3600 : whole >= 3600 ? 60 : 1;
  const days = Math.floor(whole / 86_400);
  const rest = Math.floor((whole % 86_400) / unit) * unit;
  const hours = Math.floor(rest / 3600);
  const minutes = Math.floor((rest % 3600) / 60);
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return formatDuration(whole).includes('s') ? `${minutes}m ${whole % 60}s` : formatDuration(whole);
}
