/**
 * The faults, each as a function that injects it so many times into a world and leaves the world at rest.
 */
import { randomInt } from 'node:crypto';
import {
  copyFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from '../../src/map/lock.ts';
import { formatNftName } from '../../src/map/nft-name.ts';
import { OVERLAY_PROGRAMS, startOverlay } from '../real/overlay.ts';
import { mustRun } from '../real/processes.ts';
import { findProgram } from '../real/programs.ts';
import type { Rig } from '../real/rig.ts';
import { PACKAGES as SENDMAIL_PACKAGES } from '../real/sendmail.ts';
import { Witness } from './witness.ts';
import { World, type WorldOptions } from './world.ts';

export interface Outcome {
  readonly logins: number;
  readonly lost: number;
  readonly open: number;
  /** What the real Postfix was asked meanwhile, and what was wrong with it; null when it did not take part. */
  readonly postfix: { readonly asked: number; readonly wrong: number } | null;
}

export interface Fault {
  readonly name: string;
  /** How often it is injected in a whole campaign. */
  readonly times: number;
  /** How often in the short pass that belongs to the tests. */
  readonly short: number;
  readonly needsRoot: boolean;
  /** Whether it changes the network that it is in. */
  readonly needsIsolation?: true;
  readonly programs: readonly string[];
  run(rig: Rig, times: number): Promise<Outcome>;
}

const LONG = 600;

interface Repetition {
  readonly rig: Rig;
  readonly world: World;
  readonly times: number;
  /** Whether the map stays the same file, so that Postfix must not notice anything. */
  readonly sameMap: boolean;
}

const hasPostfix = (): boolean => process.getuid?.() === 0 && findProgram('postfix') !== null;

/** Runs a fault again and again, and adds up what was wrong after each time. */
async function repeat(
  { rig, world, times, sameMap }: Repetition,
  inject: (round: number) => Promise<void>,
): Promise<Outcome> {
  world.logIn(1);
  await world.settle();
  const witness = sameMap && hasPostfix() ? await Witness.start(rig, world.map) : null;
  let lost = 0;
  let open = 0;
  for (let round = 0; round < times; round++) {
    await inject(round);
    const wrong = await world.settle();
    lost += wrong.lost;
    open += wrong.open;
  }
  const postfix = (await witness?.stop()) ?? null;
  await world.daemon.stop();
  return { logins: world.count, lost, open, postfix };
}

/** Killed at any moment of its life, the start included, while logins go on. */
const kill =
  (mapType?: WorldOptions['mapType']) =>
  async (rig: Rig, times: number): Promise<Outcome> => {
    // Short, so that grants end while all this goes on.
    const world = await started(rig, { grace: 15, ...(mapType && { mapType }) });
    return repeat({ rig, world, times, sameMap: mapType === undefined }, async () => {
      world.logIn(5);
      await sleep(randomInt(0, 150));
      world.logIn(5);
      world.daemon.signal('SIGKILL');
      await world.daemon.exited();
      world.logIn(3);
      world.start();
    });
  };

/** Restarted in good order, with logins meanwhile. */
async function restart(rig: Rig, times: number): Promise<Outcome> {
  const world = await started(rig, { grace: 15 });
  return repeat({ rig, world, times, sameMap: true }, async () => {
    world.logIn(5);
    await world.daemon.stop();
    world.logIn(5);
    world.start();
  });
}

/** A world with a daemon that has made its map. */
async function started(rig: Rig, options: Partial<WorldOptions> = {}): Promise<World> {
  const world = await World.make(rig, { grace: LONG, ...options });
  world.start();
  await world.hasMap();
  return world;
}

type Rotation = (world: World, round: number) => Promise<void>;

const ROTATIONS: Readonly<Record<string, Rotation>> = {
  'rename and create': async ({ log }) => {
    renameSync(log, `${log}.1`);
    writeFileSync(log, '');
  },
  'rename, writer stays': async world => {
    const writer = world.openWriter();
    renameSync(world.log, `${world.log}.1`);
    writer.write(2);
    writeFileSync(world.log, world.nextLogin());
    writer.write(2);
    writer.close();
  },
  copytruncate: async ({ log }) => {
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
  },
  truncate: async world => {
    // What nobody has read by then is nowhere any more.
    await world.settle();
    truncateSync(world.log);
  },
  'delete and create': async ({ log }) => {
    unlinkSync(log);
    writeFileSync(log, '');
  },
  'switch a symbolic link': async (world, round) => {
    const { log } = world;
    writeFileSync(`${log}-${round}`, '');
    symlinkSync(`${log}-${round}`, `${log}.link`);
    if (round === 0) renameSync(log, `${log}.old`);
    renameSync(`${log}.link`, log);
  },
};

const rotate =
  (rotation: Rotation) =>
  async (rig: Rig, times: number): Promise<Outcome> => {
    const world = await started(rig);
    return repeat({ rig, world, times, sameMap: true }, async round => {
      world.logIn(3);
      await rotation(world, round);
      world.logIn(3);
    });
  };

/** A world whose map is on a file system of its own, of 1 MiB. */
async function smallDisk(
  rig: Rig,
  mapType?: WorldOptions['mapType'],
): Promise<{ world: World; disk: string }> {
  const disk = await rig.directory();
  await mustRun('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=755', 'tmpfs', disk]);
  rig.defer(() => mustRun('umount', ['-l', disk]));
  const options = { mapDirectory: disk, ...(mapType && { mapType }) };
  return { world: await started(rig, options), disk };
}

