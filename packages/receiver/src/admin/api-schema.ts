/** The shapes of the API's answers, for its document and for whoever wants to check them. */

import { z } from "zod";
import type {
  HealthDocument,
  ModelDocument,
  ModelsDocument,
  SignalDocument,
} from "#ui/documents.js";
import { STATES } from "#ui/documents.js";

const time = z.number().meta({ description: "Epoch milliseconds" });
const known = z.number().nullable();
const count = z.number();
const share = z.number().min(0).max(1);
const names = z.array(z.string());
const state = z.enum(STATES);
const kind = z.enum(["numeric", "categorical", "rate"]).nullable();
const links = z.strictObject({ jaeger: z.string().nullable(), grafana: z.string().nullable() });

const run = z.strictObject({ startMs: time, endMs: time, state });
const learning = z
  .strictObject({ learned: count, needed: count, learnedSpanMs: count, neededSpanMs: count })
  .nullable();
const segmentRow = z.strictObject({
  segment: z.string(),
  state,
  drifted: count,
  signals: count,
  worst: z.string(),
  ratio: known,
});
const qualityRow = z.strictObject({ signal: z.string(), kind: z.string(), count });

const part = {
  model: z.string(),
  version: z.string(),
  segment: z.string().meta({ description: "Empty for all of the model's traffic" }),
};
const range = { nowMs: time, fromMs: time, toMs: time, window: z.string(), windows: names };
const family = { versions: names, segments: names, links };

/** `GET /api/v1/models` */
export const modelsSchema: z.ZodType<ModelsDocument> = z.strictObject({
  nowMs: time,
  windows: names,
  links,
  models: z.array(
    z.strictObject({
      model: z.string(),
      version: z.string(),
      segments: names,
      state,
      sinceMs: time.nullable(),
      lastMs: time.nullable(),
      counts: z.partialRecord(state, count),
      predictions: count,
      errors: count,
      worst: names,
    }),
  ),
});

/** `GET /api/v1/model` */
export const modelSchema: z.ZodType<ModelDocument> = z.strictObject({
  ...part,
  ...range,
  ...family,
  predictions: count,
  errors: count,
  signals: z.array(
    z.strictObject({
      signal: z.string(),
      kind,
      state,
      sinceMs: time.nullable(),
      method: z.string().nullable(),
      statistic: known,
      threshold: known,
      ratio: known,
      liveCount: count,
      referenceCount: count,
      sentence: z.string(),
      runs: z.array(run),
      learning,
      preview: z
        .strictObject({
          kind: z.enum(["curves", "bars"]),
          reference: z.array(z.number()),
          live: z.array(z.number()),
          medians: z.strictObject({ reference: z.number(), live: z.number() }).nullable(),
        })
        .nullable(),
    }),
  ),
  segmentRanking: z.array(segmentRow),
  quality: z.array(qualityRow),
});

const verdict = z.strictObject({
  window: z.string(),
  state,
  sinceMs: time,
  startMs: time,
  endMs: time,
  method: z.string(),
  statistic: known,
  threshold: known,
  floor: known,
  errorBound: known,
  pValue: known,
  alpha: known,
  psi: known,
  liveCount: count,
  referenceCount: count,
  needed: known,
  sentence: z.string(),
});

const side = z.strictObject({
  label: z.string(),
  count,
  startMs: time.nullable(),
  endMs: time.nullable(),
});
const numbers = z.array(z.number());
const curve = z.strictObject({
  density: numbers,
  densityLow: numbers,
  densityHigh: numbers,
  cumulative: numbers,
  cumulativeLow: numbers,
  cumulativeHigh: numbers,
});
const comparison = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("numeric"),
    reference: side,
    live: side,
    x: numbers,
    referenceCurve: curve,
    liveCurve: curve,
    distance: z.number(),
    distanceAt: z.number(),
    medians: z.strictObject({ reference: z.number(), live: z.number() }),
    atoms: z.array(z.strictObject({ value: z.number(), reference: share, live: share })),
    outside: z.strictObject({ reference: share, live: share }),
  }),
  z.strictObject({
    kind: z.literal("categorical"),
    reference: side,
    live: side,
    categories: z.array(
      z.strictObject({
        name: z.string(),
        reference: share,
        live: share,
        liveLow: share,
        liveHigh: share,
      }),
    ),
  }),
]);

