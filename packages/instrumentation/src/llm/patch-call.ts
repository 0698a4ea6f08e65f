/** Patches methods that call a model and return its answer: a whole one, or a stream of chunks. */
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { loose } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall, recordCall } from "./model-call.js";
import { patchMethod } from "./patch-method.js";
import { observeStream } from "./stream-observer.js";

/** How the calls of a method are read. */
export interface CallReading {
  request(args: readonly unknown[], self: unknown): CallRequest;
  /** Notes what a whole answer says. */
  answer(call: ModelCall, answer: Loose): void;
  /** Notes what a chunk says. */
  chunk(call: ModelCall, chunk: Loose): void;
  /** The signal with which a stream is called off, where that is the library's own. */
  signal?(stream: Loose): AbortSignal | undefined;
}

/** Patches one method of a class. */
export function patchCall(
  prototype: object | undefined,
  method: string,
  settings: LlmSettings,
  reading: CallReading,
): void {
  patchMethod(prototype, method, (self, args, original) => {
    let isStream = false;
    const describe = () => {
      const request = reading.request(args, self);
      isStream = request.stream;
      return request;
    };
    const call = beginCall(describe, settings);
    if (call === undefined) return original(args);
    const read = (answer: unknown) => {
      if (!isStream) {
        reading.answer(call, loose(answer));
        call.end();
        return;
      }
      const show = (chunk: unknown) => {
        reading.chunk(call, loose(chunk));
        return false;
      };
      const observer = call.observer(show, reading.signal?.(loose(answer)));
      call.follow(answer, (stream) => observeStream(stream, observer));
    };
    return recordInner(call, () => original(args), read);
  });
}

/**
 * Some clients return a promise that only reads another one, which holds the answer and where it
 * came from. To subscribe to the outer one would handle a failure that the app may not handle, so
 * the inner one is replaced.
 */
function recordInner(call: ModelCall, work: () => unknown, read: (answer: unknown) => void) {
  let outer: { innerPromise: unknown } | undefined;
  const makeInner = () => {
    const made = work();
    const { innerPromise } = loose(made);
    if (!(innerPromise instanceof Promise)) return made;
    outer = made as { innerPromise: unknown };
    return innerPromise;
  };
  const answerOf = (returned: unknown) => (outer ? loose(returned)["data"] : returned);
  const result = recordCall(call, makeInner, read, answerOf);
  if (outer === undefined) return result;
  outer.innerPromise = result;
  return outer;
}
