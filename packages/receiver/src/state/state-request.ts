/** What goes between the store and its thread. */

/** An item of a kind: bytes or text under a key. */
export interface StateItem {
  readonly key: string;
  readonly body: Uint8Array | string;
}

/** One step of a transaction. */
export type StateChange =
  | {
      readonly verb: "put";
      readonly kind: string;
      readonly key: string;
      readonly body: Uint8Array | string;
    }
  | { readonly verb: "delete"; readonly kind: string; readonly key: string }
  | { readonly verb: "deleteBefore"; readonly kind: string; readonly key: string }
  | {
      readonly verb: "write";
      readonly file: string;
      readonly offset: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | { readonly verb: "remove"; readonly file: string };

/** What the thread is asked for. */
export type StateRequest =
  | { readonly kind: "open" }
  | { readonly kind: "items"; readonly of: string; readonly keys?: readonly string[] }
  | { readonly kind: "read"; readonly file: string }
  /** Changes of a transaction, whose number is any that is not in use. */
  | { readonly kind: "part"; readonly of: number; readonly changes: readonly StateChange[] }
  /** Puts the transaction onto the disk; it waits for one that is under way. */
  | { readonly kind: "commit"; readonly of: number }
  /** Takes back the parts of a transaction that will not be. */
  | { readonly kind: "abandon"; readonly of: number }
  | { readonly kind: "close" };

/** A request with the number that its answer has. */
export type NumberedRequest = StateRequest & { readonly id: number };

/** What it answers: a value, or the words of what went wrong. */
export interface StateAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}
