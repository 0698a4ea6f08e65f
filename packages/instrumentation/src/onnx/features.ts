/**
 * Which attributes the inputs of an inference become: one feature per column, one element per row.
 * Text is never a feature unless it is declared to be a category; nor are columns whose number the
 * model leaves open, such as token ids, because those are content.
 */
import type { Attributes, AttributeValue } from "@opentelemetry/api";
import { ATTRIBUTES, reservedNames } from "@tidemark/semconv";
import { complain } from "../complain.js";
import { keyedHash } from "../keyed-hash.js";
import type { CellValue, TensorLike, TensorRows } from "../tensor-rows.js";
import { asOneRow, rowsOf } from "../tensor-rows.js";
import type { ModelIdentity } from "./model-identity.js";

/** A declared input of a session, as `inputMetadata` states it. */
export interface DeclaredInput {
  readonly name: string;
  /** Numbers, or names where the dimension is left open. */
  readonly shape?: readonly (number | string)[];
}

interface Feature {
  readonly name: string;
  readonly key: string;
}

/** Wider inputs without names are embeddings, images or token ids, not tables. */
const UNNAMED_COLUMNS_MAX = 100;
/** Of a wider input the further columns are not looked at; a span has room for 100 in any case. */
const COLUMNS_MAX = 4096;
/** Columns that cannot become features: the attributes of these names mean something else. */
const RESERVED = new Set(reservedNames(ATTRIBUTES.feature));
/** Inputs of language models, where their width is fixed. */
const TOKENS_NAME = /token|mask|(?:^|_)ids?$/i;

/** How one input is recorded; made once per session. */
export interface InputPlan {
  readonly name: string;
  /** Declared by the user: to be recorded although it is text or its width is open. */
  readonly declared: "features" | "category" | "hash" | undefined;
  /** Names of the columns, as far as they are known. */
  readonly columns: readonly string[] | undefined;
  /** What the columns of an input of this width are called. */
  readonly columnNames: (width: number) => readonly string[];
  /** What they become; undefined for those that are not recorded. */
  readonly features: (width: number) => readonly (Feature | undefined)[];
  /** False when the model states that the number of columns is open. */
  readonly fixedWidth: boolean;
  /** False when the model states a fixed first dimension of other than 1, and no second one. */
  readonly batched: boolean;
}

/** Plans for the inputs that are recorded; ignored ones are not among them. */
export function planInputs(identity: ModelIdentity, inputs: readonly DeclaredInput[]): InputPlan[] {
  return inputs.flatMap((input) => {
    const { name, shape } = input;
    const config = identity.config?.inputs[name];
    if (config?.as === "ignore") return [];
    const sole = inputs.length === 1;
    const columns = config?.columns ?? (sole ? identity.featureNames : undefined);
    return {
      name,
      declared: config?.as,
      columns,
      columnNames: (width) => columnNames(name, columns, width),
      features: featuresOf(identity, name, columns),
      fixedWidth: shape !== undefined && shape.slice(1).every((size) => isFixed(size)),
      batched: !(shape?.length === 1 && isFixed(shape[0]) && shape[0] !== 1),
    };
  });
}

/** Names and keys of an input's columns, made once for the width that it has. */
function featuresOf(
  { name: model, config }: ModelIdentity,
  input: string,
  names: readonly string[] | undefined,
): InputPlan["features"] {
  let made: readonly (Feature | undefined)[] = [];
  let madeFor = 0;
  return (width) => {
    if (madeFor === width) return made;
    madeFor = width;
    if (names !== undefined && names.length !== width) {
      complain(`model ${model}: input "${input}" has ${width} columns, but ${names.length} names`);
    }
    made = columnNames(input, names, width).map((name) => {
      if (config?.sensitive.includes(name)) return undefined;
      const key = ATTRIBUTES.feature.name + name;
      if (!RESERVED.has(name)) return { name, key };
      complain(
        `model ${model}: input "${input}": the column "${name}" is not recorded, because ${key} ` +
          'means something else; give it another name with "columns"',
      );
      return undefined;
    });
    return made;
  };
}

function columnNames(input: string, names: readonly string[] | undefined, width: number) {
  const nameOf = (column: number) =>
    names?.[column] ?? (width === 1 ? input : `${input}_${column}`);
  return Array.from({ length: Math.min(width, COLUMNS_MAX) }, (_, column) => nameOf(column));
}

function isFixed(size: number | string | undefined): boolean {
  return typeof size === "number" && size > 0;
}

/** An input tensor's rows by its plan, or undefined when it is not to be recorded as features. */
export function featureRows(plan: InputPlan, tensor: TensorLike): TensorRows | undefined {
  const asText = plan.declared === "category" || plan.declared === "hash";
  if (tensor.type === "string" && !asText) return undefined;
  const named = plan.columns !== undefined || plan.declared !== undefined;
  if (!named && (!plan.fixedWidth || tensor.dims.length > 2)) return undefined;
  if (!named && TOKENS_NAME.test(plan.name) && tensor.type.includes("int")) return undefined;
  const rows = rowsOf(tensor);
  if (rows === undefined) return undefined;
  if (!named && rows.columns > UNNAMED_COLUMNS_MAX) return undefined;
  const single = tensor.dims.length === 1 && rows.rows > 1;
  const oneRow = single && (!plan.batched || plan.columns?.length === rows.rows);
  return oneRow ? asOneRow(rows) : rows;
}

/** Puts the features of one span among its attributes, within a bound over all inputs. */
export class FeatureAttributes {
  private readonly attributes: Attributes;
  private readonly missing: string[] = [];
  private room: number;

  constructor(attributes: Attributes, featuresMax: number) {
    this.attributes = attributes;
    this.room = featuresMax;
  }

  /** Adds an input's columns for the rows that were sampled. */
  add(plan: InputPlan, input: TensorRows, sampled: readonly number[]): void {
    const features = plan.features(input.columns);
    for (let column = 0; column < features.length && this.room > 0; column++) {
      const feature = features[column];
      if (feature === undefined) continue;
      this.room--;
      const hash = plan.declared === "hash";
      const value = this.values(feature.name, input, column, sampled, hash);
      if (value !== undefined) this.attributes[feature.key] = value;
    }
  }

  /** Adds the names of missing features: once for each row that lacks one. */
  finish(): void {
    if (this.missing.length > 0) this.attributes[ATTRIBUTES.featureMissing.name] = this.missing;
  }

  private values(
    name: string,
    input: TensorRows,
    column: number,
    sampled: readonly number[],
    hash: boolean,
  ) {
    const values: CellValue[] = [];
    for (const row of sampled) {
      const value = input.cell(row, column);
      if (Number.isNaN(value)) this.missing.push(name);
      else values.push(hash ? keyedHash(String(value)) : value);
    }
    if (values.length === 0) return undefined;
    return (input.rows === 1 ? values[0] : values) as AttributeValue;
  }
}
