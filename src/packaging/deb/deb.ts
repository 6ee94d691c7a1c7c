/**
 * `npm run deb`: builds popbsmtp_VERSION_ARCH.deb, with the compiled addon inside.
 *
 * Promises: the mail host needs no compiler and no npm; the same commit gives the same package, byte for byte, on the
 * same kind of machine (SOURCE_DATE_EPOCH, or else the time of the last commit; without git that of package.json); the project and its node_modules are
 * only read.  The package is built for the kind of machine that it is built on.
 * Needs dpkg-dev and binutils, and the built program (`npm run build`).
 * Leaves to others: what is in it (contents.ts), what it says of itself (metadata.ts), what is done on the mail host
 * (init/debian/).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Metafile } from 'esbuild';
import { packageRoot } from '../../base/package.ts';
import { METAFILE } from '../bundle/facts.ts';
import { manualFiles, SAMPLE_CONFIG } from '../manual/manual.ts';
import { changelog } from './changelog.ts';
import { CONFFILES, copyContents, DOC, filesBelow, HOME, MAIN, setModes } from './contents.ts';
import { control, copyright, type Facts, TRIGGERS } from './metadata.ts';
import { modulesInside } from './modules.ts';

const PROJECT = packageRoot();
const SCRIPTS = ['postinst', 'prerm', 'postrm'] as const;
/** Instead of one that asks the PATH: the package depends on this Node. */
const INTERPRETER = '#!/usr/bin/node';
/** devscripts' own variables say who builds; a package for one's own hosts needs no address. */
const { DEBFULLNAME: NAME = 'the popbsmtp authors', DEBEMAIL: ADDRESS = 'popbsmtp@localhost' } =
  process.env;

/** What it prints; its complaints are part of the error when it fails, and else of no interest. */
const output = (command: string, args: readonly string[], cwd = PROJECT): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe' }).trim();

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** In seconds since 1970; of an archive of the sources, or where there is no git, that of package.json has to do. */
function lastChange(): number {
  const { SOURCE_DATE_EPOCH: told } = process.env;
  if (told !== undefined) return Number(told);
  const git = { cwd: PROJECT, encoding: 'utf8' } as const;
  // Not of a repository that the archive was unpacked in.
  const { status, stdout } = existsSync(join(PROJECT, '.git'))
    ? spawnSync('git', ['log', '-1', '--format=%ct'], git)
    : { status: null, stdout: '' };
  return status === 0
    ? Number(stdout)
    : Math.floor(statSync(join(PROJECT, 'package.json')).mtimeMs / 1000);
}

/** The libraries that the addons need, in the versions that have what they use. */
function librariesOf(addons: readonly string[], scratch: string): string {
  mkdirSync(join(scratch, 'debian'));
  writeFileSync(
    join(scratch, 'debian/control'),
    'Source: popbsmtp\n\nPackage: popbsmtp\nArchitecture: any\n',
  );
  const depends = output('dpkg-shlibdeps', ['-O', ...addons.map(file => `-e${file}`)], scratch);
  return depends.replace('shlibs:Depends=', '');
}

function write(root: string, path: string, text: string | Buffer): void {
  const file = join(root, path);
  mkdirSync(resolve(file, '..'), { recursive: true });
  writeFileSync(file, text);
}

/** The program, as the package has it. */
function adapt(root: string, version: string): void {
  const { name, type } = readJson(join(PROJECT, 'package.json'));
  write(root, `${HOME}/package.json`, `${JSON.stringify({ name, version, type }, null, 2)}\n`);
  const main = join(root, MAIN);
  writeFileSync(main, readFileSync(main, 'utf8').replace(/^#!.*/, INTERPRETER));
  for (const command of ['popbsmtp', 'pop-before-smtp']) {
    symlinkSync(
      `../lib/popbsmtp/${relative(join(root, HOME), main)}`,
      join(root, 'usr/bin', command),
    );
  }
}

function describe(root: string, facts: Facts, bundle: Metafile): void {
  const modules = modulesInside(PROJECT, bundle);
  const license = readFileSync(join(PROJECT, 'LICENSE'), 'utf8');
  write(root, `${DOC}/copyright`, `${copyright(license, modules)}\n`);
  const changes = readFileSync(join(PROJECT, 'CHANGELOG.md'), 'utf8');
  write(root, `${DOC}/changelog`, changelog(changes, facts));
  for (const name of [`${DOC}/changelog`, ...pagesBelow(root)]) {
    write(root, `${name}.gz`, gzipSync(readFileSync(join(root, name)), { level: 9 }));
    rmSync(join(root, name));
  }
}

const pagesBelow = (root: string): string[] =>
  filesBelow(root)
    .map(file => relative(root, file))
    .filter(name => name.startsWith('usr/share/man/'));

/** What dpkg reads: the control files. */
function addControl(root: string, facts: Facts): void {
  const sums = filesBelow(root)
    .map(file => [createHash('md5').update(readFileSync(file)).digest('hex'), relative(root, file)])
    .filter(([, name]) => !name?.startsWith('etc/'));
  write(root, 'DEBIAN/control', control(facts));
  write(root, 'DEBIAN/md5sums', sums.map(pair => `${pair.join('  ')}\n`).join(''));
  write(root, 'DEBIAN/triggers', TRIGGERS);
  write(root, 'DEBIAN/conffiles', CONFFILES.map(name => `/${name}\n`).join(''));
  for (const script of SCRIPTS) {
    copyFileSync(join(PROJECT, 'init/debian', script), join(root, 'DEBIAN', script));
  }
  setModes(
    root,
    SCRIPTS.map(script => `DEBIAN/${script}`),
  );
}

function build(version: string, directory: string, scratch: string): string {
  const root = join(scratch, 'root');
  const bundle: Metafile = JSON.parse(readFileSync(join(PROJECT, METAFILE), 'utf8'));
  copyContents(PROJECT, root);
  adapt(root, version);
  const seconds = lastChange();
  for (const [name, text] of manualFiles({ version, date: new Date(seconds * 1000) })) {
    write(root, name === SAMPLE_CONFIG ? CONFFILES[0] : `usr/share/${name}`, text);
  }
  const addons = filesBelow(root).filter(file => file.endsWith('.node'));
  execFileSync('strip', ['--strip-unneeded', ...addons]);
  const facts: Facts = {
    version,
    architecture: output('dpkg', ['--print-architecture']),
    maintainer: `${NAME} <${ADDRESS}>`,
    libraries: librariesOf(addons, scratch),
    installedSize: filesBelow(root).reduce(
      (sum, file) => sum + Math.ceil(statSync(file).size / 1024),
      0,
    ),
    date: new Date(seconds * 1000),
  };
  describe(root, facts, bundle);
  addControl(root, facts);
  const deb = join(directory, `popbsmtp_${version}_${facts.architecture}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', '-Zxz', root, deb], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(seconds) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return deb;
}

const { values } = parseArgs({
  options: {
    version: {
      type: 'string',
      default: String(readJson(join(PROJECT, 'package.json'))['version']),
    },
    to: { type: 'string', default: PROJECT },
  },
});
const scratch = mkdtempSync(join(tmpdir(), 'popbsmtp-deb-'));
try {
  process.stdout.write(`${build(values.version, resolve(values.to), scratch)}\n`);
} catch (error) {
  process.stderr.write(`npm run deb: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
