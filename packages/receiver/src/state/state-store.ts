/**
 * What must survive a restart: small named items in one SQLite file, and files beside it for what
 * only grows. A checkpoint is one transaction. SQLite waits for the disk, and so works in a thread
 * of its own (state-thread.ts): nobody's acknowledgement waits for a checkpoint.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import type { Stage } from "../stage.js";
import { RunningThread } from "./running-thread.js";
import { StateParts } from "./state-parts.js";
import type { StateItem, StateRequest } from "./state-request.js";

/** A thread that ends again and again is started no more often than this. */
const RESTART_MS = 1000;
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

/**
 * A state file. It is locked while it is open: two receivers never share a folder. When its thread
 * ends, whatever the reason, what is under way fails, and what comes next starts another one.
 */
export class StateStore implements Stage, StoredState {
  private readonly file: string;
  private readonly logger: Logger | undefined;
  /** The last one that has opened the file. */
  private thread: RunningThread | undefined;
  private startedMs = 0;
  private restarting: Promise<RunningThread> | undefined;
  private transactions = 0;

  /** @param logger is told when the thread has ended by itself */
  constructor(file: string, logger?: Logger) {
    this.file = file;
    this.logger = logger;
  }

  /** @throws StateStoreError when the file is in use, damaged, or of a later version */
  async start(): Promise<void> {
    this.thread = await this.open();
  }

  async shutdown(): Promise<void> {
    await this.restarting?.catch(() => {});
    const { thread } = this;
    this.thread = undefined;
    if (thread === undefined || thread.failure) return;
    await thread.ask({ kind: "close" });
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
    // All of it goes to this thread: what is left of it when that ends must not be stored alone.
    const thread = this.running();
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
          await send(thread, of, parts);
          await nextTurn();
          overMs = performance.now() + SLICE_MS;
        }
      }
      await send(thread, of, parts);
      await (await thread).ask({ kind: "commit", of });
    } catch (error) {
      thread.then((running) => running.ask({ kind: "abandon", of })).catch(() => {});
      throw error;
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

  private async ask(request: StateRequest): Promise<unknown> {
    return (await this.running()).ask(request);
  }

  private async running(): Promise<RunningThread> {
    const { thread } = this;
    if (thread === undefined) throw new Error(`${this.file} is not open`);
    if (thread.failure === undefined) return thread;
    this.restarting ??= this.restart(thread).finally(() => {
      this.restarting = undefined;
    });
    return this.restarting;
  }

  private async restart(ended: RunningThread): Promise<RunningThread> {
    await ended.gone;
    await sleep(Math.max(0, this.startedMs + RESTART_MS - performance.now()));
    this.thread = await this.open();
    this.logger?.info("the state is stored again, by another thread", { file: this.file });
    return this.thread;
  }

  private async open(): Promise<RunningThread> {
    this.startedMs = performance.now();
    const thread = new RunningThread(this.file);
    try {
      await thread.ask({ kind: "open" });
    } catch (error) {
      await thread.terminate();
      const { message } = error as Error;
      throw new StateStoreError(`${this.file}: ${message}`, { cause: error });
    }
    void thread.gone.then(() => this.noteEnd(thread));
    return thread;
  }

  private noteEnd(thread: RunningThread): void {
    if (thread !== this.thread) return;
    this.logger?.error("what was being stored is lost; what is stored next starts a thread again", {
      file: this.file,
      error: thread.failure,
    });
  }
}

async function send(thread: Promise<RunningThread>, of: number, parts: StateParts): Promise<void> {
  const running = await thread;
  for (let part = parts.shift(); part; part = parts.shift()) {
    await running.ask({ kind: "part", of, changes: part.changes }, part.buffers);
  }
}
