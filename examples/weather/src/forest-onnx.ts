/**
 * Writes a forest as an ONNX model with one TreeEnsembleRegressor.
 * https://github.com/onnx/onnx/blob/main/docs/Operators-ml.md#aionnxmltreeensembleregressor
 *
 * Parity: ONNX compares float32 with float32, the forest float32 with double. For a float32 x,
 * `x < t` holds exactly when `x < u` with u the smallest float32 that is not below t, so every
 * threshold is rounded up; then both take the same branch always. What differs is the float32 sum
 * over the trees: less than 5e-6 degrees, relative to 50 trees of at most 40 degrees.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import type { AttributeProto } from "onnx-buf";
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import type { TreeNode } from "./temperature-forest.js";

/** What the model says about itself, in `metadata_props`. */
export interface ModelCard {
  readonly name: string;
  readonly version: string;
  readonly featureNames: readonly string[];
  /** Names of the graph's tensors. */
  readonly input: string;
  readonly output: string;
}

/** The operator set that has this operator with float32 attributes, and the IR beside it. */
const ML_OPSET_VERSION = 3n;
const IR_VERSION = 8n;

/** The bytes of the model; the same forest gives the same bytes. */
export function forestOnnx(trees: readonly TreeNode[], card: ModelCard): Uint8Array {
  const { name, version, featureNames, input, output } = card;
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: "tidemark-example-weather",
    opsetImport: [{ domain: "ai.onnx.ml", version: ML_OPSET_VERSION }],
    graph: {
      name,
      node: [
        {
          name: "forest",
          domain: "ai.onnx.ml",
          opType: "TreeEnsembleRegressor",
          input: [input],
          output: [output],
          attribute: ensembleAttributes(trees),
        },
      ],
      input: [floatTable(input, featureNames.length)],
      output: [floatTable(output, 1)],
    },
    metadataProps: [
      { key: "model_name", value: name },
      { key: "model_version", value: version },
      { key: "feature_names", value: featureNames.join(",") },
    ],
  });
  return toBinary(ModelProtoSchema, model);
}

/** The smallest float32 that is not below `value`. */
export function float32AtLeast(value: number): number {
  const rounded = Math.fround(value);
  if (!(rounded < value)) return rounded;
  const float = Float32Array.of(rounded);
  const bits = new Int32Array(float.buffer);
  // Rounded down, so not the largest float: one step away from zero, or towards it when negative.
  bits[0] = rounded === 0 ? 1 : (bits[0] as number) + (rounded > 0 ? 1 : -1);
  return float[0] as number;
}

/** The columns in which the operator wants all nodes of all trees. */
class NodeTable {
  readonly treeIds: number[] = [];
  readonly nodeIds: number[] = [];
  readonly featureIds: number[] = [];
  readonly thresholds: number[] = [];
  readonly modes: string[] = [];
  readonly trueIds: number[] = [];
  readonly falseIds: number[] = [];
  readonly leafTreeIds: number[] = [];
  readonly leafNodeIds: number[] = [];
  readonly leafValues: number[] = [];

  add(root: TreeNode, tree: number): void {
    const nodes = [root];
    // Breadth first: a split's children are at the end of the list, where the loop finds them.
    for (let id = 0; id < nodes.length; id++) {
      const node = nodes[id] as TreeNode;
      this.treeIds.push(tree);
      this.nodeIds.push(id);
      if (node.kind === "leaf") {
        this.row("LEAF", 0, 0, 0, 0);
        this.leafTreeIds.push(tree);
        this.leafNodeIds.push(id);
        this.leafValues.push(node.value);
      } else {
        const left = nodes.push(node.left, node.right) - 2;
        this.row("BRANCH_LT", node.feature, float32AtLeast(node.below), left, left + 1);
      }
    }
  }

  private row(mode: string, feature: number, threshold: number, yes: number, no: number): void {
    this.modes.push(mode);
    this.featureIds.push(feature);
    this.thresholds.push(threshold);
    this.trueIds.push(yes);
    this.falseIds.push(no);
  }
}

function ensembleAttributes(trees: readonly TreeNode[]): AttributeProto[] {
  const table = new NodeTable();
  for (const [tree, root] of trees.entries()) table.add(root, tree);
  return [
    text("aggregate_function", "AVERAGE"),
    text("post_transform", "NONE"),
    integers("nodes_treeids", table.treeIds),
    integers("nodes_nodeids", table.nodeIds),
    integers("nodes_featureids", table.featureIds),
    floats("nodes_values", table.thresholds),
    texts("nodes_modes", table.modes),
    integers("nodes_truenodeids", table.trueIds),
    integers("nodes_falsenodeids", table.falseIds),
    integers("target_treeids", table.leafTreeIds),
    integers("target_nodeids", table.leafNodeIds),
    integers(
      "target_ids",
      table.leafValues.map(() => 0),
    ),
    floats("target_weights", table.leafValues),
    create(AttributeProtoSchema, { name: "n_targets", type: AttributeType.INT, i: 1n }),
  ];
}

function text(name: string, value: string): AttributeProto {
  const s = new TextEncoder().encode(value);
  return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s });
}

function texts(name: string, values: readonly string[]): AttributeProto {
  const strings = values.map((value) => new TextEncoder().encode(value));
  return create(AttributeProtoSchema, { name, type: AttributeType.STRINGS, strings });
}

function integers(name: string, values: readonly number[]): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: values.map(BigInt) });
}

function floats(name: string, values: readonly number[]): AttributeProto {
  return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...values] });
}

/** A float32 tensor of any number of rows. */
function floatTable(name: string, columns: number): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: TensorProto_DataType.FLOAT,
          shape: {
            dim: [
              { value: { case: "dimParam", value: "N" } },
              { value: { case: "dimValue", value: BigInt(columns) } },
            ],
          },
        },
      },
    },
  });
}