const fullDisk =
  (mapType?: WorldOptions['mapType']) =>
  async (rig: Rig, times: number): Promise<Outcome> => {
    const { world, disk } = await smallDisk(rig, mapType);
    const filler = join(disk, 'filler');
    return repeat({ rig, world, times, sameMap: mapType === undefined }, async () => {
      await mustRun('sh', ['-c', 'cat /dev/zero > "$1" || true', 'sh', filler]);
      world.logIn(200);
      await sleep(randomInt(100, 800));
      rmSync(filler);
    });
  };

async function readOnlyDisk(rig: Rig, times: number): Promise<Outcome> {
  const { world, disk } = await smallDisk(rig);
  return repeat({ rig, world, times, sameMap: true }, async () => {
    // A file that is open for writing forbids the change, so the daemon meets it at a start.
    await world.daemon.stop();
    await mustRun('mount', ['-o', 'remount,ro', disk]);
    const refused = world.start();
    world.logIn(20);
    await refused.exited();
    await mustRun('mount', ['-o', 'remount,rw', disk]);
    world.start();
  });
}

async function removedMap(rig: Rig, times: number): Promise<Outcome> {
  const world = await started(rig);
  return repeat({ rig, world, times, sameMap: false }, async () => {
    world.logIn(3);
    await world.settle();
    unlinkSync(`${world.map.path}.lmdb`);
    world.logIn(3);
  });
}

async function replacedMap(rig: Rig, times: number): Promise<Outcome> {
  const world = await started(rig);
  const file = `${world.map.path}.lmdb`;
  return repeat({ rig, world, times, sameMap: false }, async () => {
    world.logIn(3);
    await world.settle();
    copyFileSync(file, `${file}.backup`);
    world.logIn(3);
    renameSync(`${file}.backup`, file);
    world.logIn(3);
  });
}

/** A reader that has hung itself up while it holds the lock. */
async function stuckReader(rig: Rig, times: number): Promise<Outcome> {
  const world = await started(rig);
  return repeat({ rig, world, times, sameMap: true }, async () => {
    const file = await open(`${world.map.path}.lmdb`);
    const held = await lock(file.fd, 'shared');
    world.logIn(50);
    await sleep(2000);
    held.release();
    await file.close();
  });
}

async function stopped(rig: Rig, times: number): Promise<Outcome> {
  const world = await started(rig, { grace: 6 });
  return repeat({ rig, world, times, sameMap: true }, async () => {
    world.logIn(5);
    world.daemon.signal('SIGSTOP');
    world.logIn(5);
    await sleep(1500);
    world.daemon.signal('SIGCONT');
  });
}

/** Where Debian's faketime has the library that it preloads. */
async function fakeTimeLibrary(): Promise<string> {
  const found = await mustRun('sh', ['-c', 'ls /usr/lib/*/faketime/libfaketimeMT.so.1']);
  return found.trim();
}

