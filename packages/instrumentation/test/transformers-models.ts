/** Tiny models in the folders that transformers.js loads: a text classifier and a decoder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decoder, textClassifier, writeModel } from "./onnx-models.js";

const WORDS = ["[PAD]", "[UNK]", "good", "bad", "planted", "secret"];
const VOCABULARY = [...WORDS, ...Array.from("abcdefghij")];

/** Writes `classifier` and `decoder` below `folder`. */
export function writeTransformersModels(folder: string): void {
  write(join(folder, "classifier"), textClassifier(), {
    model_type: "bert",
    architectures: ["BertForSequenceClassification"],
    id2label: { 0: "NEGATIVE", 1: "POSITIVE" },
    label2id: { NEGATIVE: 0, POSITIVE: 1 },
  });
  write(join(folder, "decoder"), decoder(), {
    model_type: "gpt2",
    architectures: ["GPT2LMHeadModel"],
    n_layer: 1,
    n_head: 1,
    n_embd: 4,
    vocab_size: VOCABULARY.length,
    eos_token_id: 99,
    bos_token_id: 99,
    is_encoder_decoder: false,
  });
}

function write(folder: string, onnx: Uint8Array, config: object): void {
  mkdirSync(join(folder, "onnx"), { recursive: true });
  const json = (name: string, content: object) =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  json("config.json", config);
  json("generation_config.json", { eos_token_id: 99, pad_token_id: 0 });
  json("tokenizer_config.json", {
    tokenizer_class: "PreTrainedTokenizerFast",
    pad_token: "[PAD]",
    unk_token: "[UNK]",
    model_max_length: 64,
  });
  json("tokenizer.json", {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [0, 1].map((id) => ({
      id,
      content: VOCABULARY[id],
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    normalizer: null,
    pre_tokenizer: { type: "Whitespace" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(VOCABULARY.map((word, id) => [word, id])),
    },
  });
  for (const name of ["model", "decoder_model_merged"]) {
    writeModel(join(folder, "onnx", `${name}.onnx`), onnx);
  }
}
