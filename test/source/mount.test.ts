import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMounted, mountPoints } from '../../src/source/mount.ts';

const TABLE = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
40 22 254:0 /srv/log/mail.log /var/log/mail.log rw,relatime - ext4 /dev/root rw
41 22 0:35 / /mnt/a\\040b\\134c rw - tmpfs none rw
`;

test('the mount points are the fifth fields, unescaped', () => {
  const points = mountPoints(TABLE);
  for (const point of ['/', '/var/log/mail.log', '/mnt/a b\\c'])
    assert.ok(points.has(point), point);
  assert.equal(points.has('/var/log'), false);
  assert.equal(points.has('/srv/log/mail.log'), false);
});

test('what is mounted is told from what is not', () => {
  assert.equal(isMounted('/proc'), true);
  assert.equal(isMounted(import.meta.filename), false);
  assert.equal(isMounted('/nonexistent'), false);
});
