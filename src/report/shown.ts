/**
 * Text of strangers in columns: what a terminal would obey is shown as its number, and what would fill it is cut.
 */
import { excerpt } from '../base/excerpt.ts';

/** More of a user's name is no help. */
const MOST = 100;

const PLAIN = /^[ -~]*$/;

/**
 * @param text decoded, as users' names are
 * @param most the characters that are shown
 */
export const shown = (text: string, most: number = MOST): string =>
  text.length <= most && PLAIN.test(text)
    ? text
    : excerpt(Buffer.from(text, 'utf8').toString('latin1'), most);

/** `3s`, `14m 3s`, `2h 5m`, `3d 4h`: the two largest units. */
export function roughly(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0s';
  let rest = Math.floor(seconds);
  const parts = units.slice(first, first + 2).map(([name, size]) => {
    const count = Math.floor(rest / size);
    rest %= size;
    return count === 0 ? '' : `${count}${name}`;
  });
  return parts.filter(part => part !== '').join(' ');
}
