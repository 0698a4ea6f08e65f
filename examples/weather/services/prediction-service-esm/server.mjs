/**
 * The prediction service: how warm a day gets.
 *
 *   POST /predict {"location":"Seattle","date":"2014-03-01"}
 *   200 {"temp_max":9.7}
 *
 * PORT (8080) and HOST (127.0.0.1) say where it listens, FEATURE_SERVICE_URL where it asks for
 * features, WEATHER_MODEL where the model is.
 */
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { InferenceSession } from "onnxruntime-node";
import { getFeatures } from "./features.mjs";
import { toAnswer } from "./postprocess.mjs";
import { toTensor } from "./preprocess.mjs";
import { readQuestion } from "./question.mjs";

const model =
  process.env.WEATHER_MODEL ?? fileURLToPath(new URL("../../.cache/weather.onnx", import.meta.url));

// The model is small: a second thread would cost more than it saves.
const loading = InferenceSession.create(model, { intraOpNumThreads: 1 });

async function predict(request) {
  const { location, date } = await readQuestion(request);
  const features = await getFeatures(location, date);
  const session = await loading;
  const outputs = await session.run({ features: toTensor(features) });
  return toAnswer(outputs);
}

async function answer(request) {
  if (request.url === "/healthz") return { status: 200, body: { status: "ok" } };
  if (request.url !== "/predict") return { status: 404, body: { error: "there is /predict" } };
  if (request.method !== "POST") return { status: 405, body: { error: "use POST" } };
  try {
    return { status: 200, body: await predict(request) };
  } catch (error) {
    // An error with a status is for the caller; any other is ours.
    if (error.status) return { status: error.status, body: { error: error.message } };
    console.error(error);
    return { status: 500, body: { error: "the prediction failed" } };
  }
}

async function respond(request, response) {
  const { status, body } = await answer(request);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}

const server = createServer((request, response) => void respond(request, response));
server.listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`prediction-service listens on http://${address}:${port}`);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => server.close());
