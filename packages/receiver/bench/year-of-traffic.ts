/**
 * A year of synthetic traffic through decode, observe and evaluate in event time: numeric signals
 * with a daily and a weekly season and autocorrelated noise, compared with references that know the
 * hour of the week. What is counted: alarms without a change, and how long a shift lasts unseen.
 */
import { GridSummary, ReferenceGrid } from "@tidemark/stats";
import { oracleDelay } from "../../stats/calibrate/cusum-oracle.ts";
import type { ClosedWindow } from "../dist/closed-window.js";
import { Evaluator } from "../dist/evaluate/evaluator.js";
import { KeyTable, SpanRows, TraceReader, wantedKeys } from "../dist/index.js";
import { Logger } from "../dist/logger.js";
import { Observer } from "../dist/observe/observer.js";
import type { Reference } from "../dist/references/reference.js";
import { windowLengths } from "../dist/window-lengths.js";
import { ExportTraceServiceRequest, seeded } from "./trace-bodies.ts";

const MINUTE_MS = 60_000;
const STEP_MS = 5 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const START_MS = Date.UTC(2025, 0, 6);
/** Of the noise from row to row. */
const CORRELATION = 0.5;
/** Rows that as many independent ones as one are worth, (1 + rho) / (1 - rho). */
const DEPENDENCE = (1 + CORRELATION) / (1 - CORRELATION);
const DAILY = 1;
const WEEKLY = 0.5;
/** Of a signal's values over weeks: its seasons' and its noise's, which is 1. */
const DEVIATION = Math.sqrt(DAILY ** 2 / 2 + WEEKLY ** 2 / 2 + 1);
const FLOOR_SHIFT = 0.25;
const PROMISE = { shift: FLOOR_SHIFT, falseAlarmsPerFeatureYear: 0.01 };
const DAYS_A_YEAR = 365.25;
/** Weeks that the references are made of. */
const REFERENCE_WEEKS = 8;
/** After which a shift that nobody has seen counts as missed. */
const GIVE_UP_DAYS = 7;

export interface YearOptions {
  readonly signals: number;
  readonly days: number;
  /** Rows of each signal in five minutes. */
  readonly rows: number;
  readonly seed: number;
  /** Called now and then with the days that are over. */
  readonly progress?: (days: number) => void;
}

export interface YearResult {
  /** Onsets of alarms before any change. */
  readonly falseAlarms: number;
  /** Of the signals shifted by .7, in days; Infinity where it was not seen. */
  readonly delaysDays: readonly number[];
  /** What the CUSUM that knows both laws takes on as many independent rows. */
  readonly oracleDays: number;
  /** Onsets after the change, of signals shifted by .1 or not at all. */
  readonly othersAlarmed: number;
  readonly evaluations: number;
}

/** Runs it. Signals 0, 1 and 2 are shifted by .7 standard deviations in the end, 3 to 5 by .1. */
export async function yearOfTraffic(options: YearOptions): Promise<YearResult> {
  const { signals, days, rows, progress } = options;
  const traffic = new Traffic(options);
  const watch = new AlarmWatch();
  const receiver = startReceiver(options, traffic.references(), watch);
  const steps = (days * DAY_MS) / STEP_MS;
  for (let step = 0; step < steps; step++) {
    await receiver.deliver(START_MS + step * STEP_MS, traffic);
    if (step % (30 * 288) === 0) progress?.(Math.round((step * STEP_MS) / DAY_MS));
  }
  const falseAlarms = watch.onsets.length;
  watch.onsets.length = 0;
  for (const signal of [0, 1, 2]) traffic.shifts[signal] = 0.7 * DEVIATION;
  for (const signal of [3, 4, 5]) traffic.shifts[signal] = 0.1 * DEVIATION;
  const changedMs = START_MS + steps * STEP_MS;
  for (let step = 0; step < (GIVE_UP_DAYS * DAY_MS) / STEP_MS; step++) {
    await receiver.deliver(changedMs + step * STEP_MS, traffic);
  }
  const delayOf = (signal: number) => {
    const onset = watch.onsets.find((one) => one.signal === signal);
    return onset === undefined ? Infinity : (onset.endMs - changedMs) / DAY_MS;
  };
  const rowsADay = (rows * DAY_MS) / STEP_MS / DEPENDENCE;
  const runLength = (DAYS_A_YEAR * rowsADay) / PROMISE.falseAlarmsPerFeatureYear;
  return {
    falseAlarms,
    delaysDays: [0, 1, 2].filter((signal) => signal < signals).map(delayOf),
    oracleDays: oracleDelay(runLength, FLOOR_SHIFT, 0.7) / rowsADay,
    othersAlarmed: watch.onsets.filter(({ signal }) => signal > 2).length,
    evaluations: watch.evaluations,
  };
}

