/** Spans of HTTP, by OpenTelemetry's own instrumentations, and how they fall silent. */
import process from "node:process";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { patchBuiltins } from "./module-hooks.js";

/** A function; a patched one knows what it has taken the place of. */
interface AnyFunction {
  (this: unknown, ...args: unknown[]): unknown;
  readonly __original?: AnyFunction;
}
type Target = Record<string, AnyFunction>;

const MODULES = ["http", "https"] as const;

/**
 * What an app sends to Sentry is no work of the app's. Besides, Sentry's client records the spans
 * that we send, so that each would go on telling of the other's telling.
 */
const TO_SENTRY = /\/envelope\/\?(?:.*&)?sentry_key=/;
const isToSentry = ({ path }: { readonly path?: string | null | undefined }) =>
  TO_SENTRY.test(path ?? "");

/** Records what is chosen; returns what ends that. */
export function recordHttp(isChosen: (name: string) => boolean): () => void {
  const silence = isChosen("http") ? patchHttp() : undefined;
  const undici = isChosen("undici")
    ? new UndiciInstrumentation({ ignoreRequestHook: isToSentry })
    : undefined;
  return () => {
    silence?.();
    undici?.disable();
  };
}

/**
 * Others may patch the same functions on top, so that the instrumentation cannot take its own
 * patches away, and with a tracer that records nothing it would still set a context of its own
 * around each request. Each patched function is therefore one that can step aside.
 */
function patchHttp(): () => void {
  let silent = false;
  void new HttpInstrumentation({ ignoreOutgoingRequestHook: isToSentry });
  patchBuiltins(MODULES);
  for (const [target, name] of functions()) {
    const patched = target[name] as AnyFunction;
    const { __original: original } = patched;
    if (original === undefined) continue;
    const value: AnyFunction = function (...args) {
      return Reflect.apply(silent ? original : patched, this, args);
    };
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }
  patchBuiltins(MODULES);
  return () => {
    silent = true;
  };
}

/** What the instrumentation patches. */
function functions(): [Target, string][] {
  return MODULES.flatMap((name): [Target, string][] => {
    const module = process.getBuiltinModule(name);
    const exports = module as unknown as Target;
    const server = module.Server.prototype as unknown as Target;
    return [
      [exports, "request"],
      [exports, "get"],
      [server, "emit"],
    ];
  });
}
