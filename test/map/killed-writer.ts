/** A writer that is killed while it writes: what it leaves behind has to be a map. */
import type { MapSpec } from '../../src/map/map.ts';
import { startNode } from './child.ts';

/** So many rows each of its commits makes, or takes away. */
export const ROWS = 100;

/** In seconds, for a map that ends its rows itself: whatever their time, they stay. */
const ENDLESS = 4e9;

/** Has a process of its own commit, by the hundred, rows that come and go, and kills it when it has been at it for a while. */
export async function killWriter(spec: MapSpec): Promise<void> {
  const child = startNode(
    `const { openMap } = await import(source('map/map-types.js'));
     const map = await openMap(${JSON.stringify(spec)});
     map.setGrace?.(() => ${ENDLESS});
     for (let round = 0; ; round++) {
       const ips = Array.from({ length: ${ROWS} }, (_, last) => '10.1.' + (round % 50) + '.' + last);
       await map.commit(ips.map(ip => ({ ip, stamp: round % 100 < 50 ? 1 : null })));
       if (round === 60) console.log('busy');
     }`,
  );
  await child.line();
  await child.kill('SIGKILL');
}
