/**
 * Tokens counted in the app, of streams whose provider does not say: by `gpt-tokenizer`, if the app
 * has it and the configuration asks for it. They are estimates, and marked as such: other models
 * have other tokenizers, and what providers add around the messages is not seen.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { complain, reason } from "../complain.js";
import { list, loose } from "./loose.js";
import { chunkText, promptText } from "./texts.js";

const PACKAGE = "gpt-tokenizer";

/** Longer runs of spaces are few tokens. */
const SPACE_MAX = 16;

/** Counts the tokens of a text. */
export type CountTokens = (text: string) => number;

/** The app's own copy of the tokenizer; undefined, and one line, when it has none. */
export function loadTokenizer(): CountTokens | undefined {
  const program = process.argv[1] ?? join(process.cwd(), "main.js");
  try {
    const { countTokens } = createRequire(program)(PACKAGE) as { countTokens: CountTokens };
    return (text) => countTokens(text);
  } catch (error) {
    complain(`llm.estimateTokens: ${PACKAGE} cannot be loaded: ${reason(error)}`);
    return undefined;
  }
}

/** Counts one call: its messages as it begins, its answer as it passes. */
export class TokenEstimate {
  readonly input: number;
  output = 0;
  private readonly count: CountTokens;
  private space = "";

  constructor(count: CountTokens, args: readonly unknown[]) {
    this.count = count;
    const { messages, contents, input } = loose(args[0]);
    const all = list(messages ?? contents ?? input);
    const texts = all.map((message) =>
      promptText([{ messages: [{ ...loose(message), role: "user" }] }]),
    );
    this.input = count(texts.length > 0 ? texts.join("\n") : promptText(args));
  }

  /**
   * Each chunk is counted by itself, but for the space at its end, which belongs to the word after
   * it: what a chunk cuts otherwise may count as one token more.
   */
  chunk(value: unknown): void {
    const text = this.space + chunkText(value);
    const end = text.trimEnd().length;
    this.space = text.slice(end, end + SPACE_MAX);
    if (end > 0) this.output += this.count(text.slice(0, end));
  }
}
