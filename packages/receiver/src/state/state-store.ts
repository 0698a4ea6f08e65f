/**
 * What must survive a restart: small named items in one SQLite file, and files beside it for what
 * only grows. A checkpoint is one transaction. SQLite waits for the disk, and so works in a thread
 * of its own (state-thread.ts): nobody's acknowledgement waits for a checkpoint.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { MetricFamily } from "../metric-family.js";
import type { Stage } from "../stage.js";
import { StateParts } from "./state-parts.js";
import type { NumberedRequest, StateAnswer, StateItem, StateRequest } from "./state-request.js";

/** Built code beside built code, and from the sources too: Node runs no TypeScript here. */
const THREAD = new URL("../../dist/state/state-thread.js", import.meta.url);

/** Of the thread, whose garbage is what it was sent; V8 would take 128 MB. */
const YOUNG_MB = 8;
/** Between two slices of the steps of a transaction, requests are served. */
const SLICE_MS = 5;

/** What is still to be put: each step puts a little. */
export type Rest = Iterable<unknown>;

/** The file cannot be used; the message says why and what to do. */
export class StateStoreError extends Error {
  override readonly name = "StateStoreError";
}

/** Where changes are put together for one transaction. */
export interface StateChanges {
  /** Bytes are copied: they may be of memory that is used again right after. */
  put(kind: string, key: string, body: Uint8Array | string): void;
  delete(kind: string, key: string): void;
  /** Deletes all items of a kind whose keys come before this one. */
  deleteBefore(kind: string, key: string): void;
  /**
   * Writes a part of a file that lies beside the store. It is on the disk before the transaction,
   * and may be there without it: the items of the transaction say how much of the file counts.
   * @param bytes are handed over: the caller keeps no use of their buffer
   */
  write(file: string, offset: number, bytes: Uint8Array<ArrayBuffer>): void;
  /** Deletes such a file, once the transaction is on the disk. */
  remove(file: string): void;
}

/** What an earlier run has stored. */
export interface StoredState {
  /** All items of a kind, by key. */
  items(kind: string): Promise<StateItem[]>;
  /** Those with these keys, as far as there are such. */
  itemsOf(kind: string, keys: readonly string[]): Promise<StateItem[]>;
  /** A file beside the store; empty when there is none. */
  read(file: string): Promise<Uint8Array>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A state file. It is locked while it is open: two receivers never share a folder. */
export class StateStore implements Stage, StoredState {
  private readonly file: string;
  private thread: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private requests = 0;
  private transactions = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** @throws StateStoreError when the file is in use, damaged, or of a later version */
  async start(): Promise<void> {
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
    const thread = new Worker(THREAD, { workerData: this.file, resourceLimits });
    this.thread = thread;
    thread.on("message", (answer: StateAnswer) => this.settle(answer));
    thread.on("error", (error) => this.fail(error));
    thread.on("exit", () => this.fail(new Error("its thread has ended")));
    try {
      await this.ask({ kind: "open" });
    } catch (error) {
      await this.shutdown();
      const { message } = error as Error;
      throw new StateStoreError(`${this.file}: ${message}`, { cause: error });
    }
  }

  async shutdown(): Promise<void> {
    const { thread } = this;
    if (thread === undefined) return;
    await this.ask({ kind: "close" });
    this.thread = undefined;
    await thread.terminate();
  }

  metrics(): MetricFamily[] {
    return [];
  }

  /**
   * Makes what `change` puts together one transaction: when this resolves all of it is on the
   * disk, and when it rejects none of it is. Transactions may overlap; one that has begun while
   * another one was being made comes after it.
   *
   * @param change puts what it has to put at once, and returns steps that put the rest; they are
   *   taken in turn, some milliseconds at a time, and others are served meanwhile
   */
  async transaction(change: (changes: StateChanges) => readonly Rest[]): Promise<void> {
    const of = ++this.transactions;
    const parts = new StateParts();
    const changes: StateChanges = {
      put: (kind, key, body) => parts.put(kind, key, body),
      delete: (kind, key) => parts.add({ verb: "delete", kind, key }),
      deleteBefore: (kind, key) => parts.add({ verb: "deleteBefore", kind, key }),
      write: (file, offset, bytes) => parts.add({ verb: "write", file, offset, bytes }),
      remove: (file) => parts.add({ verb: "remove", file }),
    };
    try {
      for (const rest of change(changes)) {
        let overMs = performance.now() + SLICE_MS;
        for (const _ of rest) {
          if (!parts.isFull && performance.now() < overMs) continue;
          await this.send(of, parts);
          await nextTurn();
          overMs = performance.now() + SLICE_MS;
        }
      }
      await this.send(of, parts);
      await this.ask({ kind: "commit", of });
    } catch (error) {
      this.ask({ kind: "abandon", of }).catch(() => {});
      throw error;
    }
  }

  private async send(of: number, parts: StateParts): Promise<void> {
    for (let part = parts.shift(); part; part = parts.shift()) {
      await this.ask({ kind: "part", of, changes: part.changes }, part.buffers);
    }
  }

  async items(kind: string): Promise<StateItem[]> {
    return (await this.ask({ kind: "items", of: kind })) as StateItem[];
  }

  async itemsOf(kind: string, keys: readonly string[]): Promise<StateItem[]> {
    return (await this.ask({ kind: "items", of: kind, keys })) as StateItem[];
  }

  async read(file: string): Promise<Uint8Array> {
    return (await this.ask({ kind: "read", file })) as Uint8Array;
  }

  private ask(request: StateRequest, handedOver: ArrayBuffer[] = []): Promise<unknown> {
    const { thread } = this;
    if (thread === undefined) return Promise.reject(new Error(`${this.file} is not open`));
    return new Promise((resolve, reject) => {
      const id = ++this.requests;
      this.waiting.set(id, { resolve, reject });
      // What is under way keeps the process alive, an idle store does not.
      thread.ref();
      const numbered: NumberedRequest = { ...request, id };
      thread.postMessage(numbered, handedOver);
    });
  }

  private settle({ id, value, error }: StateAnswer): void {
    const one = this.waiting.get(id);
    this.waiting.delete(id);
    if (this.waiting.size === 0) this.thread?.unref();
    if (error === undefined) one?.resolve(value);
    else one?.reject(new Error(error));
  }

  private fail(error: Error): void {
    this.thread = undefined;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
