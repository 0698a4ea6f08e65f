/** What any thread of the process has loaded: what only a worker loads is not unused. */
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";

/** One byte for each thing that may be loaded, shared by all threads under `key`. */
export class LoadedFlags {
  private readonly flags: Uint8Array;

  constructor(key: string, count: number) {
    const shared = isMainThread ? undefined : getEnvironmentData(key);
    const inherited = shared instanceof SharedArrayBuffer && shared.byteLength === count;
    const buffer = inherited ? shared : new SharedArrayBuffer(count);
    if (!inherited && count > 0) setEnvironmentData(key, buffer);
    this.flags = new Uint8Array(buffer);
  }

  /** Notes that the thing at `index` has been loaded. */
  set(index: number): void {
    Atomics.store(this.flags, index, 1);
  }

  /** Whether any thread has loaded it. */
  has(index: number): boolean {
    return Atomics.load(this.flags, index) === 1;
  }

  /** Whether any thread has loaded anything. */
  any(): boolean {
    return this.flags.some((_, index) => this.has(index));
  }
}
