/**
 * `npm run build`, its second half: puts the program together in dist/bundle, as it is installed.
 *
 * The program is one file, in which each part is set up when it is first asked for: so a command reads one file where it
 * would look up and link up to two hundred.  It is CommonJS, since V8's compiled form can be kept for that (compiled.ts), and
 * since Node sets up less for it.
 *
 * Promises: what is in there, and of which packages, is told in dist/bundle.json, esbuild's metafile; of packages
 * with an addon, that alone stays outside.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { packageRoot } from '../../base/package.ts';
import { PARSED_MAIL_NAME, parseShippedMail } from '../../mta/load.ts';
import { PARSED_NAME, parseShipped } from '../../recogniser/load.ts';
import { type AddonName, APART, BUNDLE, ENTRIES, METAFILE, PROGRAM } from './facts.ts';

/** Of yargs, its parser is used; what else its helpers import prepares messages in all languages when it is loaded. */
const parserOnly: Plugin = {
  name: 'parser-only',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /./ }, async ({ path, importer, pluginData, ...args }) => {
      if (!/\/node_modules\/yargs\/helpers\//.test(importer) || pluginData === parserOnly)
        return null;
      const found = await resolve(path, { importer, pluginData: parserOnly, ...args });
      return { ...found, sideEffects: false };
    });
  },
};

/** What looks for an addon in many places, of which one can be the wrong one, by what it is to the package. */
const FINDERS: readonly { filter: RegExp; addon: AddonName; is: (load: string) => string }[] = [
  {
    filter: /node_modules\/node-gyp-build-optional-packages\/index\.js$/,
    addon: 'lmdb',
    is: load => `() => ${load}`,
  },
  {
    filter: /node_modules\/fs-native-extensions\/binding\.js$/,
    addon: 'fs-native-extensions',
    is: load => load,
  },
];

/** winston's streams are Node's own, of which its package brings a copy of an earlier version. */
const streams: Plugin = {
  name: 'streams',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/readable-stream\/readable\.js$/ }, () => ({
      contents: `module.exports = require('node:stream');`,
    }));
    onLoad({ filter: /node_modules\/readable-stream\/lib\/_stream_writable\.js$/ }, () => ({
      contents: `module.exports = require('node:stream').Writable;`,
    }));
  },
};

const addons: Plugin = {
  name: 'addons',
  setup({ onLoad }) {
    const loader = JSON.stringify(join(root, 'src/packaging/bundle/addon.ts'));
    for (const { filter, addon, is } of FINDERS)
      onLoad({ filter }, () => ({
        contents: `module.exports = ${is(`require(${loader}).loadAddon('${addon}')`)};`,
      }));
  },
};

/** Loaded from its own file when it is needed. */
const apart: Plugin = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ path, resolveDir, kind }) =>
      kind === 'dynamic-import' && join(resolveDir, path) === join(root, 'src', APART.source)
        ? { path: `./${APART.name}.js`, external: true }
        : null,
    );
  },
};

/** For the run in which the program is compiled: a login, that one again, and its end. */
const LOG = [
  'Login: user=<u>, method=PLAIN, rip=192.0.2.1',
  'Login: user=<u>, method=PLAIN, rip=192.0.2.1',
  'Disconnected: Logged out in=1 out=2, rip=192.0.2.1',
]
  .map(
    text =>
      `${new Date().toISOString()} mx dovecot: imap-login: ${text}, lip=192.0.2.2, mpid=1, session=<s>\n`,
  )
  .join('');

const root = packageRoot();
const directory = join(root, BUNDLE);

const OPTIONS = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  // Packages leave out what is for their developers.
  define: { 'process.env.NODE_ENV': '"production"' },
  // Less to read; names stay as they are, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;

const buildProgram = () =>
  build({
    ...OPTIONS,
    entryPoints: ['src/main.ts'],
    outfile: join(directory, PROGRAM),
    // Nothing is loaded from outside but by `require`.
    supported: { 'dynamic-import': false },
    banner: { js: '(function(require,programUrl,programDirectory){' },
    footer: { js: '})' },
    define: {
      ...OPTIONS.define,
      'import.meta.url': 'programUrl',
      'import.meta.dirname': 'programDirectory',
      // What lmdb would encode values with; ours are bytes.
      'process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED': '"true"',
    },
    plugins: [parserOnly, addons, streams, apart],
  });

const buildEntries = () =>
  build({
    ...OPTIONS,
    entryPoints: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, source]) => [name, `src/${source}`]),
    ),
    outdir: directory,
    define: { ...OPTIONS.define, 'import.meta.dirname': '__dirname' },
  });

rmSync(directory, { recursive: true, force: true });
const built = await Promise.all([buildProgram(), buildEntries()]);
const [inputs, outputs] = (['inputs', 'outputs'] as const).map(part =>
  Object.assign({}, ...built.map(({ metafile }) => metafile[part])),
);
writeFileSync(join(root, METAFILE), JSON.stringify({ inputs, outputs }));
writeFileSync(join(directory, 'package.json'), '{"type":"commonjs"}\n');
writeFileSync(join(directory, PARSED_NAME), await parseShipped());
writeFileSync(join(directory, PARSED_MAIL_NAME), await parseShippedMail());
execFileSync(process.execPath, [join(directory, 'compile.js')], {
  input: LOG,
  stdio: ['pipe', 'ignore', 'inherit'],
});
