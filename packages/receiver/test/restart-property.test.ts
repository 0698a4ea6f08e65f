/**
 * Random traffic, of late and duplicate spans, pairs of reports of one call, and feedback, comes to
 * the same windows and the same values at /metrics in a run that nothing interrupts, and in one
 * with crashes, checkpoints that fail, and checkpoints that are half-written at a crash.
 */
import { METRICS } from "@tidemark/semconv";
import { GridSummary } from "@tidemark/stats";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { ClosedWindow } from "../src/closed-window.ts";
import { KeyTable, SpanRows, TraceReader, wantedKeys } from "../src/index.ts";
import { Logger } from "../src/logger.ts";
import type { HistogramPoint, NumberPoint } from "../src/metric-family.ts";
import { mergeFamilies } from "../src/metric-family.ts";
import { Observer } from "../src/observe/observer.ts";
import { PreparedPast } from "../src/observe/prepared-past.ts";
import { unwantedKeys } from "../src/otlp/wanted-keys.ts";
import { ReferenceBook } from "../src/references/reference-book.ts";
import type { StateChanges, StoredState } from "../src/state/state-store.ts";
import { windowLengths } from "../src/window-lengths.ts";
import type { CallSpan } from "./call-spans.ts";
import { encodeCalls } from "./call-spans.ts";
import { START_MS } from "./running-receiver.ts";

const MINUTE_MS = 60_000;
/** Of a checkpoint that is put together slowly, between two batches. */
const SLOW_STEPS = 3;
/** A second report, or a judgement, comes at most so many batches after its call. */
const LATE_BATCHES = 4;

/** One prediction, and the call of a language model beside it. */
interface Work {
  readonly lateMs: number;
  readonly value: number;
  readonly category: string;
  readonly lacks: boolean;
  /** The prediction is one that was sent before. */
  readonly again: boolean;
  readonly call: "none" | "one batch" | "two batches" | "judged";
}

type Act = "nothing" | "crash" | "save" | "fail" | "save slowly" | "fail slowly";

/** A batch, and what happens after it. */
type Step = Readonly<{ gapMs: number; work: readonly Work[]; act: Act }>;

type Batch = Readonly<{ body: Uint8Array; receivedMs: number }>;

const work = fc.record<Work>({
  lateMs: fc.oneof(fc.nat(MINUTE_MS), fc.nat(20 * MINUTE_MS)),
  value: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.double({ min: -3, max: 3, noNaN: true })),
  category: fc.constantFrom("a", "b", "zz"),
  lacks: fc.boolean(),
  again: fc.nat(9).map((nine) => nine === 9),
  call: fc.constantFrom("none", "one batch", "two batches", "judged"),
});
const acts: Act[] = ["nothing", "crash", "crash", "save", "fail", "save slowly", "fail slowly"];
const step = fc.record<Step>({
  gapMs: fc.oneof(fc.nat(60), fc.nat(400)).map((seconds) => seconds * 1000),
  work: fc.array(work, { maxLength: 25, size: "max" }),
  act: fc.oneof(fc.constant<Act>("nothing"), fc.constantFrom(...acts)),
});

/** What is on the disk: items as of the last commit, and files as they were written. */
class Disk implements StoredState {
  private stored = new Map<string, Uint8Array | string>();
  private readonly files = new Map<string, Uint8Array>();

  begin() {
    const stored = new Map(this.stored);
    const removed: string[] = [];
    const changes: StateChanges = {
      put: (kind, key, body) =>
        stored.set(`${kind}\n${key}`, typeof body === "string" ? body : body.slice()),
      delete: (kind, key) => stored.delete(`${kind}\n${key}`),
      deleteBefore: (kind, key) => {
        for (const at of stored.keys()) {
          if (at.startsWith(`${kind}\n`) && at < `${kind}\n${key}`) stored.delete(at);
        }
      },
      write: (file, offset, bytes) => {
        const before = this.files.get(file) ?? new Uint8Array(0);
        const after = new Uint8Array(Math.max(before.length, offset + bytes.length));
        after.set(before);
        after.set(bytes, offset);
        this.files.set(file, after);
      },
      remove: (file) => removed.push(file),
    };
    const commit = () => {
      this.stored = stored;
      for (const file of removed) this.files.delete(file);
    };
    return { changes, commit };
  }

