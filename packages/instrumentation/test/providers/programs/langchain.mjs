// A chain that retrieves, asks a model and calls a tool, by LangChain.
import { setTimeout as sleep } from "node:timers/promises";
import { Document } from "@langchain/core/documents";
import { AIMessage } from "@langchain/core/messages";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnableLambda, RunnableSequence } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { FakeListChatModel } from "@langchain/core/utils/testing";
import { VectorStore } from "@langchain/core/vectorstores";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

const { MODELS_URL, SECRET = "" } = process.env;

/** Finds documents by nothing: the first are the nearest. */
class Shelf extends VectorStore {
  documents = ["one", "two", "three"].map((text) => new Document({ pageContent: text + SECRET }));

  _vectorstoreType() {
    return "shelf";
  }

  async similaritySearchVectorWithScore(_vector, k) {
    return this.documents.slice(0, k).map((document, index) => [document, 0.9 - index / 10]);
  }
}

const embeddings = { embedQuery: async () => [1, 0], embedDocuments: async () => [] };
const retriever = new Shelf(embeddings, {}).asRetriever(2);
const configuration = { baseURL: `${MODELS_URL}/v1` };
const model = new ChatOpenAI({ model: "chain", apiKey: "key", configuration });
const shout = tool(async ({ text }) => text.toUpperCase() + SECRET, {
  name: "shout",
  description: SECRET,
  schema: z.object({ text: z.string() }),
});

const chain = RunnableSequence.from(
  [
    {
      context: retriever.pipe((documents) => documents.map((d) => d.pageContent).join()),
      question: new RunnableLambda({ func: (question) => question }),
    },
    ChatPromptTemplate.fromTemplate("{context} {question}"),
    model,
    new StringOutputParser(),
    new RunnableLambda({ func: async (text, config) => shout.invoke({ text }, config) }),
  ],
  "answer",
);

/** A cache that another process has filled. */
const kept = {
  lookup: async () => [{ text: "kept", message: new AIMessage({ content: "kept", id: "old" }) }],
  update: async () => {},
  makeDefaultKeyEncoder: () => {},
};

/** Leaves a chain's answer, and lets it go. */
async function leave() {
  const leaving = new ChatOpenAI({ model: "left", apiKey: "key", configuration });
  const parts = ChatPromptTemplate.fromTemplate("{question}").pipe(leaving);
  for await (const _ of await parts.stream({ question: "why" })) break;
}

const print = (name, value) => console.log(JSON.stringify({ name, value }));
await leave();
for (let turn = 0; turn < 5; turn++) {
  await sleep(20);
  globalThis.gc();
}
const far = new ChatOpenAI({ model: "far", apiKey: "key", configuration, cache: kept });
print("far", (await far.invoke(`why ${SECRET}`)).content);
print("chain", await chain.invoke(`why ${SECRET}`));
let said = "";
for await (const part of await model.stream(`why ${SECRET}`)) said += part.content;
print("stream", said);
const local = new FakeListChatModel({ responses: [`mine ${SECRET}`] });
const again = new ChatOpenAI({
  model: `retry-${process.pid}`,
  apiKey: "key",
  maxRetries: 1,
  configuration,
});
print("again", (await again.invoke(`why ${SECRET}`)).content);
const refused = new ChatOpenAI({ model: "refuse", apiKey: "key", configuration });
await refused.invoke(`why ${SECRET}`).catch((error) => print("refused", error.message.length > 0));
print("local", (await local.invoke(`why ${SECRET}`)).content);
await chain
  .withConfig({ runName: "broken" })
  .pipe(() => {
    throw new TypeError(SECRET);
  })
  .invoke("why")
  .catch(() => undefined);
