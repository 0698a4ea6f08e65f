/** The thread of the store from start to end; when it ends, what waits for it is rejected. */
import { Worker } from "node:worker_threads";
import type { NumberedRequest, StateAnswer, StateRequest } from "./state-request.js";

/** Built code beside built code, and from the sources too: Node runs no TypeScript here. */
const THREAD = new URL("../../dist/state/state-thread.js", import.meta.url);

/** Of the thread, whose garbage is what it was sent; V8 would take 128 MB. */
const YOUNG_MB = 8;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One thread; one that has ended stays so, and another one takes its place. */
export class RunningThread {
  /** Resolves when it is gone, and with it its lock on the file. */
  readonly gone: Promise<void>;
  private readonly file: string;
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private requests = 0;
  private ending: Error | undefined;

  /** @param file of the store that it opens when it is asked to */
  constructor(file: string) {
    this.file = file;
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB };
    // Flags of the host are about its own code: with some of them no file can be run.
    this.worker = new Worker(THREAD, { workerData: file, resourceLimits, execArgv: [] });
    this.worker.on("message", (answer: StateAnswer) => this.settle(answer));
    this.worker.on("error", (error) => this.lose(String(error)));
    this.gone = new Promise((resolve) => {
      this.worker.on("exit", (code) => {
        this.lose(`exit code ${code}`);
        resolve();
      });
    });
  }

  /** Why it has ended, or is about to; undefined while it runs. */
  get failure(): Error | undefined {
    return this.ending;
  }

  /** Resolves to the answer; the buffers handed over are of no use here any more. */
  ask(request: StateRequest, handedOver: ArrayBuffer[] = []): Promise<unknown> {
    if (this.ending) return Promise.reject(this.ending);
    return new Promise((resolve, reject) => {
      const id = ++this.requests;
      this.waiting.set(id, { resolve, reject });
      // What is under way keeps the process alive, an idle store does not.
      this.worker.ref();
      const numbered: NumberedRequest = { ...request, id };
      this.worker.postMessage(numbered, handedOver);
    });
  }

  /** Ends it; what was under way is not stored. */
  async terminate(): Promise<void> {
    this.end(new Error(`${this.file} is not open`));
    await this.worker.terminate();
  }

  private settle({ id, value, error }: StateAnswer): void {
    const one = this.waiting.get(id);
    this.waiting.delete(id);
    if (this.waiting.size === 0) this.worker.unref();
    if (error === undefined) one?.resolve(value);
    else one?.reject(new Error(error));
  }

  private lose(why: string): void {
    this.end(new Error(`the thread that stores the state has ended (${why})`));
  }

  private end(error: Error): void {
    this.ending ??= error;
    for (const { reject } of this.waiting.values()) reject(this.ending);
    this.waiting.clear();
  }
}
