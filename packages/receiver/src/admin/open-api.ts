/** The API described in OpenAPI 3.1, made from the schemas that its tests check the answers by. */
import { z } from "zod";
import packageFile from "../../package.json" with { type: "json" };
import {
  changesSchema,
  driftsSchema,
  errorSchema,
  healthSchema,
  historySchema,
  modelSchema,
  modelsSchema,
  referenceSchema,
  signalSchema,
  signalsSchema,
  statusSchema,
  verdictsSchema,
} from "./api-schema.js";

interface Parameter {
  readonly brief: string;
  readonly required?: boolean;
  readonly example?: string;
}

const MODEL = { brief: "Name of the model", required: true };
const PART = {
  model: MODEL,
  version: { brief: "Version of the model; the one seen last when left out" },
  segment: { brief: "Slice of its traffic; all of it when left out", example: "region=eu" },
};
const OPTIONAL = {
  model: { brief: "Name of a model" },
  version: { brief: "Version of it" },
  segment: { brief: "Slice of its traffic" },
  signal: { brief: "Name of a signal" },
  window: { brief: "Window length, such as 5m" },
};
const RANGE = {
  window: { brief: "Window length whose verdicts are shown; the most telling when left out" },
  from: { brief: "Start of the range: epoch milliseconds, or a date such as 2026-11-23T09:30Z" },
  to: { brief: "End of the range; now when left out" },
  range: {
    brief: "Length of the range where from is left out; else what is known, at most 24h",
    example: "24h",
  },
};
const COMPARED = {
  signal: { brief: "Name of the signal", required: true, example: "feature.wind" },
  live: { brief: "Which values are shown: those of the last window, or of the whole range" },
  against: { brief: "What they are compared with: reference, FROM-TO, or version:NAME" },
};

interface Endpoint {
  readonly brief: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly schema: z.ZodType;
}

/** Every path below `/api/v1/`, with what it takes and what it answers. */
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  models: { brief: "All models, the worst first", parameters: {}, schema: modelsSchema },
  model: {
    brief: "One model: its signals, the worst first, and their states over time",
    parameters: { ...PART, ...RANGE },
    schema: modelSchema,
  },
  signal: {
    brief: "One signal: live beside reference, over time, tests, traces",
    parameters: { ...PART, ...RANGE, ...COMPARED },
    schema: signalSchema,
  },
  health: { brief: "The receiver itself, by its metrics", parameters: {}, schema: healthSchema },
  status: { brief: "How the receiver is, for programs", parameters: {}, schema: statusSchema },
  verdicts: {
    brief: "The latest verdict of each signal and window length",
    parameters: { model: OPTIONAL.model },
    schema: verdictsSchema,
  },
  changes: {
    brief: "How verdicts have changed, the newest first",
    parameters: { ...OPTIONAL, limit: { brief: "At most so many; 100 when left out" } },
    schema: changesSchema,
  },
  history: {
    brief: "What one signal had, by shortest window while these are kept, and by hour before",
    parameters: { ...PART, signal: COMPARED.signal, hours: { brief: "So far back; 24" } },
    schema: historySchema,
  },
  reference: {
    brief: "What a model has had of late, as a reference file that can be compared",
    parameters: { ...PART, hours: { brief: "So far back; 24 when left out" } },
    schema: referenceSchema,
  },
  drifts: {
    brief: "What drifts, what moved beside it, and which segments made it so",
    parameters: { model: OPTIONAL.model },
    schema: driftsSchema,
  },
  signals: {
    brief: "Every signal, with its reference or how far it has learned",
    parameters: { model: OPTIONAL.model },
    schema: signalsSchema,
  },
};

/** `GET /api/v1/openapi.json` */
export function openApiDocument(): object {
  const paths = Object.entries(ENDPOINTS).map(([name, endpoint]) => {
    return [`/api/v1/${name}`, { get: operation(name, endpoint) }];
  });
  return {
    openapi: "3.1.0",
    info: {
      title: "Tidemark receiver",
      version: packageFile.version,
      description: "What the receiver knows. Read-only; GET and HEAD.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        basic: { type: "http", scheme: "basic" },
      },
    },
    // Where exporters.prometheus.auth is set; the empty one stands for where it is not.
    security: [{}, { bearer: [] }, { basic: [] }],
  };
}

function operation(name: string, { brief, parameters, schema }: Endpoint): object {
  const isStrict = Object.keys(parameters).length > 0;
  return {
    operationId: name,
    summary: brief,
    parameters: Object.entries(parameters).map(([key, { brief: description, ...rest }]) => {
      return { name: key, in: "query", description, schema: { type: "string" }, ...rest };
    }),
    responses: {
      200: content(brief, schema),
      ...(isStrict ? { 400: content("A parameter cannot be used", errorSchema) } : {}),
      401: content("Credentials are asked for, and these are none", errorSchema),
      ...(isStrict ? { 404: content("No such model or signal", errorSchema) } : {}),
    },
  };
}

function content(description: string, schema: z.ZodType): object {
  const { $schema: _, ...plain } = z.toJSONSchema(schema, { io: "output" });
  return { description, content: { "application/json": { schema: plain } } };
}
