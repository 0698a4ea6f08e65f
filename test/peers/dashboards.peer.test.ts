/** Every query of the dashboards parses in Prometheus, and asks for metrics that exist. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { METRICS } from "@tidemark/semconv";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { Dashboard, Datasource } from "./dashboards.ts";
import { GRAFANA, readDashboards, withVariables } from "./dashboards.ts";
import { runPeer } from "./peer-programs.ts";
import { CONFIG } from "./peer-stack.ts";

const dashboards = readDashboards();

describe.each(dashboards)("The dashboard $name", ({ dashboard }) => {
  it("asks Prometheus only what Prometheus can parse", async () => {
    const rules = queries(dashboard).map((expr, index) => ({ record: `query:${index}`, expr }));
    expect(rules.length).toBeGreaterThan(0);
    const folder = mkdtempSync(join(tmpdir(), "tidemark-dashboard-"));
    try {
      const file = join(folder, "queries.yml");
      writeFileSync(file, stringify({ groups: [{ name: "queries", rules }] }));
      const { exitCode, output } = await runPeer("promtool", ["check", "rules", file]);
      expect(exitCode, output).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("asks only for metrics that the receiver exports", () => {
    expect(unknownMetrics(queries(dashboard).concat(variables(dashboard)))).toEqual([]);
  });

  it("uses only data sources that are provisioned", () => {
    const file = join(GRAFANA, "provisioning", "datasources", "datasources.yml");
    const provisioned = parse(readFileSync(file, "utf8")) as { datasources: Datasource[] };
    const uids = new Set(provisioned.datasources.map(({ uid }) => uid));
    for (const { datasource, targets } of dashboard.panels) {
      expect(uids).toContain(datasource.uid);
      for (const target of targets) expect(uids).toContain(target.datasource.uid);
    }
  });

  it("is where the links of Jaeger's UI lead", () => {
    const links = readFileSync(join(CONFIG, "jaeger", "ui.json"), "utf8");
    expect(links).toContain(`/d/${dashboard.uid}?`);
  });
});

describe("The alert rules", () => {
  it("ask only for metrics that the receiver exports", () => {
    const folder = join(CONFIG, "prometheus", "rules");
    const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));
    const texts = files.map((name) => readFileSync(join(folder, name), "utf8"));
    expect(unknownMetrics(texts)).toEqual([]);
  });
});

/** Every query, with Grafana's variables replaced by a value of theirs. */
function queries({ panels, annotations }: Dashboard): string[] {
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  return expressions
    .concat(annotations.list.map(({ expr }) => expr))
    .map((expr) => withVariables(expr));
}

function variables({ templating }: Dashboard): string[] {
  return templating.list.map(({ query }) => (typeof query === "string" ? query : query.query));
}

function unknownMetrics(texts: readonly string[]): string[] {
  const known = new Set<string>();
  for (const { prometheus, kind } of Object.values(METRICS)) {
    const suffixes = kind === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    for (const suffix of suffixes) known.add(prometheus + suffix);
  }
  // A name that is followed by a selector, by a range or by a comparison is a metric's.
  const named = texts.flatMap((text) => text.match(/\b(?:ml|tidemark)_\w+(?=[{[,]| ==)/g) ?? []);
  expect(named.length).toBeGreaterThan(5);
  return [...new Set(named)].filter((name) => !known.has(name));
}
