/**
 * Deals with what is asked and ordered over the control socket, or by a command itself when no daemon runs.
 *
 * Promises: an order is in force, and on the disk, before it is answered; a list is handed over in blocks, between
 * which the daemon goes on with its work, so its rows are those of the moments at which they were sent.
 * Leaves to others: who may ask (server.ts), and what is allowed at all (pipeline.ts).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { IpText } from '../base/address.ts';
import { epoch } from '../base/clock.ts';
import { Failure, failure } from '../base/errors.ts';
import type { ConfigurationState } from '../control/configuration-state.ts';
import { metricsText } from '../control/metrics.ts';
import {
  type About,
  type AnswerLine,
  errorLine,
  type GrantRow,
  type LiftResult,
  type LoginResult,
  type LogoutResult,
  type OrderResult,
  type Request,
} from '../control/protocol.ts';
import type { Status } from '../control/status.ts';
import type { Grant } from '../grant/grant-table.ts';
import type { Subject } from '../grant/order.ts';
import { MAX_ORDERS, type Orders } from '../grant/orders.ts';
import type { Sent } from '../history/ledger.ts';
import type { SessionId } from '../recogniser/event.ts';
import type { Core } from './core.ts';
import type { ProbeRow } from './probe-row.ts';

/** Rows of a list in one line: a millisecond's work. */
const BLOCK = 500;

/** Rows that a terminal has room for. */
const MOST_LATEST = 100;
const MOST_SORTED = 1000;

export type SentBy = (ip: IpText) => Sent | null;

export class Commands {
  readonly #core: Core;
  readonly #sentBy: SentBy;

  /** @param sentBy what the grant that an address has now has relayed; null where nobody knows */
  constructor(core: Core, sentBy: SentBy = () => null) {
    this.#core = core;
    this.#sentBy = sentBy;
  }

  /** @throws Failure ORDERS_FULL, of allowances only; STATE_UNWRITABLE when the order is in force, but will not outlive the process */
  async allow(ip: IpText, seconds: number): Promise<OrderResult> {
    const { pipeline } = this.#core;
    this.#refuseWhenFull(1);
    const allowed = await pipeline.allow(ip, seconds);
    if (allowed.kind === 'ignored') {
      const { reason } = allowed;
      return { kind: reason === 'in mynetworks' ? 'needless' : 'refused', reason };
    }
    await this.#core.saveOrders();
    const { order, effect } = allowed;
    return { kind: 'done', until: order.until, rows: [{ ip, effect }], unknown: 0 };
  }

  /**
   * @param user null when it is about addresses
   * @throws as `allow` does
   */
  async revoke(
    addresses: readonly IpText[],
    user: string | null,
    seconds: number,
  ): Promise<OrderResult> {
    const { pipeline, clock } = this.#core;
    const subjects = subjectsOf(addresses, user);
    let unknown = 0;
    const find = (): readonly IpText[] => {
      if (user === null) return addresses;
      const found = this.#ofUser(user);
      unknown = found.unknown;
      return found.ips;
    };
    const { orders, rows } = await pipeline.revoke(subjects, find, seconds);
    await this.#core.saveOrders();
    const until = orders[0]?.until ?? clock.now().wall + seconds;
    return { kind: 'done', until, rows, unknown };
  }

  /**
   * @param user null when it is about addresses
   * @throws as `allow` does
   */
  async lift(addresses: readonly IpText[], user: string | null): Promise<LiftResult> {
    const lifted = await this.#core.pipeline.lift(subjectsOf(addresses, user));
    await this.#core.saveOrders();
    return lifted;
  }

  /** A login that no log tells of, judged as one that a log does. */
  async login(request: Extract<Request, { command: 'login' }>): Promise<LoginResult> {
    const { pipeline, grants, clock } = this.#core;
    const { address: ip, user, server, tls } = request;
    const { wall } = clock.now();
    const session = sessionIdOf(request);
    const time = epoch(Math.floor(wall));
    const decision = await pipeline.event({ event: 'login', server, ip, user, time, session, tls });
    if (decision?.kind !== 'login') throw new TypeError('a login without a decision');
    const { outcome } = decision;
    if (outcome.kind === 'ignored') return { kind: 'ignored', reason: outcome.reason };
    const now = clock.now();
    return { kind: outcome.kind, until: now.wall + (grants.dueOf(ip) ?? now.steady) - now.steady };
  }

  /** The end of a session that `login` has opened. */
  async logout(request: Extract<Request, { command: 'logout' }>): Promise<LogoutResult> {
    const { pipeline, clock } = this.#core;
    const { user, server } = request;
    const time = epoch(Math.floor(clock.now().wall));
    const session = sessionIdOf(request);
    const decision = await pipeline.event({
      event: 'logout',
      server,
      ip: null,
      user,
      time,
      session,
    });
    return { address: decision?.kind === 'logout' ? decision.ip : null };
  }

  about(ip: IpText): About {
    const { grants, orders, history, clock, pipeline } = this.#core;
    const isKnown = grants.dueOf(ip) !== null || pipeline.overdueIps().includes(ip);
    return {
      grant: isKnown ? this.#row(ip) : null,
      order: orders.inForce({ kind: 'address', ip }, clock.now()),
      ...history.of(ip),
    };
  }

