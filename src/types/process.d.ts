/** What @types/node 20 leaves out of `process` (Node 20, doc/api/process.md). */
declare namespace NodeJS {
  interface Process {
    /** Takes the groups of an account, and one more (initgroups(3)). */
    initgroups?(user: string | number, extraGroup: string | number): void;
  }
}
