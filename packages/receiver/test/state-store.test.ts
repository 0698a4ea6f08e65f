/** The store itself, on a real file: transactions whole or not at all, whatever runs beside them. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { Logger } from "../src/logger.ts";
import type { StateChanges } from "../src/state/state-store.ts";
import { StateStore } from "../src/state/state-store.ts";
import { storageFolder } from "./running-receiver.ts";

/** What was built of it. */
const STORE = new URL("../dist/state/state-store.js", import.meta.url).href;

async function newStore() {
  const folder = storageFolder();
  const file = join(folder, "state.sqlite");
  const log: string[] = [];
  const threads: Worker[] = [];
  const note = (thread: Worker) => threads.push(thread);
  process.on("worker", note);
  const store = new StateStore(file, new Logger("info", true, (line) => log.push(line)));
  await store.start();
  onTestFinished(async () => {
    process.off("worker", note);
    await store.shutdown();
    await rm(folder, { recursive: true });
  });
  return { store, file, folder, log, threads };
}

/** Stores one item. */
function storeOne(store: StateStore, key: string, body: string): Promise<void> {
  return store.transaction(({ put }) => {
    put("place", key, body);
    return [];
  });
}

async function textsOf(store: StateStore, kind: string): Promise<Record<string, string>> {
  const items = await store.items(kind);
  return Object.fromEntries(items.map(({ key, body }) => [key, Buffer.from(body).toString()]));
}

/** A transaction that goes on when it is told to. */
function held(store: StateStore, begin: (changes: StateChanges) => void) {
  let changes: StateChanges | undefined;
  const queue: (() => void)[] = [];
  const state = { done: false };
  const ended = store.transaction((given) => {
    changes = given;
    begin(given);
    return [
      (function* steps() {
        // Every step hands over what has been put before it.
        while (!state.done || queue.length > 0) {
          queue.shift()?.();
          for (let filler = 0; filler < 1001; filler++) given.put("filler", String(filler), "x");
          yield;
        }
      })(),
    ];
  });
  return {
    ended,
    put: (kind: string, key: string, body: string) => {
      return new Promise<void>((resolve) => {
        queue.push(() => {
          changes?.put(kind, key, body);
          resolve();
        });
      });
    },
    end: () => {
      state.done = true;
      return ended;
    },
    fail: () => {
      queue.push(() => {
        throw new Error("no more");
      });
      state.done = true;
    },
  };
}

it("copies bytes as they come: their memory may be used again at once", async () => {
  const { store } = await newStore();
  const scratch = new Uint8Array(200_000);
  const sizes = [0, 1, 7, 1672, 65_536, 70_000, 200_000];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...sizes), { maxLength: 30 }), async (given) => {
      await store.transaction(({ deleteBefore, put }) => {
        deleteBefore("bytes", "~");
        for (const [at, size] of given.entries()) {
          put("bytes", String(at).padStart(3, "0"), scratch.subarray(0, size).fill(1 + at));
        }
        scratch.fill(0);
        return [];
      });
      const found = await store.items("bytes");
      expect(found.map(({ body }) => body.length)).toEqual(given);
      for (const [at, { body }] of found.entries()) {
        expect((body as Uint8Array).every((byte) => byte === 1 + at)).toBe(true);
      }
    }),
    { numRuns: 20 },
  );
});

it("has a transaction that is complete first wait for the one that is being made", async () => {
  const { store } = await newStore();
  const long = held(store, ({ put }) => put("place", "a", "long"));
  await long.put("place", "b", "long");
  let isDone = false;
  const short = store
    .transaction(({ put }) => {
      put("place", "b", "short");
      put("place", "c", "short");
      return [];
    })
    .finally(() => {
      isDone = true;
    });
  await long.put("place", "d", "long");
  await long.put("place", "d", "long");
  expect(isDone).toBe(false);
  await long.end();
  await short;
  expect(await textsOf(store, "place")).toEqual({ a: "long", b: "short", c: "short", d: "long" });
});

it("takes all of a transaction back that fails, and none of another one", async () => {
  const { store } = await newStore();
  await store.transaction(({ put }) => {
    put("place", "a", "before");
    put("place", "z", "before");
    return [];
  });
  const failing = held(store, ({ put, delete: remove }) => {
    put("place", "a", "failing");
    remove("place", "z");
  });
  await failing.put("place", "b", "failing");
  const other = store.transaction(({ put }) => {
    put("place", "c", "other");
    return [];
  });
  failing.fail();
  await expect(failing.ended).rejects.toThrow("no more");
  await other;
  expect(await textsOf(store, "place")).toEqual({ a: "before", c: "other", z: "before" });
});

it("rejects what SQLite refuses, and goes on", async () => {
  const { store } = await newStore();
  const broken = store.transaction(({ put }) => {
    put("place", "a", "broken");
    put("place", {} as string, "broken");
    return [];
  });
  await expect(broken).rejects.toThrow("cannot be bound");
  await store.transaction(({ put }) => {
    put("place", "b", "fine");
    return [];
  });
  expect(await textsOf(store, "place")).toEqual({ b: "fine" });
});

it("leaves nothing on the disk of a transaction that was under way at the end", async () => {
  const { store, file } = await newStore();
  await store.transaction(({ put }) => {
    put("place", "a", "before");
    return [];
  });
  const long = held(store, ({ put }) => put("place", "a", "after"));
  await long.put("place", "b", "after");
  const ended = expect(long.ended).rejects.toThrow();
  await store.shutdown();
  await ended;
  const database = new DatabaseSync(file);
  const rows = database.prepare("SELECT key, body FROM item WHERE kind = 'place'").all();
  database.close();
  expect(rows.map(({ key, body }) => [key, body])).toEqual([["a", "before"]]);
});

