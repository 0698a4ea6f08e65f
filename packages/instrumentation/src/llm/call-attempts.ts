/**
 * Calls that a framework makes again when they fail, by a client that it has told not to: all
 * attempts are one call, with one span, on which each that failed is an event.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** What the attempts at one call share. */
export interface CallAttempts<Call> {
  /** The call whose last attempt has failed. */
  failed: { readonly call: Call; readonly error: unknown } | undefined;
  /** No further attempt will be made. */
  over: boolean;
}

const storage = new AsyncLocalStorage<CallAttempts<unknown>>();

/** Those that the present code is one of; undefined where nobody would try again. */
export function presentAttempts<Call>(): CallAttempts<Call> | undefined {
  const attempts = storage.getStore() as CallAttempts<Call> | undefined;
  return attempts?.over ? undefined : attempts;
}

/** Work that is done in attempts, and what becomes of their calls when there are no more. */
export interface Attempting {
  /** Runs one attempt. */
  attempt<T>(work: () => T): T;
  /** Gives up: the call whose last attempt failed has failed. */
  end(): void;
}

/** Begins work that may take several attempts. */
export function beginAttempts(): Attempting {
  const attempts: CallAttempts<{ fail(error: unknown): void }> = { failed: undefined, over: false };
  return {
    attempt: (work) => storage.run(attempts, work),
    end: () => {
      attempts.over = true;
      attempts.failed?.call.fail(attempts.failed.error);
    },
  };
}
