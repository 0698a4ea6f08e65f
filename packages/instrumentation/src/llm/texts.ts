/**
 * Finds the text of requests, answers and chunks, and the vectors of answers, of whatever provider:
 * only for descriptors, which are numbers; no text and no vector is kept or sent.
 */
import { list, loose } from "./loose.js";

const DEPTH_MAX = 4;

/** What the user asks: the last message that is the user's, or the whole input. */
export function promptText(args: readonly unknown[]): string {
  const body = loose(args[0]);
  const messages = list(body["messages"] ?? body["contents"] ?? body["input"]);
  const asked = messages.findLast((message) => (loose(message)["role"] ?? "user") === "user");
  const { input, contents, prompt, message } = body;
  for (const found of [asked, input, contents, prompt, message]) {
    const text = textIn(found);
    if (text !== "") return text;
  }
  return "";
}

/** What a model has answered, whole. */
export function answerText(answer: unknown): string {
  const { choices, output, candidates, message, content, response, text } = loose(answer);
  const [choice] = list(choices).map(loose);
  const [candidate] = list(candidates).map(loose);
  const { message: spoken } = loose(output);
  for (const found of [
    choice?.["message"] ?? choice?.["text"],
    spoken ?? output,
    candidate?.["content"],
    message,
    content,
    response,
    text,
  ]) {
    const said = textIn(found);
    if (said !== "") return said;
  }
  return "";
}

/** What a chunk adds to the answer's text; reasoning and tool calls are not part of it. */
export function chunkText(value: unknown): string {
  const chunk = loose(loose(value)["data"] ?? value);
  const [choice] = list(chunk["choices"]).map(loose);
  if (choice !== undefined) return textIn(choice["delta"] ?? choice["text"]);
  const { type, delta, contentBlockDelta, candidates, message, response } = chunk;
  if (typeof type === "string" && type.startsWith("response.")) {
    return type === "response.output_text.delta" && typeof delta === "string" ? delta : "";
  }
  // The AI SDK's parts of a stream.
  if (typeof type === "string" && /^(?:reasoning|tool)-/.test(type)) return "";
  if (contentBlockDelta !== undefined) return textIn(loose(contentBlockDelta)["delta"]);
  if (delta !== undefined) return textIn(loose(delta)["message"] ?? delta);
  if (candidates !== undefined) return textIn(loose(list(candidates)[0])["content"]);
  return textIn(message ?? response);
}

/** The vectors of an answer, of whatever provider. */
export function vectorsIn(answer: unknown): ArrayLike<number>[] {
  const { data, embeddings, embedding } = loose(answer);
  // A list has a method that is called values.
  const { float, values } = Array.isArray(embeddings) ? {} : loose(embeddings);
  const found = list(data ?? float ?? values ?? embeddings);
  const rows = found.length > 0 ? found : [embedding];
  return rows.flatMap((row) => {
    if (isVector(row)) return [row];
    const { embedding: own, values: numbers } = loose(row);
    const vector = own ?? numbers;
    return isVector(vector) ? [vector] : [];
  });
}

function isVector(value: unknown): value is ArrayLike<number> {
  const { length } = loose(value);
  if (typeof length !== "number" || length === 0) return false;
  return typeof (value as ArrayLike<unknown>)[0] === "number";
}

/** A text, or the texts in its parts: providers call them content, parts or text. */
function textIn(value: unknown, depth = 0): string {
  if (typeof value === "string") return value;
  if (depth === DEPTH_MAX) return "";
  if (Array.isArray(value)) return value.map((part) => textIn(part, depth + 1)).join("");
  const { content, parts, text, thought, type } = loose(value);
  if (thought === true || type === "reasoning" || type === "thinking") return "";
  return textIn(content ?? parts ?? text ?? "", depth + 1);
}
