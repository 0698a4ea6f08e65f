/** A checkpoint that is put together bit by bit, while values come, is of the moment it began. */
import { GridSummary, ReferenceGrid } from "@tidemark/stats";
import fc from "fast-check";
import { expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import { Evaluator } from "../src/evaluate/evaluator.ts";
import { KeyTable, SpanRows, TraceReader, wantedKeys } from "../src/index.ts";
import { Logger } from "../src/logger.ts";
import { Observer } from "../src/observe/observer.ts";
import type { Reference } from "../src/references/reference.ts";
import type { StateChanges, StoredState } from "../src/state/state-store.ts";
import { windowLengths } from "../src/window-lengths.ts";
import { encodeSpans, START_MS } from "./running-receiver.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LENGTHS = windowLengths([5 * MINUTE_MS, 15 * MINUTE_MS], 1);
const grid = ReferenceGrid.fromSample(Float64Array.from({ length: 500 }, seeded(3)));
const TRAINED: Reference = {
  name: "training",
  provisional: false,
  missing: 0,
  kind: "numeric",
  grid,
};

/** What is on the disk: bodies by kind and key. */
type Disk = Map<string, Uint8Array | string>;

function storedIn(disk: Disk): StoredState {
  const items = async (kind: string) =>
    [...disk].flatMap(([at, body]) => {
      const [of, key] = JSON.parse(at) as [string, string];
      return of === kind ? [{ key, body }] : [];
    });
  const itemsOf = async (kind: string, keys: readonly string[]) =>
    (await items(kind)).filter(({ key }) => keys.includes(key));
  return { items, itemsOf, read: async () => new Uint8Array(0) };
}

/** Observe and evaluate; features x0 to x2 have a reference, the others learn. */
function startPipeline() {
  const keys = new KeyTable(wantedKeys());
  const logger = new Logger("error", true, (line) => process.stderr.write(line));
  const promise = { shift: 0.25, falseAlarmsPerFeatureYear: 0.01, falseWarningsPerFeatureYear: 1 };
  const kept = { lengths: LENGTHS, dependence: "learned" as const, history: 100 };
  const evaluator = new Evaluator({ ...promise, ...kept }, logger);
  const observer = new Observer(
    {
      paneMs: MINUTE_MS,
      lengths: LENGTHS,
      retention: { paneMs: 3_600_000, hourMs: 0 },
      allowedLatenessMs: 0,
      idleTimeoutMs: MINUTE_MS,
      signalsMax: 100,
      segmentsMax: 0,
      plan: { declared: [], segments: [] },
      recentSpans: 0,
      learn: { samples: 60, spanMs: 0 },
      references: {
        find: ({ name }) => (/x[012]$/.test(name) ? TRAINED : undefined),
        learned: (_, own) => own(),
        moving: (_, base) => base,
        isForeign: () => false,
      },
    },
    keys,
    (closed) => evaluator.consume(closed),
    () => {},
    () => START_MS,
    logger,
  );
  const reader = new TraceReader(keys);
  const rows = new SpanRows();
  const head = { signal: "traces", contentType: "", contentEncoding: "" } as const;
  return {
    observer,
    evaluator,
    count: ({ body, receivedMs }: Batch, sequence: number) => {
      reader.read(body, rows);
      observer.consume({ ...head, body, rows, receivedMs, sequence });
    },
    restore: async (disk: Disk) => {
      await observer.restore(storedIn(disk));
      await evaluator.restore(storedIn(disk));
    },
    /** Lets an hour pass in which nothing comes, and all windows end. */
    closeAll: async ({ body, receivedMs }: Batch) => {
      const atMs = receivedMs + HOUR_MS;
      observer.pass({ ...head, body, receivedMs: atMs, sequence: observer.sequence });
      while (observer.isBehind) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

type Pipeline = ReturnType<typeof startPipeline>;

interface Batch {
  readonly body: Uint8Array;
  readonly receivedMs: number;
}

/** Some features of some models, a class, what is missing, and now and then a late span. */
function trafficOf(seed: number, count: number): Batch[] {
  const random = seeded(seed);
  let nowMs = START_MS;
  return Array.from({ length: count }, () => {
    nowMs += Math.floor(3 * random()) * MINUTE_MS;
    const spans = Array.from({ length: 8 }, () => {
      const attributes: Record<string, unknown> = {
        "ml.model.name": `m${Math.floor(2 * random())}`,
        "ml.stage": "inference",
        "ml.feature.missing": random() < 0.3 ? ["x1"] : [],
        "ml.prediction.class": random() < 0.5 ? "yes" : "no",
      };
      for (let feature = 0; feature < 6; feature++) {
        const values = Array.from({ length: 10 }, random);
        if (random() < 0.4) attributes[`ml.feature.x${feature}`] = values;
      }
      const atMs = nowMs - (random() < 0.1 ? 8 * MINUTE_MS : 30_000 * random());
      return { atMs, attributes };
    });
    return { body: encodeSpans(spans as Parameters<typeof encodeSpans>[0]), receivedMs: nowMs };
  });
}

/** A checkpoint under way: what it has put, and its next step. */
function begin({ observer, evaluator }: Pipeline) {
  const put: Disk = new Map();
  const gone = new Set<string>();
  const at = (kind: string, key: string) => JSON.stringify([kind, key]);
  const changes: StateChanges = {
    put: (kind, key, body) => {
      put.set(at(kind, key), typeof body === "string" ? body : body.slice());
    },
    delete: (kind, key) => {
      put.delete(at(kind, key));
      gone.add(at(kind, key));
    },
    deleteBefore: () => {},
    write: () => {},
    remove: () => {},
  };
  const rests = [...observer.save(changes), ...evaluator.save(changes)];
  const steps = (function* all() {
    for (const rest of rests) yield* rest;
  })();
  return {
    step: () => steps.next().done === true,
    commitTo: (disk: Disk) => {
      for (const key of gone) disk.delete(key);
      for (const [key, body] of put) disk.set(key, body);
    },
  };
}

function saveAll(pipeline: Pipeline, disk: Disk): Disk {
  const checkpoint = begin(pipeline);
  while (!checkpoint.step());
  checkpoint.commitTo(disk);
  return disk;
}

/** Of a record's numbers those that are exact: states, and how many windows of how many rows. */
const EXACT_BYTES = LENGTHS.length * 6 * 8;

/** What a store says, once all windows are closed; sums to what another order of adding spares. */
async function contents(disk: Disk) {
  const { observer, evaluator, restore } = startPipeline();
  await restore(disk);
  const signals = observer
    .observedModels()
    .flatMap(({ model, successes, signals: all }) =>
      all.flatMap((signal) => (signal ? [{ model, successes, signal }] : [])),
    );
  const told = signals.map(async ({ model, successes, signal }) => {
    const { identity, missing, learner, learned } = signal;
    const past = await observer.past(signal, START_MS - HOUR_MS, START_MS + 2 * HOUR_MS);
    const panes = past.map(({ startMs, summary }) => {
      const counts = summary instanceof GridSummary ? [...summary.counts] : [];
      return { startMs, count: summary.count, none: summary.missing, counts };
    });
    const learns = learner && { count: learner.count, missing: learner.missing };
    return [model + identity.name, { successes, missing, learned, learns, panes }] as const;
  });
  const verdicts = evaluator.verdicts().map((verdict) => {
    // Exemplars are a sample of what came since the last start.
    const same = rounded({ ...verdict, exemplars: undefined });
    return [JSON.stringify([verdict.signal, verdict.window]), same] as const;
  });
  const numbers = (await storedIn(disk).items("evaluate.numbers")).map(({ key, body }) => {
    return [key, Buffer.from(body).toString("hex", 0, EXACT_BYTES)] as const;
  });
  return {
    signals: Object.fromEntries(await Promise.all(told)),
    verdicts: Object.fromEntries(verdicts),
    numbers: Object.fromEntries(numbers),
  };
}

function rounded(verdict: object): unknown {
  return JSON.parse(
    JSON.stringify(verdict, (_, value: unknown) =>
      typeof value === "number" ? value.toPrecision(9) : value,
    ),
  );
}

type Step = "batch" | "begin" | "step" | "steps" | "fail" | "kill";

/** Counts all batches, with such steps between them, and a last checkpoint at the end. */
async function run(batches: readonly Batch[], steps: readonly Step[]): Promise<Disk> {
  const disk: Disk = new Map();
  let pipeline = startPipeline();
  await pipeline.restore(disk);
  let next = 0;
  let checkpoint: ReturnType<typeof begin> | undefined;
  const take = (times: number) => {
    for (let time = 0; checkpoint && time < times; time++) {
      if (!checkpoint.step()) continue;
      checkpoint.commitTo(disk);
      checkpoint = undefined;
    }
  };
  const count = () => {
    const batch = batches[next++];
    if (batch) pipeline.count(batch, next);
  };
  for (const step of steps) {
    if (step === "batch") count();
    else if (step === "begin") checkpoint ??= begin(pipeline);
    else if (step === "step") take(1);
    else if (step === "steps") take(12);
    else if (step === "fail" && checkpoint) {
      checkpoint = undefined;
      pipeline.observer.saveFailed();
      pipeline.evaluator.saveFailed();
    } else if (step === "kill") {
      checkpoint = undefined;
      await pipeline.observer.shutdown();
      pipeline = startPipeline();
      await pipeline.restore(disk);
      const counted = next;
      next = pipeline.observer.sequence;
      for (let at = next; at < counted; at++) count();
    }
  }
  take(Number.POSITIVE_INFINITY);
  while (next < batches.length) count();
  await pipeline.closeAll(batches.at(-1) as Batch);
  return saveAll(pipeline, disk);
}

it("counts each value once, wherever batches, failures and kills fall between its steps", async () => {
  const common: fc.Arbitrary<Step> = fc.constantFrom("batch", "begin", "step", "steps");
  const rare: fc.Arbitrary<Step> = fc.constantFrom("fail", "kill");
  const step = fc.oneof({ weight: 9, arbitrary: common }, { weight: 1, arbitrary: rare });
  const steps = fc.array(step, { minLength: 40, maxLength: 80, size: "max" });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), steps, async (seed, between) => {
      const batches = trafficOf(seed, 24);
      const whole = await contents(await run(batches, []));
      expect(Object.keys(whole.verdicts).length).toBeGreaterThan(10);
      expect(await contents(await run(batches, between))).toEqual(whole);
    }),
    { numRuns: 40, seed: 5 },
  );
});
