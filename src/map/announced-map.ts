/**
 * A map whose reader has to be told of each change, by a fixed command: `smtpctl update table NAME` of OpenSMTPD.
 *
 * Promises: a commit has ended when the command has, with status 0, after the file was changed; while it fails, the commit fails, and so
 * does `check`, so that whoever writes the map tries again, also when nothing more changes.  It is run when the map is opened,
 * since a process that was killed may not have come to it; should it fail then, that is told, and tried again as above: the
 * reader may be started later than we are, and reads the file then.  No shell, no input, an environment of our own, an end to the waiting.
 * Leaves to others: the file.
 * Known limit: it runs with the account of the map's directory, as all that writes there.
 */
import { execFile } from 'node:child_process';
import { type Failure, failure, reasonOf } from '../base/errors.ts';
import type { Change, Effect } from '../grant/change.ts';
import type { Command, LookupMap, MapOptions, Row } from './map.ts';
import { WrappedMap } from './wrapped-map.ts';

const TIMEOUT_MS = 30_000;
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const OUTPUT_LIMIT = 1 << 20;

export class AnnouncedMap extends WrappedMap {
  readonly #command: Command;
  /** Why the reader may not know of the last change. */
  #untold: Failure | null = null;

  private constructor(map: LookupMap, command: Command) {
    super(map);
    this.#command = command;
  }

  /** @param map open */
  static async open(map: LookupMap, command: Command, { warn }: MapOptions): Promise<AnnouncedMap> {
    const announced = new AnnouncedMap(map, command);
    await announced.#try();
    if (announced.#untold !== null) warn?.(announced.#untold.line);
    return announced;
  }

  /** @throws Failure TABLE_COMMAND, with the rows in the file; as the map does */
  override commit(changes: readonly Change[]): Promise<Effect[]> {
    return this.#announce(() => this.inner.commit(changes));
  }

  /** @throws as `commit` does */
  override remove(rows: readonly Row[]): Promise<Effect[]> {
    return this.#announce(() => this.inner.remove(rows));
  }

  /** @throws Failure TABLE_COMMAND while the reader may not know of the last change; as the map does */
  override check(): void {
    this.inner.check();
    if (this.#untold !== null) throw this.#untold;
  }

  override async reopen(): Promise<Row[]> {
    const rows = await this.inner.reopen();
    await this.#try();
    return rows;
  }

  async #announce(write: () => Promise<Effect[]>): Promise<Effect[]> {
    const before = this.inner.identity;
    const effects = await write();
    if (this.#untold === null && this.inner.identity === before) return effects;
    await this.#try();
    if (this.#untold !== null) throw this.#untold;
    return effects;
  }

  async #try(): Promise<void> {
    const reason = await run(this.#command);
    const { path } = this.inner.spec;
    const [program] = this.#command;
    this.#untold = reason === null ? null : failure('TABLE_COMMAND', { path, program, reason });
  }
}

/** @returns why it failed, or null */
function run([program, ...args]: Command): Promise<string | null> {
  return new Promise(resolve => {
    const limits = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: OUTPUT_LIMIT } as const;
    const child = execFile(program, args, { env: ENVIRONMENT, ...limits }, (error, out, err) => {
      if (error === null) return resolve(null);
      const said = `${err}${out}`.trim().split('\n').at(-1) ?? '';
      const { exitCode } = child;
      const how =
        exitCode !== null && exitCode > 0
          ? `status ${exitCode}`
          : error.killed === true
            ? `no end in ${TIMEOUT_MS / 1000} s`
            : reasonOf(error);
      resolve(said === '' ? how : `${how}: ${said}`);
    });
    child.stdin?.on('error', () => undefined).end();
  });
}
