// Calls a provider's API by its library, argv[2], and writes what the app saw as a line of JSON each.
const { MODELS_URL, MISTRAL_PATH = "", SECRET = "", STREAMS = "5" } = process.env;
const question = `why is the sky blue ${SECRET}`;
const messages = [{ role: "user", content: question }];

/** Each library: a whole answer's text, a stream, the text of a chunk, the length of a vector. */
const libraries = {
  async openai() {
    const { default: OpenAI } = await import("openai");
    const client = new OpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key", maxRetries: 1 });
    const { completions } = client.chat;
    return {
      whole: async (model) =>
        (await completions.create({ model, messages })).choices[0].message.content,
      stream: (model, signal) => {
        const asked = { stream: true, stream_options: { include_usage: true } };
        return completions.create({ model, messages, ...asked }, { signal });
      },
      text: ({ choices }) => choices[0]?.delta.content,
      embed: async (model) =>
        (await client.embeddings.create({ model, input: question })).data[0].embedding.length,
    };
  },
  async responses() {
    const { default: OpenAI } = await import("openai");
    const { responses } = new OpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key", maxRetries: 1 });
    return {
      whole: async (model) => (await responses.create({ model, input: question })).output_text,
      stream: (model, signal) =>
        responses.create({ model, input: question, stream: true }, { signal }),
      text: ({ type, delta }) => (type === "response.output_text.delta" ? delta : undefined),
    };
  },
  async bedrock() {
    const bedrock = await import("@aws-sdk/client-bedrock-runtime");
    const { NodeHttpHandler } = await import("@smithy/node-http-handler");
    const client = new bedrock.BedrockRuntimeClient({
      region: "us-east-1",
      endpoint: MODELS_URL,
      credentials: { accessKeyId: "none", secretAccessKey: "none" },
      maxAttempts: 1,
      // Its own default is HTTP/2, which the mock does not speak.
      requestHandler: new NodeHttpHandler(),
    });
    const body = (modelId) => {
      return { modelId, messages: [{ role: "user", content: [{ text: question }] }] };
    };
    return {
      whole: async (model) =>
        (await client.send(new bedrock.ConverseCommand(body(model)))).output.message.content[0]
          .text,
      stream: async (model, abortSignal) =>
        (await client.send(new bedrock.ConverseStreamCommand(body(model)), { abortSignal })).stream,
      text: ({ contentBlockDelta }) => contentBlockDelta?.delta.text,
    };
  },
  async anthropic() {
    const { default: Anthropic } = await import("@anthropic-ai/sdk");
    const client = new Anthropic({ baseURL: MODELS_URL, apiKey: "key", maxRetries: 1 });
    const body = (model) => ({ model, max_tokens: 100, system: question, messages });
    return {
      whole: async (model) => (await client.messages.create(body(model))).content[0].text,
      stream: (model, signal) =>
        client.messages.create({ ...body(model), stream: true }, { signal }),
      text: ({ delta }) => delta?.text ?? delta?.thinking,
      helper: async (model) =>
        (await client.messages.stream(body(model)).finalMessage()).content[0].text,
    };
  },
  async "google-genai"() {
    const { GoogleGenAI } = await import("@google/genai");
    const httpOptions = { baseUrl: MODELS_URL, apiVersion: "v1beta" };
    const { models } = new GoogleGenAI({ apiKey: "key", httpOptions });
    const body = (model, abortSignal) => ({
      model,
      contents: question,
      config: { systemInstruction: question, ...(abortSignal && { abortSignal }) },
    });
    return {
      whole: async (model) => (await models.generateContent(body(model))).text,
      stream: (model, signal) => models.generateContentStream(body(model, signal)),
      text: ({ candidates }) => candidates?.[0]?.content?.parts?.[0]?.text,
      embed: async (model) =>
        (await models.embedContent({ model, contents: [question] })).embeddings[0].values.length,
    };
  },
  async mistral() {
    const { Mistral } = await import("@mistralai/mistralai");
    const client = new Mistral({ apiKey: "key", serverURL: MODELS_URL + MISTRAL_PATH });
    return {
      whole: async (model) =>
        (await client.chat.complete({ model, messages })).choices[0].message.content,
      stream: (model, signal) =>
        client.chat.stream({ model, messages }, { fetchOptions: { signal } }),
      text: ({ data }) => data.choices[0]?.delta.content,
      // Version 1 has streams of its own kind.
      reader: (stream) => {
        if (stream.getReader) return stream.getReader();
        const iterator = stream[Symbol.asyncIterator]();
        return { read: () => iterator.next() };
      },
      embed: async (model) =>
        (await client.embeddings.create({ model, inputs: [question] })).data[0].embedding.length,
    };
  },
  async ollama() {
    const { Ollama } = await import("ollama");
    const client = new Ollama({ host: MODELS_URL });
    return {
      whole: async (model) => (await client.chat({ model, messages })).message.content,
      stream: async (model, signal) => {
        const stream = await client.chat({ model, messages, stream: true });
        signal?.addEventListener("abort", () => stream.abort());
        return stream;
      },
      text: ({ message }) => message.content || message.thinking,
      embed: async (model) => (await client.embed({ model, input: question })).embeddings[0].length,
    };
  },
  async cohere() {
    const { CohereClientV2 } = await import("cohere-ai");
    const client = new CohereClientV2({ token: "key", environment: MODELS_URL });
    const options = (abortSignal) => ({ maxRetries: 0, ...(abortSignal && { abortSignal }) });
    return {
      whole: async (model) =>
        (await client.chat({ model, messages }, options())).message.content[0].text,
      stream: (model, signal) => client.chatStream({ model, messages }, options(signal)),
      raw: (model) => client.chat({ model, messages }, options()),
      text: ({ delta }) => delta?.message?.content?.text,
      embed: async (model) => {
        const texts = { texts: [question], inputType: "search_query", embeddingTypes: ["float"] };
        const { embeddings } = await client.embed({ model, ...texts }, options());
        return (embeddings.float ?? embeddings)[0].length;
      },
    };
  },
};

