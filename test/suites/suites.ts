/**
 * Runs the tests on the other systems that people have: further suites of Debian, each with its own Postfix, Dovecot, Courier, Cyrus,
 * Redis, Valkey, rsyslog, systemd and Node, and further releases of Node.
 *
 *     npm run test:suites                    all of it
 *     npm run test:suites forky real/dovecot one suite, and the tests whose path has this part
 *
 * Promises: a suite runs in an overlay over its root (root.ts) and sees the working tree read-only, so that neither changes; with
 * CI=true no test is skipped there.  What is kept between runs lies in POPBSMTP_SUITES, by default /var/cache/debian-suites;
 * nothing has to be there.
 * Leaves to others: the tests themselves (test/run.ts), and the build.
 * Known limits: the kernel is this machine's.  Needs root, debootstrap and Debian's archive; a release of Node comes from npm.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPackages } from './packages.ts';
import { rootOf } from './root.ts';

/** What needs nothing but Node; not packaging/, since the build is another Node's. */
const UNITS = [
  ...[
    'base/',
    'classifier/',
    'cli/',
    'control/',
    'daemon/',
    'doctor/',
    'fleet/',
    'grant/',
    'history/',
    'line/',
    'map/',
    'migrate/',
    'mta/',
  ],
  ...['options/', 'postfix/', 'recogniser/', 'report/', 'source/', 'state/'],
];

/** What meets outside programs whose releases differ; the rest of test/real is of shells, pages and our own files. */
const CHAIN = [
  ...[
    'alerts',
    'container',
    'courier',
    'cyrus',
    'doctor',
    'doveconf',
    'dovecot',
    'end-to-end',
    'exim',
    'fleet',
    'history',
    'journal',
    'map-guard',
    'map-readers',
  ],
  ...[
    'map-redirection',
    'map-types',
    'migrate',
    'mounted-file',
    'mynetworks',
    'nginx',
    'nft',
    'opensmtpd',
    'package',
    'perdition',
    'policy',
    'popa3d',
    'postfix-commands',
    'postmap',
  ],
  ...[
    'relay-by-type',
    'require-tls',
    'ruled-maps',
    'sendmail',
    'service',
    'tcpserver',
    'whole-addresses',
    'year',
  ],
].map(name => `real/${name}`);

/** With the other engine that a suite has. */
const FLEET = ['real/fleet'];

type Target =
  | {
      readonly kind: 'debian';
      readonly suite: string;
      /** Of a fleet: test/real/redis.ts. */
      readonly engine: 'redis' | 'valkey';
      readonly tests: readonly string[];
    }
  | { readonly kind: 'node'; readonly release: string; readonly tests: readonly string[] };

const TARGETS: Readonly<Record<string, Target>> = {
  trixie: { kind: 'debian', suite: 'trixie', engine: 'redis', tests: CHAIN },
  'trixie-valkey': { kind: 'debian', suite: 'trixie', engine: 'valkey', tests: FLEET },
  forky: { kind: 'debian', suite: 'forky', engine: 'redis', tests: CHAIN },
  'forky-valkey': { kind: 'debian', suite: 'forky', engine: 'valkey', tests: FLEET },
  node22: { kind: 'node', release: '22.23.3', tests: UNITS },
  node24: { kind: 'node', release: '24.21.0', tests: UNITS },
};

const repository = join(import.meta.dirname, '../../..');
const cache = process.env['POPBSMTP_SUITES'] ?? '/var/cache/debian-suites';

/** Enters the suite: `sh -euc ENTER BASE ROOT REPOSITORY TESTS…`. */
const ENTER = `
root=$1
tree=$2
shift 2
mount -t tmpfs -o mode=755,size=6g tmpfs "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay -o "lowerdir=$root,upperdir=$0/upper,workdir=$0/work" overlay "$0/root"
cd "$0/root"
mkdir popbsmtp
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount --bind "$tree" popbsmtp
mount -o remount,bind,ro popbsmtp
# Not chroot alone: whoever enters the namespace later is to find this root.
pivot_root . mnt
umount -l mnt
exec chroot . env -i CI="$CI" POPBSMTP_ENGINE="$POPBSMTP_ENGINE" LANG=C.UTF-8 HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
  sh -euc 'cd /popbsmtp; exec node dist/test/run.js "$@"' sh "$@"
`;

/** @returns whether it ended well */
async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const child = spawn(command, args, {
    cwd: repository,
    env: { ...process.env, CI: process.env['CI'] ?? '', ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await once(child, 'exit');
  return child.exitCode === 0;
}

async function test(target: Target, tests: readonly string[]): Promise<boolean> {
  if (target.kind === 'node') {
    const node = ['exec', '--yes', `--package=node@${target.release}`, '--', 'node'];
    return run('npm', [...node, 'dist/test/run.js', ...tests]);
  }
  const root = await rootOf(target.suite, cache, readPackages(repository));
  const base = mkdtempSync(join(tmpdir(), 'popbsmtp-suite-'));
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  try {
    const entered = [...namespaces, 'sh', '-euc', ENTER, base, root, repository, ...tests];
    return await run('unshare', entered, { POPBSMTP_ENGINE: target.engine });
  } finally {
    rmSync(base, { recursive: true });
  }
}

const args = process.argv.slice(2);
const parts = args.filter(arg => !Object.hasOwn(TARGETS, arg));
const named = Object.entries(TARGETS).filter(([name]) => args.includes(name));
const failed: string[] = [];
for (const [name, target] of named.length > 0 ? named : Object.entries(TARGETS)) {
  process.stdout.write(`\n=== ${name}\n`);
  if (!(await test(target, parts.length > 0 ? parts : target.tests))) failed.push(name);
}
if (failed.length > 0) {
  process.stderr.write(`\nfailed: ${failed.join(', ')}\n`);
  process.exitCode = 1;
}
