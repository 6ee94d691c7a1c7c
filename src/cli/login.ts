/**
 * `popbsmtp login` and `popbsmtp logout`: a login, and the end of its session, that no log tells of.
 *
 * Promises: the daemon judges it as any login; what came of it is one line, also when it was ignored, with status 0.  Nothing is done
 * without a daemon.
 */
import { EXIT, failure } from '../base/errors.ts';
import { masked } from '../base/excerpt.ts';
import { askAsLogin } from '../control/client.ts';
import type { LoginResult } from '../control/protocol.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { mapsOf } from '../map/spec.ts';
import { withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { say } from '../report/print.ts';
import { ipOf, untilText } from './by-hand.ts';

/** What logs and metrics call a server that is not named. */
const USUAL_SERVER = 'command';

/** @throws Failure USAGE, ADDRESS, NO_DAEMON; of the daemon's answer */
export async function login(values: Values): Promise<number> {
  const settings = settingsOf(withConfig(values), 'login');
  const { map } = mapsOf(settings);
  const { session, tls } = settings;
  const user = named(settings.user, '--user', 'login');
  const address = ipOf(named(settings.ip, '--ip', 'login'));
  const answer = await askAsLogin(map, {
    command: 'login',
    address,
    // As the daemon knows names (recogniser.ts).
    user: masked(user),
    server: settings.server ?? USUAL_SERVER,
    session,
    tls: tls ? true : null,
  });
  if (answer === null) throw failure('NO_DAEMON', { map: formatMapSpec(map) });
  say(`${address} ${textOf(answer)}`);
  return EXIT.ok;
}

/** @throws Failure USAGE, NO_DAEMON; of the daemon's answer */
export async function logout(values: Values): Promise<number> {
  const settings = settingsOf(withConfig(values), 'logout');
  const { map } = mapsOf(settings);
  const { user } = settings;
  const session = named(settings.session, '--session', 'logout');
  const server = settings.server ?? USUAL_SERVER;
  const answer = await askAsLogin(map, {
    command: 'logout',
    user: user && masked(user),
    server,
    session,
  });
  if (answer === null) throw failure('NO_DAEMON', { map: formatMapSpec(map) });
  const { address } = answer;
  say(
    address === null
      ? 'no such session was open'
      : `${address}: the session is over; its grant ends the grace period after this`,
  );
  return EXIT.ok;
}

/** @throws Failure USAGE */
function named(value: string | null, option: string, verb: string): string {
  if (value !== null && value !== '') return value;
  throw failure('USAGE', { problem: `${option} is missing`, verb: `${verb} ` });
}

function textOf(result: LoginResult): string {
  if (result.kind !== 'ignored') return `may relay ${untilText(result.until)}`;
  return result.reason === 'in mynetworks'
    ? 'is in mynetworks and may relay anyway'
    : `gets no grant: ${result.reason}`;
}
