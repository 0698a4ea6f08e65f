/**
 * When the chunks of one answer came: a few numbers, whatever its length.
 *
 * The first token is the first chunk that holds something which the model has made: text,
 * reasoning, or a part of a tool call. What comes before it (the role, an empty text,
 * `message_start`, a ping) says that the provider has answered, not that the model has.
 */
import type { Attributes } from "@opentelemetry/api";
import { GEN_AI } from "@tidemark/semconv";

/** What a chunk holds; of several things the first of these. */
export type ChunkContent = "text" | "tool_call" | "reasoning";

const MS_PER_S = 1000;

/** Notes times in milliseconds; states them in seconds. */
export class ChunkClock {
  private readonly startedMs: number;
  private firstMs = Number.NaN;
  private firstTextMs = Number.NaN;
  private lastMs = Number.NaN;
  private gapMaxMs = 0;
  private count = 0;
  private firstContent: ChunkContent = "text";

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }

  /** A chunk with content has come. */
  tick(content: ChunkContent): void {
    const nowMs = performance.now();
    if (this.count === 0) {
      this.firstMs = nowMs;
      this.firstContent = content;
    } else {
      const gapMs = nowMs - this.lastMs;
      if (gapMs > this.gapMaxMs) this.gapMaxMs = gapMs;
    }
    if (content === "text" && Number.isNaN(this.firstTextMs)) this.firstTextMs = nowMs;
    this.lastMs = nowMs;
    this.count++;
  }

  /** What there is to say; nothing for an answer without any content. */
  attributes(): Attributes {
    const { count } = this;
    if (count === 0) return {};
    const attributes: Attributes = {
      [GEN_AI.timeToFirstChunk]: (this.firstMs - this.startedMs) / MS_PER_S,
      [GEN_AI.firstContent]: this.firstContent,
      [GEN_AI.chunks]: count,
    };
    if (this.firstTextMs > this.firstMs) {
      attributes[GEN_AI.timeToFirstText] = (this.firstTextMs - this.startedMs) / MS_PER_S;
    }
    if (count > 1) {
      const meanMs = (this.lastMs - this.firstMs) / (count - 1);
      attributes[GEN_AI.timePerOutputChunk] = meanMs / MS_PER_S;
      attributes[GEN_AI.chunkGapMax] = this.gapMaxMs / MS_PER_S;
    }
    return attributes;
  }
}
