/**
 * Selective decoding against the generated protobufjs decoder plus extraction, on the same bytes,
 * interleaved in one run; the figures are ratios of medians. Run with `pnpm bench:decode`.
 */
import { parseArgs } from "node:util";
import { KeyTable, SpanRows, TraceReader, unwantedKeys, wantedKeys } from "../dist/index.js";
import type { DecodedAttribute, DecodedValue } from "./trace-bodies.ts";
import { ExportTraceServiceRequest, traceBody } from "./trace-bodies.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    spans: { type: "string", default: "512" },
  },
});
const ROUNDS = Number(options.rounds);
const SPANS = Number(options.spans);
/** Long enough that the clock's resolution and a timer interrupt do not show. */
const ROUND_SPANS = 60_000;

interface Baseline {
  spans: number;
  sum: number;
  read(body: Uint8Array): void;
}

/** What the code that OpenTelemetry JS shipped would need to do to get the same values out. */
function staticDecoder(): Baseline {
  const exact = new Map<string, number>();
  const templates: [string, number][] = [];
  for (const { name, template, role } of wantedKeys()) {
    if (template) templates.push([name, role]);
    else exact.set(name, role);
  }
  const known = new Map<string, number>(exact);
  const baseline: Baseline = { spans: 0, sum: 0, read };
  return baseline;

  function roleOf(key: string): number {
    const role = known.get(key);
    if (role !== undefined) return role;
    const template = templates.find(([prefix]) => key.startsWith(prefix));
    known.set(key, template ? template[1] : -1);
    return template ? template[1] : -1;
  }

  function take(attributes: DecodedAttribute[]): void {
    for (const { key, value } of attributes) {
      if (key !== null && roleOf(key) >= 0 && value) takeValue(value);
    }
  }

  function takeValue(value: DecodedValue): void {
    if (value.doubleValue != null) baseline.sum += value.doubleValue;
    else if (value.stringValue != null) baseline.sum += value.stringValue.length;
    else if (value.intValue != null) baseline.sum += Number(value.intValue);
    else if (value.boolValue != null) baseline.sum += value.boolValue ? 1 : 0;
    else if (value.arrayValue) for (const element of value.arrayValue.values) takeValue(element);
  }

  function read(body: Uint8Array): void {
    for (const { resource, scopeSpans } of ExportTraceServiceRequest.decode(body).resourceSpans) {
      if (resource) take(resource.attributes);
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          take(span.attributes);
          baseline.spans++;
        }
      }
    }
  }
}

function selectiveDecoder(): Baseline {
  const reader = new TraceReader(new KeyTable(wantedKeys(), unwantedKeys()));
  const rows = new SpanRows();
  const selective: Baseline = { spans: 0, sum: 0, read };
  return selective;

  function read(body: Uint8Array): void {
    const error = reader.read(body, rows);
    if (error) throw new Error(error.message);
    let sum = 0;
    for (let i = 0; i < rows.valueCount; i++) sum += rows.valueNumber[i] ?? 0;
    selective.sum += sum;
    selective.spans += rows.spanCount;
  }
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}

/** Nanoseconds a span for each decoder, round by round in turn. */
function measure(kind: "inference" | "mixed") {
  const bodies = Array.from({ length: 8 }, (_, seed) => traceBody(kind, SPANS, seed + 1));
  const decoders = [staticDecoder(), selectiveDecoder()];
  const timings: number[][] = [[], []];
  for (let round = -2; round < ROUNDS; round++) {
    for (const [index, decoder] of decoders.entries()) {
      const before = decoder.spans;
      const start = process.hrtime.bigint();
      while (decoder.spans - before < ROUND_SPANS) {
        for (const body of bodies) decoder.read(body);
      }
      const elapsed = Number(process.hrtime.bigint() - start);
      if (round >= 0) timings[index]?.push(elapsed / (decoder.spans - before));
    }
  }
  const [reference, selective] = decoders as [Baseline, Baseline];
  const perSpan = (d: Baseline) => d.sum / d.spans;
  if (Math.abs(perSpan(reference) / perSpan(selective) - 1) > 1e-9) {
    throw new Error(
      `the decoders disagree: ${perSpan(reference)} and ${perSpan(selective)} a span`,
    );
  }
  const bytes = bodies.reduce((sum, body) => sum + body.length, 0) / (SPANS * bodies.length);
  const [slow = 0, fast = 0] = timings.map(median);
  console.log(
    `${kind.padEnd(9)} ${bytes.toFixed(0).padStart(4)} B a span: protobufjs ` +
      `${(1e3 / slow).toFixed(2)} M spans/s, selective ${(1e3 / fast).toFixed(2)} M spans/s, ` +
      `${(slow / fast).toFixed(1)}x`,
  );
  return slow / fast;
}

const figure = (value: number, goal: number) => ({
  value: Number(value.toFixed(2)),
  unit: "x",
  goal: `>= ${goal}`,
  holds: value >= goal,
});
console.log(`selective decode against protobufjs static, medians of ${ROUNDS} interleaved rounds`);
const figures = {
  ratio_inference: figure(measure("inference"), 12),
  ratio_mixed: figure(measure("mixed"), 18),
};
console.log(JSON.stringify({ bench: "decode", node: process.versions.node, figures }));
