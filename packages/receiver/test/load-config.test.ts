import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError, defaultConfig, parseConfig } from "../src/config/load-config.ts";

function complaintOf(text: string, env: NodeJS.ProcessEnv = {}): string {
  try {
    parseConfig(text, "tidemark.yaml", env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

describe("parseConfig", () => {
  it("needs nothing: an empty file and an empty section mean the defaults", () => {
    const config = parseConfig("receivers:\n  otlp:\nexporters:\n  prometheus:\n", "t.yaml", {});
    expect(config).toEqual(defaultConfig({}));
    expect(config.receivers.otlp.protocols.http.endpoint).toEqual({
      host: "127.0.0.1",
      port: 4318,
    });
    expect(config.receivers.otlp.protocols.grpc).toMatchObject({
      enabled: true,
      endpoint: { host: "127.0.0.1", port: 4317 },
      max_recv_msg_size: 64 * 1024 ** 2,
    });
    expect(config.exporters.prometheus.endpoint).toEqual({ host: "127.0.0.1", port: 9464 });
    expect(config.processors.evaluate.windows).toEqual([300_000, 3_600_000, 86_400_000]);
    expect(config.service.pipelines.metrics.exporters).toEqual(["prometheus"]);
  });

  it("reads references that move with time", () => {
    const text = `
processors:
  observe: { hourRetention: 30d }
  references:
    - file: a.json
    - { rolling: 7d, excluding: 12h, model: churn }
    - { sameHour: 4, signals: ["feature.*"] }
    - { against: { segment: "flag=off" }, segment: "flag=on" }
`;
    expect(parseConfig(text, "/etc/t.yaml", {}).processors.references).toEqual([
      { file: "/etc/a.json" },
      { rolling: 7 * 86_400_000, excluding: 12 * 3_600_000, model: "churn" },
      { sameHour: 4, signals: ["feature.*"] },
      { against: { segment: "flag=off" }, segment: "flag=on" },
    ]);
  });

  it("reads durations, sizes, addresses and exporters", () => {
    const text = `
receivers: { otlp: { protocols: { http: { endpoint: "[::1]:5000", max_request_body_size: 4MiB } } } }
processors:
  observe: { pane: 1s, allowedLateness: 2s500ms }
  references: [{ file: models/weather.tidemark.json }]
  evaluate: { windows: [20s, 1m] }
exporters:
  otlp_http/jaeger: { endpoint: "http://127.0.0.1:14318", headers: { authorization: x } }
service: { pipelines: { traces: { exporters: [otlp_http/jaeger] } } }
`;
    const config = parseConfig(text, "/etc/tidemark/t.yaml", {});
    const { http } = config.receivers.otlp.protocols;
    expect([http.endpoint, http.max_request_body_size]).toEqual([
      { host: "::1", port: 5000 },
      4 * 1024 ** 2,
    ]);
    expect(config.processors.observe.allowedLateness).toBe(2500);
    expect(config.processors.references).toEqual([
      { file: "/etc/tidemark/models/weather.tidemark.json" },
    ]);
    expect(config.exporters.otlp.get("otlp_http/jaeger")?.endpoint.port).toBe("14318");
  });

  it("has the defaults that the README shows, and takes what it shows beyond them", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const [, shown = "", beyond = ""] = readme.split("```yaml\n").map((part) => {
      return part.split("\n```")[0];
    });
    expect(parseConfig(shown, "README.md", {}).receivers).toEqual(defaultConfig({}).receivers);
    const indented = beyond.replaceAll(/^/gm, "        ");
    const text = `receivers:\n  otlp:\n    protocols:\n      http:\n${indented}`;
    const env = { TOKEN: "t", PASSWORD: "p" };
    const { tls, auth, cors } = parseConfig(text, "/a/t.yaml", env).receivers.otlp.protocols.http;
    expect(tls).toMatchObject({ cert_file: "/a/server.pem", client_ca_file: "/a/clients.pem" });
    expect(auth?.bearer).toEqual({ token: "t", tokens: [], filename: "/a/tokens.txt" });
    expect(auth?.basic?.htpasswd).toEqual({ file: "/a/users.htpasswd", inline: "ada:p" });
    expect(cors).toMatchObject({ allowed_headers: ["Authorization"], max_age: 7200 });
  });

  it("fills in environment variables, with defaults, and leaves comments alone", () => {
    const text = "# ${env:ABSENT}\nprocessors: { evaluate: { windows: ['${env:W:-1h}'] } }\n";
    expect(parseConfig(text, "t", {}).processors.evaluate.windows).toEqual([3_600_000]);
    expect(parseConfig(text, "t", { W: "2h" }).processors.evaluate.windows).toEqual([7_200_000]);
  });

  it.each([
    [
      "an unset variable",
      "service:\n  telemetry: { logs: { level: ${env:LEVEL} } }",
      "tidemark.yaml:2: the environment variable LEVEL is not set",
    ],
    ["broken YAML", "receivers:\n  otlp: [", "tidemark.yaml:2: "],
    [
      "an unknown key",
      "receivers:\n  otlp:\n    protocols:\n      udp: {}\n",
      "tidemark.yaml:4: receivers.otlp.protocols.udp: unknown key; known here: grpc, http",
    ],
    [
      "an unknown key of an exporter",
      "exporters:\n  otlp_http/a:\n    endpoint: http://x\n    retires: 3\n",
      "tidemark.yaml:4: exporters.otlp_http/a.retires: unknown key; known here: endpoint, headers",
    ],
    [
      "an unknown exporter",
      "exporters:\n  kafka: { endpoint: http://x }\n",
      'tidemark.yaml:2: exporters.kafka: unknown exporter "kafka"',
    ],
    [
      "an impossible value",
      "processors:\n  observe:\n    pane: fast\n",
      'tidemark.yaml:3: processors.observe.pane: "fast" is no duration; write for example 1m',
    ],
    [
      "an exporter that does not exist",
      "service:\n  pipelines:\n    traces:\n      exporters: [otlp_http/x]\n",
      'tidemark.yaml:4: no exporter "otlp_http/x" for traces; there are none',
    ],
    [
      "received metrics that go nowhere",
      "service:\n  pipelines:\n    metrics:\n      receivers: [otlp]\n",
      "tidemark.yaml:4: service.pipelines.metrics.receivers: metrics that are received go to " +
        "otlp_http exporters; list only such ones in this pipeline, or leave the receiver out",
    ],
    [
      "windows that are no sums of each other",
      "processors:\n  evaluate:\n    windows:\n      - 5m\n      - 12m\n",
      "tidemark.yaml:5: the window 12m must be a multiple of the window before it, 5m, and longer",
    ],
    [
      "a signal of nothing",
      "processors:\n  signals:\n    - { as: numeric }\n",
      "tidemark.yaml:3: processors.signals.0.attribute: is missing; it must be given, unless there " +
        "is span: duration or span: status",
    ],
    [
      "a signal of two things",
      "processors:\n  signals:\n    - { attribute: a, span: status, as: rate }\n",
      "tidemark.yaml:3: processors.signals.0.span: a signal is of an attribute or of the span",
    ],
    [
      "a signal of no kind",
      "processors:\n  signals:\n    - attribute: app.items\n",
      "tidemark.yaml:3: processors.signals.0.as: is missing; it must be one of numeric, " +
        "category, rate, text-length",
    ],
    [
      "a category that equals something",
      "processors:\n  signals:\n    - { attribute: a, as: category, equals: b }\n",
      "tidemark.yaml:3: processors.signals.0.equals: is for rates only",
    ],
    [
      "two signals of one name",
      "processors:\n  signals:\n    - { attribute: a, as: rate }\n    - { attribute: a, as: numeric }\n",
      "tidemark.yaml:4: processors.signals.1: there is another signal called a; give one of them " +
        "a name of its own",
    ],
    [
      "a signal with a name that is taken",
      "processors:\n  signals:\n    - { attribute: a, as: rate, name: feature.a }\n",
      "tidemark.yaml:3: processors.signals.0: the receiver itself makes signals called feature.a",
    ],
    [
      "a segment that is no attribute",
      'processors: { observe: { segments: [""] } }\n',
      "tidemark.yaml:1: processors.observe.segments.0: must",
    ],
    [
      "one address for two servers",
      "receivers: { otlp: { protocols: { http: { endpoint: 0.0.0.0:9464 } } } }",
      "tidemark.yaml:1: receivers.otlp.protocols.http.endpoint: exporters.prometheus.endpoint has " +
        "port 9464 too; change one of them",
    ],
    [
      "an endpoint with the path that is appended",
      "exporters:\n  otlp_http/a: { endpoint: 'http://x:4318/otlp/v1/traces' }\n",
      "tidemark.yaml:2: exporters.otlp_http/a.endpoint: /v1/traces is appended by itself; " +
        "write http://x:4318/otlp",
    ],
    [
      "more false alarms than false warnings",
      "processors:\n  evaluate:\n    falseAlarmsPerFeatureYear: 2\n",
      "tidemark.yaml:3: processors.evaluate.falseAlarmsPerFeatureYear: 2 is more than",
    ],
    [
      "a reference of two kinds",
      "processors:\n  references:\n    - file: a.json\n      rolling: 7d\n",
      "tidemark.yaml:3: processors.references.0: needs one of file, rolling, sameHour, against, " +
        "and has file and rolling",
    ],
    [
      "a reference of no kind",
      "processors: { references: [{ model: churn }] }\n",
      "processors.references.0: needs one of file, rolling, sameHour, against, and has none",
    ],
    [
      "a canary that is compared with itself",
      'processors: { references: [{ against: { version: "1" }, version: "1" }] }\n',
      "processors.references.0: compares a version with itself",
    ],
    [
      "a canary without a version",
      'processors: { references: [{ against: { version: "1" }, model: churn }] }\n',
      "processors.references.0: needs the version that is compared with the other version",
    ],
    [
      "a past that is longer than what is kept",
      "processors: { observe: { hourRetention: 5d }, references: [{ rolling: 7d }] }\n",
      "processors.references.0: looks back further than the hours that are kept; set " +
        "processors.observe.hourRetention to 9d or more",
    ],
    [
      "a past that nobody could keep",
      "processors: { references: [{ rolling: 60d }] }\n",
      "processors.references.0.rolling: 60d is out of range; allowed are 1h to 35d",
    ],
    [
      "a reference that is listed twice",
      "processors:\n  references:\n    - file: a.json\n    - file: ./a.json\n",
      "tidemark.yaml:4: processors.references.1.file: a.json is listed twice",
    ],
    [
      "processors in a pipeline",
      "service: { pipelines: { traces: { processors: [observe] } } }",
      "service.pipelines.traces.processors: unknown key here: all processors always run",
    ],
    [
      "a value in place of a list",
      "processors:\n  evaluate:\n    windows: 5m\n",
      'windows: "5m" is not possible; it must be a list, such as [a, b]',
    ],
    [
      "a number in place of a duration",
      "processors:\n  observe:\n    pane: 60\n",
      "processors.observe.pane: must be a duration with its unit, such as 1m",
    ],
    [
      "a missing key",
      "exporters:\n  otlp_http/a: {}\n",
      "endpoint: is missing; it must be a URL, such as http://127.0.0.1:4318",
    ],
    [
      "a number out of its range",
      "processors:\n  evaluate:\n    shift: 9\n",
      "tidemark.yaml:3: processors.evaluate.shift: must be at most 3",
    ],
    [
      "a word that is none of those known",
      "service:\n  telemetry: { logs: { level: loud } }\n",
      "service.telemetry.logs.level: must be one of: debug, info, warn, error",
    ],
    [
      "a duration out of its range",
      "processors:\n  observe:\n    pane: 2h\n",
      "processors.observe.pane: 2h is out of range; allowed are 100ms to 1h",
    ],
    [
      "a size out of its range",
      "receivers: { otlp: { protocols: { http: { max_request_body_size: 2GiB } } } }",
      '"2GiB" is no size up to 1GiB; write for example 64MiB',
    ],
    [
      "broken indentation",
      "receivers:\n  a: b: c\n",
      "tidemark.yaml:2: Nested mappings are not allowed in compact mappings; check the",
    ],
  ])("says file, line and key of %s", (_, text, complaint) => {
    expect(complaintOf(text)).toContain(complaint);
  });

  it("warns of an exporter that no pipeline uses", () => {
    const text = "exporters:\n  otlp_http/a: { endpoint: 'http://x' }\n";
    expect(parseConfig(text, "t.yaml", {}).warnings).toEqual([
      "t.yaml:2: exporters.otlp_http/a: no pipeline uses it; list it in service.pipelines",
    ]);
  });

  it("lists every complaint at once", () => {
    const text = "processors:\n  observe: { pane: x, maxSignals: 0 }\n  nonsense: 1\n";
    expect(complaintOf(text).split("\n")).toHaveLength(3);
  });
});
