/**
 * A spam classifier that transformers.js loads: a linear head, trained on SpamAssassin's mails, on
 * the Universal Sentence Encoder (lite); and that encoder alone.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Head } from "./use-lite.ts";
import { TOKENS_MAX, useLite } from "./use-lite.ts";

/** Writes the encoder below `folder/use-lite`. */
export function writeEncoder(packageFolder: string, folder: string): void {
  const config = { model_type: "bert", architectures: ["BertModel"] };
  write(packageFolder, join(folder, "use-lite"), config, useLite(packageFolder));
}

/** Writes the classifier below `folder/spam`, with the head that has been trained. */
export function writeSpamModel(packageFolder: string, folder: string): void {
  const head = JSON.parse(readFileSync(join(folder, "head.json"), "utf8")) as Head;
  const config = {
    model_type: "bert",
    architectures: ["BertForSequenceClassification"],
    id2label: { 0: "ham", 1: "spam" },
  };
  write(packageFolder, join(folder, "spam"), config, useLite(packageFolder, head));
}

function write(packageFolder: string, folder: string, config: object, onnx: Uint8Array): void {
  mkdirSync(join(folder, "onnx"), { recursive: true });
  writeFileSync(join(folder, "onnx", "model.onnx"), onnx);
  const vocab = JSON.parse(readFileSync(join(packageFolder, "dist", "vocab.json"), "utf8")) as [
    string,
    number,
  ][];
  const json = (name: string, content: object) =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  json("config.json", config);
  json("tokenizer_config.json", {
    tokenizer_class: "PreTrainedTokenizerFast",
    pad_token: "<s>",
    unk_token: vocab[0]?.[0],
    model_max_length: TOKENS_MAX,
  });
  const metaspace = { type: "Metaspace", replacement: "▁", add_prefix_space: true };
  json("tokenizer.json", {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: "NFKC" },
    pre_tokenizer: { ...metaspace, prepend_scheme: "always" },
    post_processor: null,
    decoder: { ...metaspace, prepend_scheme: "always" },
    model: { type: "Unigram", unk_id: 0, vocab },
  });
}
