/**
 * A stage that is an async generator lasts until its last value has been taken. The object that the
 * host gets is the one that its function returned; only its methods are looked after.
 */
import { types } from "node:util";

type Step = "next" | "return" | "throw";
type Generator = Record<Step, (...args: unknown[]) => unknown>;

/** Told how the generator ended, once. */
export interface GeneratorObserver {
  /** Runs a step where the stage's span is the active one. */
  within<T>(step: () => T): T;
  ended(): void;
  failed(error: unknown): void;
}

/** Watches `value` if it is an async generator, and says whether it is. */
export function watchGenerator(value: unknown, observer: GeneratorObserver): boolean {
  if (!types.isGeneratorObject(value)) return false;
  const generator = value as unknown as Generator & { [Symbol.asyncIterator]?: unknown };
  if (typeof generator[Symbol.asyncIterator] !== "function") return false;
  let over = false;
  const end = (tell: () => void) => {
    if (over) return;
    over = true;
    tell();
  };
  for (const step of ["next", "return", "throw"] as const) {
    const original = generator[step];
    const watched = (...args: unknown[]) => {
      const result = observer.within(() => original.apply(generator, args)) as Promise<unknown>;
      // Chained, so that a rejection that nobody handles stays unhandled.
      return result.then(
        (taken) => {
          if ((taken as { done?: unknown }).done === true) end(() => observer.ended());
          return taken;
        },
        (error: unknown) => {
          end(() => observer.failed(error));
          throw error;
        },
      );
    };
    Object.defineProperty(generator, step, { value: watched, configurable: true, writable: true });
  }
  return true;
}
