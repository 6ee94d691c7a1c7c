/** A grant by which too much is sent is closed, and no other. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Rig } from '../real/rig.ts';
import { waitFor } from '../real/wait.ts';
import { Controlled, loginBy } from './controlled.ts';
import { mailLines } from './mail-lines.ts';

const rig = new Rig();
after(() => rig.close());

const ABUSED = '198.51.100.7';
const OTHER = '198.51.100.8';

test('over the limit the grant ends at once, and stays refused until an order lifts that', async () => {
  const world = await Controlled.make(rig);
  const daemon = await world.start('--max-messages-per-grant', '3', '--limit-action', 'refuse');
  await world.logIn(daemon, 'anna', ABUSED);
  await world.logIn(daemon, 'bert', OTHER);
  await world.write(
    [1, 2, 3].map(() => mailLines({ ip: ABUSED }) + mailLines({ ip: OTHER })).join(''),
  );
  await world.write(
    mailLines({ ip: OTHER, elsewhere: 0, here: 5 }) + mailLines({ ip: OTHER, sasl: 'bert' }),
  );
  await world.logIn(daemon, 'bert', OTHER);
  assert.deepEqual(await world.keys(), [ABUSED, OTHER]);
  await world.write(mailLines({ ip: ABUSED }));
  await daemon.waitForLine(/^over the limit ip=198\.51\.100\.7 --- too many messages$/);
  await waitFor('the row gone', async () => (await world.keys()).join() === OTHER);
  await daemon.waitForText(/revoked ip=198\.51\.100\.7/);
  const rows = (await world.run('list', '--json')).stdout;
  const { messages, recipients } = JSON.parse(rows);
  assert.deepEqual([messages, recipients], [3, 3]);
  await world.write(loginBy('anna', ABUSED));
  await daemon.waitForLine(/^ {4}ignored --- revoked$/);
  // The history is committed once a second.
  await waitFor('the reason', async () => {
    const { stdout } = await world.run('why', '--json', '--mynetworks', 'none', ABUSED);
    const { granted, reason } = JSON.parse(stdout);
    return granted === false && reason === 'limit';
  });
  assert.equal((await world.run('lift', ABUSED)).code, 0);
  await world.logIn(daemon, 'anna', ABUSED);
  await waitFor('the row back', async () => (await world.keys()).includes(ABUSED));
});
