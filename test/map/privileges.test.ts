/** Root becomes the account of the map's directory, with its groups, whatever leads there. */
import assert from 'node:assert/strict';
import { chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { startNode } from './child.ts';

const NOBODY = 65534;
/** An account without a name. */
const NAMELESS = 54321;

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** A directory as `owner` has it; those above it are root's. */
async function directoryOf(owner: number): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'popbsmtp-privileges-'));
  after(() => rm(path, { recursive: true }));
  await chown(path, owner, owner);
  return path;
}

/** What root is after the rule was applied: `uid euid gid groups`, or the code of the error. */
async function becomes(...directories: readonly string[]): Promise<string> {
  const maps = directories.map(directory => ({ type: 'lmdb', path: join(directory, 'map') }));
  const child = startNode(
    `const { becomeOwner } = await import(source('map/privileges.js'));
     try {
       becomeOwner(${JSON.stringify(maps)});
       console.log(process.getuid(), process.geteuid(), process.getgid(), process.getgroups().join());
       try { process.setuid(0); console.log('and root again'); } catch {}
     } catch (error) { console.log(error.code); }`,
  );
  const line = await child.line();
  assert.equal((await child.ended()).code, 0);
  return line;
}

describe('root becomes', { skip }, () => {
  test('the account that the directory belongs to, with its groups, for good', async () => {
    assert.equal(await becomes(await directoryOf(NOBODY)), '65534 65534 65534 65534');
  });

  test('an account that has no name, with the group of the directory', async () => {
    assert.equal(await becomes(await directoryOf(NAMELESS)), '54321 54321 54321 54321');
  });

  test('nobody else where all is its own, or nothing is there', async () => {
    const directory = await directoryOf(0);
    assert.match(await becomes(directory), /^0 0 0 /);
    assert.match(await becomes(join(directory, 'missing')), /^0 0 0 /);
  });

  test("the account that could put another directory in the place of root's", async () => {
    const directory = await directoryOf(NOBODY);
    await mkdir(join(directory, 'of-root'));
    assert.match(await becomes(join(directory, 'of-root')), /^65534 65534 /);
    const elsewhere = await directoryOf(0);
    await symlink(elsewhere, join(directory, 'link'));
    assert.match(await becomes(join(directory, 'link')), /^65534 65534 /);
  });

  test('the account of a further map, and none of two', async () => {
    const [root, one, other] = [
      await directoryOf(0),
      await directoryOf(NOBODY),
      await directoryOf(NAMELESS),
    ];
    assert.match(await becomes(root, one), /^65534 65534 /);
    assert.equal(await becomes(one, other), 'PRIVILEGES');
  });
});

/** The capabilities of a program that root starts when it has become the owner of a directory. */
async function capabilities(map: object): Promise<string> {
  const child = startNode(
    `const { becomeOwner } = await import(source('map/privileges.js'));
     const { execFileSync } = await import('node:child_process');
     becomeOwner([${JSON.stringify(map)}]);
     const status = execFileSync('cat', ['/proc/self/status'], { encoding: 'utf8' });
     console.log(['CapPrm', 'CapEff', 'CapAmb'].map(set =>
       new RegExp(set + ':\\t0*([0-9a-f]+)').exec(status)[1]).join());`,
  );
  return child.line();
}

describe('of what root may', { skip }, () => {
  test('nothing is left, but what nft needs for the sets of nftables', async () => {
    const path = join(await directoryOf(NOBODY), 'map');
    assert.equal(await capabilities({ type: 'lmdb', path }), '0,0,0');
    const nft = { family: 'inet', table: 'filter', set: 'pop' };
    // CAP_NET_ADMIN is 12.
    assert.equal(await capabilities({ type: 'nft', path, nft }), '1000,1000,1000');
  });
});

describe('of a process that has become another account', { skip }, () => {
  test("every thread has its ids, the saved ones as well: libuv's, and workers", async () => {
    const maps = JSON.stringify([{ type: 'lmdb', path: join(await directoryOf(NOBODY), 'map') }]);
    const child = startNode(
      `const { becomeOwner } = await import(source('map/privileges.js'));
       const { once } = await import('node:events');
       const { readdirSync, readFileSync } = await import('node:fs');
       const { pbkdf2 } = await import('node:crypto');
       const { promisify } = await import('node:util');
       const { Worker } = await import('node:worker_threads');
       // Node 24 takes the text for a module, as it does this one, and older ones for a script: import() is in both.
       const worker = new Worker("import('node:worker_threads').then(it => it.parentPort.on('message', () => 0))", { eval: true });
       await once(worker, 'online');
       // As many at once as the pool may have threads.
       await Promise.all(Array.from({ length: 4 }, () => promisify(pbkdf2)('', '', 1, 1, 'sha1')));
       const tasks = readdirSync('/proc/self/task');
       const idsOf = id =>
         readFileSync('/proc/self/task/' + id + '/status', 'latin1').match(/^(?:[UG]id|Groups):.*$/gm);
       const before = tasks.map(idsOf).flat().some(line => line.includes('65534'));
       becomeOwner(${maps});
       const ids = new Set(readdirSync('/proc/self/task').map(idsOf).map(lines => lines.join().replace(/\\s+/g, ' ').trim()));
       console.log(JSON.stringify({ before, threads: tasks.length, ids: [...ids] }));
       process.exit();`,
    );
    const { before, threads, ids } = JSON.parse(await child.line());
    assert.equal(before, false);
    assert.ok(threads > 2 * 4, `${threads} threads`);
    const four = '65534 65534 65534 65534';
    assert.deepEqual(ids, [`Uid: ${four},Gid: ${four},Groups: 65534`]);
  });

  for (const using of ['0', '1']) {
    test(`nothing opens a file of root's, or it stays root (UV_USE_IO_URING=${using})`, async () => {
      const secret = join(await directoryOf(0), 'secret');
      await writeFile(secret, '', { mode: 0o600 });
      const maps = JSON.stringify([{ type: 'lmdb', path: join(await directoryOf(NOBODY), 'map') }]);
      const child = startNode(
        `const { becomeOwner } = await import(source('map/privileges.js'));
         const { readFile } = await import('node:fs/promises');
         const secret = ${JSON.stringify(secret)};
         // A ring that libuv has made, it keeps.
         await readFile(secret);
         try {
           becomeOwner(${maps});
           await readFile(secret).then(() => console.log('opened'), error => console.log(error.code));
         } catch (error) {
           console.log(error.code, process.getuid(), error.message, error.hint);
         }`,
        { UV_USE_IO_URING: using },
      );
      const refused =
        /^PRIVILEGES 0 cannot become the account 65534, .*: the kernel's thread \d+, .* would stay root set UV_USE_IO_URING=0 /;
      const line = await child.line();
      if (line !== 'EACCES') assert.match(line, using === '0' ? /^EACCES$/ : refused);
    });
  }
});
