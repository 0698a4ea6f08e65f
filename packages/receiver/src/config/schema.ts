/** The configuration: its keys, their bounds and their defaults, in the Collector's shape. */
import { z } from "zod";
import { SYNC_POLICIES } from "../log/group-writer.js";
import { LOG_LEVELS } from "../logger.js";
import { HISTOGRAMS } from "../metric-family.js";
import { duration, endpoint, size } from "./fields.js";
import { auth, cors, otlpReceiver } from "./otlp-receiver-schema.js";
import { reference } from "./reference-schema.js";
import { attributeName, declaredSignal } from "./signal-schema.js";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const url = z.string("must be a URL, such as http://127.0.0.1:4318").transform((text, context) => {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol)) {
    context.addIssue(`"${text}" is no http or https URL; write for example http://127.0.0.1:4318`);
    return z.NEVER;
  }
  return parsed;
});

const observe = z.strictObject({
  pane: duration(100, 60 * MINUTE_MS, "1m"),
  allowedLateness: duration(0, DAY_MS, "30s"),
  idleTimeout: duration(100, DAY_MS, "2m"),
  /** How long the summaries of shortest windows are kept, and of hours; 0s for not at all. */
  paneRetention: duration(0, 366 * DAY_MS, "1d"),
  hourRetention: duration(0, 10 * 366 * DAY_MS, "15d"),
  maxSignals: z.int().min(1).max(1_000_000).default(10_000),
  /** Slices of traffic that are monitored each by itself, over all models. */
  maxSegments: z.int().min(0).max(100_000).default(100),
  /** Attributes, of spans or resources, whose values are segments, beside `ml.segment.*`. */
  segments: z.array(attributeName).max(100).default([]),
  /** Spans that are remembered, so that one that is delivered twice is counted once; 0 for none. */
  recentSpans: z.int().min(0).max(50_000_000).default(500_000),
  /** Model calls that are remembered for what is said of their answers later; 0 for none. */
  recentCalls: z.int().min(0).max(5_000_000).default(50_000),
  /** How long an evaluation or feedback waits for its call, where it comes first. */
  evaluationWait: duration(0, DAY_MS, "10m"),
  /**
   * How long after a call its feedback counts, where that only ever happens, such as a copied
   * answer: the share of calls that get it is known so much later; 0s for no such signals.
   */
  feedbackWithin: duration(0, DAY_MS, "1h"),
});

/** Calls and durations of all spans, for Jaeger's Monitor tab; off where a Collector does it. */
const spanMetrics = z.strictObject({
  enabled: z.boolean().default(false),
  maxSeries: z.int().min(1).max(50_000).default(5000),
});

/** Costs of calls whose spans do not state them. */
const prices = z.strictObject({
  enabled: z.boolean().default(true),
  /** A table of the user's own, which comes before the shipped one. */
  file: z.string().min(1).optional(),
});

const learn = z.strictObject({
  samples: z.int().min(100).max(100_000_000).default(5000),
  span: duration(0, 365 * DAY_MS, "1d"),
});

const evaluate = z.strictObject({
  windows: z
    .array(duration(100, 31 * DAY_MS, "5m"))
    .min(1)
    .max(9)
    .default([5 * MINUTE_MS, 60 * MINUTE_MS, DAY_MS]),
  /** Lengths of 1, 2, 4, 8 … times the first window, evaluated beside those that are shown. */
  ladder: z.int().min(1).max(12).default(9),
  /** Whether it is learned how much rows depend on each other, or taken as not at all. */
  dependence: z.enum(["learned", "none"]).default("learned"),
  /** Changes of verdicts that are kept, over all signals. */
  history: z.int().min(0).max(1_000_000).default(5000),
  /** Shift in standard deviations below which nobody wants to be told. */
  shift: z.number().min(0.01).max(3).default(0.25),
  falseAlarmsPerFeatureYear: z.number().gt(0).max(1000).default(0.01),
  /** Of all signals together: divided by how many there are, where that is the stricter promise. */
  falseAlarmsPerYear: z.number().gt(0).max(1e6).optional(),
  falseWarningsPerFeatureYear: z.number().gt(0).max(10_000).default(1),
});

const prometheusExporter = z.strictObject({
  endpoint: endpoint("127.0.0.1:9464"),
  /** Who may see the page, the metrics and the API; everybody when left out. */
  auth: auth.optional(),
  /** Web pages that may read `/api/v1`, such as Jaeger's. */
  cors: cors.optional(),
});

