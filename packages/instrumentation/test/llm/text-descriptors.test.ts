import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TextDescriber } from "../../dist/llm/text-descriptors.js";
import { answerText, chunkText, promptText } from "../../dist/llm/texts.js";

function described(parts: readonly string[], vocabulary?: ReadonlySet<string>) {
  const describer = new TextDescriber(vocabulary);
  for (const part of parts) describer.add(part);
  return describer.finish();
}

describe("a text's descriptors", () => {
  test("count what a reader would count", () => {
    const text = "The cat sat. It purred, didn't it? No end";
    expect(described([text], new Set(["the", "cat", "sat", "it"]))).toMatchObject({
      chars: text.length,
      words: 9,
      sentences: 3,
      wordLength: (3 + 3 + 3 + 2 + 6 + 6 + 2 + 2 + 3) / 9,
      sentenceWords: 3,
      unknownShare: 4 / 9,
      refusal: false,
      json: undefined,
    });
  });

  test("are those of the whole, however the text is cut", () => {
    const words = fc.array(
      fc.constantFrom("sky", "blue.", "don't", "Ω", "x?", "I cannot help", "{"),
    );
    fc.assert(
      fc.property(words, fc.array(fc.nat(8), { minLength: 1 }), (list, lengths) => {
        const text = list.join(" ");
        const parts: string[] = [];
        for (let at = 0, cut = 0; at < text.length; cut++) {
          const length = 1 + (lengths[cut % lengths.length] as number);
          parts.push(text.slice(at, at + length));
          at += length;
        }
        expect(described(parts)).toEqual(described([text]));
      }),
    );
  });

  test.each([
    ["The committee has considered the proposal with great care.", "en"],
    ["Der Ausschuss hat den Vorschlag sehr sorgfältig geprüft.", "de"],
    ["Le comité a examiné la proposition avec beaucoup de soin.", "fr"],
  ])("tell the language of %j", (text, language) => {
    expect(described([text]).language).toBe(language);
  });

  test("tell a refusal, also one that chunks have cut", () => {
    expect(described(["I'm sor", "ry, but I can", "not do that."]).refusal).toBe(true);
    expect(described(["I am glad to help."]).refusal).toBe(false);
  });

  test("tell whether what looks like JSON is JSON", () => {
    expect(described(['{"a": ', "[1, 2]}"]).json).toBe(true);
    expect(described(['{"a": ', "[1, 2"]).json).toBe(false);
    expect(described(["plain"]).json).toBeUndefined();
  });

  test("stay within their bounds for endless text", () => {
    const describer = new TextDescriber();
    for (let i = 0; i < 200; i++) describer.add("x".repeat(1000));
    expect(describer.finish().chars).toBe(100_000);
  });
});

describe("texts are found in every provider's shapes", () => {
  test.each([
    [
      {
        messages: [
          { role: "user", content: "a" },
          { role: "assistant", content: "b" },
        ],
      },
      "a",
    ],
    [{ messages: [{ role: "user", content: [{ type: "text", text: "a" }] }] }, "a"],
    [{ input: "a" }, "a"],
    [{ input: [{ role: "user", content: "a" }] }, "a"],
    [{ contents: "a" }, "a"],
    [{ contents: [{ role: "user", parts: [{ text: "a" }] }] }, "a"],
    [{ prompt: "a" }, "a"],
    [{ model: "none" }, ""],
  ])("a request: %j", (body, text) => {
    expect(promptText([body])).toBe(text);
  });

  test.each([
    [{ choices: [{ message: { content: "a" } }] }, "a"],
    [
      {
        content: [
          { type: "thinking", thinking: "x" },
          { type: "text", text: "a" },
        ],
      },
      "a",
    ],
    [{ output: [{ type: "reasoning", content: "x" }, { content: [{ text: "a" }] }] }, "a"],
    [{ candidates: [{ content: { parts: [{ text: "x", thought: true }, { text: "a" }] } }] }, "a"],
    [{ message: { content: [{ type: "text", text: "a" }] } }, "a"],
    [{ output: { message: { content: [{ text: "a" }] } } }, "a"],
    [undefined, ""],
  ])("an answer: %j", (answer, text) => {
    expect(answerText(answer)).toBe(text);
  });

  test.each([
    [{ choices: [{ delta: { content: "a" } }] }, "a"],
    [{ data: { choices: [{ delta: { content: "a" } }] } }, "a"],
    [{ type: "response.output_text.delta", delta: "a" }, "a"],
    [{ type: "response.reasoning_text.delta", delta: "x" }, ""],
    [{ type: "content_block_delta", delta: { type: "text_delta", text: "a" } }, "a"],
    [{ contentBlockDelta: { delta: { text: "a" } } }, "a"],
    [{ candidates: [{ content: { parts: [{ text: "a" }] } }] }, "a"],
    [{ message: { content: "a" } }, "a"],
    [{ type: "content-delta", delta: { message: { content: { text: "a" } } } }, "a"],
  ])("a chunk: %j", (chunk, text) => {
    expect(chunkText(chunk)).toBe(text);
  });
});
