import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SinkSpan } from "../otlp-sink.js";
import { FIRST_MS, GAP_MS, startModelServer, USAGE } from "./model-server.js";
import type { Era } from "./providers.js";
import { PREPARED_WITHIN_MS } from "./providers.js";
import type { ProviderRun, Seen } from "./run-provider.js";
import { runProvider } from "./run-provider.js";

const SECRET = "planted-4e7d-secret";
const SAID = "The sky is blue.";
/** How far the span's clock may be from the app's own one: they read it in turns of one loop. */
const APART_MS = 5;

interface Library {
  readonly eras: readonly Era[];
  readonly provider: string;
  /** Of the answers; what the provider does not tell is undefined. */
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly reasoning?: number;
  readonly finish: string;
  /** What the first chunk of an answer that begins with reasoning holds, if the server can say it. */
  readonly first: "reasoning" | "text";
  /** Libraries that hold the streams that they have made never let one go. */
  readonly holdsStreams?: true;
  /** What the oldest version does not hand on. */
  readonly oldestLacks?: readonly ("cacheRead" | "reasoning")[];
  /** A stream that ends without its last word is an error to some libraries. */
  readonly cutFails?: true;
}

const LIBRARIES: Readonly<Record<string, Library>> = {
  anthropic: {
    eras: ["newer", "oldest"],
    provider: "anthropic",
    cacheRead: USAGE.cached,
    cacheWrite: 10,
    reasoning: USAGE.reasoning,
    finish: "end_turn",
    first: "reasoning",
  },
  "google-genai": {
    eras: ["newest", "newer", "older", "oldest"],
    provider: "gcp.gemini",
    cacheRead: USAGE.cached,
    reasoning: USAGE.reasoning,
    finish: "STOP",
    first: "reasoning",
  },
  mistral: {
    eras: ["newest", "oldest"],
    provider: "mistral_ai",
    cacheRead: USAGE.cached,
    reasoning: USAGE.reasoning,
    oldestLacks: ["cacheRead", "reasoning"],
    finish: "stop",
    first: "text",
  },
  ollama: {
    eras: ["newest", "oldest"],
    provider: "ollama",
    finish: "stop",
    first: "reasoning",
    holdsStreams: true,
    cutFails: true,
  },
  cohere: {
    eras: ["newest", "oldest"],
    provider: "cohere",
    cacheRead: USAGE.cached,
    oldestLacks: ["cacheRead"],
    finish: "COMPLETE",
    first: "text",
  },
};

const cases = Object.entries(LIBRARIES).flatMap(([title, library]) =>
  library.eras.map((era) => ({ title, era, library })),
);
let server: Awaited<ReturnType<typeof startModelServer>>;

beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

