/**
 * What a generation says without its text: when tokens came, by watching the streamer that the app
 * has given, and how many there were.
 */
import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES } from "@tidemark/semconv";
import { guarded } from "../complain.js";
import { asTensor } from "../tensor-rows.js";

const MS_PER_S = 1000;

interface Streamer {
  put(tokens: unknown): unknown;
}

/** Watches one generation. */
export class GenerationWatch {
  private readonly startedMs = performance.now();
  /** `put` comes first with the prompt, then with every token. */
  private puts = 0;
  private firstMs: number | undefined;
  private lastMs = 0;

  /** Arguments for `generate` whose streamer tells of its tokens; the same ones without one. */
  watch(args: readonly unknown[]): readonly unknown[] {
    const [options, ...rest] = args as [{ streamer?: unknown } | undefined, ...unknown[]];
    const streamer = options?.streamer as Streamer | null | undefined;
    if (typeof streamer?.put !== "function") return args;
    const watched = new Proxy(streamer, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key, target);
        if (typeof member !== "function") return member;
        return (...given: unknown[]) => {
          if (key === "put") guarded("noting a token", () => this.note());
          return Reflect.apply(member, target, given) as unknown;
        };
      },
    });
    return [{ ...options, streamer: watched }, ...rest];
  }

  /** Times of tokens in seconds, and their numbers as far as inputs and result show them. */
  attributes(options: unknown, result: unknown, encoderDecoder: boolean): Attributes {
    const attributes: Attributes = {};
    if (this.firstMs !== undefined) {
      const toFirst = (this.firstMs - this.startedMs) / MS_PER_S;
      attributes[ATTRIBUTES.genAiTimeToFirstChunk.name] = toFirst;
      const gaps = this.puts - 2;
      if (gaps > 0) {
        const each = (this.lastMs - this.firstMs) / gaps / MS_PER_S;
        attributes[ATTRIBUTES.genAiTimePerOutputChunk.name] = each;
      }
    }
    const prompt = promptTokens(options);
    if (prompt !== undefined) attributes[ATTRIBUTES.genAiInputTokens.name] = prompt;
    const output = this.puts > 1 ? this.puts - 1 : outputTokens(result, prompt, encoderDecoder);
    if (output !== undefined) attributes[ATTRIBUTES.genAiOutputTokens.name] = output;
    return attributes;
  }

  private note(): void {
    if (++this.puts === 1) return;
    this.lastMs = performance.now();
    this.firstMs ??= this.lastMs;
  }
}

function promptTokens(options: unknown): number | undefined {
  if (typeof options !== "object" || options === null) return undefined;
  const { inputs, input_ids: ids } = options as { inputs?: unknown; input_ids?: unknown };
  const dims = asTensor(inputs ?? ids)?.dims;
  return dims?.length === 2 ? (dims[0] as number) * (dims[1] as number) : undefined;
}

/** A decoder's result begins with the prompt, that of an encoder and decoder with a start token. */
function outputTokens(
  result: unknown,
  prompt: number | undefined,
  encoderDecoder: boolean,
): number | undefined {
  const dims = asTensor(result)?.dims;
  if (dims?.length !== 2) return undefined;
  const [batch = 0, length = 0] = dims;
  const before = encoderDecoder ? batch : prompt;
  return before === undefined ? undefined : Math.max(0, batch * length - before);
}