/** Notes when a signal begins to drift, in whichever length. */
class AlarmWatch {
  readonly onsets: { readonly signal: number; readonly endMs: number }[] = [];
  evaluations = 0;
  private readonly drifting = new Map<number, Set<number>>();

  note({ signal, window, endMs }: ClosedWindow, drifted: boolean): void {
    this.evaluations++;
    const number = Number(signal.name.slice("feature.f".length));
    const lengths = this.drifting.get(number) ?? new Set<number>();
    this.drifting.set(number, lengths);
    if (drifted && lengths.size === 0) this.onsets.push({ signal: number, endMs });
    if (drifted) lengths.add(window);
    else lengths.delete(window);
  }
}

/** Values of all signals, five minutes at a time. */
class Traffic {
  /** What is added to a signal. */
  readonly shifts: number[];
  private readonly rows: number;
  private readonly random: () => number;
  private readonly phases: number[];
  private readonly noise: Float64Array;
  private readonly normals: Float64Array;

  constructor({ signals, rows, seed }: YearOptions) {
    this.rows = rows;
    this.random = seeded(seed);
    this.shifts = Array.from({ length: signals }, () => 0);
    this.phases = Array.from({ length: signals }, () => this.random());
    this.noise = new Float64Array(signals);
    this.normals = Float64Array.from({ length: 65_536 }, () => this.normal());
  }

  /** The rows of one signal in the five minutes that start at `atMs`. */
  fill(signal: number, atMs: number, out: Float64Array): void {
    const { noise, normals, random, rows } = this;
    const phase = 2 * Math.PI * (this.phases[signal] as number);
    const innovation = Math.sqrt(1 - CORRELATION ** 2);
    const shift = this.shifts[signal] as number;
    let x = noise[signal] as number;
    for (let row = 0; row < rows; row++) {
      const time = atMs + ((row + 0.5) / rows) * STEP_MS;
      const daily = DAILY * Math.sin((2 * Math.PI * time) / DAY_MS + phase);
      const weekly = WEEKLY * Math.sin((2 * Math.PI * time) / WEEK_MS + 2 * phase);
      x = CORRELATION * x + innovation * (normals[(random() * 65_536) | 0] as number);
      out[row] = daily + weekly + x + shift;
    }
    noise[signal] = x;
  }

  /** What eight weeks before the start were like, by hour of the week. */
  references(): Reference[] {
    const out = new Float64Array(this.rows);
    return this.shifts.map((_, signal): Reference => {
      const values: number[] = [];
      const fromMs = START_MS - REFERENCE_WEEKS * WEEK_MS;
      for (let atMs = fromMs; atMs < START_MS; atMs += STEP_MS) {
        this.fill(signal, atMs, out);
        values.push(...out);
      }
      return hourOfWeek(values, fromMs, STEP_MS / this.rows);
    });
  }

  private normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.random()));
    return radius * Math.cos(2 * Math.PI * this.random());
  }
}

/** A reference that knows the hour of the week. */
function hourOfWeek(values: readonly number[], fromMs: number, rowMs: number): Reference {
  const grid = ReferenceGrid.fromSample(values);
  const hours = Array.from({ length: WEEK_MS / HOUR_MS }, () => new GridSummary(grid));
  const hourOf = (ms: number) => Math.floor(ms / HOUR_MS) % hours.length;
  for (const [row, value] of values.entries()) hours[hourOf(fromMs + row * rowMs)]?.add(value);
  const origin = { name: "hour of week", provisional: false, missing: 0 };
  const base: Reference = { ...origin, kind: "numeric", grid };
  let latest: { startMs: number; endMs: number; reference: Reference } | undefined;
  const at = (startMs: number, endMs: number): Reference => {
    if (latest?.startMs === startMs && latest.endMs === endMs) return latest.reference;
    let sum: GridSummary | undefined;
    for (let ms = Math.floor(startMs / HOUR_MS) * HOUR_MS; ms < endMs; ms += HOUR_MS) {
      const hour = hours[hourOf(ms)] as GridSummary;
      if (sum === undefined) sum = hour.clone();
      else sum.merge(hour);
    }
    const reference = { ...base, grid: ReferenceGrid.fromSummary(sum as GridSummary) };
    latest = { startMs, endMs, reference };
    return reference;
  };
  return { ...base, at };
}

