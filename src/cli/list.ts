/**
 * `popbsmtp list`: what the map holds now, as any user, whether or not a daemon runs.
 */
import { EXIT } from '../errors.ts';
import { formatStamp } from '../line/stamp.ts';
import type { Row } from '../map/map.ts';
import { readRows } from '../map/map-types.ts';
import { isoTime, print } from './print.ts';
import { mapOf, withConfig } from './settings.ts';
import type { Values } from './values.ts';

/** @throws Failure MAP_MISSING, MAP_UNREADABLE, MAP_FORMAT */
export async function list(values: Values): Promise<number> {
  const rows = await readRows(mapOf(withConfig(values)));
  await print(rows.map(values.flag('json') ? jsonLine : textLine).join(''));
  return EXIT.ok;
}

function jsonLine({ key, value, stamp }: Row): string {
  return `${JSON.stringify({ ip: key, value, time: stamp === null ? null : isoTime(stamp) })}\n`;
}

/** Key and value as `postmap -s` prints them, then what the value says. */
function textLine({ key, value, stamp }: Row): string {
  return `${key}\t${value}${stamp === null ? '' : `\t${formatStamp(stamp)}`}\n`;
}