const { whole, stream, text, embed, helper, reader, raw } = await libraries[process.argv[2]]();
const collect = async (model, signal) => {
  const startedMs = performance.now();
  const answer = await stream(model, signal);
  const timesMs = [];
  let said = "";
  for await (const chunk of answer) {
    const part = text(chunk);
    if (part) timesMs.push(performance.now() - startedMs);
    said += part ?? "";
  }
  return { said, timesMs };
};
const scenarios = {
  whole: () => whole("whole"),
  stream: async () => {
    const streams = [];
    for (let i = 0; i < Number(STREAMS); i++) streams.push(await collect("stream"));
    return streams;
  },
  think: () => collect("think"),
  break: async () => {
    for await (const chunk of await stream("break")) if (text(chunk)) break;
    return "left";
  },
  abort: async () => {
    const controller = new AbortController();
    let count = 0;
    for await (const chunk of await stream("abort", controller.signal)) {
      if (text(chunk) && ++count === 2) controller.abort();
    }
    return count;
  },
  drop: () => collect("drop"),
  cut: () => collect("cut"),
  refuse: () => whole("refuse"),
  unread: async () => {
    const unread = await (async () => new WeakRef(await stream("stall-unread")))();
    // Until it is collected, or the library has shown that it holds it; then a turn for what that ends.
    for (let turn = 0; turn < 50 && unread.deref() !== undefined; turn++) await collectGarbage();
    await collectGarbage();
    return "let go";
  },
  ...(reader && {
    reader: async () => {
      const chunks = reader(await stream("reader"));
      let said = "";
      for (let item = await chunks.read(); !item.done; item = await chunks.read()) {
        said += text(item.value) ?? "";
      }
      return said;
    },
  }),
  ...(raw && {
    raw: async () => {
      const promise = raw("raw");
      // The oldest version has no such promises.
      const { data } = (await promise.withRawResponse?.()) ?? { data: await promise };
      return data === (await promise);
    },
    unheard: async () => {
      const unheard = [];
      const hear = (error) => unheard.push(error.constructor.name);
      process.on("unhandledRejection", hear);
      void raw("refuse-unheard");
      for (let turn = 0; turn < 50 && unheard.length === 0; turn++) await collectGarbage();
      process.off("unhandledRejection", hear);
      return unheard;
    },
  }),
  ...(helper && { helper: () => helper("helper") }),
  ...(embed && { embed: () => embed("embed") }),
};

async function collectGarbage() {
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 20));
}

const { SCENARIOS } = process.env;
const wanted = SCENARIOS?.split(",") ?? Object.keys(scenarios);
for (const name of wanted) {
  const scenario = scenarios[name];
  let outcome;
  try {
    outcome = { value: await scenario() };
  } catch (error) {
    outcome = { error: error.constructor.name };
  }
  console.log(JSON.stringify({ name, ...outcome }));
}
