/** The part of WebAssembly that line/scan-memory.ts uses (WebAssembly JavaScript Interface, W3C); the types of Node have none of it. */
declare namespace WebAssembly {
  class Memory {
    /** @param descriptor in pages of 64 KiB */
    constructor(descriptor: {
      readonly initial: number;
      readonly maximum: number;
      readonly shared: true;
    });
    /** As large as it is now. */
    readonly buffer: SharedArrayBuffer;
    /** @throws RangeError when there is no more */
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance<Exports> {
    constructor(module: Module, imports: Readonly<Record<string, unknown>>);
    readonly exports: Exports;
  }
}