describe.each(cases)("$title, $era version", ({ title, era, library }) => {
  let run: ProviderRun;

  beforeAll(async () => {
    // By this path the server knows a client that gets the usage of streams unasked.
    const env = { SECRET, MISTRAL_PATH: "/mistral" };
    run = await runProvider(era, "calls.mjs", server.url, { env, scenarios: [title] });
  }, PREPARED_WITHIN_MS);

  const spans = (model: string): SinkSpan[] =>
    run.spans.filter(({ attributes }) => attributes["gen_ai.request.model"] === model);
  const attributes = (model: string) => {
    expect(spans(model), model).toHaveLength(1);
    return (spans(model)[0] as SinkSpan).attributes;
  };
  const seen = (scenario: string): Seen => run.seen.get(scenario) as Seen;

  test("a whole answer is what it was, with its usage", () => {
    expect(seen("whole").value).toBe(SAID);
    expect(attributes("whole")).toMatchObject({
      "gen_ai.provider.name": library.provider,
      "gen_ai.usage.input_tokens": USAGE.input,
      "gen_ai.usage.output_tokens": USAGE.output,
      "gen_ai.response.finish_reasons": [library.finish],
    });
  });

  test("a whole answer and a stream say what was cached and thought, where the API does", () => {
    const lacks = era === "oldest" ? (library.oldestLacks ?? []) : [];
    const { cacheRead, cacheWrite, reasoning } = library;
    const expected = {
      input_tokens: USAGE.input,
      output_tokens: USAGE.output,
      "cache_read.input_tokens": lacks.includes("cacheRead") ? undefined : cacheRead,
      "cache_creation.input_tokens": cacheWrite,
      "reasoning.output_tokens": lacks.includes("reasoning") ? undefined : reasoning,
    };
    for (const [key, tokens] of Object.entries(expected)) {
      for (const model of ["whole", "think"]) {
        expect(attributes(model)[`gen_ai.usage.${key}`], `${key} of ${model}`).toBe(tokens);
      }
    }
  });

  test("times are at least the script's, and those that the app itself sees", () => {
    const streams = seen("stream").value as { said: string; timesMs: number[] }[];
    const apartMs: number[] = [];
    const apartBetweenMs: number[] = [];
    expect(spans("stream")).toHaveLength(streams.length);
    for (const [index, { attributes: stated }] of spans("stream").entries()) {
      const { said, timesMs } = streams[index] as { said: string; timesMs: number[] };
      const ttftMs = Number(stated["gen_ai.response.time_to_first_chunk"]) * 1000;
      const tbtMs = Number(stated["gen_ai.client.operation.time_per_output_chunk"]) * 1000;
      expect(said).toBe(SAID);
      expect(stated["ml.response.chunks"]).toBe(timesMs.length);
      expect(ttftMs).toBeGreaterThan(FIRST_MS - 2);
      const [firstMs = 0] = timesMs;
      apartMs.push(Math.abs(ttftMs - firstMs));
      const meanMs = ((timesMs.at(-1) as number) - firstMs) / (timesMs.length - 1);
      apartBetweenMs.push(Math.abs(tbtMs - meanMs));
    }
    expect(median(apartMs)).toBeLessThan(APART_MS);
    expect(median(apartBetweenMs)).toBeLessThan(APART_MS);
  });

  test("reasoning is content, and told apart from text", () => {
    // Older libraries know of no reasoning and do not hand it on.
    const known = [library.first, era === "oldest" ? "text" : library.first];
    expect(known).toContain(attributes("think")["ml.response.first_content"]);
  });

  test("leaving and calling off are no errors", () => {
    expect(seen("break").value).toBe("left");
    expect(attributes("break")["ml.response.outcome"]).toBe("stopped");
    expect(spans("break")[0]?.error).toBe(false);
    expect(attributes("abort")["ml.response.outcome"]).toBe("aborted");
    expect(spans("abort")[0]?.error).toBe(false);
  });

  test("a dropped socket and a refusal are errors, and their messages stay in the app", () => {
    expect(seen("drop").error).toBeDefined();
    expect(attributes("drop")["ml.response.outcome"]).toBe("failed");
    expect(spans("drop")[0]).toMatchObject({ error: true });
    expect(seen("refuse").error).toBeDefined();
    for (const model of ["drop", "refuse"]) expect(spans(model)[0]?.statusMessage).toBeFalsy();
    expect(spans("refuse")[0]).toMatchObject({ error: true });
    expect(attributes("refuse")["error.type"]).toBe(seen("refuse").error);
  });

  test("a stream that ends without a word of why is incomplete", () => {
    const outcome = library.cutFails ? "failed" : "incomplete";
    expect(attributes("cut")["ml.response.outcome"]).toBe(outcome);
  });

  test("a stream that nobody reads ends when it is collected", () => {
    expect(seen("unread").value).toBe("let go");
    if (library.holdsStreams) return;
    expect(attributes("stall-unread")["ml.response.outcome"]).toBe("abandoned");
  });

  test("helpers, readers and embeddings are one call each", () => {
    if (run.seen.has("reader")) {
      expect(seen("reader").value).toBe(SAID);
      expect(attributes("reader")).toMatchObject({
        "ml.response.chunks": 5,
        "ml.response.outcome": "completed",
        "gen_ai.usage.output_tokens": USAGE.output,
      });
    }
    if (run.seen.has("helper")) expect(attributes("helper")["ml.response.chunks"]).toBe(5);
    if (run.seen.has("embed")) {
      expect(attributes("embed")).toMatchObject({
        "gen_ai.operation.name": "embeddings",
        "gen_ai.embeddings.dimension.count": 3,
      });
    }
  });

  test("a promise of the library's own is what it was, also when nobody waits for it", () => {
    if (!run.seen.has("raw")) return;
    expect(seen("raw").value).toBe(true);
    expect(attributes("raw")["gen_ai.usage.output_tokens"]).toBe(USAGE.output);
    expect(seen("unheard").value).toEqual([seen("refuse").error]);
    expect(spans("refuse-unheard")).toMatchObject([{ error: true }]);
  });

  test("no prompt, instruction or answer is in any exported byte", () => {
    expect(run.exported.includes("gen_ai.request.model")).toBe(true);
    expect(run.exported.includes(SECRET)).toBe(false);
    expect(run.exported.includes("blue")).toBe(false);
  });

  test("nothing is said but of prices that nobody knows", () => {
    const lines = run.stderr.split("\n").filter((line) => line.startsWith("tidemark"));
    expect(lines.filter((line) => !line.includes("no price is known"))).toEqual([]);
  });
});

