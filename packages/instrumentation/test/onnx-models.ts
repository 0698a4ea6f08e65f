/** Tiny real models, written as ONNX: a linear regressor and a linear softmax classifier. */
import { writeFileSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  ModelProtoSchema,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";

/** What a model says about itself. */
export interface ModelFacts {
  readonly props?: Readonly<Record<string, string>>;
  readonly modelVersion?: number;
}

/** Types of tensors. */
export const { FLOAT, INT64 } = TensorProto_DataType;

/** y = 1 x1 + 2 x2 + 3 x3 + 4 x4 + 0.5: `features` float32 [N,4] to `temp_max` float32 [N,1]. */
export function regressor(facts: ModelFacts = {}): Uint8Array {
  return model(facts, {
    nodes: [{ opType: "Gemm", input: ["features", "w", "b"], output: ["temp_max"] }],
    weights: [
      { name: "w", dims: [4, 1], data: [1, 2, 3, 4] },
      { name: "b", dims: [1], data: [0.5] },
    ],
    inputs: [tensor("features", FLOAT, "N", 4)],
    outputs: [tensor("temp_max", FLOAT, "N", 1)],
  });
}

/** Two inputs to `label` int64 [N] and `probabilities` float32 [N,3], as sklearn-onnx names them. */
export function classifier(facts: ModelFacts = {}): Uint8Array {
  return model(facts, {
    nodes: [
      { opType: "Gemm", input: ["x", "w", "b"], output: ["logits"] },
      { opType: "Softmax", input: ["logits"], output: ["probabilities"] },
      { opType: "ArgMax", input: ["logits"], output: ["label"], ints: { axis: 1, keepdims: 0 } },
    ],
    weights: [
      { name: "w", dims: [2, 3], data: [1, 0, -1, 0, 1, -1] },
      { name: "b", dims: [3], data: [0, 0, 0] },
    ],
    inputs: [tensor("x", FLOAT, "N", 2)],
    outputs: [tensor("label", INT64, "N"), tensor("probabilities", FLOAT, "N", 3)],
  });
}

/** `a` float32 [N,1] plus the text `note` string [N], which passes through untouched. */
export function withText(facts: ModelFacts = {}): Uint8Array {
  return model(facts, {
    nodes: [
      { opType: "Identity", input: ["a"], output: ["score"] },
      { opType: "Identity", input: ["note"], output: ["echo"] },
    ],
    weights: [],
    inputs: [tensor("a", FLOAT, "N", 1), tensor("note", TensorProto_DataType.STRING, "N")],
    outputs: [tensor("score", FLOAT, "N", 1), tensor("echo", TensorProto_DataType.STRING, "N")],
  });
}

/** `input_ids` int64 [N,width], passed through: a language model's input. */
export function tokens(width: string | number): Uint8Array {
  return model(
    {},
    {
      nodes: [{ opType: "Identity", input: ["input_ids"], output: ["output_ids"] }],
      weights: [],
      inputs: [tensor("input_ids", INT64, "N", width)],
      outputs: [tensor("output_ids", INT64, "N", width)],
    },
  );
}

/** `x` float32 [N,200] to `y` float32 [N,200]: an embedding, not a table. */
export function wide(): Uint8Array {
  return model(
    {},
    {
      nodes: [{ opType: "Identity", input: ["x"], output: ["y"] }],
      weights: [],
      inputs: [tensor("x", FLOAT, "N", 200)],
      outputs: [tensor("y", FLOAT, "N", 200)],
    },
  );
}

/**
 * A text classifier of two classes: `input_ids` int64 [N,S] to `logits` float32 [N,2], the mean of
 * what each token says: token 2 speaks for class 1, token 3 for class 0.
 */
export function textClassifier(): Uint8Array {
  const weights = [0, 0, 0, 0, -3, 3, 3, -3].concat(Array.from({ length: 24 }, () => 0));
  return model(
    {},
    {
      nodes: [
        { opType: "Gather", input: ["table", "input_ids"], output: ["each"] },
        {
          opType: "ReduceMean",
          input: ["each"],
          output: ["logits"],
          ints: { keepdims: 0 },
          intLists: { axes: [1] },
        },
      ],
      weights: [{ name: "table", dims: [16, 2], data: weights }],
      inputs: [tensor("input_ids", INT64, "N", "S")],
      outputs: [tensor("logits", FLOAT, "N", 2)],
    },
  );
}

/**
 * A decoder whose next token is always the last one's successor, of 16: `logits` [N,S,16], with one
 * layer of keys and values [N,1,S,4] that grow with every token, as those of GPT-2 do.
 */
export function decoder(): Uint8Array {
  const table = Array.from({ length: 256 }, (_, index) =>
    index % 16 === (Math.floor(index / 16) + 1) % 16 ? 9 : 0,
  );
  const kinds = ["key", "value"];
  return model(
    {},
    {
      nodes: [
        { opType: "Gather", input: ["table", "input_ids"], output: ["logits"] },
        { opType: "Gather", input: ["states", "input_ids"], output: ["by_token"] },
        {
          opType: "Transpose",
          input: ["by_token"],
          output: ["new"],
          intLists: { perm: [0, 2, 1, 3] },
        },
        ...kinds.map((kind) => ({
          opType: "Concat",
          input: [`past_key_values.0.${kind}`, "new"],
          output: [`present.0.${kind}`],
          ints: { axis: 2 },
        })),
      ],
      weights: [
        { name: "table", dims: [16, 16], data: table },
        { name: "states", dims: [16, 1, 4], data: table.slice(0, 64) },
      ],
      inputs: [
        tensor("input_ids", INT64, "N", "S"),
        ...kinds.map((kind) => tensor(`past_key_values.0.${kind}`, FLOAT, "N", 1, "P", 4)),
      ],
      outputs: [
        tensor("logits", FLOAT, "N", "S", 16),
        ...kinds.map((kind) => tensor(`present.0.${kind}`, FLOAT, "N", 1, "T", 4)),
      ],
    },
  );
}

/** Writes a model to a file and returns the path. */
export function writeModel(path: string, bytes: Uint8Array): string {
  writeFileSync(path, bytes);
  return path;
}

/** One operation. */
export interface Node {
  readonly opType: string;
  readonly input: string[];
  readonly output: string[];
  readonly ints?: Readonly<Record<string, number>>;
  readonly intLists?: Readonly<Record<string, readonly number[]>>;
}

/** A constant: floats, or whole numbers that say shapes and places. */
export interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: readonly number[] | Float32Array | BigInt64Array;
}

