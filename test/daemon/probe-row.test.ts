/** The row that the doctor may have in the map of a running daemon. */
import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { ProbeRow } from '../../src/daemon/probe-row.ts';
import { ip } from '../map/addresses.ts';

const PROBE = ip('192.0.2.9');

interface Told {
  readonly story: string[];
  readonly probe: ProbeRow;
}

/** A pipeline that tells what it was asked for. */
function arranged(
  answer: Awaited<ReturnType<ConstructorParameters<typeof ProbeRow>[0]['probe']>> = 'added',
  bar: ReturnType<ConstructorParameters<typeof ProbeRow>[0]['bar']> = null,
): Told {
  const story: string[] = [];
  const probe = new ProbeRow({
    probe: async (address, seconds) => {
      story.push(`probe ${address} ${seconds}`);
      return answer;
    },
    unprobe: async address => {
      story.push(`unprobe ${address}`);
      return true;
    },
    bar: () => bar,
  });
  return { story, probe };
}

describe('the row of a test', () => {
  for (const address of ['192.0.2.9', '127.1.2.3', '::1', '2001:db8::9'] as const)
    test(`is written for ${address}, and taken away`, async () => {
      const { story, probe } = arranged();
      assert.deepEqual(await probe.write(ip(address), 60), { kind: 'written' });
      assert.equal(await probe.remove(ip(address)), true);
      assert.deepEqual(story, [`probe ${address} 60`, `unprobe ${address}`]);
    });

  for (const address of ['203.0.113.9', '8.8.8.8', '2a00::1'] as const)
    test(`is never one of a stranger: ${address}`, async () => {
      const { story, probe } = arranged();
      const { kind } = await probe.write(ip(address), 60);
      assert.equal(kind, 'refused');
      assert.deepEqual(story, []);
    });

  test('is never one that opens other networks', async () => {
    const { story, probe } = arranged('added', 'opens other networks');
    assert.equal((await probe.write(PROBE, 60)).kind, 'refused');
    assert.deepEqual(story, []);
  });

  test('is the only one', async () => {
    const { probe } = arranged();
    await probe.write(PROBE, 60);
    assert.equal((await probe.write(ip('192.0.2.10'), 60)).kind, 'refused');
    await probe.remove(PROBE);
    assert.equal((await probe.write(ip('192.0.2.10'), 60)).kind, 'written');
    await probe.close();
  });

  for (const answer of ['granted', 'foreign', null] as const)
    test(`is not there when the map says ${answer}`, async () => {
      const { story, probe } = arranged(answer);
      const { kind } = await probe.write(PROBE, 60);
      assert.equal(kind, answer === null ? 'not written' : 'refused');
      assert.equal(await probe.remove(PROBE), true);
      assert.deepEqual(story, [`probe ${PROBE} 60`], 'and nothing of somebody else is taken away');
    });

  test('ends by itself', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const { story, probe } = arranged();
      await probe.write(PROBE, 60);
      mock.timers.tick(59_999);
      assert.equal(story.length, 1);
      mock.timers.tick(1);
      assert.deepEqual(story, [`probe ${PROBE} 60`, `unprobe ${PROBE}`]);
    } finally {
      mock.timers.reset();
    }
  });

  test('ends with the daemon', async () => {
    const { story, probe } = arranged();
    await probe.write(PROBE, 60);
    await probe.close();
    await probe.close();
    assert.deepEqual(story, [`probe ${PROBE} 60`, `unprobe ${PROBE}`]);
  });

  test('of another address is not taken away', async () => {
    const { story, probe } = arranged();
    assert.equal(await probe.remove(ip('198.51.100.7')), true);
    assert.deepEqual(story, []);
  });
});
