/* oxlint-disable no-underscore-dangle -- the library names its own methods so */
/**
 * What clients made by Stainless (openai, @anthropic-ai/sdk) return of a method: a promise that
 * sends the request at once and parses the answer when the app asks for it, or never, when it wants
 * the raw response. To subscribe to it would parse a body that is not ours, so its own steps are
 * replaced instead, and run when the app runs them.
 */
import { guarded } from "../complain.js";
import { loose } from "./loose.js";
import type { ModelCall } from "./model-call.js";

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

interface ApiPromise {
  responsePromise: Promise<unknown>;
  parseResponse: AnyFunction;
  asResponse: AnyFunction;
  _thenUnwrap?: AnyFunction;
}

/** Reads a parsed answer: takes charge of a stream, or ends the call. */
export type AnswerReader = (call: ModelCall, answer: unknown) => void;

/** Calls a method that returns such a promise, which stays the same object. */
export function recordApiPromise(
  call: ModelCall,
  work: () => unknown,
  read: AnswerReader,
): unknown {
  let result: unknown;
  try {
    result = call.within(work);
  } catch (error) {
    call.fail(error);
    throw error;
  }
  guarded("observing a call", () => observe(call, result, read));
  return result;
}

/** Shows a parsed answer to `read`, of a call whose span is not ours. */
export function observeAnswer(result: unknown, read: (answer: unknown) => void): void {
  if (!isApiPromise(result)) return;
  const { parseResponse } = result;
  result.parseResponse = async function (...args) {
    const answer = await Reflect.apply(parseResponse, this, args);
    guarded("reading an answer", () => read(answer));
    return answer;
  };
}

function observe(call: ModelCall, result: unknown, read: AnswerReader): void {
  if (!isApiPromise(result)) {
    call.end();
    return;
  }
  const { asResponse } = result;
  const seen = { parsed: false };
  const readOnce = (answer: unknown) => {
    if (seen.parsed) return;
    seen.parsed = true;
    guarded("reading an answer", () => {
      call.describe(answer);
      read(call, answer);
    });
  };
  result.responsePromise = result.responsePromise.then(
    (props) => {
      // Whoever lets the answer go without parsing it lets this go as well.
      call.endWithout(loose(props)["response"] ?? result);
      return props;
    },
    (error: unknown) => {
      call.fail(error);
      throw error;
    },
  );
  const isAsked = observeParsing(call, result, readOnce);
  result.asResponse = async function (...args) {
    const response = await Reflect.apply(asResponse, this, args);
    // `withResponse()` asks for the answer as well, and `parse()` comes first.
    if (!isAsked()) call.end("incomplete");
    return response;
  };
  observeUnwrapping(call, result, readOnce);
}

/** Reads the answer when the app asks for it; returns whether it has. */
function observeParsing(
  call: ModelCall,
  result: ApiPromise,
  read: (answer: unknown) => void,
): () => boolean {
  const { parseResponse } = result;
  let asked = false;
  result.parseResponse = async function (...args) {
    asked = true;
    call.claimed();
    let answer: unknown;
    try {
      answer = await call.within(() => Reflect.apply(parseResponse, this, args));
    } catch (error) {
      call.fail(error);
      throw error;
    }
    read(answer);
    return answer;
  };
  return () => asked;
}

/**
 * Since openai 7.5 what `parse` and its like make of the promise does not go through the promise's
 * own steps, but reads the answer beside it: then that one is observed, and this one is nobody's.
 */
function observeUnwrapping(
  call: ModelCall,
  result: ApiPromise,
  read: (answer: unknown) => void,
): void {
  if (!Object.hasOwn(result, "_thenUnwrap")) return;
  const unwrap = result._thenUnwrap as AnyFunction;
  result._thenUnwrap = function (transform, ...rest) {
    const seeing = (answer: unknown, ...more: unknown[]) => {
      read(answer);
      return (transform as AnyFunction)(answer, ...more);
    };
    const unwrapped = Reflect.apply(unwrap, this, [seeing, ...rest]);
    result.responsePromise.catch(() => undefined);
    if (!isApiPromise(unwrapped)) return unwrapped;
    // Derived, so that a failure that the app does not handle is still unhandled.
    unwrapped.responsePromise = unwrapped.responsePromise.then((props) => props);
    observeParsing(call, unwrapped, () => undefined);
    observeUnwrapping(call, unwrapped, () => undefined);
    return unwrapped;
  };
}

function isApiPromise(value: unknown): value is ApiPromise {
  const { responsePromise, parseResponse, asResponse } = loose(value);
  const methods = typeof parseResponse === "function" && typeof asResponse === "function";
  return methods && responsePromise instanceof Promise;
}
