/** Sizes as the configuration writes them: `64M`, `1G`. */
import { failure } from '../base/errors.ts';
import type { Given } from '../base/given.ts';

const UNITS: Readonly<Record<string, number>> = { M: 2 ** 20, G: 2 ** 30 };
const LEAST = 16 * 2 ** 20;
const MOST = 64 * 2 ** 30;

/** Bytes. @throws Failure SIZE */
export function parseSize({ value, origin }: Given<string>): number {
  const [, digits = '', unit = ''] = /^(\d{1,5})([MG])$/i.exec(value) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] ?? 0);
  if (bytes < LEAST || bytes > MOST) throw failure('SIZE', { where: origin, value });
  return bytes;
}
