/** The history of a running daemon: beside its map, with its grants and its clock. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IpText } from '../base/address.ts';
import { epoch } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { Counters } from '../control/counters.ts';
import type { Report } from '../grant/decision.ts';
import { MAX_SECONDS } from '../grant/order.ts';
import { firstSerial } from '../history/block.ts';
import { History, type HistoryParts } from '../history/history.ts';
import { HistoryFile } from '../history/history-file.ts';
import { holdersIn, type KnownHolder, type SinceOf } from '../history/holders.ts';
import type { LiveGrant } from '../history/ledger.ts';
import { LOST, Recorder } from '../history/recorder.ts';
import { mostRefusals } from '../history/refusals.ts';
import type { Overdone, SendingLimits } from '../history/sending.ts';
import type { MailRecogniser } from '../mta/mail-recogniser.ts';
import { beside } from '../state/beside.ts';
import type { Core } from './core.ts';
import type { Output } from './output.ts';
import type { StartSettings } from './settings.ts';
import type { MailTags } from './sources.ts';

/** A start waits no longer for the messages in the queue. */
const PATIENCE_MS = 2000;
/** Grants whose holders are looked up before the first line is read. */
const FEW = 20_000;
/** Those of more wait until the first lines have been read. */
const LATER_MS = 1000;
/** For how long somebody who reads may keep a commit waiting; then the next one tries again, and a start or a stop goes on. */
const LOCK_MS = 300;
const STOP_MS = 1500;
/** Of what is kept without end. */
const FOR_EVER = Number.POSITIVE_INFINITY;

/** A limit that a grant is over, with whose it is. */
export interface Exceeding extends Overdone {
  readonly ip: IpText;
  readonly grant: LiveGrant;
}

interface Parts {
  readonly sending: SendingLimits;
  readonly counters: Counters;
  readonly exceeded: (exceeding: Exceeding) => void;
  readonly mail: MailRecogniser;
  readonly core: Core;
  readonly output: Output;
}

export const mailTags = (mail: MailRecogniser, names: readonly string[]): MailTags => ({
  programs: mail.tags(names),
  journal: mail.file.journal,
});

export function historyOf(
  settings: StartSettings,
  { mail, core, output, sending, counters, exceeded }: Parts,
): History {
  const { map, history, historySize } = settings;
  const { warn } = output;
  const live = liveIn(core);
  const serial = firstSerial(core.clock.now().wall);
  return new History({
    mail,
    sink: opened =>
      new Recorder({
        open: async () => {
          const file = await HistoryFile.open(beside(map, 'history'), {
            ...{ most: historySize, warn, patienceMs: LOCK_MS },
          });
          try {
            const find = (): ReturnType<typeof holdersIn> => holdersOf(core, file, serial);
            const holders =
              core.grants.size <= FEW
                ? Promise.resolve(await find())
                : sleep(LATER_MS, null, { ref: false })
                    .then(find)
                    .catch((error: unknown) => nobody(error, file, warn));
            opened({ messages: await file.messages(), holders });
            return file;
          } catch (error) {
            // It is opened anew at the next try.
            await file.close();
            throw error;
          }
        },
        serial,
        age: history ?? FOR_EVER,
        warn,
        failed: () => counters.historyFailed(),
      }),
    live,
    relayed: ({ ip, server, more, sum }) => {
      counters.relayed(server, more);
      const grant = live(ip);
      if (grant === null || sum === null) return;
      for (const overdone of sending.count(ip, more, sum, core.clock.now().wall))
        exceeded({ ...overdone, ip, grant });
    },
    ended: ip => sending.ended(ip),
    kept: output.keptUser ?? (user => user),
    refusals: mostRefusals(historySize),
    hadGrant: ip => core.history.of(ip).end !== null,
    now: () => core.clock.now().wall,
  });
}

/** The grant that an address has now, in a core. */
export const liveIn =
  ({ grants, roster }: Core): HistoryParts['live'] =>
  ip => {
    const stamp = grants.stampOf(ip);
    if (stamp === null) return null;
    const { user = null, server = null, since = stamp } = roster.of(ip) ?? {};
    return { user, server, since };
  };

const holdersOf = (
  { grants, roster, grace, clock }: Core,
  file: HistoryFile,
  serial: number,
): ReturnType<typeof holdersIn> => {
  const since: SinceOf = ip =>
    grants.stampOf(ip) === null ? undefined : (roster.of(ip)?.since ?? null);
  return holdersIn(file, since, { serial, grace: grace.longest, now: clock.now().wall });
};

/** Instead of holders that cannot be read any more; told unless it is the stop that has closed the file. */
function nobody(error: unknown, file: HistoryFile, warn: Output['warn']): Map<IpText, KnownHolder> {
  if (!(error instanceof Failure)) throw error;
  if (!file.isClosed) warn(error.line);
  return new Map();
}

/** A history that cannot be opened now keeps nobody waiting. */
export const startHistory = async (history: History): Promise<void> => {
  await Promise.race([history.start(), sleep(PATIENCE_MS, null, { ref: false })]);
};

/** A stop waits no longer for what happened last, whoever is in its way. */
export async function stopHistory(history: History, warn: Output['warn']): Promise<void> {
  const given = new AbortController();
  const over = new AbortController();
  const late = sleep(STOP_MS, null, { signal: over.signal })
    .then(() => {
      given.abort();
      warn(`the history was not written within ${STOP_MS / 1000} s; ${LOST}`);
    })
    .catch(() => undefined);
  await Promise.race([history.stop(given.signal), late]);
  over.abort();
}

/**
 * Tells that a grant is over a limit, and where that is to be refused, ends it at once and refuses the address until an order lifts that.
 */
export async function tellExceeding(
  { ip, grant, reason, most, action }: Exceeding,
  { core, report, warn }: { core: Core; report: Report; warn: (text: string) => void },
): Promise<void> {
  const { user, server, since } = grant;
  const time = epoch(since);
  // A grant by hand has no server.
  const login = { event: 'login', server: server ?? 'none', ip, user, time } as const;
  const limit = { reason, most, action };
  report({ kind: 'limit exceeded', login: { ...login, session: null, tls: null }, ...limit });
  if (action !== 'refuse') return;
  await core.pipeline.revoke([{ kind: 'address', ip }], () => [ip], MAX_SECONDS);
  try {
    await core.saveOrders();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(error.line);
  }
}
