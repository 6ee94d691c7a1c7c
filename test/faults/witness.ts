/**
 * The real Postfix, asked all the time by a client that must not relay, while faults are injected.
 *
 * Promises: every answer is looked at; its log tells whether smtpd noticed a change of the table, or ended.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MapSpec } from '../../src/map/map.ts';
import { type Postfix, startPostfix } from '../real/postfix.ts';
import type { Rig } from '../real/rig.ts';
import { askToRelay } from '../real/smtp.ts';
import { linesOf, waitFor } from '../real/wait.ts';

const STRANGER = '127.0.0.200';
const PAUSE_MS = 20;
/** What no smtpd may say while a daemon works on its map. */
const COMPLAINT = /table has changed|fatal|panic|lookup (?:error|problem)|: 451 /;

export class Witness {
  readonly #postfix: Postfix;
  readonly #log: string;
  #asked = 0;
  #wrong = 0;
  #done = false;
  #loop: Promise<void> = Promise.resolve();

  private constructor(postfix: Postfix, log: string) {
    this.#postfix = postfix;
    this.#log = log;
  }

  static async start(rig: Rig, { type, path }: MapSpec): Promise<Witness> {
    const log = join(await rig.directory(), 'maillog');
    const postfix = await startPostfix(rig, {
      mynetworks: '127.0.0.1/32',
      restrictions: [
        `smtpd_relay_restrictions = permit_mynetworks, check_client_access ${type}:${path}, reject_unauth_destination`,
        `maillog_file = ${log}`,
        'maillog_file_prefixes = /tmp, /var',
      ].join('\n'),
    });
    const witness = new Witness(postfix, log);
    witness.#loop = witness.#ask();
    return witness;
  }

  /** Questions, and what was wrong: answers other than a refusal, complaints in the log, smtpds that were replaced. */
  async stop(): Promise<{ asked: number; wrong: number }> {
    this.#done = true;
    await this.#loop;
    const connects = /smtpd\[(\d+)\]: connect from \S+\[127\./;
    // Postfix writes its log behind its answers.
    const lines = await waitFor('the log of all questions', async () => {
      const found = await linesOf(this.#log);
      return found.filter(line => connects.test(line)).length >= this.#asked && found;
    });
    const complaints = lines.filter(line => COMPLAINT.test(line)).length;
    const pids = new Set(lines.flatMap(line => connects.exec(line)?.[1] ?? []));
    return { asked: this.#asked, wrong: this.#wrong + complaints + pids.size - 1 };
  }

  async #ask(): Promise<void> {
    while (!this.#done) {
      const { code } = await askToRelay(this.#postfix.smtp(STRANGER));
      this.#asked++;
      if (code !== 554) this.#wrong++;
      await sleep(PAUSE_MS);
    }
  }
}
