/** The history of a running daemon: beside its map, with its grants and its clock. */
import { setTimeout as sleep } from 'node:timers/promises';
import { firstSerial } from '../history/block.ts';
import { History, type HistoryParts } from '../history/history.ts';
import { HistoryFile } from '../history/history-file.ts';
import { Recorder } from '../history/recorder.ts';
import type { MailRecogniser } from '../mta/mail-recogniser.ts';
import { beside } from '../state/beside.ts';
import type { Core } from './core.ts';
import type { Output } from './output.ts';
import type { StartSettings } from './settings.ts';
import type { MailTags } from './sources.ts';

/** A start waits no longer for the messages in the queue. */
const PATIENCE_MS = 2000;
/** Of what is kept without end. */
const FOR_EVER = Number.POSITIVE_INFINITY;

interface Parts {
  readonly mail: MailRecogniser;
  readonly core: Core;
  readonly output: Output;
}

export const mailTags = (mail: MailRecogniser, names: readonly string[]): MailTags => ({
  programs: mail.tags(names),
  journal: mail.file.journal,
});

export function historyOf(settings: StartSettings, { mail, core, output }: Parts): History {
  const { map, history, historySize } = settings;
  const { warn } = output;
  return new History({
    mail,
    sink: opened =>
      new Recorder({
        open: async () => {
          const file = await HistoryFile.open(beside(map, 'history'), historySize, warn);
          opened(await file.messages());
          return file;
        },
        serial: firstSerial(core.clock.now().wall),
        age: history ?? FOR_EVER,
        warn,
      }),
    live: liveIn(core),
    kept: output.keptUser ?? (user => user),
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

/** A history that cannot be opened now keeps nobody waiting. */
export const startHistory = async (history: History): Promise<void> => {
  await Promise.race([history.start(), sleep(PATIENCE_MS, null, { ref: false })]);
};
