import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../dist/find-config.js";
import { parseConfig } from "../src/load-config.js";
import { FIXTURES, runApp } from "./run-app.js";

const FILE = resolve("/app/tidemark.instrumentation.yaml");

const WHOLE = `
stages:
  - module: ./src/features.js
    export: getFeatures
    stage: feature_retrieval
    source: feature-service
    model: weather
    segment: { region: args.0.region }
    tenant: args[0].user["tenant id"]
    predictionId: result.id
models:
  - name: weather
    version: "3"
    task: regression
    inputs: { features: { columns: [precipitation, wind, temp_min, season] } }
    outputs: { temp_max: { as: value } }
    sensitive: [season]
limits: { rows: 10, features: 5 }
llm:
  tenant: args[0].user
  streamUsage: true
  prices: ./prices.yaml
errorMessages: true
`;

describe("the configuration file", () => {
  test("is read whole", () => {
    const { config, complaints } = parseConfig(WHOLE, FILE);
    expect(complaints).toEqual([]);
    expect(config).toEqual({
      stages: [
        {
          module: resolve("/app/src/features.js"),
          export: "getFeatures",
          stage: "feature_retrieval",
          source: "feature-service",
          model: "weather",
          segment: { region: { root: "args", steps: ["0", "region"] } },
          tenant: { root: "args", steps: ["0", "user", "tenant id"] },
          predictionId: { root: "result", steps: ["id"] },
        },
      ],
      models: [
        {
          name: "weather",
          version: "3",
          task: "regression",
          inputs: {
            features: { as: "features", columns: ["precipitation", "wind", "temp_min", "season"] },
          },
          outputs: { temp_max: { as: "value" } },
          sensitive: ["season"],
        },
      ],
      limits: { rows: 10, features: 5 },
      llm: {
        tenant: { root: "args", steps: ["0", "user"] },
        streamUsage: true,
        estimateTokens: false,
        prices: resolve("/app/prices.yaml"),
      },
      errorMessages: true,
    });
  });

  test("may be missing or empty", () => {
    const nothing = {
      stages: [],
      models: [],
      limits: { rows: 100, features: 64 },
      llm: { streamUsage: false, estimateTokens: false },
      errorMessages: false,
    };
    expect(loadConfig({}, "/nowhere")).toEqual({ config: nothing, complaints: [] });
    expect(parseConfig("stages:\nmodels:\n", FILE)).toEqual({ config: nothing, complaints: [] });
  });

  test("must be there when it is named", () => {
    const { complaints } = loadConfig({ TIDEMARK_INSTRUMENTATION_CONFIG: "no.yaml" }, "/nowhere");
    expect(complaints).toEqual([
      `${resolve("/nowhere/no.yaml")}: cannot be read (ENOENT); check TIDEMARK_INSTRUMENTATION_CONFIG`,
    ]);
  });

  test.each([
    ["stages: [", /:1: .*flow/i],
    [
      "stagess: []",
      /:1: stagess: unknown key; known here: stages, models, limits, llm, errorMessages/,
    ],
    ["stages: 3", /:1: stages: must be a list/],
    [
      "stages:\n  - module: ./a.js",
      /:2: stages\[0\]\.stage: is missing; it must be one of: predict/,
    ],
    ["stages:\n  - stage: inference", /:2: stages\[0\]\.module: is missing; it must be text/],
    [
      "stages:\n  - module: ./a.js\n    stage: cooking",
      /:3: stages\[0\]\.stage: must be one of: prediction, feature_retrieval/,
    ],
    [
      "stages:\n  - module: lodash\n    stage: inference",
      /:2: stages\[0\]\.module: must be a path that starts with/,
    ],
    [
      "stages:\n  - module: ./a.js\n    stage: inference\n    tenant: user.name",
      /:4: stages\[0\]\.tenant: "user\.name" is no path; write for example args\[0\]\.region/,
    ],
    [
      "stages:\n  - module: ./a.js\n    stage: inference\n    exports: f",
      /:4: stages\[0\]\.exports: unknown key; known here: module, export, stage, source/,
    ],
    [
      "models:\n  - name: m\n    outputs:\n      y: { as: number }",
      /:4: models\[0\]\.outputs\.y\.as: must be one of: value, class, probabilities, logits, ignore/,
    ],
    [
      "models:\n  - name: m\n    inputs:\n      x: { column: [a] }",
      /:4: models\[0\]\.inputs\.x\.column: unknown key; known here: as, columns/,
    ],
    ["limits: { rows: 0 }", /:1: limits\.rows: must be at least 1/],
    ["- a\n- b", /:1: the file: /],
    ["just text", /:1: the file: /],
  ])("complains with file, line, key and hint: %j", (yaml, complaint) => {
    const { config, complaints } = parseConfig(yaml, FILE);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(complaint);
    expect(complaints[0]?.startsWith(`${FILE}:`)).toBe(true);
    expect(config.stages).toEqual([]);
  });

  test("what is wrong costs only its own entry", () => {
    const yaml = `${WHOLE}\nsurprise: 1\n`.replace("models:", "  - module: x\nmodels:");
    const { config, complaints } = parseConfig(yaml, FILE);
    expect(config).toMatchObject({
      stages: [{ export: "getFeatures" }],
      models: [{ name: "weather" }],
      errorMessages: true,
    });
    expect(complaints).toHaveLength(3);
  });

  test("a wrong key of a section costs only itself", () => {
    const yaml = `
llm:
  tenant: args[0].user
  tenent: args[0].user
  streamUsage: yes
  text: true
  embeddings: { projections: 5000 }
limits: { rows: 0, features: 5 }
`;
    const { config, complaints } = parseConfig(yaml, FILE);
    expect(config.llm).toEqual({
      tenant: { root: "args", steps: ["0", "user"] },
      streamUsage: false,
      estimateTokens: false,
    });
    expect(config.limits).toEqual({ rows: 100, features: 5 });
    expect(complaints.map((line) => line.replace(FILE, ""))).toEqual([
      ":8: limits.rows: must be at least 1",
      ":5: llm.streamUsage: must be true or false",
      ":6: llm.text: must be keys with values, or {}",
      ":7: llm.embeddings.projections: must be at most 64",
      expect.stringMatching(/^:4: llm\.tenent: unknown key; known here: tenant, /),
    ]);
  });

  test("complaints are bounded", () => {
    const { complaints } = parseConfig(`stages:\n${"  - {}\n".repeat(100)}`, FILE);
    expect(complaints).toHaveLength(21);
    expect(complaints.at(-1)).toMatch(/and 180 more/);
  });
});

