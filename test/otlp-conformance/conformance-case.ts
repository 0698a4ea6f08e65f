/** What a case of the suite is, and what came of it. */
import type { GrpcEndpoint } from "./grpc-endpoint.ts";
import type { HttpEndpoint } from "./http-endpoint.ts";
import type { SpanSink } from "./span-sink.ts";

/**
 * How much a specification asks for it. `EXPECTED` is what no specification says in a capital word,
 * but everybody who operates a receiver relies on.
 */
export type Level = "MUST" | "SHOULD" | "MAY" | "EXPECTED";

/** What a case found: what went over the wire, and what is wrong with the answer, if anything. */
export interface Finding {
  readonly sent: string;
  readonly received: string;
  /** Complaints; none means passed. */
  readonly faults: readonly string[];
  /** Why the case does not apply to this endpoint, if it does not. */
  readonly skipped?: string;
}

interface CaseHead {
  /** Unique, in kebab-case, starting with the part of the protocol. */
  readonly id: string;
  readonly level: Level;
  /** The section that asks for it. */
  readonly spec: string;
  /** What a conforming endpoint does, as a claim. */
  readonly title: string;
}

/** A case that needs an OTLP/HTTP endpoint. */
export interface HttpCase extends CaseHead {
  readonly needs: "http";
  run(http: HttpEndpoint): Promise<Finding>;
}

/** A case that needs an OTLP/gRPC endpoint. */
export interface GrpcCase extends CaseHead {
  readonly needs: "grpc";
  run(grpc: GrpcEndpoint): Promise<Finding>;
}

/**
 * A case that needs an OTLP/HTTP endpoint which forwards what it gets to the suite; `grpc` is there
 * if the endpoint has that, too.
 */
export interface SinkCase extends CaseHead {
  readonly needs: "sink";
  run(http: HttpEndpoint, sink: SpanSink, grpc: GrpcEndpoint | undefined): Promise<Finding>;
}

/** A case of any transport. */
export type ConformanceCase = HttpCase | GrpcCase | SinkCase;

/** A case without what its file says for all cases in it. */
export type Described<C extends ConformanceCase> = Omit<C, "needs">;

/** Cases over HTTP. */
export function httpCases(...cases: readonly Described<HttpCase>[]): HttpCase[] {
  return cases.map((described) => ({ ...described, needs: "http" }));
}

/** Cases over gRPC. */
export function grpcCases(...cases: readonly Described<GrpcCase>[]): GrpcCase[] {
  return cases.map((described) => ({ ...described, needs: "grpc" }));
}

/** Cases that look at what the endpoint forwards. */
export function sinkCases(...cases: readonly Described<SinkCase>[]): SinkCase[] {
  return cases.map((described) => ({ ...described, needs: "sink" }));
}

/** Several findings of one case as one. */
export function allOf(...findings: readonly Finding[]): Finding {
  const texts = (pick: (finding: Finding) => string) =>
    [...new Set(findings.map(pick))].join("; then ");
  return {
    sent: texts(({ sent }) => sent),
    received: texts(({ received }) => received),
    faults: findings.flatMap(({ faults }) => faults),
  };
}
