/**
 * Gives way to an SDK of the app's own. `--require` runs first, so this package's SDK is already in
 * place when the app sets up its own one, and OpenTelemetry's API would refuse the second. Every
 * copy of the API that the app loads therefore lets ours go before it sets another.
 */

import type { TracerProvider } from "@opentelemetry/api";
import {
  context,
  logs,
  metrics,
  ProxyTracerProvider,
  propagation,
  trace,
} from "@opentelemetry/api";
import { complain, guarded } from "./complain.js";
import { SwitchProvider } from "./switch-provider.js";

/** The module whose global setters are watched. */
export const API_MODULE = "@opentelemetry/api";

const SETTERS = [
  ["trace", "setGlobalTracerProvider"],
  ["context", "setGlobalContextManager"],
  ["propagation", "setGlobalPropagator"],
  ["metrics", "setGlobalMeterProvider"],
  ["logs", "setGlobalLoggerProvider"],
] as const;

type Api = Record<string, unknown>;
type Setter = (this: unknown, ...args: unknown[]) => unknown;

const API_COPY = { trace, context, propagation, metrics, logs };
const GLOBAL_API = Symbol.for("opentelemetry.js.api.1");

/** Watches for an SDK of the app's own; `onForeign` is called once, when its tracing is set. */
export class OwnSdk {
  private readonly patched = new WeakSet<object>();
  private readonly onForeign: () => void;
  /** What is registered and ours. */
  private readonly ours = new Set<keyof typeof API_COPY>();
  private provider: SwitchProvider | undefined;
  /** What this package's copy of the API hands out as long as nobody has registered any other. */
  private readonly proxy: TracerProvider = trace.getTracerProvider();
  private starting = false;
  private told = false;

  constructor(onForeign: () => void) {
    this.onForeign = onForeign;
  }

  /** Watches the API that this package uses. */
  watch(): void {
    this.patch(API_COPY);
  }

  /** Watches a copy of the API that the app has loaded. */
  watchCopy(exports: unknown): void {
    if (typeof exports === "object" && exports !== null) this.patch(exports as Api);
  }

  /** Runs `start`; what it registers is ours and may be let go later. */
  during<T>(start: () => T): T {
    this.starting = true;
    try {
      return start();
    } finally {
      this.starting = false;
      const registered = globalApi() ?? {};
      for (const [name] of SETTERS) if (registered[name] !== undefined) this.ours.add(name);
    }
  }

  private patch(api: Api): void {
    for (const [name, method] of SETTERS) {
      const part = api[name] as Record<string, Setter> | undefined;
      const original = part?.[method];
      if (part === undefined || typeof original !== "function" || this.patched.has(part)) continue;
      this.patched.add(part);
      const set = (call: (value: unknown) => unknown, value: unknown) =>
        this.starting ? call(this.ownValue(name, value)) : this.setForeign(name, call, value);
      part[method] = function (this: unknown, value, ...rest) {
        return set((actual) => original.call(this, actual, ...rest), value);
      };
    }
  }

  private ownValue(name: keyof typeof API_COPY, value: unknown): unknown {
    if (name !== "trace") return value;
    this.provider = new SwitchProvider(value as TracerProvider);
    // Tracers of this package's copy of the API ask it, whichever copy the SDK registers with.
    if (this.proxy instanceof ProxyTracerProvider) this.proxy.setDelegate(this.provider);
    return this.provider;
  }

  private setForeign(
    name: keyof typeof API_COPY,
    set: (value: unknown) => unknown,
    value: unknown,
  ): unknown {
    guarded("giving way to the app's SDK", () => this.letGo(name));
    let result = set(value);
    if (result === false && this.ours.size > 0) {
      // A copy of the API of another version registers nothing beside ours.
      guarded("giving way to the app's SDK", () => this.letGoOfAll());
      result = set(value);
    }
    if (name === "trace" && result !== false) {
      guarded("using the app's SDK", () => this.handOver(value as TracerProvider));
    }
    return result;
  }

  private letGo(name: keyof typeof API_COPY): void {
    if (this.ours.delete(name)) API_COPY[name].disable();
  }

  private letGoOfAll(): void {
    for (const name of this.ours) this.letGo(name);
    const left = Object.keys(globalApi() ?? {}).filter((key) => key !== "version");
    if (left.length === 0) delete (globalThis as Record<symbol, unknown>)[GLOBAL_API];
  }

  private handOver(provider: TracerProvider): void {
    this.provider?.switchTo(provider);
    if (this.told) return;
    this.told = true;
    complain("the app has an OpenTelemetry SDK of its own; spans go to that one");
    this.onForeign();
  }
}

function globalApi(): Record<string, unknown> | undefined {
  return (globalThis as Record<symbol, Record<string, unknown> | undefined>)[GLOBAL_API];
}
