/**
 * Which attributes the outputs of an inference become: a value (regression), or a class and its
 * confidence. What an output means is declared by the user, or follows from its name and shape; an
 * output whose meaning is not plain is not recorded.
 */
import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES } from "@tidemark/semconv";
import type { ModelConfig } from "../config-schema.js";
import type { TensorLike, TensorRows } from "../tensor-rows.js";
import { rowsOf } from "../tensor-rows.js";

type OutputKind = ModelConfig["outputs"][string]["as"];

/** What the outputs of one run mean. */
export interface OutputRoles {
  readonly value?: string;
  readonly class?: string;
  readonly scores?: string;
  readonly scoresAreLogits?: boolean;
  /** Whether the probability of every class is to be stated. */
  readonly everyScore?: boolean;
}

const LABEL_NAME = /label|class/i;
const PROBABILITIES_NAME = /prob|softmax/i;
const LOGITS_NAME = /logit/i;
const FLOAT = /^float/;
/** ImageNet has 1,000 and its larger form 21,841; a language model's vocabulary is no class. */
const CLASSES_MAX = 25_000;
/** A softmax in float32 over many classes may exceed 1 by its rounding. */
const ROUNDING = 1e-4;
/** Beside features and the rest, these many attributes fit into a span's 128. */
const SCORES_MAX = 32;

/** Finds out what each output of a run means; made once per session, at its first run. */
export function outputRoles(
  outputs: ReadonlyMap<string, TensorLike>,
  declared: ModelConfig["outputs"],
): OutputRoles {
  const byKind = (kind: OutputKind) =>
    [...outputs.keys()].find((name) => declared[name]?.as === kind);
  const open = [...outputs].filter(([name]) => declared[name] === undefined);
  const logits = byKind("logits");
  const scores = byKind("probabilities") ?? logits ?? guessScores(open, outputs.size);
  const label = byKind("class") ?? guessLabel(open, scores !== undefined);
  const value = byKind("value") ?? ((scores ?? label) ? undefined : guessValue(open));
  const guessedLogits = declared[scores ?? ""] === undefined && LOGITS_NAME.test(scores ?? "");
  return {
    ...(value !== undefined && { value }),
    ...(label !== undefined && { class: label }),
    ...(scores !== undefined && { scores }),
    everyScore: scores !== undefined && declared[scores]?.scores === true,
    scoresAreLogits: scores !== undefined && (scores === logits || guessedLogits),
  };
}

type Open = readonly (readonly [string, TensorLike])[];

function guessScores(open: Open, outputCount: number): string | undefined {
  const tables = open.filter(([, { type, dims }]) => FLOAT.test(type) && isTable(dims));
  const named = tables.find(([name]) => PROBABILITIES_NAME.test(name) || LOGITS_NAME.test(name));
  if (named) return named[0];
  const label = open.some(([name, tensor]) => isLabel(tensor) && LABEL_NAME.test(name));
  return label && outputCount === 2 ? tables[0]?.[0] : undefined;
}

function guessLabel(open: Open, hasScores: boolean): string | undefined {
  const labels = open.filter(([, tensor]) => isLabel(tensor));
  const named = labels.find(([name]) => LABEL_NAME.test(name));
  return (named ?? (hasScores && labels.length === 1 ? labels[0] : undefined))?.[0];
}

function guessValue(open: Open): string | undefined {
  const [only, another] = open.filter(([, tensor]) => FLOAT.test(tensor.type) && isColumn(tensor));
  return another === undefined ? only?.[0] : undefined;
}

function isTable(dims: readonly number[]): boolean {
  return dims.length === 2 && (dims[1] as number) > 1 && (dims[1] as number) <= CLASSES_MAX;
}

function isLabel(tensor: TensorLike): boolean {
  return (tensor.type === "int64" || tensor.type === "string") && isColumn(tensor);
}

function isColumn({ dims }: TensorLike): boolean {
  return dims.length <= 1 || (dims.length === 2 && dims[1] === 1);
}

/**
 * The prediction of a run, for the rows that were sampled. `scoreNames` names the columns of
 * probabilities where they are not simply the classes by index.
 */
