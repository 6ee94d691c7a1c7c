/** What the bundle is made of, and where it goes; paths are below the project. */

export const BUNDLE = 'dist/bundle';

/** What is in it, as esbuild tells. */
export const METAFILE = 'dist/bundle.json';

/** What is started by its name: the program, and the thread that sifts a log. */
export const ENTRIES = ['main.ts', 'source/sifter-worker.ts'] as const;

export type AddonName = keyof typeof ADDONS;

/** The compiled parts of packages, by the names of these; they stay in their packages, where addon.ts finds them. @param arch as Node calls it */
export const ADDONS = {
  lmdb: () => 'build/Release/lmdb.node',
  'fs-native-extensions': (arch: string) => `prebuilds/linux-${arch}/fs-native-extensions.node`,
} as const satisfies Record<string, (arch: string) => string>;
