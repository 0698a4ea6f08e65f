import { describe, expect, test } from "vitest";
import { chunkText, vectorsIn } from "../../src/llm/texts.js";

const VECTOR = [0.6, 0.8, 0];

describe("the vectors of an answer", () => {
  test.each([
    ["OpenAI and Mistral", { data: [{ embedding: VECTOR }] }],
    ["Google", { embeddings: [{ values: VECTOR }] }],
    ["Ollama", { embeddings: [VECTOR] }],
    ["Cohere", { embeddings: { float: [VECTOR] } }],
    ["Bedrock's Titan, and one of the AI SDK's", { embedding: VECTOR }],
    ["a library that has them in typed arrays", { embeddings: [Float64Array.from(VECTOR)] }],
  ])("are found in that of %s", (_, answer) => {
    expect(vectorsIn(answer).map((vector) => Array.from(vector))).toEqual([VECTOR]);
  });

  test("are none where there are none", () => {
    for (const answer of [undefined, {}, { data: [] }, { embeddings: [[]] }, { embedding: "x" }]) {
      expect(vectorsIn(answer)).toEqual([]);
    }
  });
});

describe("the text of a chunk of the AI SDK", () => {
  test("is what the model says, and not what it thinks or hands to tools", () => {
    expect(chunkText({ type: "text-delta", id: "1", delta: "sky" })).toBe("sky");
    for (const type of ["reasoning-delta", "tool-input-delta"]) {
      expect(chunkText({ type, id: "1", delta: "sky" })).toBe("");
    }
  });
});
