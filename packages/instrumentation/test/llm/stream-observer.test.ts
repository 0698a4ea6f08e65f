import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { StreamObserver } from "../../dist/llm/stream-observer.js";
import { observeIterator, observeStream } from "../../dist/llm/stream-observer.js";

class Log implements StreamObserver {
  readonly seen: unknown[] = [];
  hidden: unknown;
  opened(): void {
    this.seen.push("opened");
  }
  chunk(value: unknown): boolean {
    this.seen.push(value);
    return value === this.hidden;
  }
  ended(how: string, error?: unknown): void {
    this.seen.push(error instanceof Error ? `${how}: ${error.message}` : how);
  }
}

async function* numbers(fail?: Error) {
  yield 1;
  yield 2;
  if (fail) throw fail;
  yield 3;
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

function observed(make: () => AsyncGenerator<number>) {
  const log = new Log();
  const stream = { [Symbol.asyncIterator]: make };
  expect(observeStream(stream, log)).toBe(true);
  return { stream, log };
}

describe("an observed stream", () => {
  test("is read as before, and seen to its end", async () => {
    const { stream, log } = observed(() => numbers());
    const read: number[] = [];
    for await (const value of stream) read.push(value);
    expect(read).toEqual([1, 2, 3]);
    expect(log.seen).toEqual(["opened", 1, 2, 3, "done"]);
  });

  test("is seen to be left, once", async () => {
    const { stream, log } = observed(() => numbers());
    for await (const value of stream) if (value === 2) break;
    expect(log.seen).toEqual(["opened", 1, 2, "stopped"]);
  });

  test("is seen to fail, with the very error that the app gets", async () => {
    const { stream, log } = observed(() => numbers(new Error("mine")));
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow("mine");
    expect(log.seen).toEqual(["opened", 1, 2, "failed: mine"]);
  });

  test("may be ended by throw(), and read on by those who catch it", async () => {
    const { stream, log } = observed(async function* () {
      try {
        yield 1;
      } catch {
        yield 2;
      }
    });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    expect(await iterator.throw(new Error("mine"))).toEqual({ value: 2, done: false });
    expect(log.seen).toEqual(["opened", 1, "stopped: mine"]);
  });

  test("keeps from the app what only we have asked for", async () => {
    const { stream, log } = observed(() => numbers());
    log.hidden = 2;
    const read: number[] = [];
    for await (const value of stream) read.push(value);
    expect(read).toEqual([1, 3]);
    expect(log.seen).toEqual(["opened", 1, 2, 3, "done"]);
  });

  test("is the same object, and so is its iterator", () => {
    const generator = numbers();
    expect(observeIterator(generator, new Log())).toBe(true);
    expect(generator[Symbol.asyncIterator]()).toBe(generator);
    const { stream } = observed(() => generator);
    expect(stream[Symbol.asyncIterator]()).toBe(generator);
  });

  test("is read on when observing it fails", async () => {
    const { stream } = observed(() => numbers());
    const log = { opened() {}, ended() {}, chunk: () => JSON.parse("{") as boolean };
    const other = { [Symbol.asyncIterator]: () => numbers() };
    observeStream(other, log);
    const read: number[] = [];
    for await (const value of other) read.push(value);
    expect(read).toEqual([1, 2, 3]);
    expect(stream).toBeDefined();
  });

  test("is left alone when it cannot be observed", async () => {
    const frozen = Object.freeze({ [Symbol.asyncIterator]: () => numbers() });
    expect(observeStream(frozen, new Log())).toBe(false);
    expect(observeStream({}, new Log())).toBe(false);
    for await (const value of frozen) expect(value).toBeGreaterThan(0);
  });
});

describe("an observed web stream", () => {
  const webStream = () => {
    const log = new Log();
    const stream = ReadableStream.from([1, 2, 3]);
    expect(observeStream(stream, log)).toBe(true);
    return { stream, log };
  };

  test("may be read by its reader, to the end or until it is cancelled", async () => {
    const { stream, log } = webStream();
    const reader = stream.getReader();
    const read: number[] = [];
    for (let item = await reader.read(); !item.done; item = await reader.read()) {
      read.push(item.value);
    }
    expect(read).toEqual([1, 2, 3]);
    expect(log.seen).toEqual(["opened", 1, 2, 3, "done"]);
    const left = webStream();
    const other = left.stream.getReader();
    await other.read();
    await other.cancel();
    expect(left.log.seen).toEqual(["opened", 1, "stopped"]);
  });

  test("is seen once by each way of reading it", async () => {
    const { stream, log } = webStream();
    for await (const value of stream) if (value === 2) break;
    expect(log.seen).toEqual(["opened", 1, 2, "stopped"]);
    const unread = webStream();
    await unread.stream.cancel();
    expect(unread.log.seen).toEqual(["stopped"]);
  });

  test("may be read by its values, without being cancelled when they are left", async () => {
    const { stream, log } = webStream();
    for await (const value of stream.values({ preventCancel: true })) if (value === 2) break;
    expect(log.seen).toEqual(["opened", 1, 2, "stopped"]);
    expect(await all(stream)).toEqual([3]);
  });

  test("may be piped and teed, through to what reads it in the end", async () => {
    const piped = webStream();
    const doubled = new TransformStream<number, number>({
      transform: (value, controller) => controller.enqueue(value * 2),
    });
    expect(await all(piped.stream.pipeThrough(doubled))).toEqual([2, 4, 6]);
    expect(piped.log.seen).toEqual(["opened", 1, 2, 3, "done"]);
    expect(piped.stream.locked).toBe(true);
    expect(() => piped.stream.pipeThrough(doubled)).toThrow(TypeError);

    const teed = webStream();
    const [one, two] = teed.stream.tee();
    expect([await all(one), await all(two)]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(teed.log.seen).toEqual(["opened", 1, 2, 3, "done"]);

    const left = webStream();
    const broken = { write: () => Promise.reject(new Error("full")) };
    await expect(left.stream.pipeTo(new WritableStream(broken))).rejects.toThrow("full");
    expect(left.log.seen.at(-1)).toBe("stopped: full");
  });

  test("refuses to be cancelled while it is read, and is read on", async () => {
    const { stream, log } = webStream();
    const reader = stream.getReader();
    await reader.read();
    await expect(stream.cancel()).rejects.toThrow(TypeError);
    while (!(await reader.read()).done);
    expect(log.seen).toEqual(["opened", 1, 2, 3, "done"]);
  });

  test("that fails does so with the very error that the app gets, piped or not", async () => {
    const stream = ReadableStream.from(numbers(new Error("mine")));
    const log = new Log();
    observeStream(stream, log);
    const read = all(stream.pipeThrough(new TransformStream()));
    await expect(read).rejects.toThrow("mine");
    expect(log.seen).toEqual(["opened", 1, 2, "failed: mine"]);
  });

  test("keeps from a reader what only we have asked for", async () => {
    const { stream, log } = webStream();
    log.hidden = 1;
    const reader = stream.getReader();
    expect(await reader.read()).toEqual({ value: 2, done: false });
    expect(log.seen).toEqual(["opened", 1, 2]);
  });
});

/** How many of the first 800 chunks of a stream live on when 900 have been read. */
async function chunksAlive(): Promise<number> {
  const program = `
    import { ChunkClock } from ${JSON.stringify(new URL("../../dist/llm/chunk-clock.js", import.meta.url).href)};
    import { observeStream } from ${JSON.stringify(new URL("../../dist/llm/stream-observer.js", import.meta.url).href)};
    const refs = [];
    const stream = { async *[Symbol.asyncIterator]() {
      for (let i = 0; i < 1000; i++) {
        const chunk = { text: "x".repeat(1000) + i };
        refs.push(new WeakRef(chunk));
        yield chunk;
        if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
      }
    } };
    const clock = new ChunkClock(0);
    observeStream(stream, { opened() {}, ended() {}, chunk: () => { clock.tick("text"); return false; } });
    let alive = -1;
    for await (const chunk of stream) {
      if (refs.length < 900 || alive >= 0) continue;
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc();
      alive = refs.slice(0, 800).filter((ref) => ref.deref() !== undefined).length;
    }
    console.log(alive);`;
  const args = ["--expose-gc", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

test("chunks do not live longer for being observed", async () => {
  // V8 may keep the one that passed while it compiled the loop.
  expect(await chunksAlive()).toBeLessThanOrEqual(1);
});
