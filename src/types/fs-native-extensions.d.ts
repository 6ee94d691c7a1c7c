/** The part of fs-native-extensions 1.5 that lock.ts uses; the package ships no types. */
declare module 'fs-native-extensions' {
  interface LockOptions {
    /** A read lock instead of a write lock. */
    readonly shared?: boolean;
  }

  /** Whether the lock was granted; `length` 0 reaches to the end of the file, however it grows. */
  export function tryLock(
    fd: number,
    offset: number,
    length: number,
    options: LockOptions,
  ): boolean;
  export function unlock(fd: number): void;
}