const otlpExporter = z.strictObject({
  /** Base URL; over HTTP `/v1/traces`, `/v1/metrics` or `/v1/logs` is appended. */
  endpoint: url,
  headers: z.record(z.string(), z.string()).default({}),
  timeout: duration(100, 10 * MINUTE_MS, "10s"),
  /** Age at which a batch is given up; 0 for never, so that the log's size is the only bound. */
  maxElapsedTime: duration(0, 365 * DAY_MS, "0s"),
  concurrency: z.int().min(1).max(64).default(4),
  /** How often metrics are pushed. */
  interval: duration(100, 60 * MINUTE_MS, "15s"),
  /** How latencies are pushed: in explicit buckets, exponential ones, or both under one name. */
  histograms: z.enum(HISTOGRAMS).default("classic"),
});

/** `prometheus`, and any number of `otlp_http/NAME` and `otlp_grpc/NAME`. */
const exporters = z
  .object({ prometheus: prometheusExporter.prefault({}) })
  .catchall(otlpExporter)
  .superRefine((named, context) => {
    for (const name of Object.keys(named)) {
      if (name === "prometheus" || /^otlp_(?:http|grpc)(?:\/.+)?$/.test(name)) continue;
      const known = "prometheus, otlp_http/NAME and otlp_grpc/NAME";
      const message = `unknown exporter "${name}"; there are ${known}`;
      context.addIssue({ code: "custom", message, path: [name] });
    }
  })
  .transform(({ prometheus, ...otlp }) => ({ prometheus, otlp: new Map(Object.entries(otlp)) }));

const pipeline = z.strictObject({
  receivers: z.array(z.string()).optional(),
  exporters: z.array(z.string()).default([]),
});

const storage = z.strictObject({
  /** Where the log and the state lie; relative to the configuration file. */
  directory: z.string().min(1).optional(),
  /** When a batch counts as kept: on the disk, or handed to the operating system. */
  sync: z.enum(SYNC_POLICIES).default("group"),
  /** The log on disk; when it is full nothing more is accepted until it has been forwarded. */
  maxSize: size(16 * 1024 ** 4, "4GiB"),
  segmentSize: size(4 * 1024 ** 3, "64MiB"),
  /** Newest batches that are also held in memory, for endpoints that keep up. */
  memory: size(64 * 1024 ** 3, "64MiB"),
  /** How often open windows and verdicts are stored. */
  checkpoint: duration(100, 60 * MINUTE_MS, "10s"),
});

const service = z.strictObject({
  /** How often this file and the references that it names are looked at; 0s for on SIGHUP only. */
  reloadInterval: duration(0, DAY_MS, "2s"),
  storage: storage.prefault({}),
  pipelines: z
    .strictObject({
      traces: pipeline.prefault({}),
      /** With the receiver otlp, metrics are taken and forwarded, beside our own. */
      metrics: pipeline.prefault({ exporters: ["prometheus"] }),
      /**
       * Where changes of verdicts go as log records. With the receiver otlp, logs are taken: their
       * evaluations are counted, and all of them forwarded.
       */
      logs: pipeline.prefault({}),
    })
    .prefault({}),
  /** Base URLs of the pages that ours leads to, as a browser reaches them. */
  links: z.strictObject({ jaeger: url.optional(), grafana: url.optional() }).prefault({}),
  telemetry: z
    .strictObject({
      logs: z
        .strictObject({
          level: z.enum(LOG_LEVELS).default("info"),
          encoding: z.enum(["json", "console", "auto"]).default("auto"),
        })
        .prefault({}),
    })
    .prefault({}),
});

/** The whole file. */
export const configSchema = z.strictObject({
  receivers: z.strictObject({ otlp: otlpReceiver.prefault({}) }).prefault({}),
  processors: z
    .strictObject({
      observe: observe.prefault({}),
      spanMetrics: spanMetrics.prefault({}),
      prices: prices.prefault({}),
      learn: learn.prefault({}),
      /** Further signals, of any attribute. */
      signals: z.array(declaredSignal).max(1000).default([]),
      references: z.array(reference).max(1000).default([]),
      evaluate: evaluate.prefault({}),
    })
    .prefault({}),
  exporters: exporters.prefault({}),
  service: service.prefault({}),
});

/** An endpoint to send to. */
export type OtlpExporter = z.infer<typeof otlpExporter>;

/** What the schema makes of a file; durations in ms, sizes in bytes. */
export type ParsedConfig = z.infer<typeof configSchema>;

/** A configuration with all defaults filled in, and paths resolved. */
export type Config = Omit<ParsedConfig, "service"> & {
  /** What can be used as it is, and is hardly meant; one line each. */
  readonly warnings: readonly string[];
  readonly service: Omit<ParsedConfig["service"], "storage"> & {
    readonly storage: ParsedConfig["service"]["storage"] & { readonly directory: string };
  };
};
