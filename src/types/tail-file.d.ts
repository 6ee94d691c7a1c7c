/** The part of tail-file 1.4.16 that tail.ts uses; the package ships no types. */
declare module 'tail-file' {
  import type { EventEmitter } from 'node:events';

  /** All properties and methods may be set or replaced (its README, "Options"). */
  export default class TailFile extends EventEmitter {
    /** The open file; 'init' while it is being opened. */
    readonly fd?: number | 'init';
    /** Of the directory; remains when a file cannot be read. */
    readonly watcher?: { close(): void } | null;
    constructor(path: string, options: Readonly<Record<string, unknown>>);
    start(): void;
    startTail(path: string): void;
    readStuff(): void;
    /** Takes what was read; null at the end of the file. */
    decode(chunk: Buffer | null): void;
    /** Looks whether the file was replaced or emptied. */
    onEndOfFile(): void;
    /** Closes the file at once. */
    _stop(): void;
  }
}
