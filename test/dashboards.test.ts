/** The dashboards that Grafana is given are those that the sources make, and what its schema has. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { DASHBOARDS } from "../collector-config/grafana/src/dashboards.ts";

const folder = new URL("../collector-config/grafana/dashboards/", import.meta.url);
const names = Object.keys(DASHBOARDS);

describe("collector-config/grafana/dashboards", () => {
  it.each(Object.entries(DASHBOARDS))(
    "%s.json is as `npm run dashboards` writes it",
    (name, made) => {
      // As text and back, since undefined is no JSON.
      expect(JSON.parse(read(name))).toEqual(JSON.parse(JSON.stringify(made)));
    },
  );

  it("holds nothing else", () => {
    const files = names.map((name) => `${name}.json`);
    expect(readdirSync(folder).toSorted()).toEqual(files.toSorted());
  });
});

describe("Grafana's schema", () => {
  let complaints: ReadonlyMap<string, string>;

  beforeAll(() => {
    const sound = names.map((name) => [name, read(name)] as const);
    const broken = Object.entries(BROKEN).map(([defect, [from, to]]) => {
      expect(read("model")).toMatch(from);
      return [defect, read("model").replace(from, to)] as const;
    });
    complaints = complaintsOf(new Map([...sound, ...broken]));
  });

  it.each(names)("has everything in %s.json", (name) => {
    expect(complaints.get(name)).toBe("");
  });

  it.each(Object.entries(BROKEN))("refuses a copy with %s", (defect, [, , complaint]) => {
    expect(complaints.get(defect)).toContain(complaint);
  });
});

/** Defects of a panel, a variable and a dashboard: what becomes what, and what is said of it. */
const BROKEN: Readonly<Record<string, readonly [RegExp, string, string]>> = {
  "a panel of no known kind": [/"timeseries"/, '"timeserie"', '"timeserie"'],
  "a key that no panel has": [/"transparent"/, '"transparant"', "transparant"],
  "a choice that an option does not have": [/"displayMode": "list"/, '"displayMode": "row"', "row"],
  "an option of another kind of panel": [/"cellGap": 1/, '"cellHeight": "sm"', "cellHeight"],
  "a field's look that no line has": [/"stepAfter"/, '"steps"', '"steps"'],
  "a place that is no number": [/"w": 24/, '"w": "wide"', "string"],
  "an option left out": [/"showHeader": true,/, "", "showHeader"],
  "a variable of no known kind": [/"type": "query"/, '"type": "question"', "question"],
};

function read(name: string): string {
  return readFileSync(new URL(`${name}.json`, folder), "utf8");
}

/** What the compiler says of each text as a dashboard file; empty where it is one. */
function complaintsOf(texts: ReadonlyMap<string, string>): Map<string, string> {
  const scratch = mkdtempSync(join(tmpdir(), "tidemark-dashboards-"));
  const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  try {
    for (const [at, text] of [...texts.values()].entries()) {
      const type = `import("${pathOf("grafana-dashboard.ts")}").DashboardFile`;
      writeFileSync(
        join(scratch, `${at}.ts`),
        `export {};\nvoid (${text.trim()} satisfies ${type});\n`,
      );
    }
    const tsconfig = {
      extends: pathOf("../tsconfig.test.json"),
      include: ["*.ts"],
      references: [],
    };
    const compilerOptions = { types: [] };
    writeFileSync(join(scratch, "tsconfig.json"), JSON.stringify({ ...tsconfig, compilerOptions }));
    const args = ["--project", scratch, "--pretty", "false"];
    const { stdout, error } = spawnSync(pathOf("../node_modules/.bin/tsc"), args, {
      cwd: scratch,
      encoding: "utf8",
    });
    if (error) throw error;
    const said = stdout.split(/\n(?=\S)/);
    return new Map(
      [...texts.keys()].map((name, at) => {
        const ofFile = said.filter((complaint) => complaint.startsWith(`${at}.ts(`));
        return [name, ofFile.join("\n")];
      }),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
