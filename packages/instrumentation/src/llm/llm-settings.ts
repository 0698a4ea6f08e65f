/** What the configuration says of calls of language models, and what follows from it for a span. */
import { createRequire } from "node:module";
import type { Attributes } from "@opentelemetry/api";
import type { PriceBook } from "@tidemark/semconv";
import { ATTRIBUTES, costOf, GEN_AI } from "@tidemark/semconv";
import { complain } from "../complain.js";
import type { InstrumentationConfig, LlmConfig } from "../config-schema.js";
import { PathUses } from "../path-uses.js";
import { valueAt } from "../value-path.js";
import type { ContentDescriber } from "./content-describer.js";
import { loadPrices } from "./price-table.js";
import type { CountTokens } from "./token-estimate.js";
import { loadTokenizer, TokenEstimate } from "./token-estimate.js";
import type { TokenUsage } from "./token-usage.js";

/** Stated as the source of a cost that nobody knows; the receiver counts such calls. */
const UNKNOWN = "unknown";

const require = createRequire(import.meta.url);

/** With it comes a detector of languages, which most apps do not want. */
function makeDescriber(config: LlmConfig): ContentDescriber {
  const { ContentDescriber: Describer } =
    require("./content-describer.js") as typeof import("./content-describer.js");
  return new Describer(config);
}

/** Shared by all libraries of a process. */
export class LlmSettings {
  readonly errorMessages: boolean;
  readonly config: LlmConfig;
  /** Undefined when nothing of the content is to be described. */
  readonly describer: ContentDescriber | undefined;
  private readonly prices: PriceBook;
  private readonly tokenizer: CountTokens | undefined;
  private readonly pathUses = new PathUses();

  constructor({ errorMessages, llm }: Pick<InstrumentationConfig, "errorMessages" | "llm">) {
    this.errorMessages = errorMessages;
    this.config = llm;
    // Read while the app still starts: it takes some 50 ms, which no call is to wait for.
    this.prices = loadPrices(llm.prices);
    this.tokenizer = llm.estimateTokens ? loadTokenizer() : undefined;
    this.describer = llm.text || llm.embeddings ? makeDescriber(llm) : undefined;
  }

  /** What the paths of the configuration find in the arguments of a call. */
  requestAttributes(args: readonly unknown[]): Attributes {
    const attributes: Attributes = {};
    for (const [name, key] of [
      [ATTRIBUTES.tenant.name, "tenant"],
      [GEN_AI.promptVersion, "promptVersion"],
    ] as const) {
      const path = this.config[key];
      if (path === undefined) continue;
      const found = valueAt(path, args);
      if (found !== undefined) attributes[name] = found;
      this.pathUses.note(path, found !== undefined, "calls of language models", `llm.${key}`);
    }
    return { ...attributes, ...this.describer?.prompt(args) };
  }

  /** Says which paths have led nowhere; for the end. */
  complainAboutUnused(): void {
    this.pathUses.complainAboutUnresolved();
  }

  /** For a stream that may not say what it has used; undefined unless that is asked for. */
  estimate(args: readonly unknown[]): TokenEstimate | undefined {
    return this.tokenizer && new TokenEstimate(this.tokenizer, args);
  }

  /** What a call has cost, and by which table; nothing when its usage is unknown. */
  costAttributes(provider: string, model: string | undefined, usage: TokenUsage): Attributes {
    if (model === undefined || usage.input === undefined) return {};
    const price = this.prices.find(provider, model, Date.now());
    if (price === undefined) {
      complain(
        `no price is known of ${provider} ${model}; llm.prices may name a table that has it`,
      );
      return { [GEN_AI.costSource]: UNKNOWN };
    }
    const amount = costOf(price, usage);
    if (amount === undefined) return {};
    return {
      [GEN_AI.costAmount]: amount,
      [GEN_AI.costCurrency]: price.currency,
      [GEN_AI.costSource]: price.table,
    };
  }
}