  async items(kind: string) {
    return [...this.stored]
      .filter(([at]) => at.startsWith(`${kind}\n`))
      .map(([at, body]) => ({ key: at.slice(kind.length + 1), body }))
      .toSorted((one, other) => (one.key < other.key ? -1 : 1));
  }

  async itemsOf(kind: string, keys: readonly string[]) {
    return (await this.items(kind)).filter(({ key }) => keys.includes(key));
  }

  async read(file: string) {
    return this.files.get(file) ?? new Uint8Array(0);
  }
}

/** Everything that is sent, as it is sent again after a crash. */
function batchesOf(steps: readonly Step[]): Batch[] {
  let receivedMs = START_MS;
  let id = 0;
  const due: CallSpan[][] = Array.from({ length: steps.length + LATE_BATCHES + 1 }, () => []);
  const batches = steps.map(({ gapMs, work: all }, at) => {
    receivedMs += gapMs;
    const nowMs = receivedMs - START_MS;
    const spans = due[at] as CallSpan[];
    for (const one of all) {
      const span = one.again && id > 10 ? id - 10 : ++id;
      spans.push(predictionOf(one, span, nowMs - one.lateMs));
      if (one.call === "none") continue;
      const [first, second] = reportsOf(one, ++id, nowMs);
      const later = due[at + 1 + (id % LATE_BATCHES)] as CallSpan[];
      spans.push(first);
      (one.call === "two batches" ? later : spans).push(second);
      if (one.call === "judged") later.push(feedbackOf(id, nowMs));
    }
    return { body: encodeCalls(spans), receivedMs };
  });
  // All windows end.
  receivedMs += 60 * MINUTE_MS;
  return [...batches, { body: encodeCalls(due.slice(steps.length).flat()), receivedMs }];
}

function predictionOf({ value, category, lacks }: Work, id: number, toMs: number): CallSpan {
  const attributes = {
    "ml.model.name": "weather",
    "ml.stage": "inference",
    "ml.feature.wind": value,
    "ml.feature.sky": category,
    "ml.feature.missing": lacks ? ["wind", "rain"] : [],
  };
  return { id, trace: id, fromMs: toMs - 10, toMs, attributes };
}

/** Two reports of one call, of which each knows something that the other one does not. */
function reportsOf({ category }: Work, id: number, toMs: number): [CallSpan, CallSpan] {
  const trace = 1_000_000 + id;
  const call = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt" };
  const named = { ...call, "gen_ai.usage.input_tokens": 5, "gen_ai.response.id": `call-${id}` };
  const priced = { ...call, "gen_ai.usage.output_tokens": 2, "gen_ai.usage.cost.amount": 0.5 };
  const report = { trace, fromMs: toMs - 10, toMs, scope: "outer" };
  const outer = { ...report, id: 2 * trace + 1, attributes: priced };
  const inner = { ...outer, id: 2 * trace, parent: outer.id, scope: "inner", attributes: named };
  return category === "a" ? [outer, inner] : [inner, outer];
}

function feedbackOf(of: number, atMs: number): CallSpan {
  const said = { "gen_ai.evaluation.name": "helpful", "gen_ai.evaluation.score.value": 1 };
  const id = 5_000_000 + of;
  const events = [{ name: "gen_ai.evaluation.result", atMs, attributes: said }];
  return { id, trace: id, toMs: atMs, attributes: { "ml.prediction.id": `call-${of}` }, events };
}