/** What a model computes. */
export interface Graph {
  readonly nodes: readonly Node[];
  readonly weights: readonly Weight[];
  readonly inputs: ValueInfoProto[];
  readonly outputs: ValueInfoProto[];
}

/** A model as ONNX of opset 13. */
export function model({ props = {}, modelVersion = 0 }: ModelFacts, graph: Graph): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      producerName: "tidemark-test",
      domain: "test.tidemark",
      modelVersion: BigInt(modelVersion),
      opsetImport: [{ domain: "", version: 13n }],
      graph: {
        name: "g",
        node: graph.nodes.map(({ opType, input, output, ints = {}, intLists = {} }) => ({
          opType,
          input,
          output,
          attribute: [
            ...Object.entries(ints).map(([name, value]) => ({
              name,
              i: BigInt(value),
              type: AttributeProto_AttributeType.INT,
            })),
            ...Object.entries(intLists).map(([name, values]) => ({
              name,
              ints: values.map(BigInt),
              type: AttributeProto_AttributeType.INTS,
            })),
          ],
        })),
        initializer: graph.weights.map(({ name, dims, data }) => ({
          name,
          dims: dims.map(BigInt),
          dataType: data instanceof BigInt64Array ? INT64 : FLOAT,
          rawData: bytesOf(data),
        })),
        input: graph.inputs,
        output: graph.outputs,
      },
      metadataProps: Object.entries(props).map(([key, value]) => ({ key, value })),
    }),
  );
}

function bytesOf(data: Weight["data"]): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(data)
    ? data
    : Float32Array.from(data);
  return Uint8Array.from(new Uint8Array(buffer, byteOffset, byteLength));
}

/** An input or output; dimensions that are open have names. */
export function tensor(
  name: string,
  elemType: number,
  ...dims: (string | number)[]
): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType,
          shape: {
            dim: dims.map((size) => ({
              value:
                typeof size === "number"
                  ? { case: "dimValue" as const, value: BigInt(size) }
                  : { case: "dimParam" as const, value: size },
            })),
          },
        },
      },
    },
  });
}
