/** What there is to say of grants that end, or last on, and of the map that they are in. */

import { formatDuration } from '../base/duration.ts';
import { quantity } from '../base/quantity.ts';
import type { Grant } from '../grant/grant-table.ts';
import { formatCtime, formatStamp } from '../line/stamp.ts';
import { asIs, type DecisionOf, noLines, none, type Rows } from './decision-row.ts';
import { type Facts, info, type LogLine, warn } from './log-line.ts';
import { fromFact, fromText, holderText } from './login-rows.ts';
import { isoTime } from './print.ts';
import type { ShowUser } from './user-names.ts';

export const GRANT_ROWS = {
  purged: {
    line: decision => endLine(decision, { event: 'purged' }),
    debug: ({ grant }) => [`purging ${grantText(grant)}`],
    json: ({ grant }) => ({ event: 'purged', ...grantFacts(grant) }),
    withUsers: withHolder,
    audited: false,
  },
  withdrawn: {
    line(decision) {
      const { reason, from } = decision;
      return endLine(decision, { event: 'withdrawn', reason, ...fromFact(from) });
    },
    debug: ({ grant, reason }) => [`purging ${grantText(grant)}`, `    withdrawn --- ${reason}`],
    json: ({ grant, reason }) => ({ event: 'withdrawn', reason, ...grantFacts(grant) }),
    withUsers: withHolder,
    audited: false,
  },
  kept: {
    line: none,
    debug: ({ grant }) => [`keeping ${grantText(grant)}`],
    json: ({ grant }) => ({ event: 'kept', ...grantFacts(grant) }),
    withUsers: asIs,
    audited: false,
  },
  identified: {
    line({ ip, holder, login, queueId }) {
      const facts = {
        event: 'identified',
        ip,
        ...{ user: holder.user, server: holder.server },
        login: login && isoTime(login),
        queue: queueId,
      };
      const stamp = login === null ? '' : ` login="${formatStamp(login)}"`;
      const queue = queueId === null ? '' : ` queue=${queueId}`;
      return { ...info(`client=${ip} ${holderText(holder)}${stamp}${queue}`), facts };
    },
    debug: noLines,
    json: none,
    withUsers: (decision, show) => {
      const { holder } = decision;
      return { ...decision, holder: { ...holder, user: show(holder.user) } };
    },
    // Whoever has asked for these wants them in the log.
    audited: true,
  },
  evicted: {
    line({ grants: { length } }) {
      const text = `there are more grants than --max-grants allows: ${length} have ended before their time`;
      return { ...warn(text), facts: { event: 'evicted', grants: length } };
    },
    debug: ({ grants }) => grants.map(({ ip }) => `evicting ip=${ip}`),
    json: ({ grants }) => ({ event: 'evicted', ips: grants.map(({ ip }) => ip) }),
    withUsers: asIs,
    audited: false,
  },
  'map failed': {
    line({ line, seconds, overdue }) {
      const lasting =
        seconds === 0
          ? ''
          : `, for ${formatDuration(seconds)} now; ${quantity(overdue, 'row')} still to be taken out`;
      const text = `${line}; what is to be written is kept${lasting}`;
      return { level: 'error', text, facts: { event: 'map failed', seconds, overdue } };
    },
    debug: noLines,
    json: none,
    withUsers: asIs,
    audited: false,
  },
  'map recovered': {
    line({ changes }) {
      const text = `the map can be written again, ${quantity(changes, 'row has', 'rows have')} been caught up`;
      return { ...info(text), facts: { event: 'map recovered', rows: changes } };
    },
    debug: noLines,
    json: none,
    withUsers: asIs,
    audited: false,
  },
} satisfies Partial<Rows>;

const grantText = ({ ip, stamp }: Grant): string => `ts=${formatCtime(stamp)} ip=${ip}`;

const grantFacts = ({ ip, stamp }: Grant): object => ({ ip, time: isoTime(stamp) });

function endLine(
  { grant, holder }: DecisionOf<'purged' | 'withdrawn'>,
  { event, ...more }: Facts,
): LogLine {
  const { ip, stamp } = grant;
  const { reason, from } = more;
  const whose = holder === undefined ? '' : ` ${holderText(holder)}`;
  const why = reason === undefined ? '' : ` reason="${reason}"`;
  const facts = {
    event,
    ip,
    user: holder?.user ?? null,
    server: holder?.server ?? null,
    login: isoTime(stamp),
    ...more,
  };
  const text = `${event} ip=${ip}${whose} login="${formatStamp(stamp)}"${why}${fromText(from)}`;
  return { ...info(text), facts };
}

function withHolder<D extends DecisionOf<'purged' | 'withdrawn'>>(decision: D, show: ShowUser): D {
  const { holder } = decision;
  return holder === undefined
    ? decision
    : { ...decision, holder: { ...holder, user: show(holder.user) } };
}
