/**
 * The one row that the doctor may have in the map of a running daemon, to see what Postfix makes of it.
 *
 * Promises: only for an address that no stranger has: loopback's, this machine's own, or one of documentation (RFC 5737, RFC 3849),
 * and none whose row opens other networks; never in place of a grant or of the administrator's row.  There is one at a time, and it
 * ends by itself, whatever becomes of who asked for it; after a crash of the daemon it is due as soon as it would have ended.
 */
import { addressOf, type IpText } from '../base/address.ts';
import { parseNetworkList } from '../base/network.ts';
import { ownAddresses } from '../classifier/own-addresses.ts';
import type { ProbeResult } from '../control/protocol.ts';
import type { Pipeline } from './pipeline.ts';

/** Loopback, and two of the blocks for documentation. */
const NOBODYS = parseNetworkList('127.0.0.0/8 ::1 192.0.2.0/24 2001:db8::/32', 'the doctor');

const isOwn = (ip: IpText): boolean => {
  const { own } = ownAddresses(() => undefined)();
  return own.has(ip);
};

export class ProbeRow {
  readonly #pipeline: Pick<Pipeline, 'probe' | 'unprobe' | 'bar'>;
  #present: { readonly ip: IpText; readonly end: NodeJS.Timeout } | null = null;

  constructor(pipeline: Pick<Pipeline, 'probe' | 'unprobe' | 'bar'>) {
    this.#pipeline = pipeline;
  }

  async write(ip: IpText, seconds: number): Promise<ProbeResult> {
    if (!NOBODYS.contains(addressOf(ip)) && !isOwn(ip))
      return refused('a stranger may have that address');
    if (this.#pipeline.bar(ip) === 'opens other networks')
      return refused('it opens other networks');
    if (this.#present !== null) return refused('another test has a row just now');
    const end = setTimeout(() => void this.#pipeline.unprobe(ip).finally(free), seconds * 1000);
    const free = (): void => {
      if (this.#present?.end === end) this.#present = null;
      clearTimeout(end);
    };
    end.unref();
    this.#present = { ip, end };
    const effect = await this.#pipeline.probe(ip, seconds);
    if (effect === 'added' || effect === 'renewed') return { kind: 'written' };
    free();
    if (effect === null) return { kind: 'not written', reason: 'the map cannot be written now' };
    return refused(effect === 'granted' ? 'it has a grant' : 'it has a row of your own');
  }

  /** Takes the row away that `write` has written, and no other. @returns whether it is gone */
  async remove(ip: IpText): Promise<boolean> {
    if (this.#present?.ip !== ip) return true;
    const { end } = this.#present;
    const gone = await this.#pipeline.unprobe(ip);
    clearTimeout(end);
    if (this.#present?.end === end) this.#present = null;
    return gone;
  }

  /** Takes it away at the end of the daemon. */
  async close(): Promise<void> {
    if (this.#present !== null) await this.remove(this.#present.ip);
  }
}

const refused = (reason: string): ProbeResult => ({ kind: 'refused', reason });
