/** How entries of the history look: a line for people, an object for programs.  A contract, as the log's lines are. */
import { type Entry, isGranting } from '../history/entry.ts';

/** Local time to the second, with its zone's offset left to the reader: as logs on the same machine have it. */
export function localTime(seconds: number): string {
  const at = new Date(seconds * 1000);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** ISO 8601 in UTC, with a fraction where there is one. */
export const isoMoment = (seconds: number): string =>
  new Date(Math.round(seconds * 1000)).toISOString().replace('.000Z', 'Z');

export const entryLine = (entry: Entry): string => `${localTime(entry.time)} ${textOf(entry)}`;

function textOf(entry: Entry): string {
  const { kind, ip, what, until, id, messages, recipients, bytes } = entry;
  const whose = holderOf(entry);
  const why = what === null ? '' : ` reason="${what}"`;
  switch (kind) {
    case 'login': {
      const tls = entry.tls === null ? '' : ` tls=${entry.tls ? 'yes' : 'no'}`;
      return isGranting(entry)
        ? `${what} ip=${ip} ${whose}${tls}`
        : `ignored ip=${ip} ${whose}${tls}${why}`;
    }
    case 'ended':
      return `ended ip=${ip} ${whose}${why}`;
    case 'order': {
      const whom = ip === null ? `user=${JSON.stringify(entry.user ?? '')}` : `ip=${ip}`;
      return `${what} ${whom}${until > 0 ? ` until="${localTime(until)}"` : ''}`;
    }
    case 'relayed':
      return `relayed ip=${ip} ${whose} messages=${messages} recipients=${recipients} bytes=${bytes} id="${id}"`;
    case 'sent':
      return `authenticated ip=${ip} user=${JSON.stringify(entry.user ?? '')} id="${id}"`;
    case 'refused':
      return `refused ip=${ip}${why}`;
    case 'limit':
      return `limit exceeded ip=${ip} ${whose}${why}`;
    case 'daemon':
      return `daemon ${what}`;
  }
}

const holderOf = ({ user, server }: Entry): string =>
  `user=${JSON.stringify(user ?? '')} server=${server ?? ''}`;

export function entryJson(entry: Entry): object {
  const { kind, ip, user, server, what, id, messages, recipients, bytes, tls } = entry;
  const time = isoMoment(entry.time);
  switch (kind) {
    case 'login': {
      const isIgnored = !isGranting(entry);
      const outcome = isIgnored ? 'ignored' : what;
      return { event: kind, outcome, reason: isIgnored ? what : null, ip, user, server, tls, time };
    }
    case 'ended':
    case 'limit':
      return { event: kind, reason: what, ip, user, server, time };
    case 'order': {
      const until = entry.until > 0 ? isoMoment(entry.until) : null;
      return { event: kind, order: what, ip, user, until, time };
    }
    case 'relayed':
      return { event: kind, ip, user, server, messages, recipients, bytes, message: id, time };
    case 'sent':
      return { event: 'authenticated', ip, user, message: id, time };
    case 'refused':
      return { event: kind, reason: what, ip, time };
    case 'daemon':
      return { event: kind, state: what, time };
  }
}
