/**
 * How a running daemon is asked and commanded from outside: the control socket, and the metrics in a file and over HTTP.
 *
 * Promises: what of it cannot be had is told, and the daemon goes on without it.
 */
import { Failure, failure } from '../base/errors.ts';
import type { Listening } from '../control/listening.ts';
import { metricsText } from '../control/metrics.ts';
import { ControlServer } from '../control/server.ts';
import type { Status } from '../control/status.ts';
import { Textfile } from '../control/textfile.ts';
import type { MapSpec } from '../map/map.ts';
import { beside } from '../state/beside.ts';
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

/** What serves the metrics over HTTP. */
interface Listener {
  close(): Promise<void>;
}

export class Control {
  readonly #server: ControlServer | null;
  readonly #textfile: Textfile | null;
  readonly #listener: Listener | null;

  private constructor(
    server: ControlServer | null,
    textfile: Textfile | null,
    listener: Listener | null,
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
      metricsListen === null ? null : await serveMetrics(metricsListen, text, warn),
    );
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.#listener?.close();
    this.#textfile?.close();
  }
}

/** Loaded when it is wanted: most daemons speak no HTTP, and Node's own takes a tenth of their start. */
async function serveMetrics(
  where: Listening,
  text: () => string,
  warn: (text: string) => void,
): Promise<Listener> {
  const { closeListener, listen } = await import('../control/listener.ts');
  const server = listen(where, text, warn);
  return { close: () => closeListener(server) };
}

async function serve(map: MapSpec, parts: ControlParts): Promise<ControlServer | null> {
  const { status, warn, core } = parts;
  const commands = new Commands(core);
  const present = { status, orders: () => core.orders.list(core.clock.now()) };
  try {
    const path = socketPath(map);
    if (path === null) {
      throw failure('CONTROL_LISTEN', {
        path: beside(map, 'socket'),
        reason: 'the name is too long',
      });
    }
    return await ControlServer.listen(path, request => answer(request, commands, present, warn));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(error.line);
    return null;
  }
}
