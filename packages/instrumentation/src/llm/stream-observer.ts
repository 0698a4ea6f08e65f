/**
 * Watches a stream of chunks without standing between it and the app: the object that the app
 * holds is the library's own one, of which only the methods of its iterator are replaced. A chunk
 * is shown to the observer while it passes, and nothing keeps it.
 */
import { guarded } from "../complain.js";

/** What a stream tells; `ended` is called once, whatever the app does after it. */
export interface StreamObserver {
  /** The app starts to read; what it now holds is the iterator, and perhaps the stream no more. */
  opened(iterator: object): void;
  /** A chunk passes; `true` says that the app is not to see it, because it did not ask for it. */
  chunk(value: unknown): boolean;
  /**
   * `done`: the provider has ended it; `stopped`: the app has (`break`, `return()`, `throw()`,
   * `cancel()`), for the `reason` that it gives; `failed`: reading has thrown that.
   */
  ended(how: "done" | "stopped" | "failed", reason?: unknown): void;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<"next" | "return" | "throw", Method | undefined>;

/** What observed streams tell at most once, also when several iterators are made of one stream. */
class Ending {
  private readonly observer: StreamObserver;
  private open = true;

  constructor(observer: StreamObserver) {
    this.observer = observer;
  }

  begin(iterator: object): void {
    if (this.open) this.observer.opened(iterator);
  }

  chunk(value: unknown): boolean {
    if (!this.open) return false;
    return guarded("reading a chunk", () => this.observer.chunk(value)) ?? false;
  }

  end(how: "done" | "stopped" | "failed", reason?: unknown): void {
    if (!this.open) return;
    this.open = false;
    guarded("ending a stream's span", () => this.observer.ended(how, reason));
  }
}

/**
 * Observes what the iterators of a stream yield. `key` is the method that makes them, where the
 * library has one that all ways of reading go through.
 * @returns whether it could be done; the stream stays as it was when not
 */
export function observeStream(
  stream: object,
  observer: StreamObserver,
  key: PropertyKey = Symbol.asyncIterator,
): boolean {
  const original = (stream as Record<PropertyKey, unknown>)[key];
  if (typeof original !== "function") return false;
  const ending = new Ending(observer);
  if (!replace(stream, key, iterating(original as Method, ending))) return false;
  if (key === Symbol.asyncIterator) observeReaders(stream, ending);
  return true;
}

function iterating(original: Method, ending: Ending): Method {
  return function (...args) {
    const iterator: unknown = Reflect.apply(original, this, args);
    guarded("observing a stream", () => {
      if (patchIterator(iterator, ending)) ending.begin(iterator as object);
    });
    return iterator;
  };
}

/** A web stream may be read by its own readers too, be piped or teed, or be cancelled. */
function observeReaders(stream: object, ending: Ending): void {
  const { getReader, values, cancel } = stream as Readonly<Record<string, unknown>>;
  if (typeof getReader !== "function") return;
  if (typeof values === "function") replace(stream, "values", iterating(values as Method, ending));
  replace(stream, "getReader", function (...args) {
    const reader: unknown = Reflect.apply(getReader, this, args);
    guarded("observing a stream's reader", () => {
      if (patchReader(reader as Record<"read" | "cancel", Method>, ending)) {
        ending.begin(reader as object);
      }
    });
    return reader;
  });
  if (typeof cancel === "function") {
    const stopped = stopping(cancel as Method, ending);
    replace(stream, "cancel", function (...args) {
      // One that is being read refuses, and is read on.
      const method = (this as ReadableStream).locked ? cancel : stopped;
      return Reflect.apply(method, this, args);
    });
  }
  for (const name of ["pipeThrough", "pipeTo", "tee"]) {
    const original = (stream as Record<string, unknown>)[name];
    if (typeof original !== "function") continue;
    replace(stream, name, function (...args) {
      const source = this as ReadableStream;
      return Reflect.apply(original, source.locked ? source : readThrough(source), args);
    });
  }
}

/** What the stream holds, read by a reader of its own: pipes take theirs where nobody sees it. */
function readThrough(stream: ReadableStream): ReadableStream {
  const reader = stream.getReader();
  return new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function patchReader(reader: Record<"read" | "cancel", Method>, ending: Ending): boolean {
  const { read, cancel } = reader;
  const observed: Method = function (...args) {
    return passing(Reflect.apply(read, this, args), ending, () => observed.apply(this, args));
  };
  if (!replace(reader, "read", observed)) return false;
  return replace(reader, "cancel", stopping(cancel, ending));
}

function stopping(original: Method, ending: Ending): Method {
  return function (...args) {
    ending.end("stopped", args[0]);
    return Reflect.apply(original, this, args);
  };
}

/** The same for an iterator itself, such as the object that an async generator function returns. */
export function observeIterator(iterator: object, observer: StreamObserver): boolean {
  return patchIterator(iterator, new Ending(observer));
}

function patchIterator(iterator: unknown, ending: Ending): boolean {
  if (typeof iterator !== "object" || iterator === null) return false;
  const methods = iterator as Methods;
  const { next } = methods;
  if (typeof next !== "function") return false;
  const observed: Method = function (...args) {
    return passing(Reflect.apply(next, this, args), ending, () => observed.apply(this, args));
  };
  if (!replace(iterator, "next", observed)) return false;
  for (const name of ["return", "throw"] as const) {
    const original = methods[name];
    if (typeof original !== "function") continue;
    replace(iterator, name, stopping(original, ending));
  }
  return true;
}

/**
 * Passes on what `next` returned. The promise is a derived one, so that a failure that the app does
 * not handle is still unhandled.
 */
function passing(result: unknown, ending: Ending, again: () => unknown): unknown {
  if (!isThenable(result)) return result;
  return result.then(
    (item) => {
      if (item?.done !== false && item?.done !== undefined) ending.end("done");
      else if (ending.chunk(item?.value)) return again();
      return item;
    },
    (error: unknown) => {
      ending.end("failed", error);
      throw error;
    },
  );
}

interface Item {
  readonly done?: boolean;
  readonly value?: unknown;
}

function isThenable(value: unknown): value is Promise<Item | undefined> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}

/** Sets a method of its own on an object; false where the object does not let us. */
function replace(target: object, key: PropertyKey, value: Method): boolean {
  return Reflect.defineProperty(target, key, {
    value,
    writable: true,
    configurable: true,
    enumerable: Object.getOwnPropertyDescriptor(target, key)?.enumerable ?? false,
  });
}
