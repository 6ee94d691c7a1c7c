/**
 * How a running daemon is asked and commanded from outside: the control socket, Postfix's policy requests, and the metrics in a file and over HTTP.
 *
 * Promises: what of it cannot be had is told, and the daemon goes on without it.
 */
import { orFailure } from '../base/attempt.ts';
import { Failure, failure } from '../base/errors.ts';
import type { ConfigurationState } from '../control/configuration-state.ts';
import type { Listening } from '../control/listening.ts';
import { metricsText } from '../control/metrics.ts';
import { LOGIN_COMMANDS, refusal } from '../control/protocol.ts';
import { ControlServer, type Handler } from '../control/server.ts';
import type { Status } from '../control/status.ts';
import { Textfile } from '../control/textfile.ts';
import type { Report } from '../grant/decision.ts';
import type { KeptUser } from '../history/history.ts';
import type { MapSpec } from '../map/map.ts';
import { beside } from '../state/beside.ts';
import { type SocketKind, socketPath } from '../state/socket.ts';
import { answer, Commands, type SentBy } from './commands.ts';
import type { Core } from './core.ts';
import { groupNumber } from './group.ts';
import { type IdentitySettings, servePolicy } from './identity.ts';
import { ProbeRow } from './probe-row.ts';

export interface ControlSettings extends IdentitySettings {
  readonly map: MapSpec;
  readonly nowrite: boolean;
  /** The group that may speak to the login socket; null for none, here and below. */
  readonly loginSocketGroup: string | null;
  readonly metricsFile: string | null;
  readonly metricsListen: Listening | null;
}

/** Whatever is served, until it is closed. */
interface Served {
  close(): Promise<void>;
}

interface ControlParts {
  readonly core: Core;
  readonly sentBy: SentBy;
  readonly status: () => Status;
  readonly configuration: () => Promise<ConfigurationState | null>;
  /** Told before a login by command. */
  readonly heard: () => void;
  readonly report: Report;
  readonly hashedUser: KeptUser;
  readonly warn: (text: string) => void;
}

export class Control {
  readonly #servers: readonly Served[];
  readonly #probe: ProbeRow;
  readonly #textfile: Textfile | null;
  readonly #listener: Served | null;

  private constructor(
    servers: readonly Served[],
    probe: ProbeRow,
    textfile: Textfile | null,
    listener: Served | null,
  ) {
    this.#servers = servers;
    this.#probe = probe;
    this.#textfile = textfile;
    this.#listener = listener;
  }

  static async open(settings: ControlSettings, parts: ControlParts): Promise<Control> {
    const { metricsFile, metricsListen, nowrite } = settings;
    const { warn } = parts;
    const text = (): string => metricsText(parts.status());
    const probe = new ProbeRow(parts.core.pipeline);
    return new Control(
      // A dry run does not own the map.
      nowrite ? [] : await serve(settings, parts, probe),
      probe,
      metricsFile === null ? null : new Textfile(metricsFile, text, warn),
      metricsListen === null ? null : await serveMetrics(metricsListen, text, warn),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map(server => server.close()));
    await this.#probe.close();
    await this.#listener?.close();
    this.#textfile?.close();
  }
}

/** Loaded when it is wanted: most daemons speak no HTTP, and Node's own takes a tenth of their start. */
async function serveMetrics(
  where: Listening,
  text: () => string,
  warn: (text: string) => void,
): Promise<Served> {
  const { closeListener, listen } = await import('../control/listener.ts');
  const server = listen(where, text, warn);
  return { close: () => closeListener(server) };
}

async function serve(
  settings: ControlSettings,
  parts: ControlParts,
  probe: ProbeRow,
): Promise<Served[]> {
  const { map, loginSocketGroup } = settings;
  const { status, configuration, warn, core, sentBy, heard, report, hashedUser: hashed } = parts;
  const commands = new Commands(core, sentBy);
  const orders = () => core.orders.list(core.clock.now());
  const present = { status, configuration, orders, probe, heard };
  const handler: Handler = request => answer(request, commands, present, warn);
  const servers = [
    await orNull(() => ControlServer.listen(pathOf(map, 'socket'), handler), warn),
    loginSocketGroup === null
      ? null
      : await orNull(async () => {
          const path = pathOf(map, 'login-socket');
          const group = await groupNumber(loginSocketGroup, path);
          return ControlServer.listen(path, loginsOnly(handler), { group });
        }, warn),
    await orNull(() => servePolicy(settings, { core, report, hashed }), warn),
  ];
  return servers.filter(server => server !== null);
}

/** @throws Failure CONTROL_LISTEN */
function pathOf(map: MapSpec, kind: SocketKind): string {
  const path = socketPath(map, kind);
  if (path !== null) return path;
  throw failure('CONTROL_LISTEN', { path: beside(map, kind), reason: 'the name is too long' });
}

/** Whoever may tell of logins may command nothing else. */
const loginsOnly = (handler: Handler): Handler =>
  async function* (request) {
    if (LOGIN_COMMANDS.includes(request.command)) yield* handler(request);
    else yield refusal('this socket takes login and logout only');
  };

async function orNull(
  listen: () => Promise<Served | null>,
  warn: (text: string) => void,
): Promise<Served | null> {
  const server = await orFailure(listen);
  if (!(server instanceof Failure)) return server;
  warn(server.line);
  return null;
}
