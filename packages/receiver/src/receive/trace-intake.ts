/**
 * The door that all transports share: bounds what is under way, inflates and decodes a body, and
 * waits until the pipeline has it. Only then may a transport acknowledge.
 */
import { METRICS } from "@tidemark/semconv";
import type { LoggedBody } from "../log/log-record.js";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import { TraceResponse } from "../otlp/schema.js";
import type { SpanRows } from "../otlp/span-rows.js";
import type { Stage } from "../stage.js";
import { OtlpError } from "./otlp-error.js";
import type { TraceBody, TraceDecoder } from "./trace-decoder.js";

/** What became of the spans of an accepted body. */
export interface AcceptedSpans {
  /** Spans without usable ids, which were left out. */
  readonly rejectedSpans: number;
  /** What the client should know of it; empty for nothing. */
  readonly message: string;
}

/** Resolves when the batch is kept; it reads `rows`, which are scratch, before it first waits. */
export type Pipeline = (rows: SpanRows, body: LoggedBody) => Promise<void>;

/** Room for one body, under the bound that all bodies share. */
export interface Room {
  /** @throws OtlpError `overloaded`; the room then stays as it is */
  grow(bytes: number): void;
  /** Gives all of it back; calling it again does nothing. */
  release(): void;
}

/** Takes bodies from any number of transports. */
export class TraceIntake implements Stage {
  private readonly inflightBytesMax: number;
  private readonly decoder: TraceDecoder;
  private readonly pipeline: Pipeline;
  private readonly now: () => number;
  private readonly spans = new CounterSet([{ outcome: "accepted" }, { outcome: "rejected" }]);
  private receivedBytes = 0;
  private inflightBytes = 0;

  /**
   * @param inflightBytesMax bodies that are being received at one time, together
   */
  constructor(
    inflightBytesMax: number,
    decoder: TraceDecoder,
    pipeline: Pipeline,
    now: () => number,
  ) {
    this.inflightBytesMax = inflightBytesMax;
    this.decoder = decoder;
    this.pipeline = pipeline;
    this.now = now;
  }

  async start(): Promise<void> {}

  async shutdown(): Promise<void> {}

  metrics(): MetricFamily[] {
    return [
      { definition: METRICS.receiverSpans, points: this.spans.snapshot() },
      { definition: METRICS.receiverBytes, points: [{ labels: {}, value: this.receivedBytes }] },
    ];
  }

  /**
   * Makes room for a body, so that memory stays bounded whatever many clients send at once.
   * @throws OtlpError `overloaded`
   */
  reserve(bytes: number): Room {
    let reservedBytes = 0;
    const grow = (more: number) => {
      if (this.inflightBytes + more > this.inflightBytesMax) {
        throw new OtlpError("overloaded", "too many bytes are being received; try again later");
      }
      this.inflightBytes += more;
      reservedBytes += more;
    };
    grow(bytes);
    return {
      grow,
      release: () => {
        this.inflightBytes -= reservedBytes;
        reservedBytes = 0;
      },
    };
  }

  /**
   * Resolves when the pipeline has the batch.
   * @throws OtlpError when the body is no trace request, or cannot be kept now
   */
  async take(incoming: TraceBody): Promise<AcceptedSpans> {
    const { body, contentType, contentEncoding } = incoming;
    const { rows, warning } = this.decoder.decode(incoming);
    const { spanCount, rejectedSpans, rejectedReason } = rows;
    await this.pipeline(rows, { body, contentType, contentEncoding, receivedMs: this.now() });
    this.receivedBytes += body.length;
    this.spans.add({ outcome: "accepted" }, spanCount);
    this.spans.add({ outcome: "rejected" }, rejectedSpans);
    const rejection = `${rejectedSpans} spans rejected: ${rejectedReason}`;
    return { rejectedSpans, message: rejectedSpans > 0 ? rejection : warning };
  }
}

/**
 * The answer to an accepted request; `partial_success` is set only when there is something to tell.
 * https://opentelemetry.io/docs/specs/otlp/#partial-success
 */
export function encodeTraceResponse(
  { rejectedSpans, message }: AcceptedSpans,
  json: boolean,
): Uint8Array | string {
  // In protobuf's JSON a 64-bit integer is a string.
  const partialSuccess = { rejectedSpans: String(rejectedSpans), errorMessage: message };
  const response = message === "" ? {} : { partialSuccess };
  return json ? JSON.stringify(response) : TraceResponse.encode(response).finish();
}
