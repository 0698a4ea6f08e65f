/**
 * The door that all transports share: bounds what is under way, inflates and decodes a body, and
 * waits until the pipeline has it. Only then may a transport acknowledge.
 */
import { METRICS } from "@tidemark/semconv";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import { encodeJsonRequest, JsonRequestError } from "../otlp/json-request.js";
import type { KeyTable } from "../otlp/key-table.js";
import { TraceResponse } from "../otlp/schema.js";
import { SpanRows } from "../otlp/span-rows.js";
import { TraceReader } from "../otlp/trace-reader.js";
import type { Stage, TraceBatch } from "../stage.js";
import { inflate } from "./body.js";
import { OtlpError } from "./otlp-error.js";

/** A request's body as it came, with what its head says of it. */
export interface TraceBody {
  readonly body: Uint8Array;
  /** `application/x-protobuf` or `application/json`. */
  readonly contentType: string;
  /** `gzip`, or empty for none. */
  readonly contentEncoding: string;
  /** Largest size once inflated. */
  readonly bodyBytesMax: number;
}

/** What became of the spans of an accepted body. */
export interface AcceptedSpans {
  /** Spans without usable ids, which were left out. */
  readonly rejectedSpans: number;
  /** What was wrong with the first of them; empty when there are none. */
  readonly rejectedReason: string;
}

/** Takes bodies from any number of transports. */
export class TraceIntake implements Stage {
  private readonly inflightBytesMax: number;
  private readonly pipeline: (batch: TraceBatch) => Promise<void>;
  private readonly now: () => number;
  private readonly reader: TraceReader;
  private readonly rows = new SpanRows();
  private readonly spans = new CounterSet([{ outcome: "accepted" }, { outcome: "rejected" }]);
  private receivedBytes = 0;
  private inflightBytes = 0;

  /**
   * @param inflightBytesMax bodies that are being received at one time, together
   * @param pipeline resolves when the batch is kept; reads `batch.rows` before it first waits
   */
  constructor(
    inflightBytesMax: number,
    keys: KeyTable,
    pipeline: (batch: TraceBatch) => Promise<void>,
    now: () => number,
  ) {
    this.inflightBytesMax = inflightBytesMax;
    this.pipeline = pipeline;
    this.now = now;
    this.reader = new TraceReader(keys);
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
   * @returns what gives the room back
   * @throws OtlpError `overloaded`
   */
  reserve(bytes: number): () => void {
    if (this.inflightBytes + bytes > this.inflightBytesMax) {
      throw new OtlpError("overloaded", "too many bytes are being received; try again later");
    }
    this.inflightBytes += bytes;
    return () => {
      this.inflightBytes -= bytes;
    };
  }

  /**
   * Resolves when the pipeline has the batch.
   * @throws OtlpError when the body is no trace request, or cannot be kept now
   */
  async take({ body, contentType, contentEncoding, bodyBytesMax }: TraceBody) {
    const inflated = inflate(body, contentEncoding, bodyBytesMax);
    const json = contentType === "application/json";
    const error = this.reader.read(json ? jsonToBinary(inflated) : inflated, this.rows);
    if (error) {
      const place = json ? "" : ` (at byte ${error.offset})`;
      throw new OtlpError("badData", `no trace request: ${error.message}${place}`);
    }
    const { rows } = this;
    const { spanCount, rejectedSpans, rejectedReason } = rows;
    await this.pipeline({ rows, body, contentType, contentEncoding, receivedMs: this.now() });
    this.receivedBytes += body.length;
    this.spans.add({ outcome: "accepted" }, spanCount);
    this.spans.add({ outcome: "rejected" }, rejectedSpans);
    return { rejectedSpans, rejectedReason };
  }
}

/** The answer to an accepted request; `partial_success` is set only when spans were rejected. */
export function encodeTraceResponse(
  { rejectedSpans, rejectedReason }: AcceptedSpans,
  json: boolean,
): Uint8Array | string {
  const errorMessage = `${rejectedSpans} spans rejected: ${rejectedReason}`;
  const response = rejectedSpans > 0 ? { partialSuccess: { rejectedSpans, errorMessage } } : {};
  return json ? JSON.stringify(response) : TraceResponse.encode(response).finish();
}

function jsonToBinary(body: Uint8Array): Uint8Array {
  try {
    return encodeJsonRequest(Buffer.from(body).toString("utf8"));
  } catch (error) {
    if (error instanceof JsonRequestError) throw new OtlpError("badData", error.message);
    throw error;
  }
}