  /** The newest grants; before anybody has logged in since the start, those whose rows are the newest, if they are not too many to sort. */
  latest(): GrantRow[] {
    const { grants, history } = this.#core;
    const heard = history.latest().filter(ip => grants.dueOf(ip) !== null);
    const known = new Set(heard);
    const others = grants.size > MOST_SORTED ? [] : [...grants.all()];
    others.sort((a, b) => b.stamp - a.stamp);
    const older = others.flatMap(({ ip }) => (known.has(ip) ? [] : [ip]));
    return [...heard, ...older].slice(0, MOST_LATEST).map(ip => this.#row(ip));
  }

  /** The grants, in blocks, and the rows that are still in the map of those that have ended. */
  async *list(): AsyncGenerator<readonly GrantRow[]> {
    const { grants, pipeline } = this.#core;
    let block: GrantRow[] = [];
    for (const ip of both(grants.all(), pipeline.overdueIps())) {
      block.push(this.#row(ip));
      if (block.length < BLOCK) continue;
      yield block;
      block = [];
      await nextTurn();
    }
    yield block;
  }

  #ofUser(user: string): { readonly ips: readonly IpText[]; readonly unknown: number } {
    const { roster, grants } = this.#core;
    const { ips, unnamed } = roster.ofUser(user);
    return { ips, unknown: unnamed + Math.max(0, grants.size - roster.size) };
  }

  #row(ip: IpText): GrantRow {
    const { grants, roster, clock, orders, sessions } = this.#core;
    const now = clock.now();
    const due = grants.dueOf(ip);
    const order = orders.inForce({ kind: 'address', ip }, now);
    const until = due !== null && order?.kind === 'allow' ? order.until : null;
    const left = Math.max((due ?? now.steady) - now.steady, (until ?? now.wall) - now.wall, 0);
    const { user = null, server = null, since = null, last = null, others } = roster.of(ip) ?? {};
    const open = due === null ? 0 : (sessions?.openOf(ip) ?? 0);
    const sent = due === null ? null : this.#sentBy(ip);
    return [ip, Math.ceil(left), user, server, since, last, others ?? [], until, open, sent];
  }

  #refuseWhenFull(more: number): void {
    const { orders, clock } = this.#core;
    if (orders.isFull(more, clock.now())) throw failure('ORDERS_FULL', { most: MAX_ORDERS });
  }
}

function* both(grants: Iterable<Grant>, others: readonly IpText[]): Generator<IpText> {
  for (const { ip } of grants) yield ip;
  yield* others;
}

/** Apart from those of every log, whose servers have names; the log's logouts end none of these. */
function sessionIdOf({
  server,
  session,
}: {
  readonly server: string;
  readonly session: string | null;
}): SessionId | null {
  if (session === null) return null;
  const service = `\ncommand\n${server}`;
  return { key: `${service}\n${session}`, service, protocol: null };
}

const subjectsOf = (addresses: readonly IpText[], user: string | null): Subject[] =>
  user === null ? addresses.map(ip => ({ kind: 'address', ip })) : [{ kind: 'user', user }];

/**
 * The answer to a request over the socket; never rejects.
 *
 * @param warn told of a bug of ours
 */
export async function* answer(
  request: Request,
  commands: Commands,
  present: {
    readonly status: () => Status;
    readonly configuration: () => Promise<ConfigurationState | null>;
    readonly orders: () => ReturnType<Orders['list']>;
    readonly probe: ProbeRow;
    /** Told before a login by command. */
    readonly heard: () => void;
  },
  warn: (text: string) => void,
): AsyncGenerator<AnswerLine> {
  try {
    switch (request.command) {
      case 'status':
        yield { result: present.status() };
        return;
      case 'configuration':
        yield { result: await present.configuration() };
        return;
      case 'probe':
        yield { result: await present.probe.write(request.address, request.seconds) };
        return;
      case 'unprobe':
        yield { result: { gone: await present.probe.remove(request.address) } };
        return;
      case 'metrics':
        yield { result: metricsText(present.status()) };
        return;
      case 'list': {
        let grants = 0;
        for await (const rows of commands.list()) {
          grants += rows.length;
          yield { rows };
        }
        yield { result: { grants } };
        return;
      }
      case 'about':
        yield { result: commands.about(request.address) };
        return;
      case 'latest':
        yield { result: commands.latest() };
        return;
      case 'orders':
        yield { result: present.orders() };
        return;
      case 'allow':
        yield { result: await commands.allow(request.address, request.seconds) };
        return;
      case 'revoke':
        yield { result: await commands.revoke(request.addresses, request.user, request.seconds) };
        return;
      case 'lift':
        yield { result: await commands.lift(request.addresses, request.user) };
        return;
      case 'login':
        present.heard();
        yield { result: await commands.login(request) };
        return;
      case 'logout':
        present.heard();
        yield { result: await commands.logout(request) };
        return;
    }
  } catch (error) {
    if (!(error instanceof Failure)) {
      warn(`a bug: ${error instanceof Error ? error.stack : String(error)}`);
    }
    yield errorLine(error instanceof Failure ? error : failure('CONTROL_BUG', {}, error));
  }
}
