/**
 * The client library of Redis and Valkey: what connection.ts loads of it when a fleet is set up, and not before.
 *
 * A file of its own, since a bundle keeps the names of a CommonJS package for an `import` statement only: behind
 * `import('@redis/client')` esbuild 0.28 leaves nothing but `default`.
 */
export { createClient } from '@redis/client';
