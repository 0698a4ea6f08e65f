/**
 * What a test found, in a quarter of the room of the object that it returns: an array of numbers,
 * whose names are kept once for all evaluations of the same shape.
 */
import type { Evaluation } from "./comparison.js";
import type { Evidence } from "./verdict.js";

/** An evaluation without its names. */
export interface PackedEvaluation {
  /** What its numbers are, and the members that are none; the same text for many. */
  readonly shape: string;
  readonly numbers: readonly number[];
  readonly sentence: string;
}

const SENTENCE = "sentence";
/** Shapes by what they depend on: test, outcome, and what is absent; some dozens. */
const shapes = new Map<string, string>();

/**
 * Leaves the names out.
 * @param room numbers of an earlier evaluation, which are overwritten: what is allocated anew for
 *   every window of a hundred thousand signals becomes garbage late, and takes as much room again
 */
export function packEvaluation(evaluation: Evaluation, room?: readonly number[]): PackedEvaluation {
  const collected: Collected = { numbers: (room ?? []) as number[], count: 0 };
  const absent = collect(evaluation, collected);
  const kind = `${evaluation.method} ${evaluation.outcome} ${absent}`;
  let shape = shapes.get(kind);
  if (shape === undefined) shapes.set(kind, (shape = shapeOf(evaluation, "")));
  const { numbers, count } = collected;
  if (count < numbers.length) numbers.length = count;
  // What has grown has room for more, which is not needed.
  return {
    shape,
    numbers: numbers === room ? room : numbers.slice(),
    sentence: evaluation.sentence,
  };
}

/** The same evaluation again. */
export function unpackEvaluation({ shape, numbers, sentence }: PackedEvaluation): Evaluation {
  const evaluation: Record<string, unknown> = {};
  for (const [path, { outer, name, at, isBoolean, text }] of membersOf(shape)) {
    let target = evaluation;
    for (const step of outer) target = (target[step] ??= {}) as Record<string, unknown>;
    if (isBoolean) target[name] = numbers[at] === 1;
    else if (at >= 0) target[name] = numbers[at];
    else target[name] = path === SENTENCE ? sentence : text;
  }
  return evaluation as unknown as Evaluation;
}

/** One of its numbers, such as `psi.value`, without the rest; NaN when it has none. */
export function numberIn({ shape, numbers }: PackedEvaluation, path: string): number {
  return numbers[membersOf(shape).get(path)?.at ?? -1] ?? Number.NaN;
}

/** One of its words, such as `method`, without the rest. */
export function wordIn({ shape }: PackedEvaluation, path: string): string | undefined {
  return membersOf(shape).get(path)?.text;
}

/** A member that a shape names. */
interface Member {
  readonly outer: readonly string[];
  readonly name: string;
  /** Which of the numbers it is; negative when it is none. */
  readonly at: number;
  readonly isBoolean: boolean;
  readonly text: string | undefined;
}

const members = new Map<string, ReadonlyMap<string, Member>>();

function membersOf(shape: string): ReadonlyMap<string, Member> {
  const known = members.get(shape);
  if (known !== undefined) return known;
  const found = new Map<string, Member>();
  let numbers = 0;
  for (const step of shape.split(";")) {
    const [path = "", text] = step.slice(1).split("=");
    const outer = path.split(".");
    const name = outer.pop() as string;
    const at = step.startsWith(":") ? -1 : numbers++;
    found.set(path, { outer, name, at, isBoolean: step.startsWith("?"), text });
  }
  members.set(shape, found);
  return found;
}

interface Collected {
  readonly numbers: number[];
  count: number;
}

/** Takes all numbers, in the order of their shape; names what is absent. */
function collect(value: object, into: Collected): string {
  let absent = "";
  // Not by entries, which would be most of the garbage of an evaluation.
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    if (typeof member === "number") into.numbers[into.count++] = member;
    else if (typeof member === "boolean") into.numbers[into.count++] = Number(member);
    else if (typeof member === "object" && member !== null) absent += collect(member, into);
    else if (member === undefined) absent += name;
  }
  return absent;
}

/** `#path` for a number, `?path` for a boolean, `:path=text`, and `:path` for what is absent. */
function shapeOf(value: object, prefix: string): string {
  let shape = "";
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    const path = prefix + name;
    if (shape !== "") shape += ";";
    if (typeof member === "number") shape += `#${path}`;
    else if (typeof member === "boolean") shape += `?${path}`;
    else if (typeof member === "object" && member !== null) shape += shapeOf(member, `${path}.`);
    else if (member === undefined || path === SENTENCE) shape += `:${path}`;
    else if (typeof member === "string") shape += `:${path}=${member}`;
  }
  return shape;
}

/**
 * Evidence as bytes, for the store: JSON of all but the numbers, their names by themselves, so that
 * no number is written out.
 */
export function evidenceBytes(key: string, ms: number, { packed, ...rest }: Evidence): Uint8Array {
  const { shape, numbers, sentence } = packed;
  const head = Buffer.from(JSON.stringify([key, ms, rest, sentence]));
  const names = Buffer.from(shape);
  const values = Float64Array.from(numbers);
  const out = Buffer.allocUnsafe(8 + head.length + names.length + values.byteLength);
  out.writeUInt32LE(head.length, 0);
  out.writeUInt32LE(names.length, 4);
  out.set(head, 8);
  out.set(names, 8 + head.length);
  out.set(new Uint8Array(values.buffer), 8 + head.length + names.length);
  return out;
}

/** What {@link evidenceBytes} has written: the signal's key, the length, and the evidence. */
export function readEvidence(bytes: Uint8Array): { key: string; ms: number; evidence: Evidence } {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headEnd = 8 + all.readUInt32LE(0);
  const namesEnd = headEnd + all.readUInt32LE(4);
  const [key, ms, rest, sentence] = JSON.parse(all.toString("utf8", 8, headEnd)) as [
    string,
    number,
    Omit<Evidence, "packed">,
    string,
  ];
  const text = all.toString("utf8", headEnd, namesEnd);
  // One and the same string, whoever holds it.
  const shape = shapes.get(text) ?? text;
  shapes.set(text, shape);
  const numbers = Array.from(new Float64Array(new Uint8Array(all.subarray(namesEnd)).buffer));
  const { reference, provisional, startMs, endMs, diversity, exemplars } = rest;
  const packed = { shape, numbers, sentence };
  const evidence = { reference, provisional, startMs, endMs, packed, diversity, exemplars };
  return { key, ms, evidence };
}
