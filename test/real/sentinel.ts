/**
 * Redis with replicas and sentinels of the test's own, all on the loopback, each a process that is ended with the rig.
 *
 * Promises: when it is started, the sentinels know of each other and of all replicas; where they say the primary is, is asked of them.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import { freePorts } from './ports.ts';
import { startDaemon } from './processes.ts';
import { cli, Redis, SERVER, tlsArgs } from './redis.ts';
import type { Rig } from './rig.ts';
import { waitFor, waitForPort } from './wait.ts';

const HOST = '127.0.0.1';
/** What the sentinels call it. */
export const PRIMARY = 'mail';
const SENTINELS = 3;
/** Of them have to agree. */
const QUORUM = 2;
/** Milliseconds of silence after which an engine counts as dead: a machine that is busy is silent for a while, too. */
const DEAD_MS = 5000;

export interface SiteOptions {
  /** Engines, the first of which is the primary. */
  readonly engines: number;
  /** More of the command line of each engine. */
  readonly more?: readonly string[];
  /** With which the engines and the sentinels speak TLS only. */
  readonly certificate?: Certificate;
  /** More lines of the configuration of each sentinel. */
  readonly sentinelLines?: readonly string[];
}

export class SentinelSite {
  readonly engines: readonly Redis[];
  readonly ports: readonly number[];
  readonly #certificate: Certificate | null;

  private constructor(
    engines: readonly Redis[],
    ports: readonly number[],
    certificate: Certificate | null,
  ) {
    this.engines = engines;
    this.ports = ports;
    this.#certificate = certificate;
  }

  static async start(
    rig: Rig,
    { engines: count, more = [], certificate, sentinelLines = [] }: SiteOptions,
  ): Promise<SentinelSite> {
    const ports = await freePorts(count + SENTINELS);
    const args = ['--repl-diskless-sync-delay', '0', ...more];
    const engines: Redis[] = [];
    for (const port of ports.slice(0, count))
      engines.push(
        await (certificate === undefined
          ? Redis.start(rig, port, ...args)
          : Redis.startTls(rig, port, certificate, ...args)),
      );
    const [primary, ...replicas] = engines;
    if (primary === undefined) throw new Error('no engine');
    for (const replica of replicas) await replica.cli('replicaof', HOST, String(primary.port));
    const site = new SentinelSite(engines, ports.slice(count), certificate ?? null);
    for (const port of site.ports)
      await site.#startSentinel(rig, port, primary.port, sentinelLines);
    await site.#ready();
    return site;
  }

  /** For --fleet-sentinels, with the name of the primary. */
  get options(): string[] {
    const scheme = this.#certificate === null ? 'redis' : 'rediss';
    const urls = this.ports.flatMap(port => ['--fleet-sentinels', `${scheme}://${HOST}:${port}`]);
    const authority = this.#certificate?.certificate;
    const tls =
      authority === undefined ? [] : ['--fleet-ca', authority, '--fleet-sentinel-ca', authority];
    return [...urls, '--fleet-sentinel-name', PRIMARY, ...tls];
  }

  /** The engine that all sentinels name. */
  async primary(): Promise<Redis> {
    return waitFor('one primary', async () => {
      const answers = await Promise.all(
        this.ports.map(port => this.#ask(port, 'get-master-addr-by-name', PRIMARY)),
      );
      const [first, ...others] = answers;
      if (others.some(answer => answer !== first)) return false;
      return this.engines.find(({ port }) => first?.includes(String(port)));
    });
  }

  /** Another one than that, which takes entries. */
  async primaryAfter(former: Redis): Promise<Redis> {
    return waitFor('another primary', async () => {
      const found = await this.primary();
      if (found === former) return false;
      return (await replication(found)).includes('role:master') && found;
    });
  }

  /** Waits until the sentinels know all that there is, so that they can do without any one. */
  async #ready(): Promise<void> {
    await waitFor('the sentinels', async () => {
      const states = await Promise.all(this.ports.map(port => this.#ask(port, 'master', PRIMARY)));
      return states.every(
        state =>
          fieldOf(state, 'num-slaves') === String(this.engines.length - 1) &&
          fieldOf(state, 'num-other-sentinels') === String(SENTINELS - 1) &&
          fieldOf(state, 'flags') === 'master',
      );
    });
    await this.settled();
  }

  /** Waits until all but the primary are replicas that hear of it, also by what the sentinels know. */
  async settled(): Promise<void> {
    const primary = await this.primary();
    const others = this.engines.filter(engine => engine !== primary);
    for (const replica of others) {
      await waitFor(`the replica ${replica.port}`, async () => {
        const info = await replication(replica);
        return (
          info.includes(`master_port:${primary.port}`) && info.includes('master_link_status:up')
        );
      });
    }
    await waitFor('the sentinels to know it', async () => {
      const answers = await Promise.all(
        this.ports.map(port => this.#ask(port, 'replicas', PRIMARY)),
      );
      return answers.every(
        answer =>
          answer.match(/^flags\nslave$/gm)?.length === others.length &&
          answer.match(/^master-link-status\nok$/gm)?.length === others.length,
      );
    });
  }

  async #startSentinel(
    rig: Rig,
    port: number,
    primary: number,
    lines: readonly string[],
  ): Promise<void> {
    const directory = await rig.directory();
    const file = join(directory, 'sentinel.conf');
    const all = [
      ...(this.#certificate === null
        ? [`port ${port}`]
        : ['port 0', `tls-port ${port}`, ...tlsLines(this.#certificate)]),
      `bind ${HOST}`,
      `dir ${directory}`,
      `sentinel monitor ${PRIMARY} ${HOST} ${primary} ${QUORUM}`,
      `sentinel down-after-milliseconds ${PRIMARY} ${DEAD_MS}`,
      `sentinel failover-timeout ${PRIMARY} 10000`,
      ...lines,
    ];
    await writeFile(file, `${all.join('\n')}\n`);
    startDaemon(rig, SERVER, [file, '--sentinel']);
    await waitForPort(HOST, port);
  }

  #ask(port: number, ...args: string[]): Promise<string> {
    return cli(port, this.#certificate?.certificate ?? null, ['sentinel', ...args]);
  }
}

/**
 * What an engine says of its replication; nothing at a moment at which a sentinel gives it another role, since it cuts off all clients then
 * (Redis 7.0, sentinel.c, `sentinelSendSlaveOf`: CLIENT KILL TYPE normal).
 */
const replication = (engine: Redis): Promise<string> =>
  engine.cli('info', 'replication').catch(() => '');

/** As in a file. */
const tlsLines = (certificate: Certificate): string[] =>
  tlsArgs(certificate)
    .join(' ')
    .split(/(?: |^)--/)
    .slice(1);

/** It prints a name and a text on a line each. */
function fieldOf(answer: string, name: string): string | undefined {
  const lines = answer.split('\n');
  return lines[lines.indexOf(name) + 1];
}
