/**
 * What we use of the npm package tail-file 1.4.16, which comes without types.
 *
 * Its README invites to replace any property or method; these are the ones that our follower
 * (follower.ts) replaces or relies on.
 */
declare module 'tail-file' {
  import { EventEmitter } from 'node:events';

  export default class Tail extends EventEmitter<{
    error: [error: Error];
    eof: [position: number];
    restart: [reason: 'PRIMEFOUND' | 'NEWPRIME' | 'TRUNCATE' | 'CATCHUP'];
  }> {
    constructor(filename: string, options?: { readonly _bufsize?: number });

    readonly filename: string;
    /** What is being followed, or null when stopped. */
    started: string | null;
    /** Where the next read begins, in bytes. */
    pos: number;
    fd: number | null | undefined;
    ino: number | null;
    /** A read is under way, and no other must begin. */
    reading: boolean;
    onEndOfFile: () => void;

    start(): void;
    startTail(filename: string): void;
    stop(): Promise<unknown>;
    _stop(): void;
    createReader(): void;
    readStuff(): void;
    decode(chunk: Buffer | null): void;
    getLine(): void;
    checkDir(type: string, name: string): void;
    setBytePos(position: number): void;
  }
}
