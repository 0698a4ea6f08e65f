/** The model: a random forest that tells a day's highest temperature from its other weather. */
import { RandomForestRegression } from "ml-random-forest";
import type { WeatherDay } from "./weather-data.js";
import { FEATURE_NAMES, featuresOf } from "./weather-data.js";

const SEED = 2013;
/** Leaves of up to ten days: smaller ones cost nodes and gain nothing on days not seen. */
const OPTIONS = {
  seed: SEED,
  nEstimators: 50,
  maxFeatures: FEATURE_NAMES.length,
  replacement: false,
  useSampleBagging: true,
  noOOB: false,
  treeOptions: { minNumSamples: 10, maxDepth: 8 },
};

/** A tree as ml-cart keeps it: values below `splitValue` go left, all others right. */
export type TreeNode =
  | {
      readonly kind: "split";
      readonly feature: number;
      readonly below: number;
      readonly left: TreeNode;
      readonly right: TreeNode;
    }
  | { readonly kind: "leaf"; readonly value: number };

/** A trained forest. */
export interface TemperatureForest {
  /** Degrees Celsius for each day. */
  predict(days: readonly WeatherDay[]): number[];
  /**
   * For each day of the training data what the trees say that did not see it: the model's
   * predictions as they are on days that are new to it.
   */
  readonly outOfBag: readonly number[];
  readonly trees: readonly TreeNode[];
}

/** Trains on these days; the same days give the same forest. */
export function trainForest(days: readonly WeatherDay[]): TemperatureForest {
  const forest = new RandomForestRegression(OPTIONS);
  forest.train(
    days.map(featuresOf),
    days.map(({ tempMax }) => tempMax),
  );
  return {
    predict: (others) => forest.predict(others.map(featuresOf)),
    outOfBag: forest.predictOOB(),
    trees: readTrees(forest),
  };
}

/** What ml-random-forest writes as JSON; its own types leave the trees out. */
interface ForestJson {
  readonly baseModel: {
    /** For each tree, which feature each of its columns is. */
    readonly indexes: readonly (readonly number[])[];
    readonly estimators: readonly { readonly root: NodeJson }[];
  };
}

interface NodeJson {
  readonly splitColumn?: number;
  readonly splitValue?: number;
  readonly left?: NodeJson;
  readonly right?: NodeJson;
  readonly distribution?: number;
}

function readTrees(forest: RandomForestRegression): TreeNode[] {
  const { baseModel } = JSON.parse(JSON.stringify(forest)) as ForestJson;
  return baseModel.estimators.map(({ root }, tree) =>
    readNode(root, baseModel.indexes[tree] as readonly number[]),
  );
}

function readNode(node: NodeJson, features: readonly number[]): TreeNode {
  const { left, right, splitColumn, splitValue, distribution } = node;
  if (left && right && splitColumn !== undefined && splitValue !== undefined) {
    return {
      kind: "split",
      feature: features[splitColumn] as number,
      below: splitValue,
      left: readNode(left, features),
      right: readNode(right, features),
    };
  }
  if (distribution === undefined) throw new Error("a tree has a node without split and value");
  return { kind: "leaf", value: distribution };
}
