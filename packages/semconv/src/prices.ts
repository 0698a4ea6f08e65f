/** What tokens cost, as pure functions of a price table; the table is `prices.yaml` beside them. */

/** One price of one model: per million tokens, in `currency`. */
export interface Price {
  readonly provider: string;
  readonly model: string;
  readonly currency: string;
  readonly input: number;
  readonly output: number;
  readonly cached?: number | undefined;
  readonly cacheWrite?: number | undefined;
  readonly reasoning?: number | undefined;
  /** Since when, in milliseconds since 1970; 0 for always. */
  readonly fromMs: number;
  /** Which table says so. */
  readonly table: string;
}

/** Tokens of one call; input includes what is cached, output includes reasoning. */
export interface PricedUsage {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  readonly reasoning?: number | undefined;
}

const TOKENS_PER_PRICE = 1e6;
/** For prices that hold whoever serves the model. */
const ANY_PROVIDER = "*";
/** What may follow a model's name without making it another model: a date, or a version. */
const VERSION =
  /^[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|\d{3}|latest|preview(?:-\d{2}-(?:\d{2}|\d{4}))?)$/;
/** What may come before it: a resource's path, or where Bedrock runs it. */
const PLACE = /^(?:(?:.*\/)|(?:(?:us|eu|apac|global|us-gov)\.))/;

/**
 * How providers are called in other dialects, in small letters; of a name with dots, such as
 * Vercel's `openai.chat`, the longest beginning that is listed counts.
 */
const PROVIDERS: Readonly<Record<string, string>> = {
  openai: "openai",
  azure: "azure.ai.openai",
  azure_openai: "azure.ai.openai",
  "azure-openai": "azure.ai.openai",
  "az.ai.openai": "azure.ai.openai",
  anthropic: "anthropic",
  google: "gcp.gemini",
  gemini: "gcp.gemini",
  google_genai: "gcp.gemini",
  "gcp.gen_ai": "gcp.gemini",
  vertexai: "gcp.vertex_ai",
  vertex_ai: "gcp.vertex_ai",
  google_vertexai: "gcp.vertex_ai",
  "google.vertex": "gcp.vertex_ai",
  mistral: "mistral_ai",
  mistralai: "mistral_ai",
  cohere: "cohere",
  aws: "aws.bedrock",
  bedrock: "aws.bedrock",
  amazon_bedrock: "aws.bedrock",
  "amazon-bedrock": "aws.bedrock",
  groq: "groq",
  xai: "x_ai",
};

/** A provider as price tables name it, whoever names it. */
function providerNamed(name: string): string {
  const parts = name.toLowerCase().split(".");
  for (let count = parts.length; count > 0; count--) {
    const known = PROVIDERS[parts.slice(0, count).join(".")];
    if (known !== undefined) return known;
  }
  return name;
}

/** Prices by model; of several tables the first that has a model counts. */
export class PriceBook {
  private readonly prices = new Map<string, Price[]>();
  private readonly providers = new Set<string>();

  constructor(tables: readonly (readonly Price[])[]) {
    for (const table of tables) {
      const own = new Map<string, Price[]>();
      for (const price of table) {
        const key = keyOf(price.provider, price.model);
        this.providers.add(price.provider);
        own.set(key, [...(own.get(key) ?? []), price]);
      }
      for (const [key, prices] of own) {
        if (this.prices.has(key)) continue;
        this.prices.set(
          key,
          prices.toSorted((a, b) => b.fromMs - a.fromMs),
        );
      }
    }
  }

  /**
   * The price of a model at a time; undefined when nobody has said one. Without a provider it is
   * that of the first who has the model.
   */
  find(provider: string, model: string, atMs: number): Price | undefined {
    if (provider !== "") {
      const own = this.ofProvider(provider, model, atMs);
      return own ?? this.ofProvider(providerNamed(provider), model, atMs);
    }
    for (const any of this.providers) {
      const found = this.ofProvider(any, model, atMs);
      if (found) return found;
    }
    return undefined;
  }

  private ofProvider(provider: string, model: string, atMs: number): Price | undefined {
    const bare = model.replace(PLACE, "");
    for (const name of bare === model ? [model] : [model, bare]) {
      for (const key of candidates(provider, name)) {
        const found = this.prices.get(key)?.find(({ fromMs }) => fromMs <= atMs);
        if (found) return found;
      }
    }
    return undefined;
  }
}

/**
 * What a usage costs at a price, in its currency. Undefined when the provider has not told how many
 * tokens were read, or, where writing costs anything, how many were written: a part is no cost.
 */
export function costOf(price: Price, usage: PricedUsage): number | undefined {
  const { input, output, cacheRead = 0, cacheWrite = 0, reasoning = 0 } = usage;
  if (input === undefined || (output === undefined && price.output > 0)) return undefined;
  const fresh = Math.max(0, input - cacheRead - cacheWrite);
  const said = Math.max(0, (output ?? 0) - reasoning);
  const sum =
    fresh * price.input +
    cacheRead * (price.cached ?? price.input) +
    cacheWrite * (price.cacheWrite ?? price.input) +
    said * price.output +
    Math.min(reasoning, output ?? 0) * (price.reasoning ?? price.output);
  return sum / TOKENS_PER_PRICE;
}

/** The name itself, then the name without its version; the provider, then any provider. */
function candidates(provider: string, model: string): string[] {
  const names = [model];
  for (let at = model.length - 1; at > 0; at--) {
    const mark = model[at];
    if ((mark === "-" || mark === "@") && VERSION.test(model.slice(at))) {
      names.push(model.slice(0, at));
    }
  }
  return names.flatMap((name) => [keyOf(provider, name), keyOf(ANY_PROVIDER, name)]);
}

function keyOf(provider: string, model: string): string {
  return `${provider}\n${model}`;
}
