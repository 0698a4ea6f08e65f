// POST /chat {"tenant", "model", "question", "agent"}: the answer, as text, while it is made.
import { createServer } from "node:http";
import { answer } from "./answer.mjs";

createServer((request, response) => {
  if (request.url === "/healthz") {
    response.end();
    return;
  }
  void reply(request, response);
}).listen(Number(process.env.PORT), "127.0.0.1");

async function reply(request, response) {
  try {
    const question = await new Response(request).json();
    await answer(question, (text) => response.write(text));
  } catch (error) {
    console.error(error.message);
    response.statusCode = 502;
  }
  response.end();
}
