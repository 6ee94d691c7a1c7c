/** What the bundle is made of, and where it goes; paths are below the project. */

export const BUNDLE = 'dist/bundle';

/** What is in it, as esbuild tells. */
export const METAFILE = 'dist/bundle.json';

/** What is started by its name: the program, and the thread that sifts a log. */
export const ENTRIES = ['main.ts', 'source/sifter-worker.ts'] as const;

/** They have an addon, which is found beside their own files. */
export const OUTSIDE = ['lmdb', 'fs-native-extensions'] as const;
