/**
 * A Redis of the test's own: a free port of the loopback, a temporary directory, ended with the rig.
 *
 * With POPBSMTP_ENGINE=valkey it is a Valkey, for all tests of a fleet (`npm run test:suites`).
 * Promises: it accepts connections when it is started; it can be killed and started again in the same directory, so
 * that what it has kept there is what it goes on with.
 */
import type { Certificate } from './certificate.ts';
import { type Daemon, mustRun, startDaemon } from './processes.ts';
import type { Rig } from './rig.ts';
import { waitForPort } from './wait.ts';

const HOST = '127.0.0.1';
const ENGINE = process.env['POPBSMTP_ENGINE'] ?? 'redis';
export const SERVER = `${ENGINE}-server`;
export const CLI = `${ENGINE}-cli`;
/** For requirePrograms. */
export const ENGINE_PROGRAMS: readonly string[] = [SERVER, CLI];

export class Redis {
  readonly port: number;
  readonly #rig: Rig;
  readonly #args: readonly string[];
  /** What whoever talks to it has to trust; null without TLS. */
  readonly #authority: string | null;
  readonly #env: Readonly<Record<string, string>>;
  #daemon: Daemon;

  private constructor(
    rig: Rig,
    port: number,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    authority: string | null,
  ) {
    this.#rig = rig;
    this.#env = env;
    this.port = port;
    this.#authority = authority;
    this.#args = args;
    this.#daemon = this.#launch();
  }

  /** @param more of its command line: `--appendonly yes` */
  static start(rig: Rig, port: number, ...more: string[]): Promise<Redis> {
    return Redis.startWith(rig, port, {}, ...more);
  }

  /** Speaks TLS only. */
  static startTls(
    rig: Rig,
    port: number,
    certificate: Certificate,
    ...more: string[]
  ): Promise<Redis> {
    const args = ['--port', '0', '--tls-port', String(port), ...tlsArgs(certificate), ...more];
    return Redis.#start(rig, port, {}, args, certificate.certificate);
  }

  /** @param env more of its environment */
  static async startWith(
    rig: Rig,
    port: number,
    env: Readonly<Record<string, string>>,
    ...more: string[]
  ): Promise<Redis> {
    return Redis.#start(rig, port, env, ['--port', String(port), ...more], null);
  }

  static async #start(
    rig: Rig,
    port: number,
    env: Readonly<Record<string, string>>,
    args: readonly string[],
    authority: string | null,
  ): Promise<Redis> {
    const common = ['--bind', HOST, '--dir', await rig.directory(), '--save', ''];
    const redis = new Redis(rig, port, [...common, ...args], env, authority);
    await redis.#ready();
    return redis;
  }

  get url(): string {
    return `${this.#authority === null ? 'redis' : 'rediss'}://${HOST}:${this.port}/0`;
  }

  get pid(): number {
    return this.#daemon.pid;
  }

  /** What its command-line client prints. */
  cli(...args: string[]): Promise<string> {
    return cli(this.port, this.#authority, args);
  }

  signal(name: NodeJS.Signals): void {
    this.#daemon.signal(name);
  }

  async kill(): Promise<void> {
    this.#daemon.signal('SIGKILL');
    await this.#daemon.exited();
  }

  /** Starts it again, with what it has kept. */
  async again(): Promise<void> {
    this.#daemon = this.#launch();
    await this.#ready();
  }

  #launch(): Daemon {
    return startDaemon(this.#rig, SERVER, this.#args, { env: this.#env });
  }

  #ready(): Promise<void> {
    return waitForPort(HOST, this.port);
  }
}

/** Of a server's command line: what it proves who it is with. */
export const tlsArgs = ({ key, certificate }: Certificate): string[] => [
  ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate],
  ...['--tls-auth-clients', 'no', '--tls-replication', 'yes'],
];

/**
 * What the command-line client prints.
 *
 * @param authority null without TLS
 */
export const cli = (
  port: number,
  authority: string | null,
  args: readonly string[],
): Promise<string> => {
  const tls = authority === null ? [] : ['--tls', '--cacert', authority];
  return mustRun(CLI, ['-h', HOST, '-p', String(port), ...tls, ...args]);
};
