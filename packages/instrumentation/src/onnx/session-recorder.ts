/** Turns the runs of one session into attributes; what does not change is worked out once. */
import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES, stageSpanName } from "@tidemark/semconv";
import { complain } from "../complain.js";
import type { Limits } from "../config-schema.js";
import type { TensorLike, TensorRows } from "../tensor-rows.js";
import { asTensor, sampleRows, shapeOf } from "../tensor-rows.js";
import type { DeclaredInput, InputPlan } from "./features.js";
import { FeatureAttributes, featureRows, planInputs } from "./features.js";
import type { ModelIdentity } from "./model-identity.js";
import type { OutputRoles } from "./predictions.js";
import { outputRoles, predictionAttributes } from "./predictions.js";
import { unzipMaps } from "./zip-map.js";

/** Shapes that a span states; models with more inputs than this are rare, and no one reads them. */
const SHAPES_MAX = 8;

/** The rows of one run, and which of them are recorded. */
export interface Batch {
  readonly size: number;
  readonly sampled: readonly number[];
}

/** What a session takes and returns. */
export interface Signature {
  readonly inputs: readonly (DeclaredInput & { readonly type?: string })[];
  readonly outputs: readonly string[];
}

/** Records the runs of one session. */
export class SessionRecorder {
  readonly identity: ModelIdentity;
  readonly spanName: string;
  /** Error messages of the runtime may quote an input only where inputs are text. */
  readonly takesText: boolean;
  private readonly limits: Limits;
  private readonly plans: readonly InputPlan[];
  private readonly fixed: Attributes;
  private roles: OutputRoles | undefined;
  private sensitiveChecked = false;

  constructor(
    identity: ModelIdentity,
    { inputs, outputs }: Signature,
    limits: Limits,
    framework: string,
  ) {
    this.identity = identity;
    this.spanName = stageSpanName("inference", identity.name);
    this.limits = limits;
    this.plans = planInputs(identity, inputs);
    complainAboutNames(
      identity,
      inputs.map(({ name }) => name),
      outputs,
    );
    this.takesText = inputs.some(({ type }) => type === "string");
    const { name, version, runId, config } = identity;
    this.fixed = {
      [ATTRIBUTES.stage.name]: "inference",
      [ATTRIBUTES.modelName.name]: name,
      [ATTRIBUTES.modelFramework.name]: framework,
      ...(version !== undefined && { [ATTRIBUTES.modelVersion.name]: version }),
      ...(runId !== undefined && { [ATTRIBUTES.modelRunId.name]: runId }),
      ...(config?.task !== undefined && { [ATTRIBUTES.task.name]: config.task }),
    };
  }

  /** What is known before the run: the model. */
  modelAttributes(): Attributes {
    return this.fixed;
  }

  /** Adds what the inputs say; returns the batch that the outputs are read by. */
  inputs(feeds: unknown, attributes: Attributes): Batch {
    const tensors = tensorsIn(feeds);
    const planned: { plan: InputPlan; rows: TensorRows }[] = [];
    for (const plan of this.plans) {
      const tensor = tensors.get(plan.name);
      const rows = tensor && featureRows(plan, tensor);
      if (rows) planned.push({ plan, rows });
    }
    const size = planned[0]?.rows.rows ?? batchSize(tensors);
    const sampled = sampleRows(size, this.limits.rows);
    const features = new FeatureAttributes(attributes, this.limits.features);
    for (const { plan, rows } of planned) {
      if (rows.rows === size) features.add(plan, rows, sampled);
    }
    if (planned.length > 0 && !this.sensitiveChecked) this.checkSensitive(planned);
    features.finish();
    attributes[ATTRIBUTES.batchSize.name] = size;
    addShapes(attributes, ATTRIBUTES.inputShape.name, tensors);
    return { size, sampled };
  }

  /** Says which names of sensitive features no column has, or someone would take them for safe. */
  private checkSensitive(planned: readonly { plan: InputPlan; rows: TensorRows }[]): void {
    this.sensitiveChecked = true;
    const { name, config } = this.identity;
    if (config === undefined || config.sensitive.length === 0) return;
    const columns = planned.flatMap(({ plan, rows }) => plan.columnNames(rows.columns));
    const known = new Set([...columns, ...this.plans.map((plan) => plan.name)]);
    for (const wrong of config.sensitive) {
      if (known.has(wrong)) continue;
      const some = columns.slice(0, 10).join(", ");
      complain(`model ${name}: sensitive: no column is called "${wrong}"; there are: ${some}`);
    }
  }

  /** What the outputs say. */
  outputs(results: unknown, batch: Batch): Attributes {
    const tensors = tensorsIn(results);
    const zipped = zippedScores(results, tensors);
    const { config, classNames } = this.identity;
    const declared = config?.outputs ?? {};
    this.roles ??= outputRoles(tensors, declared);
    const scores = declared[this.roles.scores ?? ""] ?? declared[this.roles.class ?? ""];
    const names = scores?.classes ?? classNames;
    const attributes = predictionAttributes(tensors, this.roles, names, batch, zipped ?? names);
    const task = taskOf(this.roles);
    if (config?.task === undefined && task) attributes[ATTRIBUTES.task.name] = task;
    addShapes(attributes, ATTRIBUTES.outputShape.name, tensors);
    return attributes;
  }
}

/** Says which declared inputs and outputs the model does not have. */
function complainAboutNames(
  { name, config }: ModelIdentity,
  inputs: readonly string[],
  outputs: readonly string[],
): void {
  for (const [kind, declared, known] of [
    ["input", config?.inputs, inputs],
    ["output", config?.outputs, outputs],
  ] as const) {
    for (const wrong of Object.keys(declared ?? {})) {
      if (known.length === 0 || known.includes(wrong)) continue;
      complain(
        `model ${name}: it has no ${kind} "${wrong}"; its ${kind}s are: ${known.join(", ")}`,
      );
    }
  }
}

function taskOf(roles: OutputRoles): string | undefined {
  if (roles.class !== undefined || roles.scores !== undefined) return "classification";
  return roles.value === undefined ? undefined : "regression";
}

function tensorsIn(values: unknown): Map<string, TensorLike> {
  const tensors = new Map<string, TensorLike>();
  if (typeof values !== "object" || values === null) return tensors;
  // oxlint-disable-next-line guard-for-in -- what is no tensor is left out, wherever it comes from
  for (const name in values) {
    const tensor = asTensor((values as Record<string, unknown>)[name]);
    if (tensor !== undefined) tensors.set(name, tensor);
  }
  return tensors;
}

/** Adds the table of a ZipMap to the tensors, and says what its columns are. */
function zippedScores(
  results: unknown,
  tensors: Map<string, TensorLike>,
): readonly string[] | undefined {
  if (typeof results !== "object" || results === null) return undefined;
  for (const name in results) {
    if (tensors.has(name)) continue;
    const zipped = unzipMaps((results as Record<string, unknown>)[name]);
    if (zipped === undefined) continue;
    tensors.set(name, zipped.tensor);
    return zipped.classes;
  }
  return undefined;
}

function batchSize(tensors: ReadonlyMap<string, TensorLike>): number {
  for (const { dims } of tensors.values()) return dims[0] ?? 1;
  return 0;
}

function addShapes(
  attributes: Attributes,
  prefix: string,
  tensors: ReadonlyMap<string, TensorLike>,
): void {
  let room = SHAPES_MAX;
  for (const [name, tensor] of tensors) {
    if (room-- === 0) return;
    attributes[prefix + name] = shapeOf(tensor);
  }
}