/** One run of the receiver's counting, up to a crash. */
async function startObserver(disk: Disk, windows: Map<string, unknown>, errors: string[]) {
  const keys = new KeyTable(wantedKeys(), unwantedKeys());
  const observer = new Observer(
    {
      paneMs: MINUTE_MS,
      lengths: windowLengths([5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS], 0),
      retention: { paneMs: 60 * MINUTE_MS, hourMs: 0 },
      allowedLatenessMs: 2 * MINUTE_MS,
      idleTimeoutMs: 10 * MINUTE_MS,
      signalsMax: 80,
      segmentsMax: 10,
      plan: { declared: [], segments: [] },
      recentSpans: 500,
      learn: { samples: 40, spanMs: 0 },
      evaluations: { recentCalls: 2000, evaluationWaitMs: 600_000, feedbackWithinMs: 600_000 },
      references: new ReferenceBook([], [], new PreparedPast()),
    },
    keys,
    (window) => note(windows, window),
    () => {},
    () => START_MS,
    new Logger("error", true, (line) => errors.push(line)),
  );
  await observer.restore(disk);
  const reader = new TraceReader(keys);
  const rows = new SpanRows();
  const head = { signal: "traces", contentType: "", contentEncoding: "" } as const;
  return {
    observer,
    count: ({ body, receivedMs }: Batch, sequence: number) => {
      reader.read(body, rows);
      observer.consume({ ...head, body, rows, receivedMs, sequence });
    },
    settle: async () => {
      while (observer.isBehind) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** A window that is told again, after a crash, is the one that counts. */
function note(windows: Map<string, unknown>, { signal, window, endMs, summary }: ClosedWindow) {
  const key = JSON.stringify([...Object.values(signal), window, endMs]);
  const { count, missing } = summary;
  const found =
    summary instanceof GridSummary
      ? [summary.invalid, summary.min, summary.max, ...summary.readCounts()]
      : Object.fromEntries(summary.entries());
  if (count + missing === 0) windows.delete(key);
  else windows.set(key, { count, missing, found });
  return false;
}

/** What a scrape shows, by metric; of sums as many digits as another order of adding spares. */
function metricsOf(observer: Observer) {
  const families = mergeFamilies(observer.metrics()).flatMap(({ definition, points }) => {
    // It counts since the start of the process.
    if (definition === METRICS.receiverObservations) return [];
    const shown = Array.from<NumberPoint | HistogramPoint, string>(points, (point) => {
      if ("value" in point) return JSON.stringify([point.labels, point.value.toPrecision(9)]);
      return JSON.stringify([point.labels, point.sum.toPrecision(9), ...Array.from(point.counts)]);
    });
    return [[definition.name, shown.toSorted()] as const];
  });
  return Object.fromEntries(families);
}

/** Counts all batches; such things happen after each of them. */
async function run(batches: readonly Batch[], happening: readonly Act[]) {
  const disk = new Disk();
  const windows = new Map<string, unknown>();
  const errors: string[] = [];
  let part = await startObserver(disk, windows, errors);
  let checkpoint: { steps: Iterator<unknown>; end: () => void } | undefined;
  const put = (times: number) => {
    for (let time = 0; checkpoint && time < times; time++) {
      if (checkpoint.steps.next().done !== true) continue;
      checkpoint.end();
      checkpoint = undefined;
    }
  };
  const begin = (fails: boolean) => {
    const { changes, commit } = disk.begin();
    const { observer } = part;
    const end = fails ? () => observer.saveFailed() : commit;
    const rests = observer.save(changes);
    const steps = (function* all() {
      for (const rest of rests) yield* rest;
    })();
    checkpoint = { steps, end };
  };
  for (const [index, batch] of batches.entries()) {
    part.count(batch, index + 1);
    // Now and then the next batch comes before the windows that have ended are handed out.
    if (batch.receivedMs % 3000 !== 0) await part.settle();
    put(SLOW_STEPS);
    const act = happening[index] ?? "nothing";
    if (act === "crash") {
      await part.observer.shutdown();
      [part, checkpoint] = [await startObserver(disk, windows, errors), undefined];
      for (let at = part.observer.sequence; at <= index; at++) {
        part.count(batches[at] as Batch, at + 1);
        if (at % 2 === 0) await part.settle();
      }
    } else if (act !== "nothing" && checkpoint === undefined) {
      begin(act.startsWith("fail"));
      if (!act.endsWith("slowly")) put(Number.POSITIVE_INFINITY);
    }
  }
  await part.settle();
  return { windows: Object.fromEntries(windows), metrics: metricsOf(part.observer), errors };
}

it("counts the same wherever it crashes, and whichever checkpoints fail", async () => {
  const seen = { windows: 0, crashes: 0 };
  const steps = fc.array(step, { minLength: 10, maxLength: 60, size: "max" });
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const batches = batchesOf(all);
      const whole = await run(batches, []);
      expect(whole.errors).toEqual([]);
      const happening = all.map(({ act }) => act);
      expect(await run(batches, happening)).toEqual(whole);
      seen.windows += Object.keys(whole.windows).length;
      seen.crashes += happening.filter((act) => act === "crash").length;
    }),
    { numRuns: 50, seed: 7, endOnFailure: true },
  );
  expect(seen.windows).toBeGreaterThan(3000);
  expect(seen.crashes).toBeGreaterThan(150);
}, 60_000);