/** `GET /api/v1/signal` */
export const signalSchema: z.ZodType<SignalDocument> = z.strictObject({
  ...part,
  ...range,
  ...family,
  signal: z.string(),
  kind,
  state,
  sinceMs: time.nullable(),
  reference: z
    .strictObject({
      name: z.string(),
      count,
      provisional: z.boolean(),
      missingRate: share,
      quantiles: z.array(known).nullable(),
    })
    .nullable(),
  learning,
  verdicts: z.array(verdict),
  comparison: comparison.nullable(),
  slices: z.array(
    z.strictObject({
      startMs: time,
      endMs: time,
      count,
      missing: count,
      distance: known,
      quantiles: numbers.nullable(),
      density: numbers.nullable(),
      atoms: z.array(share).nullable(),
      shares: z.array(share).nullable(),
    }),
  ),
  runs: z.array(run),
  exemplars: z.array(
    z.strictObject({
      traceId: z.string(),
      spanId: z.string(),
      value: z.union([z.number(), z.string()]),
      timeMs: time,
    }),
  ),
  segmentRanking: z.array(segmentRow),
  origin: z
    .strictObject({
      property: z.union([z.number(), z.string()]),
      before: share,
      after: share,
      rankings: z.array(
        z.strictObject({
          attribute: z.string(),
          segments: z.array(z.strictObject({ name: z.string(), contribution: z.number() })),
        }),
      ),
    })
    .nullable(),
  quality: z.array(qualityRow),
  changes: z.array(
    z.strictObject({ atMs: time, window: z.string(), before: state, state, sentence: z.string() }),
  ),
});

/** `GET /api/v1/health` */
export const healthSchema: z.ZodType<HealthDocument> = z.strictObject({
  nowMs: time,
  startedMs: time,
  version: z.string(),
  ready: z.boolean(),
  memoryBytes: count,
  windows: names,
  links,
  metrics: z.array(
    z.strictObject({
      name: z.string(),
      brief: z.string(),
      unit: z.string(),
      kind: z.enum(["counter", "gauge"]),
      points: z.array(
        z.strictObject({ labels: z.record(z.string(), z.string()), value: z.number() }),
      ),
    }),
  ),
});

/** `GET /api/v1/verdicts`: the latest verdict of each signal and window, with all its numbers. */
export const verdictsSchema = z.strictObject({
  verdicts: z.array(
    z.looseObject({
      ...part,
      signal: z.string(),
      window: z.string(),
      state,
      detected: z.boolean(),
      method: z.string(),
      statistic: known,
      threshold: known,
      sentence: z.string(),
    }),
  ),
});

/** `GET /api/v1/signals`: every signal, with what it is compared with or how far it has learned. */
export const signalsSchema = z.strictObject({
  signals: z.array(
    z.looseObject({ ...part, signal: z.string(), state: z.enum(["monitored", "learning"]) }),
  ),
});

/** `GET /api/v1/changes`: verdicts as they were when their state changed. */
export const changesSchema = z.strictObject({
  changes: z.array(z.looseObject({ ...part, before: z.string(), signal: z.string(), state })),
});

/** `GET /api/v1/history`: a signal's counts and quantiles, or categories. */
export const historySchema = z.looseObject({
  ...part,
  signal: z.string(),
  panes: z.array(z.looseObject({ startMs: time, endMs: time, count, missing: count })),
});

/** `GET /api/v1/drifts`: one entry for each model version and window length in alarm. */
export const driftsSchema = z.strictObject({
  drifts: z.array(z.looseObject({ model: z.string(), version: z.string(), window: z.string() })),
});

/** `GET /api/v1/reference`: a `*.tidemark.json`. */
export const referenceSchema = z.looseObject({ format: z.string(), version: z.int() });

/** `GET /api/v1/status`: what `tidemark status` prints. */
export const statusSchema = z.looseObject({ ready: z.boolean(), models: z.unknown() });

/** What any other status is answered with. */
export const errorSchema = z.strictObject({ error: z.string() });
