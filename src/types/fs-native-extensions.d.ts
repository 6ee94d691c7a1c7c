/** The part of fs-native-extensions 1.5 that lock.ts uses; the package ships no types. */
declare module 'fs-native-extensions' {
  interface LockOptions {
    /** A read lock instead of a write lock. */
    readonly shared?: boolean;
  }

  interface Addon {
    /** Whether the lock was granted; `length` 0 reaches to the end of the file, however it grows. */
    tryLock(fd: number, offset: number, length: number, options: LockOptions): boolean;
    unlock(fd: number): void;
  }

  const addon: Addon;
  export default addon;
}
