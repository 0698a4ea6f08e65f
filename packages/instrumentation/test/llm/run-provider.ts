/** Runs a program that uses a provider's library, instrumented, against a model server. */
import { join } from "node:path";
import type { SinkSpan } from "../otlp-sink.js";
import { startSink } from "../otlp-sink.js";
import type { AppOptions } from "../run-app.js";
import { REGISTER, runApp, toSink } from "../run-app.js";
import type { Era } from "./providers.js";
import { installProviders } from "./providers.js";

/** What the program said of one scenario. */
export interface Seen {
  readonly name: string;
  readonly value?: unknown;
  readonly error?: string;
}

/** What came of a run; `spans` are the ones of this package, in the order in which they ended. */
export interface ProviderRun {
  readonly seen: ReadonlyMap<string, Seen>;
  readonly spans: readonly SinkSpan[];
  readonly all: readonly SinkSpan[];
  readonly stderr: string;
  readonly exported: Buffer;
}

/** Runs `program` of the test's own programs with a folder of versions. */
export async function runProvider(
  era: Era,
  program: string,
  url: string,
  options: Pick<AppOptions, "env" | "flags" | "node"> & { readonly scenarios?: string[] } = {},
): Promise<ProviderRun> {
  const folder = await installProviders(era);
  const sink = await startSink();
  const { scenarios = [], env, flags = ["--expose-gc", "--require", REGISTER], ...rest } = options;
  const result = await runApp([join(folder, "programs", program), ...scenarios], {
    ...rest,
    flags,
    cwd: join(folder, "programs"),
    env: {
      ...toSink(sink.url),
      MODELS_URL: url,
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: "undici,http",
      ...env,
    },
  });
  await sink.close();
  if (result.code !== 0) throw new Error(`${program} ended with ${result.code}: ${result.stderr}`);
  const lines = result.stdout.trim().split("\n").filter(Boolean);
  const seen = lines.map((line) => JSON.parse(line) as Seen);
  // Requests may overtake each other.
  const all = sink.spans().toSorted((a, b) => Number(BigInt(a.endNs) - BigInt(b.endNs)));
  return {
    seen: new Map(seen.map((one) => [one.name, one])),
    spans: all.filter(({ scope }) => scope === "@tidemark/instrumentation"),
    all,
    stderr: result.stderr,
    exported: Buffer.concat(sink.bodies),
  };
}
