/** From a body as it came over the wire, or as the log kept it, to rows. */
import { encodeJsonRequest, JsonRequestError } from "../otlp/json-request.js";
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

/** Inflates and reads bodies, one at a time. */
export class TraceDecoder {
  private readonly reader: TraceReader;
  private readonly rows = new SpanRows();

  constructor(keys: KeyTable) {
    this.reader = new TraceReader(keys);
  }

  /**
   * The spans of a body; the rows are overwritten by the next call.
   * @throws OtlpError when the body is too large, badly compressed, or no trace request
   */
  decode({ body, contentType, contentEncoding, bodyBytesMax }: TraceBody): SpanRows {
    const inflated = inflate(body, contentEncoding, bodyBytesMax);
    const json = contentType === "application/json";
    const error = this.reader.read(json ? jsonToBinary(inflated) : inflated, this.rows);
    if (error) {
      const place = json ? "" : ` (at byte ${error.offset})`;
      throw new OtlpError("badData", `no trace request: ${error.message}${place}`);
    }
    return this.rows;
  }
}

function jsonToBinary(body: Uint8Array): Uint8Array {
  try {
    return encodeJsonRequest(Buffer.from(body).toString("utf8"));
  } catch (error) {
    if (error instanceof JsonRequestError) throw new OtlpError("badData", error.message);
    throw error;
  }
}
