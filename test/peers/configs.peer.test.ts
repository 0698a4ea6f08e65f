/** Each configuration file is accepted by the real program that reads it, and the alerts do as they say. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { getJson } from "./peer-api.ts";
import { runPeer } from "./peer-programs.ts";
import { CONFIG, Stack, startJaeger, TIDEMARK } from "./peer-stack.ts";

const stack = new Stack();
afterAll(() => stack.end());

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels: { readonly severity?: string; readonly category?: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const PROMTOOLS = ["debian-promtool", "promtool"] as const;
const RULES = join(CONFIG, "prometheus", "rules");

describe("Prometheus", () => {
  // The oldest Prometheus that is supported, and the one of docker-compose.
  it.each(PROMTOOLS)("(%s) accepts prometheus.yml and the rules", async (promtool) => {
    const file = join(CONFIG, "prometheus", "prometheus.yml");
    const { exitCode, output } = await runPeer(promtool, ["check", "config", file]);
    expect(output).not.toContain("WARNING");
    expect(exitCode, output).toBe(0);
  });

  it.each(PROMTOOLS)(
    "(%s) accepts the rules that are there for who wants them",
    async (promtool) => {
      const file = join(CONFIG, "prometheus", "psi.yml");
      const { exitCode, output } = await runPeer(promtool, ["check", "rules", file]);
      expect(exitCode, output).toBe(0);
    },
  );

  it.each(PROMTOOLS)(
    "(%s) lets every alert fire and resolve as its unit test says",
    async (promtool) => {
      const { exitCode, output } = await runPeer(promtool, ["test", "rules", ...ruleTests()]);
      expect(exitCode, output).toBe(0);
    },
  );

  it.each(rules())("$alert has a severity, a patience, numbers and a playbook", (rule) => {
    expect(rule.labels.severity).toMatch(/^(critical|warning)$/);
    expect(rule.labels.category).toMatch(/^(system|data|model|llm|gpu|receiver)$/);
    expect(rule.for).toBeDefined();
    expect(rule.keep_firing_for).toBeDefined();
    expect(rule.annotations["description"]).toMatch(/\$value|query|minutes/);
    const heading = `## ${rule.alert}\n`;
    // Where the receiver serves the entry.
    expect(rule.annotations["runbook_url"]).toBe(`http://localhost:9464/playbooks/${rule.alert}`);
    expect(readFileSync(join(CONFIG, "..", "docs", "playbooks.md"), "utf8")).toContain(heading);
  });

  it.each(rules())(
    "$alert has a unit test in which it does not fire, then does, then resolves",
    ({ alert }) => {
      const courses = ruleTests()
        .flatMap((file) => (parse(readFileSync(file, "utf8")) as RuleTestFile).tests)
        .map((test) => test.alert_rule_test.filter(({ alertname }) => alertname === alert))
        .map((steps) => steps.map(({ exp_alerts }) => (exp_alerts.length > 0 ? "fires" : "-")));
      expect(courses).toContainEqual(["-", "fires", "-"]);
    },
  );
});

describe("Alertmanager", () => {
  it("accepts alertmanager.yml", async () => {
    const file = join(CONFIG, "alertmanager", "alertmanager.yml");
    const { exitCode, output } = await runPeer("amtool", ["check-config", file]);
    expect(exitCode, output).toBe(0);
  });
});

describe("The Collector", () => {
  const validated = (file: string, ...more: string[]) => {
    const args = ["validate", "--config", join(CONFIG, "collector", file), ...more];
    return runPeer("collector", args, { COLLECTOR_QUEUE_DIR: stack.folder() });
  };

  it.each(readdirSync(join(CONFIG, "collector")))("accepts %s", async (file) => {
    const { exitCode, output } = await validated(file);
    expect(exitCode, output).toBe(0);
  });

  it("rejects a key that it does not know, so accepting says something", async () => {
    const unknown = "yaml:exporters::otlp_http/tidemark::sending_queue::fsink: true";
    const { exitCode, output } = await validated("collector.yaml", "--config", unknown);
    expect(exitCode).not.toBe(0);
    expect(output).toContain("fsink");
  });
});

describe("The receiver", () => {
  it.each(["tidemark/tidemark.yaml", "kubernetes/tidemark.yaml"])("accepts %s", (file) => {
    const env = { ...process.env, TIDEMARK_TRACES_URL: "http://traces:4318" };
    const args = [TIDEMARK, "check-config", join(CONFIG, file)];
    const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
    expect(status, stderr).toBe(0);
  });
});

describe("Jaeger", () => {
  it("starts with jaeger.yaml and ui.json, and answers on its HTTP API", async () => {
    const jaeger = await stack.add(startJaeger("http://127.0.0.1:9"));
    expect(await getJson(`${jaeger.queryUrl}/api/v3/services`)).toEqual({});
    // Its page carries the configuration of the UI.
    const page = await (await fetch(jaeger.queryUrl)).text();
    expect(page).toContain('"topTagPrefixes":["ml.","gen_ai."]');
    expect(page).toContain('"key":"ml.drift.outlier"');
    expect(page).toContain('"apiEndpoint":"http://localhost:9464/api/v1/quality-metrics"');
  });
});

interface RuleTestFile {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

function rules(): Rule[] {
  return yamlFiles(RULES)
    .map((file) => parse(readFileSync(file, "utf8")) as { groups: { rules: Rule[] }[] })
    .flatMap(({ groups }) => groups.flatMap((group) => group.rules))
    .filter(({ alert }) => alert !== undefined);
}

function ruleTests(): string[] {
  return yamlFiles(join(RULES, "tests"));
}

function yamlFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yml"))
    .map((name) => join(folder, name));
}
