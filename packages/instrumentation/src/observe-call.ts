/**
 * Watches a call of the host's without changing it: same arguments, same result, same error. A
 * promise is observed by chaining, so that a rejection that nobody handles stays unhandled; one of
 * a subclass, or with properties of its own, is handed back as it is.
 */
import { types } from "node:util";
import { guarded } from "./complain.js";

/** What is told about a call; each is called once at most, and errors in them are contained. */
export interface CallObserver {
  succeeded(result: unknown): void;
  failed(error: unknown): void;
}

/** Calls `call`, tells the observer how it ended, and returns or throws just what it did. */
export function observeCall(call: () => unknown, observer: CallObserver): unknown {
  const succeeded = (result: unknown) => {
    guarded("recording a result", () => observer.succeeded(result));
  };
  const failed = (error: unknown) => {
    guarded("recording an error", () => observer.failed(error));
  };
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    failed(error);
    throw error;
  }
  if (!types.isPromise(result)) {
    succeeded(result);
    return result;
  }
  // Symbols do not count: Node 22 keeps its async context under one.
  if (result.constructor !== Promise || Object.getOwnPropertyNames(result).length > 0) {
    result.then(succeeded, failed);
    return result;
  }
  return result.then(
    (value) => {
      succeeded(value);
      return value;
    },
    (error: unknown) => {
      failed(error);
      throw error;
    },
  );
}