describe("a configuration that is wrong", () => {
  test("is told in full, and the app runs with what is right", async () => {
    const cwd = join(FIXTURES, "wrong-config");
    const env = { OTEL_TRACES_EXPORTER: "none" };
    const { code, stdout, stderr } = await runApp("app.mjs", { cwd, env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "42\n" });
    const lines = stderr.trimEnd().split("\n");
    expect(lines.map((line) => line.replaceAll(cwd, ""))).toEqual([
      expect.stringMatching(/^tidemark: .*yaml:5: stages\[1\]\.stage: must be one of: /),
      expect.stringMatching(/^tidemark: .*yaml:9: stages\[2\]\.modul: unknown key; known here: /),
      expect.stringMatching(
        /no-such-file\.mjs: no such file; the stage \w+ of its export "default" is not/,
      ),
      expect.stringMatching(
        /work\.mjs: has no function missing; it exports: work, Model; the stage/,
      ),
      expect.stringMatching(/work\.mjs: exports the class Model; name a method of it, such as/),
      expect.stringMatching(/never\.mjs: was never loaded by another module, so its stages/),
    ]);
  });

  test.each([
    ["an endpoint that is none", { OTEL_EXPORTER_OTLP_ENDPOINT: "not an address" }],
    ["a protocol that is none", { OTEL_EXPORTER_OTLP_PROTOCOL: "carrier-pigeon" }],
    ["a sampler that is none", { OTEL_TRACES_SAMPLER: "no-such-sampler" }],
    ["a configuration of the SDK that is none", { OTEL_CONFIG_FILE: "/no/such/file.yaml" }],
    ["a broken module of the SDK", { OTEL_PROPAGATORS: "nonsense" }],
  ])("%s leaves the app alone", async (_, env) => {
    const cwd = join(FIXTURES, "exits");
    const { code, stdout, stderr } = await runApp("natural.mjs", { cwd, env });
    expect({ code, stdout }).toEqual({ code: 3, stdout: "done\n" });
    expect(stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(3);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("OTEL_SDK_DISABLED leaves everything off", async () => {
    const cwd = join(FIXTURES, "wrong-config");
    const { stdout, stderr } = await runApp("app.mjs", { cwd, env: { OTEL_SDK_DISABLED: "true" } });
    expect({ stdout, stderr }).toEqual({ stdout: "42\n", stderr: "" });
  });
});
