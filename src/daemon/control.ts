/**
 * How a running daemon is asked and commanded from outside: the control socket, and the metrics in a file and over HTTP.
 *
 * Promises: what of it cannot be had is told, and the daemon goes on without it.
 */
import type { Server } from 'node:http';
import { Failure, failure } from '../base/errors.ts';
import { closeListener, type Listening, listen } from '../control/listener.ts';
import { metricsText } from '../control/metrics.ts';
import { ControlServer } from '../control/server.ts';
import type { Status } from '../control/status.ts';
import { Textfile } from '../control/textfile.ts';
import type { MapSpec } from '../map/map.ts';
import { socketPath } from '../state/socket.ts';
import { answer, Commands } from './commands.ts';
import type { Core } from './core.ts';

export interface ControlSettings {
  readonly map: MapSpec;
  readonly nowrite: boolean;
  /** Null for none, here and below. */
  readonly metricsFile: string | null;
  readonly metricsListen: Listening | null;
}

interface ControlParts {
  readonly core: Core;
  readonly status: () => Status;
  readonly warn: (text: string) => void;
}

export class Control {
  readonly #server: ControlServer | null;
  readonly #textfile: Textfile | null;
  readonly #listener: Server | null;

  private constructor(
    server: ControlServer | null,
    textfile: Textfile | null,
    listener: Server | null,
  ) {
    this.#server = server;
    this.#textfile = textfile;
    this.#listener = listener;
  }

  static async open(settings: ControlSettings, parts: ControlParts): Promise<Control> {
    const { metricsFile, metricsListen, nowrite, map } = settings;
    const { warn } = parts;
    const text = (): string => metricsText(parts.status());
    return new Control(
      // A dry run does not own the map.
      nowrite ? null : await serve(map, parts),
      metricsFile === null ? null : new Textfile(metricsFile, text, warn),
      metricsListen === null ? null : listen(metricsListen, text, warn),
    );
  }

  async close(): Promise<void> {
    await this.#server?.close();
    if (this.#listener !== null) await closeListener(this.#listener);
    this.#textfile?.close();
  }
}

async function serve(map: MapSpec, parts: ControlParts): Promise<ControlServer | null> {
  const { status, warn, core } = parts;
  const commands = new Commands(core);
  const present = { status, orders: () => core.orders.list(core.clock.now()) };
  try {
    const path = socketPath(map);
    if (path === null) {
      throw failure('CONTROL_LISTEN', { path: `${map.path}.sock`, reason: 'the name is too long' });
    }
    return await ControlServer.listen(path, request => answer(request, commands, present, warn));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(error.line);
    return null;
  }
}
