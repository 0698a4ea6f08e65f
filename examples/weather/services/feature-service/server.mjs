/**
 * The feature service: what is known about a day in a city.
 *
 *   GET /features?location=Seattle&date=2014-03-01
 *   200 {"location":"Seattle","date":"2014-03-01","precipitation":0.5,"wind":3.4,…}
 *
 * PORT (8081) and HOST (127.0.0.1) say where it listens, WEATHER_CSV where its data is.
 */
import { createServer } from "node:http";
import { readDays } from "./days.mjs";

const days = readDays(
  process.env.WEATHER_CSV ?? new URL("../../data/weather.csv", import.meta.url),
);

const server = createServer((request, response) => {
  const { status, body } = answer(request);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
});

function answer({ method, url }) {
  if (!URL.canParse(url, "http://localhost")) return failure(400, "the request target is no path");
  const { pathname, searchParams } = new URL(url, "http://localhost");
  if (pathname === "/healthz") return { status: 200, body: { status: "ok" } };
  if (pathname !== "/features") return failure(404, `there is nothing at ${pathname}`);
  if (method !== "GET") return failure(405, `${method} is not supported; use GET`);
  const location = searchParams.get("location");
  const date = searchParams.get("date");
  if (!location || !date) return failure(400, "location and date are needed");
  const day = days.get(`${location} ${date}`);
  return day ? { status: 200, body: day } : failure(404, `nothing is known of that day and place`);
}

function failure(status, error) {
  return { status, body: { error } };
}

server.listen(Number(process.env.PORT ?? 8081), process.env.HOST ?? "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`feature-service listens on http://${address}:${port}`);
});
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => server.close());
