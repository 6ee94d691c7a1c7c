/**
 * Which texts may stand in a block, in some hundred bytes beside it (a Bloom filter): what is not in there need not be read.
 *
 * Pure.  Promises: a text that was put in is always found; one that was not is found for one block in three hundred.  Capitals make no difference,
 * since they make none to names of users.
 */

const BITS_PER_TEXT = 12;
const PROBES = 6;
/** Bytes of the smallest; it is read whole in any case. */
const LEAST_BYTES = 8;

/** The filter of some texts. */
export function filterOf(texts: readonly string[]): Buffer {
  const filter = Buffer.alloc(Math.max(LEAST_BYTES, Math.ceil((texts.length * BITS_PER_TEXT) / 8)));
  const bits = filter.length * 8;
  for (const text of texts) {
    const [start, step] = hashesOf(text);
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (start + probe * step) % bits;
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return filter;
}

/** A text to be looked for in many filters. */
export type Wanted = readonly [start: number, step: number];

export const wantedOf = (text: string): Wanted => hashesOf(text);

export function mayHave(filter: Buffer, [start, step]: Wanted): boolean {
  const bits = filter.length * 8;
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = (start + probe * step) % bits;
    if (((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** Two of 32 bits (FNV-1a, and what is left of it when it is mixed); the second is odd, so that no step is 0. */
function hashesOf(text: string): Wanted {
  let hash = 0x811c9dc5;
  const folded = text.toLowerCase();
  for (let at = 0; at < folded.length; at++)
    hash = Math.imul(hash ^ folded.charCodeAt(at), 0x01000193);
  let other = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  other = Math.imul(other ^ (other >>> 13), 0xc2b2ae35);
  return [hash >>> 0, ((other ^ (other >>> 16)) | 1) >>> 0];
}