describe("anthropic, from 0.134 on, makes its spans itself", () => {
  let run: ProviderRun;

  beforeAll(async () => {
    const options = { env: { SECRET }, scenarios: ["anthropic"] };
    run = await runProvider("newest", "calls.mjs", server.url, options);
  }, PREPARED_WITHIN_MS);

  const of = (model: string) =>
    run.all.filter(({ attributes }) => attributes["gen_ai.request.model"] === model);

  test("there is one span for each call, and it is the library's", () => {
    for (const model of ["whole", "think", "break", "abort", "drop", "refuse", "helper"]) {
      expect(of(model), model).toHaveLength(1);
      expect(of(model)[0]?.scope).toBe("com.anthropic.sdk.typescript");
    }
    expect(run.spans).toEqual([]);
  });

  test("it says what was cached, of a whole answer and of a stream", () => {
    for (const model of ["whole", "think"]) {
      expect(of(model)[0]?.attributes, model).toMatchObject({
        "gen_ai.usage.input_tokens": USAGE.input,
        "gen_ai.usage.output_tokens": USAGE.output,
        "gen_ai.usage.cache_read.input_tokens": USAGE.cached,
        "gen_ai.usage.reasoning.output_tokens": USAGE.reasoning,
      });
    }
  });

  test("the times between chunks and the source of its cost are added to it", () => {
    expect(of("helper")[0]?.attributes["ml.response.chunks"]).toBe(5);
    const [span] = of("think");
    expect(span?.attributes).toMatchObject({
      "gen_ai.usage.input_tokens": USAGE.input,
      "gen_ai.usage.output_tokens": USAGE.output,
      "ml.response.first_content": "reasoning",
      "ml.response.chunks": 6,
      "gen_ai.usage.cost.source": "unknown",
    });
    const ms = (name: string) => Number(span?.attributes[name]) * 1000;
    // Chunks that were late to be read leave less between them and the last one: its time is told.
    const lastMs =
      ms("ml.response.time_to_first_text") +
      4 * ms("gen_ai.client.operation.time_per_output_chunk");
    expect(lastMs).toBeGreaterThan(FIRST_MS + GAP_MS + 4 * (GAP_MS - 3));
  });

  test("what the app sees is what it would see without us, and no content leaves it", () => {
    expect(run.seen.get("helper")?.value).toBe(SAID);
    expect(run.seen.get("drop")?.error).toBeDefined();
    expect(run.exported.includes(SECRET)).toBe(false);
    expect(run.exported.includes("blue")).toBe(false);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
