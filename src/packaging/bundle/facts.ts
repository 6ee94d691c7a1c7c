/** What the bundle is made of, and where it goes; paths are below the project. */

export const BUNDLE = 'dist/bundle';

/** What is in it, as esbuild tells. */
export const METAFILE = 'dist/bundle.json';

/** The program, which start.ts loads, as a function of what a module of Node knows of itself. */
export const PROGRAM = 'program.js';

/** The program once it is compiled. */
export const COMPILED = 'program.compiled';

/** Below src: a part of the program that few hosts need, and that is a third of all its text. */
export const APART = { name: 'client', source: 'fleet/client.ts' } as const;

/** The files besides the program, and their sources below src: what is started by its name, and what the program loads. */
export const ENTRIES = {
  main: 'packaging/bundle/start.ts',
  compile: 'packaging/bundle/compile.ts',
  [APART.name]: APART.source,
  'sifter-worker': 'source/sifter-worker.ts',
} as const;

export type AddonName = keyof typeof ADDONS;

/** The compiled parts of packages, by the names of these; they stay in their packages, where addon.ts finds them. @param arch as Node calls it */
export const ADDONS = {
  lmdb: () => 'build/Release/lmdb.node',
  'fs-native-extensions': (arch: string) => `prebuilds/linux-${arch}/fs-native-extensions.node`,
} as const satisfies Record<string, (arch: string) => string>;
