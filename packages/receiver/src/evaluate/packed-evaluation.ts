/**
 * What a test found, in a quarter of the room of the object that it returns: an array of numbers,
 * whose names are kept once for all evaluations of the same shape.
 */
import type { Evaluation } from "./comparison.js";

/** An evaluation without its names. Plain data, as JSON keeps it. */
export interface PackedEvaluation {
  /** What its numbers are, and the members that are none; the same text for many. */
  readonly shape: string;
  /** The largest number stands for Infinity, and null for NaN: JSON has neither. */
  readonly numbers: readonly (number | null)[];
  readonly sentence: string;
}

const SENTENCE = "sentence";
/** Shapes differ by test, outcome, and what is absent: some dozens. */
const shapes = new Map<string, string>();

/** Leaves the names out. */
export function packEvaluation(evaluation: Evaluation): PackedEvaluation {
  const numbers: number[] = [];
  const text = shapeOf(evaluation, "", numbers);
  // One and the same string, whoever holds it.
  const shape = shapes.get(text) ?? text;
  if (shape === text) shapes.set(text, text);
  return { shape, numbers, sentence: evaluation.sentence };
}

/** The same evaluation again. */
export function unpackEvaluation({ shape, numbers, sentence }: PackedEvaluation): Evaluation {
  const evaluation: Record<string, unknown> = {};
  let at = 0;
  for (const step of shape.split(";")) {
    const [path = "", text] = step.slice(1).split("=");
    const names = path.split(".");
    const name = names.pop() as string;
    let target = evaluation;
    for (const outer of names) target = (target[outer] ??= {}) as Record<string, unknown>;
    if (step.startsWith("#")) target[name] = finite(numbers[at++]);
    else if (step.startsWith("?")) target[name] = numbers[at++] === 1;
    else target[name] = path === SENTENCE ? sentence : text;
  }
  return evaluation as unknown as Evaluation;
}

/** `#path` for a number, `?path` for a boolean, `:path=text`, and `:path` for what is absent. */
function shapeOf(value: object, prefix: string, numbers: number[]): string {
  let shape = "";
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    const path = prefix + name;
    if (shape !== "") shape += ";";
    if (typeof member === "number") {
      shape += `#${path}`;
      numbers.push(Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, member)));
    } else if (typeof member === "boolean") {
      shape += `?${path}`;
      numbers.push(Number(member));
    } else if (typeof member === "object" && member !== null) {
      shape += shapeOf(member, `${path}.`, numbers);
    } else if (member === undefined || path === SENTENCE) shape += `:${path}`;
    else if (typeof member === "string") shape += `:${path}=${member}`;
  }
  return shape;
}

function finite(number: number | null | undefined): number {
  if (number === null || number === undefined) return Number.NaN;
  return Math.abs(number) === Number.MAX_VALUE ? number * 2 : number;
}
