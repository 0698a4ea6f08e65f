/** The API behind the page, and how the page is served. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { PageReceiver } from "../bench/page-receiver.ts";
import { showcase, startPageReceiver } from "../bench/page-receiver.ts";
import type { ModelDocument, ModelsDocument, SignalDocument } from "../ui/src/documents.ts";

const STRANGE = '<img src=x onerror="document.title=1">';
const START_MS = Date.UTC(2026, 10, 23, 0, 0);
const YAML = `
processors:
  learn: { samples: 4000, span: 0s }
  evaluate: { dependence: none }
service:
  links: { jaeger: "http://127.0.0.1:16686" }
`;
const TENURE = "model=churn&version=3.1&signal=feature.tenure_months";
const BYTES_MAX = 150 * 1024;

/** An OpenAPI document, as far as its answers are checked by it. */
interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<
    string,
    {
      get: {
        parameters: { name: string; required?: boolean }[];
        responses: Record<string, { content: { "application/json": { schema: object } } }>;
      };
    }
  >;
}

describe("The API behind the page", () => {
  let receiver: PageReceiver;
  let described: OpenApi;
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${receiver.url}${path}`, { headers });
  const json = async <T>(path: string) => (await (await get(path)).json()) as T;

  beforeAll(async () => {
    receiver = await startPageReceiver(YAML, START_MS);
    await showcase(receiver, 12, STRANGE);
    described = await json<OpenApi>("/api/v1/openapi.json");
  });
  afterAll(() => receiver.stop());

  const requests = [
    "models",
    "model?model=churn",
    "model?model=churn&version=3.1&window=5m&range=6h",
    "model?model=churn&version=3.1&segment=region%3Deu",
    `model?model=${encodeURIComponent(STRANGE)}`,
    `signal?${TENURE}`,
    `signal?${TENURE}&live=range&range=6h&window=1h`,
    `signal?${TENURE}&against=${START_MS}-${START_MS + 6 * 3_600_000}`,
    `signal?${TENURE}&against=version:3.2-canary`,
    "signal?model=churn&version=3.1&signal=feature.plan",
    "signal?model=churn&version=3.1&signal=feature.discount.missing",
    "signal?model=new-ranker&signal=feature.score",
    "signal?model=nightly-forecast&signal=feature.load",
    "health",
    "status",
    "verdicts?model=churn",
    "signals",
    "changes?model=churn",
    "history?model=churn&version=3.1&signal=feature.plan",
    "drifts",
    "reference?model=churn&version=3.1&hours=6",
  ];

  it.each(requests)("answers %s as its OpenAPI document says", async (request) => {
    const path = `/api/v1/${request}`;
    const { get: operation } = described.paths[path.split("?")[0] as string] ?? {};
    const response = await get(path);
    expect(response.status).toBe(200);
    const schema = operation?.responses["200"]?.content["application/json"].schema as object;
    const checked = z.fromJSONSchema(schema as never).safeParse(await response.json());
    expect(checked.error?.issues ?? []).toEqual([]);
    const known = operation?.parameters.map(({ name }) => name);
    const used = [...new URL(path, receiver.url).searchParams.keys()];
    expect(used.filter((name) => !known?.includes(name))).toEqual([]);
  });

  it("describes nothing that it does not answer", async () => {
    const tried = new Set(requests.map((request) => `/api/v1/${request.split("?")[0]}`));
    expect(Object.keys(described.paths).filter((path) => !tried.has(path))).toEqual([]);
    expect(described.openapi).toMatch(/^3\.1\./);
  });

  it.each([
    ["model", "model: name one; /api/v1/models lists them"],
    ["signal?model=churn", "signal: name one; /api/v1/model lists them"],
    ["model?model=churn&window=7m", "window: there is none of 7m; there are 5m"],
    ["model?model=churn&range=soon", "range: write for example 6h, not soon"],
    ["model?model=churn&from=yesterday", "from: write epoch milliseconds"],
    ["model?model=churn&from=9&to=8", "from: must be before to"],
    ["model?model=churn&from=0&to=1e3", "to: write epoch milliseconds"],
    ["model?model=churn&from=0", "from: at most 731 days before to"],
    [`signal?${TENURE}&live=now`, "live: write window or range, not now"],
    [`signal?${TENURE}&against=5-4`, "against: write reference, FROM-TO"],
  ])("says what is wrong with %s", async (request, message) => {
    const response = await get(`/api/v1/${request}`);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).toContain(message);
  });

  it.each([
    ["model?model=nope", 'no span has named the model "nope"; seen so far: churn'],
    ["model?model=churn&version=9", 'the model "churn" has nothing of version 9'],
    ["signal?model=churn&version=3.1&signal=nope", 'the model "churn" has no signal "nope"'],
  ])("does not find %s", async (request, message) => {
    const response = await get(`/api/v1/${request}`);
    expect(response.status).toBe(404);
    expect(((await response.json()) as { error: string }).error).toContain(message);
  });

  it("puts what moved first, with the window that says so", async () => {
    const { models } = await json<ModelsDocument>("/api/v1/models");
    expect(models[0]).toMatchObject({ model: "churn", version: "3.1", state: "drifted" });
    expect(models.find(({ model }) => model === "new-ranker")?.state).toBe("learning");
    expect(models.find(({ model }) => model === "nightly-forecast")?.state).toBe("silent");
    const request = "/api/v1/model?model=churn&version=3.1&window=1h";
    const model = await json<ModelDocument>(request);
    const [first] = model.signals;
    expect(first).toMatchObject({ signal: "feature.tenure_months", state: "drifted" });
    expect(first?.ratio).toBeGreaterThan(1);
    expect(first?.preview?.kind).toBe("curves");
    expect(first?.runs.at(-1)?.state).toBe("drifted");
    expect(first?.runs[0]?.state).not.toBe("drifted");
    expect(model.segmentRanking[0]).toMatchObject({ segment: "region=eu", state: "drifted" });
  });

  it("measures in the curves what the test has measured", async () => {
    const document = await json<SignalDocument>(`/api/v1/signal?${TENURE}&window=1h`);
    const { comparison, verdicts, exemplars } = document;
    const verdict = verdicts.find(({ window }) => window === "1h");
    if (comparison?.kind !== "numeric") throw new Error("no curves");
    expect(comparison.live.count).toBe(verdict?.liveCount);
    expect(comparison.distance).toBeCloseTo(verdict?.statistic ?? Number.NaN, 10);
    const { x, liveCurve, referenceCurve } = comparison;
    const step = (x[1] as number) - (x[0] as number);
    for (const { density, cumulative, cumulativeLow, cumulativeHigh } of [
      liveCurve,
      referenceCurve,
    ]) {
      const mass = density.reduce((sum, height) => sum + height * step, 0);
      expect(mass).toBeGreaterThan(0.95);
      expect(mass).toBeLessThan(1.01);
      expect(
        cumulative.every((share, i) => i === 0 || share >= (cumulative[i - 1] as number)),
      ).toBe(true);
      expect(cumulative.every((share, i) => share >= (cumulativeLow[i] as number))).toBe(true);
      expect(cumulative.every((share, i) => share <= (cumulativeHigh[i] as number))).toBe(true);
    }
    expect(exemplars.length).toBeGreaterThan(0);
    expect(new Set(exemplars.map(({ spanId }) => spanId)).size).toBe(exemplars.length);
  });

  it("shows one value that most rows share as one value, and the rest as a density", async () => {
    const request = "model=churn&version=3.1&signal=feature.discount&window=1h";
    const { comparison, slices } = await json<SignalDocument>(`/api/v1/signal?${request}`);
    if (comparison?.kind !== "numeric") throw new Error("no curves");
    expect(comparison.atoms.map(({ value }) => value)).toEqual([0]);
    expect(comparison.atoms[0]?.reference).toBeGreaterThan(0.65);
    expect(slices.some(({ missing }) => missing > 0)).toBe(true);
    expect(slices.length).toBeLessThanOrEqual(121);
  });

  it("says by how much the median moved, and which values have it otherwise", async () => {
    const model = await json<ModelDocument>("/api/v1/model?model=churn&version=3.1&window=1h");
    const { reference = 0, live = 0 } = model.signals[0]?.preview?.medians ?? {};
    expect(reference - live).toBeGreaterThan(3);
    const counts = model.quality.map(({ count }) => count);
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  });

  it("tells over time of values that rows share", async () => {
    const request = "model=churn&version=3.1&signal=feature.support_calls&window=1h";
    const { comparison, slices } = await json<SignalDocument>(`/api/v1/signal?${request}`);
    if (comparison?.kind !== "numeric") throw new Error("no curves");
    expect(comparison.atoms.map(({ value }) => value).slice(0, 4)).toEqual([0, 1, 2, 3]);
    const drawn = slices.filter(({ density }) => density !== null);
    expect(drawn.length).toBeGreaterThan(5);
    const shares = drawn.map(({ atoms }) => (atoms ?? []).reduce((sum, share) => sum + share, 0));
    expect(Math.min(...shares)).toBeGreaterThan(0.8);
    expect(Math.max(...shares)).toBeLessThanOrEqual(1 + 1e-9);
  });

  it("knows what a signal was before it fell silent, and since when", async () => {
    const model = await json<ModelDocument>("/api/v1/model?model=nightly-forecast&window=5m");
    const [before, silence] = model.signals[0]?.runs ?? [];
    expect(silence?.state).toBe("silent");
    expect(before?.state).not.toBe("silent");
    expect((before?.endMs ?? 0) - (before?.startMs ?? 0)).toBeGreaterThan(6 * 3_600_000);
  });

  it("says which share of a change each segment makes", async () => {
    const { origin } = await json<SignalDocument>(`/api/v1/signal?${TENURE}&window=1h`);
    const { before = 0, after = 0, rankings = [] } = origin ?? {};
    const [first] = rankings[0]?.segments ?? [];
    expect(rankings[0]?.attribute).toBe("region");
    expect(first?.name).toBe("eu");
    expect((first?.contribution ?? 0) / (after - before)).toBeGreaterThan(0.9);
  });

  it("compares two versions, and a range with the one before", async () => {
    const versions = await json<SignalDocument>(
      `/api/v1/signal?${TENURE}&live=range&against=version:3.2-canary`,
    );
    expect(versions.comparison?.reference.label).toBe("version 3.2-canary");
    const before = `${START_MS}-${START_MS + 6 * 3_600_000}`;
    const ranges = await json<SignalDocument>(`/api/v1/signal?${TENURE}&against=${before}`);
    expect(ranges.comparison?.reference).toMatchObject({ label: "earlier" });
    expect(ranges.comparison?.reference.endMs).toBeLessThanOrEqual(START_MS + 6 * 3_600_000);
  });

  it("shows a page to browsers and a list to others", async () => {
    const page = await get("/", { accept: "text/html" });
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await page.text()).toContain('<script type="module" src="ui/page.js">');
    expect(await (await get("/")).text()).toContain("/api/v1/openapi.json");
  });

  it("lets the page run its own files and nothing else", async () => {
    const page = await get("/", { accept: "text/html" });
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
    expect(await page.text()).not.toMatch(/<script>|<script [^>]*>[^<]|\son\w+=|style=/);
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("sends all of its files in less than 150 KB, and a file that is known not again", async () => {
    const html = await (await get("/", { accept: "text/html" })).text();
    const files = [...html.matchAll(/(?:src|href)="(ui\/[^"]+)"/g)].map(
      ([, path]) => path as string,
    );
    let bytes = gzipSync(html).length;
    for (const path of new Set(files)) {
      const response = await get(`/${path}`);
      expect(response.status, path).toBe(200);
      bytes += gzipSync(Buffer.from(await response.arrayBuffer())).length;
      const again = await get(`/${path}`, { "if-none-match": response.headers.get("etag") ?? "" });
      expect(again.status, path).toBe(304);
    }
    expect(files.length).toBeGreaterThan(15);
    expect(bytes).toBeLessThan(BYTES_MAX);
  });

  it("is read-only", async () => {
    const response = await fetch(`${receiver.url}/api/v1/models`, { method: "POST", body: "{}" });
    expect(response.status).toBe(405);
  });
});

describe("The admin address with auth", () => {
  it("asks for credentials, but not whoever only wants to know whether it is alive", async () => {
    const guarded = await startPageReceiver(
      "",
      START_MS,
      "auth: { bearer: { token: sesame }, basic: { htpasswd: { inline: 'ada:lovelace' } } }",
    );
    const ask = (path: string, authorization = "") =>
      fetch(`${guarded.url}${path}`, { headers: { accept: "text/html", authorization } });
    try {
      for (const path of ["/", "/metrics", "/api/v1/models", "/ui/page.js"]) {
        const refused = await ask(path);
        expect(refused.status, path).toBe(401);
        expect(refused.headers.get("www-authenticate")).toMatch(/Bearer.*Basic realm/);
        expect((await ask(path, "Bearer wrong")).status, path).toBe(401);
        expect((await ask(path, "Bearer sesame")).status, path).toBe(200);
        const basic = Buffer.from("ada:lovelace").toString("base64");
        expect((await ask(path, `Basic ${basic}`)).status, path).toBe(200);
      }
      expect((await ask("/healthz")).status).toBe(200);
      expect((await ask("/readyz")).status).toBe(200);
    } finally {
      await guarded.stop();
    }
  });
});
