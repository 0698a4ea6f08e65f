/** From a body as it came over the wire, or as the log kept it, to rows. */
import {
  encodeJsonRequest,
  JsonRequestError,
  lossWarning,
  parseJson,
} from "../otlp/json-request.js";
import type { KeyTable } from "../otlp/key-table.js";
import { SpanRows } from "../otlp/span-rows.js";
import { TraceReader } from "../otlp/trace-reader.js";
import { inflate } from "./body.js";
import { OtlpError } from "./otlp-error.js";

/** A request's body, with what its head says of it. */
export interface TraceBody {
  readonly body: Uint8Array;
  /** `application/x-protobuf` or `application/json`. */
  readonly contentType: string;
  /** `gzip`, `zstd`, or empty for none. */
  readonly contentEncoding: string;
  /** Largest size once inflated. */
  readonly bodyBytesMax: number;
}

/** What a body holds. */
export interface DecodedTraces {
  /** Overwritten by the next body. */
  readonly rows: SpanRows;
  /** What its sender should know, although it is accepted; empty for nothing. */
  readonly warning: string;
}

/** Inflates and reads bodies, one at a time. */
export class TraceDecoder {
  private readonly reader: TraceReader;
  private readonly rows = new SpanRows();

  constructor(keys: KeyTable) {
    this.reader = new TraceReader(keys);
  }

  /**
   * The spans of a body.
   * @throws OtlpError when the body is too large, badly compressed, or no trace request
   */
  decode({ body, contentType, contentEncoding, bodyBytesMax }: TraceBody): DecodedTraces {
    const inflated = inflate(body, contentEncoding, bodyBytesMax);
    const json = contentType === "application/json";
    const { binary, warning } = json ? fromJson(inflated) : { binary: inflated, warning: "" };
    const { rows } = this;
    const error = this.reader.read(binary, rows);
    if (error) {
      const place = json ? "" : ` (at byte ${error.offset})`;
      throw new OtlpError("badData", `no trace request: ${error.message}${place}`);
    }
    return { rows, warning };
  }
}

function fromJson(body: Uint8Array): { binary: Uint8Array; warning: string } {
  try {
    const json = parseJson(body);
    const binary = encodeJsonRequest(json);
    return { binary, warning: lossWarning(json as object, "resourceSpans") };
  } catch (error) {
    if (!(error instanceof JsonRequestError)) throw error;
    throw new OtlpError("badData", error.message, error.field);
  }
}
