/** What there is to say of what the administrator orders: all of it is audited. */
import type { Given } from '../grant/order.ts';
import { NEWS_TEXT } from '../grant/orders.ts';
import { formatCtime, formatStamp } from '../line/stamp.ts';
import { asIs, noLines, none, type Rows } from './decision-row.ts';
import { info, warn } from './log-line.ts';
import { fromText } from './login-rows.ts';
import { isoTime } from './print.ts';
import type { ShowUser } from './user-names.ts';

/** More would be a line that nobody reads; `popbsmtp list --orders` shows all. */
const MOST_ORDERS = 20;

const HALF_YEAR_SECONDS = 183 * 86_400;

export const ORDER_ROWS = {
  allowed: {
    line({ order, from }) {
      const facts = { event: 'allowed', ...orderFacts([order]), ...giverFacts(from) };
      const text = `allowed ${subjectText(order)} ${untilText(order)}${giverText(from)}`;
      return { ...info(text), facts };
    },
    debug: ({ order }) => [`allowing ip=${order.subject.ip}`],
    json: none,
    withUsers: asIs,
    audited: true,
  },
  revoked: {
    line({ orders, grants, from }) {
      const [first] = orders;
      if (first === undefined) return null;
      const facts = {
        event: 'revoked',
        ...orderFacts(orders),
        grants: grants.length,
        ...giverFacts(from),
      };
      const subjects = orders.map(subjectText).join(' ');
      const text = `revoked ${subjects} ${untilText(first)} grants=${grants.length}${giverText(from)}`;
      return { ...info(text), facts };
    },
    debug: ({ grants }) => grants.map(({ ip }) => `revoking ip=${ip}`),
    json: none,
    withUsers: (decision, show) => ({ ...decision, orders: withSubjects(decision.orders, show) }),
    audited: true,
  },
  lifted: {
    line({ ended, grants, from }) {
      if (ended.length === 0) return null;
      const { ip, user } = orderFacts(ended);
      const facts = { event: 'lifted', ip, user, grants: grants.length, ...giverFacts(from) };
      const subjects = ended.map(subjectText).join(' ');
      return { ...info(`lifted ${subjects} grants=${grants.length}${giverText(from)}`), facts };
    },
    debug: ({ grants }) => grants.map(({ ip }) => `revoking ip=${ip}`),
    json: none,
    withUsers: (decision, show) => ({
      ...decision,
      orders: withSubjects(decision.orders, show),
      ended: withSubjects(decision.ended, show),
    }),
    audited: true,
  },
  probed: {
    line({ ip, seconds }) {
      const event = seconds === null ? 'probe ended' : 'probed';
      const facts = { event, ip, seconds, by: 'control' };
      const text = seconds === null ? `probe ended ip=${ip}` : `probe ip=${ip} for ${seconds}s`;
      return { ...info(`${text} by=control`), facts };
    },
    debug: ({ ip, seconds }) => [`${seconds === null ? 'unprobing' : 'probing'} ip=${ip}`],
    json: none,
    withUsers: asIs,
    audited: true,
  },
  'order bounded': {
    line({ what, order }) {
      const facts = { event: `order ${what}`, order: order.kind, ...orderFacts([order]) };
      return { ...warn(`${NEWS_TEXT[what]}: ${orderText(order)}`), facts };
    },
    debug: noLines,
    json: none,
    withUsers: (decision, show) => ({ ...decision, order: withSubject(decision.order, show) }),
    audited: true,
  },
  'in force': {
    line({ orders }) {
      const shown = orders.slice(0, MOST_ORDERS).map(orderText);
      const more = orders.length > MOST_ORDERS ? [`and ${orders.length - MOST_ORDERS} more`] : [];
      const text = `orders by hand in force: ${[...shown, ...more].join(', ')}`;
      return { ...info(text), facts: { event: 'in force', orders: orders.length } };
    },
    debug: noLines,
    json: none,
    withUsers: (decision, show) => ({ ...decision, orders: withSubjects(decision.orders, show) }),
    audited: true,
  },
} satisfies Partial<Rows>;

/** The addresses between blanks, or the user, and when the orders end; they were given as one. */
function orderFacts(
  orders: readonly Given[],
): Readonly<Record<'ip' | 'user' | 'until', string | null>> {
  const [first] = orders;
  const ips = orders.flatMap(({ subject }) => (subject.kind === 'address' ? [subject.ip] : []));
  return {
    ip: ips.length === 0 ? null : ips.join(' '),
    user: first?.subject.kind === 'user' ? first.subject.user : null,
    until: first === undefined ? null : isoTime(Math.floor(first.until)),
  };
}

/** Who gave an order: the control socket of this host, or another host. */
const giverFacts = (from: string | undefined): Readonly<Record<string, string>> =>
  from === undefined ? { by: 'control' } : { by: 'fleet', from };

const giverText = (from: string | undefined): string =>
  from === undefined ? ' by=control' : ` by=fleet${fromText(from)}`;

const orderText = (order: Given): string =>
  `${order.kind} ${subjectText(order)} ${untilText(order)}`;

const subjectText = ({ subject }: Given): string =>
  subject.kind === 'address' ? `ip=${subject.ip}` : `user=${JSON.stringify(subject.user)}`;

/** With the year where it is so far away that nobody would guess it. */
const untilText = ({ made, until }: Given): string =>
  `until="${until - made > HALF_YEAR_SECONDS ? formatCtime(until) : formatStamp(until)}"`;

const withSubjects = <O extends Given>(orders: readonly O[], show: ShowUser): O[] =>
  orders.map(order => withSubject(order, show));

function withSubject<O extends Given>(order: O, show: ShowUser): O {
  const { subject } = order;
  if (subject.kind === 'address') return order;
  return { ...order, subject: { kind: 'user', user: show(subject.user) ?? '' } };
}
