/**
 * Bodies through both decoders: the same values, or both refuse. Where the selective reader is
 * stricter on purpose, the strict walk must name the reason, and the reason must be listed here.
 */
import type { KeyTable, SpanRows, TraceReader, WantedKey } from "../../src/index.ts";
import type { OracleRequest, Wanted } from "./oracle.ts";
import { RowComparer, wantedTest } from "./oracle.ts";
import type { Violation } from "./strict-walk.ts";
import { walk } from "./strict-walk.ts";

/** The reader under test, from the sources or as it is built, and the oracle's schema. */
export interface Decoders {
  readonly KeyTable: typeof KeyTable;
  readonly SpanRows: typeof SpanRows;
  readonly TraceReader: typeof TraceReader;
  readonly wantedKeys: () => WantedKey[];
  readonly unwantedKeys: () => string[];
  readonly TraceRequest: { decode(bytes: Uint8Array): unknown };
}

/** What protobufjs takes, the reader refuses, and why. */
export const STRICTER: Partial<Record<Violation, string>> = {
  "wrong wire type": "protobuf calls it unknown; so logs that are sent as traces would be taken",
  "nested too deeply": "protobufjs stops at 100 messages, whatever they are",
  "varint of more than 64 bits": "protobufjs drops the bits, and Go's decoders refuse the body",
};

/** What became of one body: the kind, for counting. */
export type Outcome = "same values" | "same but for a value given again" | `refused: ${Violation}`;

/** Before the table of keys is full, another one is taken. */
const KEYS_KEPT = 3000;

/** Holds the two decoders against each other. */
export class Differential {
  private readonly decoders: Decoders;
  private readonly wanted: Wanted;
  private readonly rows: SpanRows;
  private keys!: KeyTable;
  private reader!: TraceReader;
  private comparer!: RowComparer;

  constructor(decoders: Decoders) {
    this.decoders = decoders;
    this.wanted = wantedTest(decoders.wantedKeys(), decoders.unwantedKeys());
    this.rows = new decoders.SpanRows();
    this.renewKeys();
  }

  /** @throws Error that says how the decoders disagree */
  run(body: Buffer): Outcome {
    if (this.keys.size > KEYS_KEPT) this.renewKeys();
    const refusal = this.reader.read(body, this.rows);
    const message = this.oracle(body);
    // Most broken bodies are refused by both, and that needs no reason.
    if (refusal === undefined || message !== undefined) {
      return this.judge(body, refusal?.message, message);
    }
    return `refused: ${reasonFor(body, refusal.message)}`;
  }

  private judge(body: Buffer, refusal: string | undefined, message: OracleRequest | undefined) {
    if (refusal !== undefined) {
      const violation = reasonFor(body, refusal);
      if (violation in STRICTER) return `refused: ${violation}` as const;
      throw new Error(`only the reader refuses (${refusal}), and not for being strict`);
    }
    const { violation, givenAgain } = walk(body);
    if (violation !== undefined) throw new Error(`the reader takes a body with: ${violation}`);
    if (message === undefined) throw new Error("the reader takes what the oracle refuses");
    const difference = this.comparer.compare(message, !givenAgain);
    if (difference !== undefined) throw new Error(`the values differ: ${difference}`);
    return givenAgain ? "same but for a value given again" : "same values";
  }

  private oracle(body: Buffer): OracleRequest | undefined {
    try {
      return this.decoders.TraceRequest.decode(body) as OracleRequest;
    } catch {
      return undefined;
    }
  }

  private renewKeys(): void {
    const { KeyTable: Table, TraceReader: Reader, wantedKeys, unwantedKeys } = this.decoders;
    this.keys = new Table(wantedKeys(), unwantedKeys());
    this.reader = new Reader(this.keys);
    this.comparer = new RowComparer(this.keys, this.rows, this.wanted);
  }
}

function reasonFor(body: Buffer, refusal: string): Violation {
  const { violation } = walk(body);
  if (violation !== undefined) return violation;
  throw new Error(`the reader refuses a body that has no fault (${refusal})`);
}
