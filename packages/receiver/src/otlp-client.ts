/** What became of one attempt to send a body. */
export type SendResult =
  | { readonly kind: "delivered" }
  /** The endpoint cannot take it now; `retryAfterMs` is what it asked for, if it did. */
  | { readonly kind: "retry"; readonly reason: string; readonly retryAfterMs?: number }
  /** The endpoint will never take it. */
  | { readonly kind: "refused"; readonly reason: string };

/** Sends bodies of one signal to one endpoint, whatever protocol it speaks. */
export interface OtlpClient {
  /** Resolves with what happened; it never rejects. */
  send(body: Uint8Array, contentType: string, contentEncoding: string): Promise<SendResult>;
  /** Gives the connections up; what is under way fails. */
  close(): void;
}