export function predictionAttributes(
  outputs: ReadonlyMap<string, TensorLike>,
  roles: OutputRoles,
  classNames: readonly string[] | undefined,
  batch: { readonly size: number; readonly sampled: readonly number[] },
  scoreNames: readonly string[] | undefined = classNames,
): Attributes {
  const attributes: Attributes = {};
  const { sampled } = batch;
  const table = (name: string | undefined) => tableOf(outputs, name, batch.size);
  const values = columnOf(table(roles.value), sampled);
  put(attributes, ATTRIBUTES.predictionValue.name, values?.filter(isNumber));
  const scores = table(roles.scores);
  const logits = roles.scoresAreLogits === true;
  const best = scores && sampled.map((row) => bestClass(scores, row, logits));
  const labels = columnOf(table(roles.class), sampled);
  const classes = labels ?? best?.flatMap(({ index }) => (index === undefined ? [] : [index]));
  put(
    attributes,
    ATTRIBUTES.predictionClass.name,
    classes?.map((label) => classLabel(label, labels ? classNames : scoreNames)),
  );
  const confidences = best?.map(({ probability }) => probability);
  put(attributes, ATTRIBUTES.predictionConfidence.name, confidences?.filter(isNumber));
  if (scores && roles.everyScore) putScores(attributes, scores, sampled, logits, scoreNames);
  return attributes;
}

type Column = string[] | number[];

/** A batch of one row is written as a scalar; nothing is written for nothing. */
function put(attributes: Attributes, key: string, values: Column | undefined): void {
  if (values === undefined || values.length === 0) return;
  attributes[key] = values.length === 1 ? values[0] : values;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && !Number.isNaN(value);
}

function classLabel(label: unknown, classNames: readonly string[] | undefined): string {
  return (typeof label === "number" ? classNames?.[label] : undefined) ?? String(label);
}

/** An output that has a row for every row of the batch. */
function tableOf(
  outputs: ReadonlyMap<string, TensorLike>,
  name: string | undefined,
  rows: number,
): TensorRows | undefined {
  const tensor = name === undefined ? undefined : outputs.get(name);
  const table = tensor && rowsOf(tensor);
  return table?.rows === rows && table.columns > 0 ? table : undefined;
}

function columnOf(table: TensorRows | undefined, sampled: readonly number[]) {
  if (table?.columns !== 1) return undefined;
  return sampled.map((row) => table.cell(row, 0));
}

/** Both are undefined for a row whose scores are not numbers. */
interface Best {
  readonly index: number | undefined;
  readonly probability: number | undefined;
}

const NONE: Best = { index: undefined, probability: undefined };

/** The most probable class; a single column is the probability of class 1 of two. */
function bestClass(scores: TensorRows, row: number, logits: boolean): Best {
  const read = (column: number) => scores.cell(row, column) as number;
  if (scores.columns === 1) {
    if (Number.isNaN(read(0))) return NONE;
    const positive = logits ? 1 / (1 + Math.exp(-read(0))) : read(0);
    return positive >= 0.5
      ? { index: 1, probability: asProbability(positive) }
      : { index: 0, probability: asProbability(1 - positive) };
  }
  let index = 0;
  for (let column = 1; column < scores.columns; column++) {
    if (Number.isNaN(read(index)) || read(column) > read(index)) index = column;
  }
  if (Number.isNaN(read(index))) return NONE;
  if (!logits) return { index, probability: asProbability(read(index)) };
  let sum = 0;
  for (let column = 0; column < scores.columns; column++) {
    sum += Math.exp(read(column) - read(index));
  }
  return { index, probability: 1 / sum };
}

/** The probability of each class, for the rows that have any; of few classes only. */
function putScores(
  attributes: Attributes,
  scores: TensorRows,
  sampled: readonly number[],
  logits: boolean,
  classNames: readonly string[] | undefined,
): void {
  if (scores.columns < 2 || scores.columns > SCORES_MAX) return;
  const rows = sampled.flatMap((row) => {
    const given = Array.from(
      { length: scores.columns },
      (_, column) => scores.cell(row, column) as number,
    );
    if (given.some((score) => Number.isNaN(score))) return [];
    return [logits ? softmax(given) : given];
  });
  for (let column = 0; column < scores.columns; column++) {
    const name = ATTRIBUTES.predictionScore.name + classLabel(column, classNames);
    put(attributes, name, rows.map((row) => asProbability(row[column] as number)).filter(isNumber));
  }
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Within rounding of 0 to 1; undefined for what cannot be a probability. */
function asProbability(value: number): number | undefined {
  if (!(value > -ROUNDING && value < 1 + ROUNDING)) return undefined;
  return Math.min(1, Math.max(0, value));
}
