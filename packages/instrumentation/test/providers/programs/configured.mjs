// What a configuration file asks for: tenants, usage of streams, descriptors.
import OpenAI from "openai";

const { MODELS_URL, SECRET = "" } = process.env;
const client = new OpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key" });
const metadata = { tenant: "acme", prompt: "v7" };
const messages = [
  { role: "system", content: SECRET },
  { role: "user", content: `Why is the sky blue? ${SECRET}` },
];

const print = (name, value) => console.log(JSON.stringify({ name, value }));
const stream = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages,
  metadata,
  stream: true,
});
let said = "";
let chunks = 0;
// As apps do, without looking whether there is a choice.
for await (const chunk of stream) {
  chunks++;
  said += chunk.choices[0].delta.content ?? "";
}
print("stream", { said, chunks });
const whole = await client.chat.completions.create({ model: "gpt-4o", messages, metadata });
print("whole", whole.choices[0].message.content);
const input = [SECRET, SECRET];
const body = { model: "text-embedding-3-small", input, encoding_format: "float" };
print("embed", (await client.embeddings.create(body)).data[0].embedding.length);
