/** A checkpoint that fails, as on a full disk, and what the next one makes of it. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { KeyTable, SpanRows, TraceReader, wantedKeys } from "../src/index.ts";
import { Logger } from "../src/logger.ts";
import { Observer } from "../src/observe/observer.ts";
import { StateStore } from "../src/state/state-store.ts";
import { encodeSpans, START_MS, storageFolder } from "./running-receiver.ts";

const MINUTE_MS = 60_000;
/** So few that each pane's spans push out those of the pane before. */
const SPANS = 200;

function newObserver() {
  const keys = new KeyTable(wantedKeys());
  const options = {
    paneMs: MINUTE_MS,
    windowsMs: [5 * MINUTE_MS],
    allowedLatenessMs: 0,
    idleTimeoutMs: MINUTE_MS,
    signalsMax: 10,
    recentSpans: SPANS,
    learn: { samples: SPANS, spanMs: 0 },
    reference: () => undefined,
  };
  const nothing = () => {};
  const logger = new Logger("error", true, nothing);
  const observer = new Observer(options, keys, nothing, nothing, () => START_MS, logger);
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
  const itemsAfter = async (name: string, fails: boolean) => {
    const store = new StateStore(join(folder, name));
    await store.start();
    const { observer, count } = newObserver();
    const save = () => store.transaction(() => observer.save(store));
    count(0, 3);
    save();
    count(3, 12);
    if (fails) {
      const failing = () =>
        store.transaction(() => {
          observer.save(store);
          throw new Error("no room");
        });
      expect(failing).toThrow("no room");
      observer.saveFailed();
    }
    count(12, 13);
    save();
    const places = store.items("observe.place").map(({ key }) => key);
    // Stored in one piece or in several, the spans of a generation are the same.
    const generations = store.items("observe.spans").map(({ key }) => key.split(" ")[0]);
    const keys = [places, [...new Set(generations)]];
    await store.shutdown();
    return keys;
  };
  const [places = [], spans = []] = await itemsAfter("whole", false);
  expect([places.length, spans.length]).not.toContain(0);
  expect(await itemsAfter("failed", true)).toEqual([places, spans]);
});