it("asks SQLite for no more than it tells on Node 22.15", async () => {
  const folder = storageFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  // What `node:sqlite` of that version has, and nothing else.
  const old = `const sqlite = require("node:sqlite");
    const { DatabaseSync } = sqlite;
    sqlite.DatabaseSync = class {
      #real;
      constructor(file) { this.#real = new DatabaseSync(file); }
      close() { this.#real.close(); }
      exec(sql) { this.#real.exec(sql); }
      prepare(sql) { return this.#real.prepare(sql); }
    };`;
  const preload = join(folder, "old.cjs");
  writeFileSync(preload, old);
  const main = join(folder, "main.mjs");
  const program = `import { StateStore } from ${JSON.stringify(STORE)};
    const store = new StateStore(${JSON.stringify(join(folder, "state.sqlite"))});
    await store.start();
    const many = (put, key) => {
      for (let at = 0; at < 2500; at++) put("many", String(at), "x");
      put("many", key, "x");
      return [];
    };
    await store.transaction(({ put }) => many(put, {})).catch(() => console.log("failed"));
    await store.transaction(({ put }) => many(put, "last"));
    console.log((await store.items("many")).length);
    await store.shutdown();`;
  writeFileSync(main, program);
  // The thread takes no flags of the host, but those of the environment.
  const env = { ...process.env, NODE_OPTIONS: `--require ${preload}` };
  const { stdout, stderr } = spawnSync(process.execPath, [main], { encoding: "utf8", env });
  expect({ stdout, stderr }).toEqual({ stdout: "failed\n2501\n", stderr: "" });
});

it("starts another thread when one has ended, and says so", async () => {
  const { store, log, threads } = await newStore();
  await storeOne(store, "a", "before");
  await threads[0]?.terminate();
  expect(await textsOf(store, "place")).toEqual({ a: "before" });
  // What it cannot read ends it as any defect would.
  const ended = once(threads[1] as Worker, "error");
  threads[1]?.postMessage(null);
  await ended;
  await Promise.all([storeOne(store, "b", "after"), storeOne(store, "c", "after")]);
  expect(await textsOf(store, "place")).toEqual({ a: "before", b: "after", c: "after" });
  expect(threads.length).toBe(3);
  const lines = log.join("");
  expect(lines).toContain("the thread that stores the state has ended (exit code 1)");
  expect(lines).toContain("the thread that stores the state has ended (TypeError");
  expect(lines.match(/is stored again/g)).toHaveLength(2);
});

it("stores nothing of a transaction whose thread has ended, on another one neither", async () => {
  const { store, threads } = await newStore();
  await storeOne(store, "a", "before");
  const [thread] = threads;
  const isGone = () => thread?.threadId === -1;
  const long = store.transaction(({ put }) => {
    put("place", "a", "lost");
    return [
      (function* steps() {
        while (!isGone()) yield;
        put("place", "b", "lost");
      })(),
    ];
  });
  const rejected = expect(long).rejects.toThrow("the thread that stores the state has ended");
  const under = held(store, ({ put }) => put("place", "c", "lost"));
  await under.put("place", "d", "lost");
  const alsoRejected = expect(under.ended).rejects.toThrow("the thread that stores the state");
  await thread?.terminate();
  await storeOne(store, "e", "after");
  await Promise.all([rejected, alsoRejected]);
  expect(await textsOf(store, "place")).toEqual({ a: "before", e: "after" });
});

it("fails with the cause while no thread can be started, and starts one when it can", async () => {
  const { store, file, threads } = await newStore();
  await storeOne(store, "a", "before");
  await threads[0]?.terminate();
  const other = new StateStore(file);
  await other.start();
  await expect(storeOne(store, "b", "lost")).rejects.toThrow(/in use by another receiver; stop/);
  await expect(store.items("place")).rejects.toThrow(/in use by another receiver; stop/);
  await other.shutdown();
  await storeOne(store, "c", "after");
  expect(await textsOf(store, "place")).toEqual({ a: "before", c: "after" });
});

it("ends although its thread has ended", async () => {
  const { store, threads } = await newStore();
  await threads[0]?.terminate();
  await store.shutdown();
  await expect(store.items("place")).rejects.toThrow("is not open");
  await store.start();
  await storeOne(store, "a", "after");
});

it("has stored what it has, though a file cannot be removed, and removes it later", async () => {
  const { store, folder } = await newStore();
  // Nobody removes a folder as one removes a file.
  mkdirSync(join(folder, "old-1"));
  await store.transaction(({ put, write, remove }) => {
    put("place", "a", "after");
    write("old-2", 0, new Uint8Array(10));
    remove("old-1");
    return [];
  });
  rmdirSync(join(folder, "old-1"));
  writeFileSync(join(folder, "old-1"), "old");
  await store.transaction(({ remove }) => {
    remove("old-2");
    return [];
  });
  expect((await readdir(folder)).filter((name) => name.startsWith("old"))).toEqual([]);
  expect(await textsOf(store, "place")).toEqual({ a: "after" });
});

it("starts its thread whatever the flags of its host", () => {
  const folder = storageFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  const program = `import { StateStore } from ${JSON.stringify(STORE)};
    const store = new StateStore(${JSON.stringify(join(folder, "state.sqlite"))});
    await store.start();
    await store.transaction(({ put }) => (put("place", "a", "x"), []));
    console.log((await store.items("place")).length);
    await store.shutdown();`;
  const args = ["--input-type=module", "--eval", program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ stdout, stderr }).toEqual({ stdout: "1\n", stderr: "" });
});
