/**
 * The door that all transports share: bounds what is under way, inflates and decodes a body, and
 * waits until the pipeline has it. Only then may a transport acknowledge.
 */
import { METRICS } from "@tidemark/semconv";
import type { LoggedBody, OtlpSignal } from "../log/log-record.js";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import { TraceResponse } from "../otlp/schema.js";
import type { SpanRows } from "../otlp/span-rows.js";
import type { Stage } from "../stage.js";
import { freeInflated } from "./body.js";
import type { BodyDecoder, IncomingBody } from "./body-decoder.js";
import { OtlpError } from "./otlp-error.js";

/** What became of an accepted body. */
export interface Accepted {
  /** Spans without usable ids, which were left out. */
  readonly rejectedSpans: number;
  /** What the client should know of it; empty for nothing. */
  readonly message: string;
}

/**
 * Resolves when the batch is kept. Only traces have `rows`; these are scratch, and it reads them
 * before it first waits.
 */
export type Pipeline = (body: LoggedBody, rows: SpanRows | undefined) => Promise<void>;

/** Room for one body, under the bound that all bodies share. */
export interface Room {
  /** @throws OtlpError `overloaded`; the room then stays as it is */
  grow(bytes: number): void;
  /** Gives all of it back; calling it again does nothing. */
  release(): void;
}

/** Takes bodies from any number of transports. */
export class Intake implements Stage {
  private readonly inflightBytesMax: number;
  private readonly signals: readonly OtlpSignal[];
  private readonly decoder: BodyDecoder;
  private readonly pipeline: Pipeline;
  private readonly now: () => number;
  private readonly spans = new CounterSet([{ outcome: "accepted" }, { outcome: "rejected" }]);
  private receivedBytes = 0;
  private inflightBytes = 0;

  /**
   * @param inflightBytesMax bodies that are being received at one time, together
   * @param signals those that are taken
   */
  constructor(
    inflightBytesMax: number,
    signals: readonly OtlpSignal[],
    decoder: BodyDecoder,
    pipeline: Pipeline,
    now: () => number,
  ) {
    this.inflightBytesMax = inflightBytesMax;
    this.signals = signals;
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
   * The signal of this name, if it is taken.
   * @throws OtlpError `unknownSignal`
   */
  admit(name: string): OtlpSignal {
    const signal = this.signals.find((one) => one === name);
    if (signal !== undefined) return signal;
    throw new OtlpError(
      "unknownSignal",
      `${name} are not taken here; traces are, and metrics and logs where the receivers of ` +
        `service.pipelines.${name} list otlp`,
    );
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
   * @throws OtlpError when the body is not what it should be, or cannot be kept now
   */
  async take(incoming: IncomingBody): Promise<Accepted> {
    const { body, signal, contentType, contentEncoding } = incoming;
    const { inflated, rows, warning } = this.decoder.decode(incoming);
    const {
      spanCount = 0,
      rejectedSpans = 0,
      rejectedReason,
    } = (signal === "traces" ? rows : undefined) ?? {};
    const kept = { body, signal, contentType, contentEncoding, receivedMs: this.now() };
    const keeping = this.pipeline(kept, rows);
    freeInflated(inflated, body);
    await keeping;
    this.receivedBytes += body.length;
    this.spans.add({ outcome: "accepted" }, spanCount);
    this.spans.add({ outcome: "rejected" }, rejectedSpans);
    const rejection = `${rejectedSpans} spans rejected: ${rejectedReason}`;
    return { rejectedSpans, message: rejectedSpans > 0 ? rejection : warning };
  }
}

/**
 * The answer to an accepted request; `partial_success` is set only when there is something to tell.
 * It looks the same for all signals but for the name of a count, and only spans are counted.
 * https://opentelemetry.io/docs/specs/otlp/#partial-success
 */
export function encodeResponse(
  { rejectedSpans, message }: Accepted,
  json: boolean,
): Uint8Array | string {
  if (message === "") return json ? "{}" : new Uint8Array(0);
  // In protobuf's JSON a 64-bit integer is a string.
  const count = rejectedSpans > 0 ? { rejectedSpans: String(rejectedSpans) } : {};
  const response = { partialSuccess: { ...count, errorMessage: message } };
  return json ? JSON.stringify(response) : TraceResponse.encode(response).finish();
}
