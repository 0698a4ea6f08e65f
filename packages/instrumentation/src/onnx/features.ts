/**
 * Which attributes the inputs of an inference become: one feature per column, one element per row.
 * Text is never a feature unless it is declared to be a category; nor are columns whose number the
 * model leaves open, such as token ids, because those are content.
 */
import type { Attributes, AttributeValue } from "@opentelemetry/api";
import { ATTRIBUTES } from "@tidemark/semconv";
import type { CellValue, TensorLike, TensorRows } from "../tensor-rows.js";
import { asOneRow, rowsOf } from "../tensor-rows.js";
import type { ModelIdentity } from "./model-identity.js";

/** A declared input of a session, as `inputMetadata` states it. */
export interface DeclaredInput {
  readonly name: string;
  /** Numbers, or names where the dimension is left open. */
  readonly shape?: readonly (number | string)[];
}

/** How one input is recorded; made once per session. */
export interface InputPlan {
  readonly name: string;
  /** Declared by the user: to be recorded although it is text or its width is open. */
  readonly declared: "features" | "category" | undefined;
  /** Names of the columns, as far as they are known. */
  readonly columns: readonly string[] | undefined;
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
    return {
      name,
      declared: config?.as,
      columns: config?.columns ?? (sole ? identity.featureNames : undefined),
      fixedWidth: shape !== undefined && shape.slice(1).every((size) => isFixed(size)),
      batched: !(shape?.length === 1 && isFixed(shape[0]) && shape[0] !== 1),
    };
  });
}

function isFixed(size: number | string | undefined): boolean {
  return typeof size === "number" && size > 0;
}

/** An input tensor's rows by its plan, or undefined when it is not to be recorded as features. */
export function featureRows(plan: InputPlan, tensor: TensorLike): TensorRows | undefined {
  if (tensor.type === "string" && plan.declared !== "category") return undefined;
  const named = plan.columns !== undefined || plan.declared !== undefined;
  if (!named && (!plan.fixedWidth || tensor.dims.length > 2)) return undefined;
  const rows = rowsOf(tensor);
  if (rows === undefined) return undefined;
  const single = tensor.dims.length === 1 && rows.rows > 1;
  const oneRow = single && (!plan.batched || plan.columns?.length === rows.rows);
  return oneRow ? asOneRow(rows) : rows;
}

/** Collects the features of one span, within a bound over all inputs. */
export class FeatureAttributes {
  readonly attributes: Attributes = {};
  private readonly missing: string[] = [];
  private readonly sensitive: readonly string[];
  private room: number;

  constructor(featuresMax: number, sensitive: readonly string[]) {
    this.room = featuresMax;
    this.sensitive = sensitive;
  }

  /** Adds an input's columns for the rows that were sampled. */
  add(plan: InputPlan, input: TensorRows, sampled: readonly number[]): void {
    for (let column = 0; column < input.columns && this.room > 0; column++) {
      const name = columnName(plan, input.columns, column);
      if (this.sensitive.includes(name)) continue;
      this.room--;
      const key = ATTRIBUTES.feature.name + name;
      const value = this.values(name, input, column, sampled);
      if (value !== undefined) this.attributes[key] = value;
    }
  }

  /** The attributes, with the names of missing features: once for each row that lacks one. */
  finish(): Attributes {
    if (this.missing.length > 0) this.attributes[ATTRIBUTES.featureMissing.name] = this.missing;
    return this.attributes;
  }

  private values(name: string, input: TensorRows, column: number, sampled: readonly number[]) {
    const values: CellValue[] = [];
    for (const row of sampled) {
      const value = input.cell(row, column);
      if (Number.isNaN(value)) this.missing.push(name);
      else values.push(value);
    }
    if (values.length === 0) return undefined;
    return (input.rows === 1 ? values[0] : values) as AttributeValue;
  }
}

function columnName(plan: InputPlan, columns: number, column: number): string {
  const known = plan.columns?.[column];
  if (known !== undefined) return known;
  return columns === 1 ? plan.name : `${plan.name}_${column}`;
}
