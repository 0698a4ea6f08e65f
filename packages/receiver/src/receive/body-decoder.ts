/** From a body as it came over the wire, or as the log kept it, to what is counted of it. */
import type { OtlpSignal } from "../log/log-record.js";
import { evaluationSpans } from "../otlp/evaluation-logs.js";
import {
  checkJsonMetrics,
  encodeJsonLogs,
  encodeJsonRequest,
  JsonRequestError,
  lossWarning,
  parseJson,
} from "../otlp/json-request.js";
import type { KeyTable } from "../otlp/key-table.js";
import { checkLogsRequest, checkMetricsRequest } from "../otlp/request-check.js";
import { SpanRows } from "../otlp/span-rows.js";
import { TraceReader } from "../otlp/trace-reader.js";
import type { WireError } from "../otlp/wire.js";
import { inflate } from "./body.js";
import { OtlpError } from "./otlp-error.js";

/** A request's body, with what its head says of it. */
export interface IncomingBody {
  readonly body: Uint8Array;
  readonly signal: OtlpSignal;
  /** `application/x-protobuf` or `application/json`. */
  readonly contentType: string;
  /** `gzip`, `zstd`, or empty for none. */
  readonly contentEncoding: string;
  /** Largest size once inflated. */
  readonly bodyBytesMax: number;
}

/** What a body holds. */
export interface DecodedBody {
  /** The body without its compression. */
  readonly inflated: Uint8Array;
  /**
   * The spans of traces, overwritten by the next body; of logs, spans that tell of the evaluations
   * among them, if there are any. Metrics are checked, and not read.
   */
  readonly rows: SpanRows | undefined;
  /** What the sender should know, although it is accepted; empty for nothing. */
  readonly warning: string;
}

/** Inflates and reads bodies, one at a time. */
export class BodyDecoder {
  private readonly reader: TraceReader;
  private readonly rows = new SpanRows();

  constructor(keys: KeyTable) {
    this.reader = new TraceReader(keys);
  }

  /** @throws OtlpError when the body is too large, badly compressed, or not what it should be */
  decode({ body, signal, contentType, contentEncoding, bodyBytesMax }: IncomingBody): DecodedBody {
    const inflated = inflate(body, contentEncoding, bodyBytesMax);
    const json = contentType === "application/json";
    if (signal === "metrics") {
      return { inflated, rows: undefined, warning: checkMetrics(inflated, json) };
    }
    const { rows } = this;
    if (signal === "logs") {
      const { binary, warning } = json ? logsFromJson(inflated) : checkedLogs(inflated);
      const spans = evaluationSpans(binary);
      const isRead = spans !== undefined && this.reader.read(spans, rows) === undefined;
      return { inflated, rows: isRead ? rows : undefined, warning };
    }
    const { binary, warning } = json ? tracesFromJson(inflated) : { binary: inflated, warning: "" };
    const error = this.reader.read(binary, rows);
    // In what was made of JSON, an offset tells nothing.
    if (error) throw noRequest("trace", json ? { message: error.message } : error);
    return { inflated, rows, warning };
  }
}

function tracesFromJson(body: Uint8Array): { binary: Uint8Array; warning: string } {
  return fromJson(body, (json) => ({
    binary: encodeJsonRequest(json),
    warning: lossWarning(json as object, "resourceSpans"),
  }));
}

function logsFromJson(body: Uint8Array): { binary: Uint8Array; warning: string } {
  return fromJson(body, (json) => ({
    binary: encodeJsonLogs(json),
    warning: lossWarning(json as object, "resourceLogs"),
  }));
}

function checkedLogs(binary: Uint8Array): { binary: Uint8Array; warning: string } {
  const error = checkLogsRequest(binary);
  if (error) throw noRequest("logs", error);
  return { binary, warning: "" };
}

/** @returns what the sender should know */
function checkMetrics(body: Uint8Array, isJson: boolean): string {
  if (isJson) {
    return fromJson(body, (json) => {
      checkJsonMetrics(json);
      return lossWarning(json as object, "resourceMetrics");
    });
  }
  const error = checkMetricsRequest(body);
  if (error) throw noRequest("metrics", error);
  return "";
}

function fromJson<T>(body: Uint8Array, read: (json: unknown) => T): T {
  try {
    return read(parseJson(body));
  } catch (error) {
    if (!(error instanceof JsonRequestError)) throw error;
    throw new OtlpError("badData", error.message, error.field);
  }
}

function noRequest(of: string, { message, offset }: Partial<WireError>): OtlpError {
  const place = offset === undefined ? "" : ` (at byte ${offset})`;
  return new OtlpError("badData", `no ${of} request: ${message}${place}`);
}
