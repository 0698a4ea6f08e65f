/** What a retrieval has found, in numbers: how many documents, how near, and how long together. */
import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES, GEN_AI, TEXT_FEATURES } from "@tidemark/semconv";
import { list, number } from "./loose.js";

/** Documents of one retrieval that are told of. */
const DOCUMENTS_MAX = 100;

/** How the documents of a store are read. */
export interface DocumentReader {
  readonly score: (document: unknown) => unknown;
  readonly text: (document: unknown) => unknown;
}

/** Count and similarities; neither ids nor texts leave the app. */
export function retrievalAttributes(found: unknown, read: DocumentReader): Attributes {
  const documents = list(found);
  let chars = 0;
  for (const document of documents) {
    const text = read.text(document);
    if (typeof text === "string") chars += text.length;
  }
  const told = documents.slice(0, DOCUMENTS_MAX).map((document) => {
    const score = number(read.score(document));
    return score === undefined ? {} : { score };
  });
  return {
    [GEN_AI.operation]: "retrieval",
    [GEN_AI.retrievalDocuments]: JSON.stringify(told),
    ...(chars > 0 && { [ATTRIBUTES.feature.name + TEXT_FEATURES.contextChars]: chars }),
  };
}
