/** All cases, and running them against an endpoint. */
import { forwardedSpans } from "./cases/forwarded-spans.ts";
import { grpcConnection } from "./cases/grpc-connection.ts";
import { grpcFailures } from "./cases/grpc-failures.ts";
import { grpcSuccess } from "./cases/grpc-success.ts";
import { httpCompression } from "./cases/http-compression.ts";
import { httpConnection } from "./cases/http-connection.ts";
import { httpFailures } from "./cases/http-failures.ts";
import { httpOverload } from "./cases/http-overload.ts";
import { httpSignals } from "./cases/http-signals.ts";
import { httpSize } from "./cases/http-size.ts";
import { httpSuccess } from "./cases/http-success.ts";
import { jsonMalformed } from "./cases/json-malformed.ts";
import { jsonValid } from "./cases/json-valid.ts";
import { protobufMalformed } from "./cases/protobuf-malformed.ts";
import { protobufValid } from "./cases/protobuf-valid.ts";
import type { ConformanceCase, Finding, Level } from "./conformance-case.ts";
import { GrpcEndpoint } from "./grpc-endpoint.ts";
import { HttpEndpoint } from "./http-endpoint.ts";
import type { SpanSink } from "./span-sink.ts";

/** Every case, in the order in which they run. */
export const CASES: readonly ConformanceCase[] = [
  ...httpSuccess,
  ...httpCompression,
  ...httpFailures,
  ...httpSize,
  ...httpSignals,
  ...protobufValid,
  ...protobufMalformed,
  ...jsonValid,
  ...jsonMalformed,
  ...httpConnection,
  ...httpOverload,
  ...grpcSuccess,
  ...grpcFailures,
  ...grpcConnection,
  ...forwardedSpans,
];

/**
 * What came of a case. `absent` is a MAY that the endpoint does not offer: no failure; `skipped` is a
 * case that could not be tried.
 */
export type Outcome = "pass" | "fail" | "absent" | "skipped";

/** One line of the report. */
export interface Result {
  readonly id: string;
  readonly level: Level;
  readonly spec: string;
  readonly title: string;
  readonly outcome: Outcome;
  readonly sent: string;
  readonly received: string;
  /** Why it failed or was skipped; empty otherwise. */
  readonly reason: string;
}

/** The endpoint under test: what is not given is not tested. */
export interface Target {
  readonly http?: URL;
  readonly grpc?: URL;
  readonly sink?: SpanSink;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of a body that the endpoint is expected to refuse. */
  readonly oversizeBytes: number;
  /** How long a case may take before it counts as unanswered. */
  readonly timeoutMs: number;
}

/** Runs cases one after the other, and hands on each result as it comes. */
export async function* runCases(
  cases: readonly ConformanceCase[],
  target: Target,
): AsyncGenerator<Result> {
  for (const one of cases) {
    const { id, level, spec, title } = one;
    const run = runnerOf(one, target);
    const finding =
      typeof run === "string"
        ? { sent: "", received: "", faults: [], skipped: run }
        : await bounded(run, target.timeoutMs);
    const { sent, received, faults, skipped } = finding;
    yield {
      id,
      level,
      spec,
      title,
      sent,
      received,
      outcome: outcomeOf(level, finding),
      reason: skipped ?? [...new Set(faults)].join("; "),
    };
  }
}

/** How to run a case, or why it cannot be run. */
function runnerOf(one: ConformanceCase, target: Target): (() => Promise<Finding>) | string {
  const { headers, oversizeBytes, sink } = target;
  const grpc = target.grpc && new GrpcEndpoint({ url: target.grpc, headers, oversizeBytes });
  if (one.needs === "grpc") {
    return grpc === undefined ? "it needs --grpc" : () => one.run(grpc);
  }
  if (target.http === undefined) return "it needs --http";
  const http = new HttpEndpoint({ url: target.http, headers, oversizeBytes });
  if (one.needs === "http") return () => one.run(http);
  return sink === undefined ? "it needs --sink" : () => one.run(http, sink, grpc);
}

/** A case that throws or takes too long has failed; what it was doing is let go. */
async function bounded(run: () => Promise<Finding>, timeoutMs: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    return await Promise.race([run(), late]);
  } catch (error) {
    return { sent: "", received: "", faults: [(error as Error).message] };
  } finally {
    clearTimeout(timer);
  }
}

function outcomeOf(level: Level, { faults, skipped }: Finding): Outcome {
  if (skipped !== undefined) return "skipped";
  if (faults.length === 0) return "pass";
  return level === "MAY" ? "absent" : "fail";
}