/** The wall clock is set forth and back by hours, for the daemon and for whoever stamps the log. */
async function clockSet(rig: Rig, times: number): Promise<Outcome> {
  const setting = join(await rig.directory(), 'clock');
  writeFileSync(setting, '+0');
  const world = await started(rig, {
    grace: 8,
    env: {
      LD_PRELOAD: await fakeTimeLibrary(),
      FAKETIME_TIMESTAMP_FILE: setting,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
  });
  return repeat({ rig, world, times, sameMap: true }, async round => {
    world.logIn(5);
    await world.settle();
    const hours = [2, -3, 5, 0][round % 4] ?? 0;
    // The library reads the file in one go; renaming keeps it whole.
    writeFileSync(`${setting}.new`, `${hours < 0 ? '' : '+'}${hours}h`);
    renameSync(`${setting}.new`, setting);
    world.clockOffset = hours * 3_600_000;
    await sleep(300);
    world.logIn(5);
  });
}

/** Puts sendmail's makemap, which cannot stand beside Postfix as a package, before all on the path of this process and of what it starts. */
async function takeMakemap(rig: Rig): Promise<void> {
  const directory = await rig.directory();
  const shown = new Map([['/srv/tools', directory]]);
  const overlay = await startOverlay(rig, SENDMAIL_PACKAGES, [], shown, 'unpacked');
  await overlay.run('sh', ['-euc', 'cp "$(command -v makemap)" /srv/tools/']);
  process.env['PATH'] = `${directory}:${process.env['PATH']}`;
}

/** Has a reader of the test's own know what the file said when it was told of it last. */
const told = (type: string) => ({
  type,
  programs: ['cp', 'mv'],
  known: (path: string) => ({ type, path: `${path}.known` }),
  options: (path: string) =>
    ['/bin/sh', '-c', 'cp "$1" "$1.new" && mv "$1.new" "$1.known"', 'sh', path].map(
      word => `--table-command=${word}`,
    ),
});

const NFT = { family: 'inet', table: 'filter', set: 'pop' } as const;

type OfType = NonNullable<WorldOptions['mapType']> &
  Pick<Fault, 'programs' | 'needsIsolation'> & {
    readonly name?: string;
    readonly needsRoot?: true;
  };

/** All but the first type: what is to be seen of each is what its readers have. */
const OTHERS: readonly OfType[] = [
  { type: 'hash', programs: ['postmap'] },
  { type: 'cdb', programs: ['postmap'] },
  { type: 'cidr', programs: [] },
  {
    type: 'makemap:hash',
    programs: OVERLAY_PROGRAMS,
    needsRoot: true,
    prepare: takeMakemap,
  },
  { type: 'tcprules', programs: [] },
  told('table'),
  {
    ...told('smtpaccess'),
    options: path => [...told('smtpaccess').options(path), '--map-rules=/dev/null'],
  },
  {
    // Behind a map that is a file, for the files beside it.
    name: 'nft',
    type: 'lmdb',
    programs: ['nft'],
    needsRoot: true,
    needsIsolation: true,
    known: path => ({ type: 'nft', path, nft: NFT }),
    options: () => [`--map=nft:${formatNftName(NFT)}`],
  },
];

export const FAULTS: readonly Fault[] = [
  { name: 'kill -9', times: 200, short: 8, needsRoot: false, programs: [], run: kill() },
  ...OTHERS.map(({ programs, needsRoot = false, needsIsolation, name, ...mapType }) => ({
    name: `kill -9, ${name ?? mapType.type}:`,
    times: 50,
    short: 4,
    needsRoot,
    ...(needsIsolation && { needsIsolation }),
    programs,
    run: kill(mapType),
  })),
  { name: 'restart', times: 50, short: 3, needsRoot: false, programs: [], run: restart },
  ...Object.entries(ROTATIONS).map(([name, rotation]) => ({
    name: `rotation: ${name}`,
    times: 100,
    short: 8,
    needsRoot: false,
    programs: [],
    run: rotate(rotation),
  })),
  {
    name: 'disk full',
    times: 20,
    short: 2,
    needsRoot: true,
    programs: ['mount', 'umount'],
    run: fullDisk(),
  },
  ...OTHERS.map(({ programs, needsIsolation, name, ...mapType }) => ({
    name: `disk full, ${name ?? mapType.type}:`,
    times: 20,
    short: 1,
    needsRoot: true,
    ...(needsIsolation && { needsIsolation }),
    programs: ['mount', 'umount', ...programs],
    run: fullDisk(mapType),
  })),
  {
    name: 'disk read-only',
    times: 20,
    short: 1,
    needsRoot: true,
    programs: ['mount', 'umount'],
    run: readOnlyDisk,
  },
  { name: 'map removed', times: 50, short: 3, needsRoot: false, programs: [], run: removedMap },
  {
    name: 'map replaced by an old copy',
    times: 50,
    short: 3,
    needsRoot: false,
    programs: [],
    run: replacedMap,
  },
  {
    name: 'reader holds the lock',
    times: 10,
    short: 1,
    needsRoot: false,
    programs: [],
    run: stuckReader,
  },
  {
    name: 'SIGSTOP and SIGCONT',
    times: 20,
    short: 2,
    needsRoot: false,
    programs: [],
    run: stopped,
  },
  {
    name: 'wall clock set',
    times: 40,
    short: 4,
    needsRoot: false,
    programs: ['faketime'],
    run: clockSet,
  },
];
