/**
 * Reads an ExportTraceServiceRequest into {@link SpanRows}, touching only what somebody wants.
 *
 * The reading itself is done in WebAssembly (packages/receiver/assembly), from a copy of the body;
 * this file hands the body over and says where the rows are. All framing is checked, wanted or
 * not: what this accepts, any other protobuf decoder accepts too. Cost: linear in bytes, no
 * allocation per span.
 */
import type { KeyTable } from "./key-table.js";
import type { SpanRows } from "./span-rows.js";
import { wireErrorOf } from "./trace-faults.js";
import { REPORT, TraceInstance } from "./trace-instance.js";
import type { WireError } from "./wire.js";

/** Bodies of a few MiB fit in; what a larger one has taken is given back after so many others. */
const MEMORY_BYTES_KEPT = 16 * 1024 * 1024;
const SMALL_BODY_BYTES = 1024 * 1024;
const SMALL_BODIES_BEFORE_RETURN = 64;

/** Reads trace requests with one table of wanted keys; not re-entrant, the rows are scratch. */
export class TraceReader {
  private readonly keys: KeyTable;
  private instance: TraceInstance;
  private outgrown: WeakRef<TraceInstance> | undefined;
  private smallBodies = 0;

  /** @throws TypeError when the table wants more keys than there is room for */
  constructor(keys: KeyTable) {
    this.keys = keys;
    this.instance = new TraceInstance(keys);
  }

  /**
   * Points `rows` at what a request holds, until this reader's next read. Spans with unusable ids
   * are left out and counted in the rows; bytes that are no trace request at all are an error, and
   * the rows are then void.
   */
  read(bytes: Uint8Array, rows: SpanRows): WireError | undefined {
    this.chooseInstance(bytes.length);
    const { instance } = this;
    instance.read(bytes);
    rows.point(bytes, instance);
    const { report } = instance;
    const code = report[REPORT.faultCode] as number;
    if (code === 0) return undefined;
    return wireErrorOf(code, report[REPORT.faultOffset] as number, instance.faultDetail);
  }

  /**
   * Memory of WebAssembly only grows; a new instance is how to have less. The old one may be had
   * again until it is collected, so that large bodies now and then never leave two of them behind.
   */
  private chooseInstance(bodyBytes: number): void {
    if (bodyBytes > SMALL_BODY_BYTES) {
      this.smallBodies = 0;
      this.instance = this.outgrown?.deref() ?? this.instance;
    } else if (++this.smallBodies >= SMALL_BODIES_BEFORE_RETURN) {
      this.smallBodies = 0;
      if (this.instance.buffer.byteLength <= MEMORY_BYTES_KEPT) return;
      this.outgrown = new WeakRef(this.instance);
      this.instance = new TraceInstance(this.keys);
    }
  }
}
