/** A checkpoint that fails, as on a full disk, and what the next one makes of it. */
import { once } from "node:events";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { expect, it, onTestFinished } from "vitest";
import { KeyTable, SpanRows, TraceReader, wantedKeys } from "../src/index.ts";
import { Logger } from "../src/logger.ts";
import { Observer } from "../src/observe/observer.ts";
import { PreparedPast } from "../src/observe/prepared-past.ts";
import { ReferenceBook } from "../src/references/reference-book.ts";
import type { StateChanges } from "../src/state/state-store.ts";
import { StateStore } from "../src/state/state-store.ts";
import { windowLengths } from "../src/window-lengths.ts";
import { encodeSpans, START_MS, storageFolder } from "./running-receiver.ts";

const MINUTE_MS = 60_000;
/** So few that each pane's spans push out those of the pane before. */
const SPANS = 200;

function newObserver() {
  const keys = new KeyTable(wantedKeys());
  const options = {
    paneMs: MINUTE_MS,
    lengths: windowLengths([5 * MINUTE_MS], 1),
    retention: { paneMs: 3_600_000, hourMs: 0 },
    allowedLatenessMs: 0,
    idleTimeoutMs: MINUTE_MS,
    signalsMax: 10,
    segmentsMax: 0,
    plan: { declared: [], segments: [] },
    recentSpans: SPANS,
    learn: { samples: SPANS, spanMs: 0 },
    references: new ReferenceBook([], [], new PreparedPast()),
  };
  const nothing = () => {};
  const logger = new Logger("error", true, nothing);
  const observer = new Observer(
    options,
    keys,
    () => false,
    nothing,
    () => START_MS,
    logger,
  );
  const rows = new SpanRows();
  let sequence = 0;
  return {
    observer,
    /** Counts so many spans a minute, from `from` on. */
    count: (from: number, to: number) => {
      for (let minute = from; minute < to; minute++) {
        const atMs = START_MS + minute * MINUTE_MS;
        const attributes = {
          "ml.model.name": "m",
          "ml.stage": "inference",
          "ml.feature.x": minute,
        };
        const spans = Array.from({ length: SPANS }, () => ({ atMs, attributes }));
        const body = encodeSpans(spans);
        new TraceReader(keys).read(body, rows);
        const head = {
          signal: "traces" as const,
          contentType: "application/x-protobuf",
          contentEncoding: "",
        };
        observer.consume({ ...head, body, rows, receivedMs: atMs + 10, sequence: ++sequence });
      }
    },
  };
}

it("leaves nothing of what has closed meanwhile, so that a restart counts it once", async () => {
  const folder = storageFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  const itemsAfter = async (name: "whole" | "failed" | "killed") => {
    const started = once(process, "worker") as Promise<[Worker]>;
    const store = new StateStore(join(folder, name, "state.sqlite"));
    await store.start();
    const [thread] = await started;
    const { observer, count } = newObserver();
    const save = () => store.transaction((changes) => observer.save(changes));
    count(0, 3);
    await save();
    count(3, 12);
    if (name === "killed") {
      const failing = expect(save()).rejects.toThrow("the thread that stores the state has ended");
      await thread.terminate();
      await failing;
      observer.saveFailed();
    }
    if (name === "failed") {
      // SQLite takes no such key: the thread fails when half of the transaction is done.
      const failing = store.transaction((changes) => {
        const put = () => changes.put("none", {} as string, "none");
        const broken = (function* steps() {
          yield put();
        })();
        return [...observer.save(changes), broken];
      });
      await expect(failing).rejects.toThrow("cannot be bound");
      observer.saveFailed();
    }
    count(12, 13);
    await save();
    const places = (await store.items("observe.place")).map(({ key }) => key);
    await store.shutdown();
    const files = (await readdir(join(folder, name))).toSorted();
    return { places, spans: files.filter((file) => file.startsWith("spans-")) };
  };
  const whole = await itemsAfter("whole");
  expect([whole.places.length, whole.spans.length]).not.toContain(0);
  expect(await itemsAfter("failed")).toEqual(whole);
  expect(await itemsAfter("killed")).toEqual(whole);
});

/** What a save deletes, key by key. */
function deletedBy(observer: Observer): string[] {
  const keys: string[] = [];
  const changes: StateChanges = {
    put: () => {},
    delete: (kind, key) => keys.push(`${kind} ${key}`),
    deleteBefore: () => {},
    write: () => {},
    remove: () => {},
  };
  for (const rest of observer.save(changes)) for (const _ of rest);
  return keys;
}

it("holds no more after many failures than after one", () => {
  const deletedAfter = (failures: number) => {
    const { observer, count } = newObserver();
    count(0, 3);
    for (let failure = 0; failure < failures; failure++) {
      deletedBy(observer);
      observer.saveFailed();
    }
    return deletedBy(observer);
  };
  const afterOne = deletedAfter(1);
  expect(afterOne.length).toBeGreaterThan(0);
  expect(deletedAfter(20)).toEqual(afterOne);
});

it("outlives the failure of a checkpoint that deletes a hundred thousand places", async () => {
  const folder = storageFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  const store = new StateStore(join(folder, "state.sqlite"));
  await store.start();
  onTestFinished(() => store.shutdown());
  const first = newObserver();
  first.count(0, 3);
  const gone = 200_000;
  await store.transaction((changes) => {
    for (let signal = 0; signal < gone; signal++) {
      const key = JSON.stringify(["gone", "", `feature.${signal}`, "", "totals"]);
      changes.put("observe.place", key, new Uint8Array(8));
    }
    return first.observer.save(changes);
  });
  const { observer } = newObserver();
  await observer.restore(store);
  const before = deletedBy(observer);
  observer.saveFailed();
  expect(before.length).toBeGreaterThan(gone);
  expect(new Set(deletedBy(observer))).toEqual(new Set(before));
});
