/** What goes between the store and its thread; answers come in the order of the requests. */

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
  /** Makes the transaction, of all its parts. */
  | { readonly kind: "commit"; readonly of: number }
  /** Forgets the parts of a transaction that will not be. */
  | { readonly kind: "abandon"; readonly of: number }
  | { readonly kind: "close" };

/** What it answers: a value, or the words of what went wrong. */
export interface StateAnswer {
  readonly value?: unknown;
  readonly error?: string;
}
