/**
 * Sends what is left when the process ends, without changing how it ends: the same exit code, the
 * same signal, and no longer than {@link FLUSH_MS_MAX}.
 */
import process from "node:process";
import { isMainThread } from "node:worker_threads";
import { complain, guarded, reason } from "./complain.js";
import type { RunningSdk } from "./sdk.js";

/** What a receiver that does not answer may cost at the end of the process. */
const FLUSH_MS_MAX = 3000;
/** Who has something to do at the natural end makes it come again; it must come in the end. */
const ENDS_MAX = 20;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Flushes at the natural end of the thread, and before a signal that would kill the process. */
export function flushAtExit(sdk: RunningSdk, onEnd: () => void): void {
  let outOfTime = false;
  let ends = 0;
  // A flush brings this event once more. The second one finds nothing to send, or no time left.
  process.on("beforeExit", () => {
    if (outOfTime || ends++ >= ENDS_MAX) return;
    onEnd();
    guarded("ending", () => sdk.drain());
    void (async () => {
      outOfTime = !(await flushWithin(sdk));
    })();
  });
  process.on("exit", () => guarded("ending", () => sdk.tellLosses()));
  if (!isMainThread) return;
  for (const signal of SIGNALS) {
    flushAtSignal(signal, sdk, onEnd);
  }
}

function flushAtSignal(signal: (typeof SIGNALS)[number], sdk: RunningSdk, onEnd: () => void): void {
  const justRemoved = watchRemovals(signal);
  const listener = () => {
    // Whoever else listens decides what the signal means; the flush must not decide for them, nor
    // keep the process alive. One who listened only once may have been called and removed already.
    if (process.listenerCount(signal) > 1 || justRemoved()) {
      void sdk.flush().catch(() => undefined);
      return;
    }
    process.off(signal, listener);
    onEnd();
    guarded("ending", () => sdk.drain());
    void (async () => {
      await flushWithin(sdk);
      guarded("ending", () => sdk.tellLosses());
      process.kill(process.pid, signal);
    })();
  };
  process.on(signal, listener);
  hideListener(signal, listener);
}

/** Tells whether a listener of `event` was removed since the event loop last turned. */
function watchRemovals(event: string): () => boolean {
  let removed = false;
  process.on("removeListener", (name) => {
    if (name !== event || removed) return;
    removed = true;
    process.nextTick(() => {
      removed = false;
    });
  });
  return () => removed;
}

/**
 * Hides a listener from whoever lists them. Handlers that end the process only if nobody else
 * listens, as those of the package signal-exit, and this one would else wait for each other.
 */
function hideListener(signal: string, listener: () => void): void {
  const { listeners } = process;
  process.listeners = function (this: typeof process, event: string | symbol) {
    const found = Reflect.apply(listeners, this, [event]) as ReturnType<typeof listeners>;
    return event === signal ? found.filter((other) => other !== listener) : found;
  } as typeof listeners;
}

/** Whether everything was dealt with before the time was up; keeps the process alive until then. */
function flushWithin(sdk: RunningSdk): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), FLUSH_MS_MAX);
    sdk
      .flush()
      .catch((error: unknown) => complain(`the last spans were not sent: ${reason(error)}`))
      .finally(() => {
        clearTimeout(timer);
        resolve(true);
      });
  });
}
