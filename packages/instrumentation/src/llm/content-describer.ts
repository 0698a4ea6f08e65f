/**
 * Describes the content of a call by numbers, where the configuration asks for it: as features and
 * predictions, so that the receiver compares them with their reference like any other.
 */
import { readFileSync } from "node:fs";
import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES, TEXT_FEATURES } from "@tidemark/semconv";
import { complain, fileProblem } from "../complain.js";
import type { LlmConfig } from "../config-schema.js";
import { RandomFeatures } from "./random-features.js";
import type { TextDescriptors } from "./text-descriptors.js";
import { TextDescriber } from "./text-descriptors.js";
import { answerText, chunkText, promptText } from "./texts.js";

/** Vectors of one call that are described. */
const VECTORS_MAX = 100;

/** Describes the answer of one call, in parts or whole. */
export class AnswerDescriber {
  private readonly text: TextDescriber;
  private started = false;

  constructor(text: TextDescriber) {
    this.text = text;
  }

  chunk(value: unknown): void {
    this.started = true;
    this.text.add(chunkText(value));
  }

  whole(answer: unknown): void {
    this.started = true;
    this.text.add(answerText(answer));
  }

  attributes(): Attributes {
    return this.started ? featureAttributes("answer", this.text.finish()) : {};
  }
}

/** Makes describers; one for a process. */
export class ContentDescriber {
  private readonly config: LlmConfig;
  private readonly vocabulary: ReadonlySet<string> | undefined;
  private readonly features: RandomFeatures | undefined;

  constructor(config: LlmConfig) {
    this.config = config;
    const { text, embeddings } = config;
    this.vocabulary = text?.vocabulary === undefined ? undefined : readWords(text.vocabulary);
    this.features = embeddings && new RandomFeatures(embeddings.projections, embeddings.seed);
  }

  /** What the prompt is like; nothing unless text is to be described. */
  prompt(args: readonly unknown[]): Attributes {
    const describer = this.textDescriber();
    if (describer === undefined) return {};
    const text = promptText(args);
    if (text === "") return {};
    describer.add(text);
    return featureAttributes("prompt", describer.finish());
  }

  /** For the answer; undefined unless text is to be described. */
  answer(): AnswerDescriber | undefined {
    const describer = this.textDescriber();
    return describer && new AnswerDescriber(describer);
  }

  /** Random features of embeddings, one element per vector. */
  embeddings(vectors: readonly ArrayLike<number>[]): Attributes {
    const { features } = this;
    if (features === undefined) return {};
    const described = vectors.slice(0, VECTORS_MAX).flatMap((vector) => {
      const found = features.of(vector);
      return found === undefined ? [] : [found];
    });
    const [first] = described;
    if (first === undefined) return {};
    const entries = first.map((value, index) => [
      `${ATTRIBUTES.feature.name}${TEXT_FEATURES.embedding}${index}`,
      described.length === 1 ? value : described.map((row) => row[index] as number),
    ]);
    return Object.fromEntries(entries) as Attributes;
  }

  private textDescriber(): TextDescriber | undefined {
    const { text } = this.config;
    return text && new TextDescriber(this.vocabulary, text.refusals);
  }
}

function featureAttributes(of: "prompt" | "answer", text: TextDescriptors): Attributes {
  const attributes: Attributes = {};
  for (const [key, name] of Object.entries(TEXT_FEATURES.text)) {
    // Only an answer refuses, or is to be JSON.
    if (of === "prompt" && (key === "refusal" || key === "json")) continue;
    const value = text[key as keyof TextDescriptors];
    if (value !== undefined) attributes[`${ATTRIBUTES.feature.name}${of}_${name}`] = value;
  }
  return attributes;
}

function readWords(file: string): ReadonlySet<string> | undefined {
  try {
    const words = readFileSync(file, "utf8").toLowerCase().split(/\s+/);
    return new Set(words.filter(Boolean));
  } catch (error) {
    complain(`${fileProblem(file, error)}; words are not compared with a vocabulary`);
    return undefined;
  }
}
