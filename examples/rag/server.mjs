// POST /ask {"question"}: documents are found, and a model answers from them. Nothing here is about
// telemetry: the chain, the retrieval and the call of the model are seen by the flag alone.
import { createServer } from "node:http";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { RunnablePassthrough, RunnableSequence } from "@langchain/core/runnables";
import { ChatOpenAI } from "@langchain/openai";
import { fillShelf, loadEncoder, readDocuments } from "./documents.mjs";

const { MODELS_URL, PORT, DOCUMENTS } = process.env;
const shelf = await fillShelf(await loadEncoder(), readDocuments(Number(DOCUMENTS)));
const model = new ChatOpenAI({
  model: "gpt-4o-mini",
  apiKey: "none",
  configuration: { baseURL: `${MODELS_URL}/v1` },
});
const chain = RunnableSequence.from(
  [
    {
      context: shelf
        .asRetriever(4)
        .pipe((documents) => documents.map((d) => d.pageContent).join("\n\n")),
      question: new RunnablePassthrough(),
    },
    ChatPromptTemplate.fromTemplate("Answer from this:\n{context}\n\nQuestion: {question}"),
    model,
    new StringOutputParser(),
  ],
  "answer from documents",
);

createServer((request, response) => {
  if (request.url === "/healthz") {
    response.end();
    return;
  }
  void reply(request, response);
}).listen(Number(PORT), "127.0.0.1");

async function reply(request, response) {
  try {
    const { question } = await new Response(request).json();
    response.end(await chain.invoke(question));
  } catch (error) {
    console.error(error);
    response.writeHead(502).end();
  }
}
