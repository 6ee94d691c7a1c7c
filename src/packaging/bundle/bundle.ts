/**
 * `npm run build`, its second half: puts the program together in dist/bundle, as it is installed.
 *
 * An entry for the program and one for its thread; each command is a part of its own, since main.ts loads it when it is the one,
 * and what several use is a part that they share.  So a command reads a handful of files where it would look up and link
 * up to two hundred.
 *
 * Promises: what is in there, and of which packages, is told in dist/bundle.json, esbuild's metafile; of packages
 * with an addon, that alone stays outside.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { packageRoot } from '../../base/package.ts';
import { PARSED_NAME, parseShipped } from '../../recogniser/load.ts';
import { type AddonName, BUNDLE, ENTRIES, METAFILE } from './facts.ts';

const BUILTIN = new RegExp(`^(?:node:)?(?:${builtinModules.join('|')})$`);

/** A CommonJS package in a bundle of ES modules has no `require` of its own for what is part of Node. */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: BUILTIN }, ({ path, kind }) =>
      kind === 'require-call' ? { path, namespace: 'builtin' } : null,
    );
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

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

const root = packageRoot();
rmSync(join(root, BUNDLE), { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ENTRIES.map(name => `src/${name}`),
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  outdir: BUNDLE,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Packages leave out what is for their developers.
  define: {
    'process.env.NODE_ENV': '"production"',
    // What lmdb would encode values with; ours are bytes.
    'process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED': '"true"',
  },
  // Less to read; names stay as they are, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  plugins: [builtins, parserOnly, addons],
  logLevel: 'warning',
});
writeFileSync(join(root, METAFILE), JSON.stringify(metafile));
writeFileSync(join(root, BUNDLE, PARSED_NAME), await parseShipped());
