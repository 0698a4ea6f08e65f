/**
 * Observe and evaluate without HTTP, log and store, under traffic of any number of numeric signals:
 * what windows cost in time and memory, and nothing else.
 */
import { ReferenceGrid } from "@tidemark/stats";
import type { EvaluatorOptions } from "../dist/evaluate/evaluator.js";
import { Evaluator } from "../dist/evaluate/evaluator.js";
import { KeyTable, SpanRows, TraceReader, wantedKeys } from "../dist/index.js";
import { Logger } from "../dist/logger.js";
import { Observer } from "../dist/observe/observer.js";
import type { Reference } from "../dist/references/reference.js";
import type { Rest, StateChanges, StoredState } from "../dist/state/state-store.js";
import { windowLengths } from "../dist/window-lengths.js";
import { ExportTraceServiceRequest, seeded } from "./trace-bodies.ts";

export const MINUTE_MS = 60_000;
/** A Monday's midnight, where windows of every usual length begin. */
export const START_MS = Date.UTC(2026, 0, 5);
/** Features of one model, all in one span. */
const FEATURES = 100;
const REFERENCE_ROWS = 1000;
/** What times are written as, to be found and replaced. */
const TIME_MARK = 0x1122_3344_5566_7788n;

export interface TrafficOptions {
  readonly signals: number;
  /** Rows of each signal in one delivery. */
  readonly rows: number;
  readonly windowsMs: readonly number[];
  readonly ladder: number;
  readonly dependence: EvaluatorOptions["dependence"];
}

/** Seeded and roughly normal, by the sum of twelve uniform ones. */
export function normal(random: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/** So many references, no two alike. */
export function references(count: number): ReferenceGrid[] {
  const random = seeded(1);
  return Array.from({ length: count }, () =>
    ReferenceGrid.fromSample(Float64Array.from({ length: REFERENCE_ROWS }, () => normal(random))),
  );
}

/** A store in which nothing is, and which keeps nothing. */
export const NO_STORE: StoredState & StateChanges = {
  items: async () => [],
  itemsOf: async () => [],
  read: async () => new Uint8Array(0),
  put: () => {},
  delete: () => {},
  deleteBefore: () => {},
  write: () => {},
  remove: () => {},
};

/** An observer and an evaluator, and bodies of one span a model that reach them at any time. */
export function startTraffic(options: TrafficOptions, grids: readonly ReferenceGrid[]) {
  const { signals, rows: rowCount, windowsMs, ladder, dependence } = options;
  const lengths = windowLengths(windowsMs, ladder);
  const logger = new Logger("error", true, (line) => process.stderr.write(line));
  const promises = {
    shift: 0.25,
    falseAlarmsPerFeatureYear: 0.01,
    falseWarningsPerFeatureYear: 1,
  };
  const evaluator = new Evaluator({ ...promises, lengths, dependence, history: 5000 }, logger);
  const keys = new KeyTable(wantedKeys());
  const clock = { nowMs: START_MS };
  const observer = new Observer(
    {
      paneMs: MINUTE_MS,
      lengths,
      retention: { paneMs: 86_400_000, hourMs: 15 * 86_400_000 },
      allowedLatenessMs: 0,
      idleTimeoutMs: 1000,
      signalsMax: signals,
      segmentsMax: 0,
      plan: { declared: [], segments: [] },
      recentSpans: 0,
      learn: { samples: 5000, spanMs: 0 },
      references: {
        find: ({ model, name }): Reference => {
          const index = Number(model) * FEATURES + Number(name.slice("feature.f".length));
          const grid = grids[index % grids.length] as ReferenceGrid;
          return { name: "training", provisional: false, missing: 0, kind: "numeric", grid };
        },
        learned: (_, own) => own(),
        moving: (_, base) => base,
        isForeign: () => false,
      },
    },
    keys,
    (closed) => evaluator.consume(closed),
    () => {},
    () => clock.nowMs,
    logger,
  );
  const bodies = Array.from({ length: Math.ceil(signals / FEATURES) }, (_, model) =>
    bodyOf(model, rowCount),
  );
  const reader = new TraceReader(keys);
  const columns = new SpanRows();
  let sequence = 0;
  return {
    observer,
    evaluator,
    /** Delivers one span of each model that ended at `atMs`. */
    deliver: (atMs: number) => {
      clock.nowMs = atMs;
      for (const body of bodies) {
        stamp(body, atMs);
        reader.read(body.bytes, columns);
        const contentType = "application/x-protobuf";
        const head = { signal: "traces" as const, contentType, contentEncoding: "" };
        const at = { receivedMs: atMs, sequence: ++sequence };
        observer.consume({ ...head, ...at, body: body.bytes, rows: columns });
      }
    },
    /** Takes up what a store holds, and keeps the past from then on. */
    restore: async (stored: StoredState) => {
      await observer.restore(stored);
      await evaluator.restore(stored);
    },
    /** Puts what has changed, as a checkpoint would. */
    save: (changes: StateChanges): Rest[] => [
      ...observer.save(changes),
      ...evaluator.save(changes),
    ],
    /** Lets the clock reach a time, and waits until all windows up to it have been judged. */
    reach: async (atMs: number) => {
      clock.nowMs = atMs;
      observer.pass({ ...NO_BODY, sequence: ++sequence, receivedMs: atMs });
      while (observer.isBehind) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const NO_BODY = {
  signal: "metrics",
  contentType: "",
  contentEncoding: "",
  body: new Uint8Array(0),
} as const;

interface StampedBody {
  readonly bytes: Uint8Array;
  readonly times: readonly number[];
}

function bodyOf(model: number, rowCount: number): StampedBody {
  const random = seeded(100 + model);
  const features = Array.from({ length: FEATURES }, (_, feature) => ({
    key: `ml.feature.f${feature}`,
    value: {
      arrayValue: {
        values: Array.from({ length: rowCount }, () => ({ doubleValue: normal(random) })),
      },
    },
  }));
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const time = { low: Number(TIME_MARK & 0xffff_ffffn), high: Number(TIME_MARK >> 32n) };
  const span = {
    traceId: new Uint8Array(16).fill(1 + (model % 255)),
    spanId: new Uint8Array(8).fill(1 + (model % 255)),
    name: "inference",
    kind: 1,
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes: [text("ml.model.name", String(model)), text("ml.stage", "inference"), ...features],
  };
  const scopeSpans = [{ spans: [span] }];
  const bytes = ExportTraceServiceRequest.encode({ resourceSpans: [{ scopeSpans }] }).finish();
  const mark = Buffer.alloc(8);
  mark.writeBigUInt64LE(TIME_MARK);
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = found.indexOf(mark);
  return { bytes, times: [start, found.indexOf(mark, start + 8)] };
}

function stamp({ bytes, times }: StampedBody, atMs: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const at of times) view.setBigUint64(at, BigInt(Math.round(atMs)) * 1_000_000n, true);
}