function startReceiver(
  { signals, rows }: YearOptions,
  references: readonly Reference[],
  watch: AlarmWatch,
) {
  // What is shown of quiet windows decides nothing, and takes most of the time.
  const usual = windowLengths([STEP_MS, HOUR_MS, DAY_MS], 9);
  const lengths = usual.map((length) => ({ ...length, shown: false }));
  const logger = new Logger("error", true, (line) => process.stderr.write(line));
  const promises = { ...PROMISE, falseWarningsPerFeatureYear: 1 };
  const rest = { dependence: "learned" as const, history: 100 };
  const evaluator = new Evaluator({ ...promises, lengths, ...rest }, logger);
  const keys = new KeyTable(wantedKeys());
  const observer = new Observer(
    {
      paneMs: MINUTE_MS,
      lengths,
      retention: { paneMs: 0, hourMs: 0 },
      allowedLatenessMs: 0,
      idleTimeoutMs: DAY_MS,
      signalsMax: signals,
      segmentsMax: 0,
      plan: { declared: [], segments: [] },
      recentSpans: 0,
      learn: { samples: 5000, spanMs: 0 },
      references: {
        find: ({ name }) => references[Number(name.slice("feature.f".length))],
        learned: (_, own) => own(),
        moving: (_, base) => base,
        isForeign: () => false,
      },
    },
    keys,
    (closed) => {
      const drifted = evaluator.consume(closed);
      watch.note(closed, drifted);
      return drifted;
    },
    () => {},
    () => 0,
    logger,
  );
  const body = new BatchBody(signals, rows);
  const reader = new TraceReader(keys);
  const columns = new SpanRows();
  let sequence = 0;
  return {
    /** Five minutes of all signals, in one span that ends with them. */
    deliver: async (atMs: number, traffic: Traffic) => {
      const endMs = atMs + STEP_MS - 1;
      body.write(endMs, (signal, out) => traffic.fill(signal, atMs, out));
      reader.read(body.bytes, columns);
      const contentType = "application/x-protobuf";
      const head = { signal: "traces" as const, contentType, contentEncoding: "" };
      const at = { receivedMs: endMs, sequence: ++sequence };
      observer.consume({ ...head, ...at, body: body.bytes, rows: columns });
      while (observer.isBehind) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** A request of one span with arrays of numbers, which are written over each time. */
class BatchBody {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly times: number[];
  private readonly values: number[];
  private readonly row: Float64Array;

  constructor(signals: number, rows: number) {
    const mark = 0x1122_3344;
    const time = { low: mark, high: mark };
    const doubleValue = 1.234567890123e-77;
    const values = Array.from({ length: rows }, () => ({ doubleValue }));
    const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
    const span = {
      traceId: new Uint8Array(16).fill(1),
      spanId: new Uint8Array(8).fill(1),
      name: "inference",
      kind: 1,
      startTimeUnixNano: time,
      endTimeUnixNano: time,
      attributes: [
        text("ml.model.name", "m"),
        text("ml.stage", "inference"),
        ...Array.from({ length: signals }, (_, signal) => ({
          key: `ml.feature.f${signal}`,
          value: { arrayValue: { values } },
        })),
      ],
    };
    const scopeSpans = [{ spans: [span] }];
    this.bytes = ExportTraceServiceRequest.encode({ resourceSpans: [{ scopeSpans }] }).finish();
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    const timeMark = Buffer.alloc(8);
    timeMark.writeUInt32LE(mark, 0);
    timeMark.writeUInt32LE(mark, 4);
    const valueMark = Buffer.alloc(8);
    valueMark.writeDoubleLE(doubleValue);
    this.times = places(this.bytes, timeMark);
    this.values = places(this.bytes, valueMark);
    this.row = new Float64Array(rows);
  }

  write(endMs: number, fill: (signal: number, out: Float64Array) => void): void {
    const { view, row } = this;
    for (const at of this.times) view.setBigUint64(at, BigInt(endMs) * 1_000_000n, true);
    for (let at = 0; at < this.values.length; at++) {
      const of = at % row.length;
      if (of === 0) fill(at / row.length, row);
      view.setFloat64(this.values[at] as number, row[of] as number, true);
    }
  }
}

function places(bytes: Uint8Array, mark: Buffer): number[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: number[] = [];
  for (let at = all.indexOf(mark); at >= 0; at = all.indexOf(mark, at + 8)) found.push(at);
  return found;
}
