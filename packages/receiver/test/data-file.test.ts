import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import { cliFolder } from "./cli-runs.ts";

const { file, tidemark } = cliFolder();
const ROWS = 12_000;

/** Rows with a missing number now and then, a category, a flag, and text that is no category. */
const rows = (() => {
  const random = seeded(5);
  return Array.from({ length: ROWS }, (_, i) => ({
    wind: i % 50 === 7 ? null : Math.round(random() * 1000) / 10,
    sky: ["sun", "rain", 'a "dry", fog'][Math.floor(random() ** 2 * 3)] as string,
    holiday: i % 3 === 0,
    id: `row-${i}`,
  }));
})();

const csvText = [
  "wind,sky,holiday,id",
  ...rows.map(({ wind, sky, holiday, id }) =>
    [wind ?? "", `"${sky.replaceAll('"', '""')}"`, holiday, id].join(","),
  ),
].join("\n");
const jsonText = rows.map((row) => JSON.stringify(row)).join("\n");
const columns = (["wind", "sky", "holiday", "id"] as const).map((name) => ({
  name,
  data: rows.map((row) => row[name]),
  type: ({ wind: "DOUBLE", holiday: "BOOLEAN" } as const)[name as "wind"] ?? "STRING",
}));
const parquet = (codec: "UNCOMPRESSED" | "SNAPPY", rowGroupSize: number) =>
  new Uint8Array(parquetWriteBuffer({ columnData: columns, codec, rowGroupSize }));

function built(...paths: string[]): Record<string, unknown> {
  const out = ["--model", "m", "--out", "out.tidemark.json"];
  const { stderr, stdout } = tidemark("baseline", "build", ...paths, ...out);
  expect(stderr).toBe("");
  expect(stdout).toContain("id (more than 64 different texts, which --category takes)");
  const shown = JSON.parse(tidemark("baseline", "show", "out.tidemark.json", "--json").stdout) as {
    signals: Record<string, unknown>;
  };
  return shown.signals;
}

describe("training data", () => {
  const expected = built(file("plain.csv", csvText));

  it("is what its rows say", () => {
    const winds = rows.flatMap(({ wind }) => wind ?? []);
    expect(expected).toMatchObject({
      "feature.wind": {
        kind: "numeric",
        count: winds.length,
        missing: ROWS - winds.length,
        min: Math.fround(Math.min(...winds)),
        max: Math.fround(Math.max(...winds)),
        rankError: 0,
      },
      "feature.sky": { kind: "categorical", count: ROWS, categories: 3, other: 0 },
      "feature.holiday": { kind: "numeric", count: ROWS, min: 0, max: 1 },
    });
    expect(Object.keys(expected)).toHaveLength(3);
  });

  it.each([
    ["CSV with semicolons", "a.csv", csvText.replaceAll(/,(?! fog)/g, ";")],
    [
      "CSV with a byte order mark and Windows' line ends",
      "b.csv",
      `\uFEFF${csvText.replaceAll("\n", "\r\n")}`,
    ],
    ["gzipped CSV", "c.csv.gz", gzipSync(csvText)],
    ["JSON lines", "d.jsonl", jsonText],
    [
      "JSON lines as Python writes them",
      "e.jsonl",
      jsonText.replaceAll('"wind":null', '"wind": NaN'),
    ],
    ["gzipped JSON lines under any name", "f.data", gzipSync(`${jsonText}\n`)],
    ["Parquet", "g.parquet", parquet("UNCOMPRESSED", 100_000)],
    ["Parquet of several row groups, compressed", "h.parquet", parquet("SNAPPY", 5000)],
  ])("is the same in %s", (_, name, content) => {
    expect(built(file(name, content))).toEqual(expected);
  });

  it("is the same in several files, in parts of any kind", () => {
    const half = ROWS / 2;
    const first = file(
      "1.csv",
      csvText
        .split("\n")
        .slice(0, half + 1)
        .join("\n"),
    );
    const second = file("2.jsonl", jsonText.split("\n").slice(half).join("\n"));
    expect(built(first, second)).toEqual(expected);
  });

  it("finds the members of objects inside", () => {
    const nested = rows.map(({ wind, sky }) => JSON.stringify({ at: 1, features: { wind, sky } }));
    const path = file("nested.jsonl", nested.join("\n"));
    const named = ["--columns", "features.wind=wind,features.sky=sky"];
    tidemark("baseline", "build", path, "--model", "m", "--out", "n.tidemark.json", ...named);
    const { stdout } = tidemark("baseline", "show", "n.tidemark.json", "--json");
    const { signals } = JSON.parse(stdout) as { signals: Record<string, unknown> };
    expect(signals).toEqual({
      "feature.wind": expected["feature.wind"],
      "feature.sky": expected["feature.sky"],
    });
  });

  it.each([
    ["a line that is no JSON", "x.jsonl", '{"a":1}\n{"a":\n', "x.jsonl:2: is no JSON"],
    ["a line that is no object", "y.jsonl", '{"a":1}\n\n7\n', "y.jsonl:3: is no JSON object"],
    ["a JSON array", "z.json", '[{"a":1}]', "z.json: is a JSON array; write one object a line"],
    [
      "a text among numbers",
      "v.jsonl",
      '{"a":1}\n{"a":"x"}\n',
      'v.jsonl:2: column "a": "x" is no number',
    ],
    [
      "a number among texts",
      "w.jsonl",
      '{"a":"x"}\n{"a":1}\n',
      'w.jsonl:2: column "a": "1" is no text',
    ],
    [
      "a file that is cut off",
      "q.csv.gz",
      gzipSync(csvText).subarray(0, 9000),
      "q.csv.gz: cannot be inflated",
    ],
    [
      "Parquet that is cut off",
      "r.parquet",
      parquet("SNAPPY", 5000).subarray(0, 9000),
      "r.parquet: is no Parquet that can be read",
    ],
    [
      "a line behind quoted line breaks",
      "s.csv",
      'a,b\n1,"x\ny"\n\n2,z\nmany,z\n',
      's.csv:6: column "a": "many" is no number',
    ],
    ["files with other columns", "t.csv", "a,c\n1,2\n", "t.csv: differs from "],
  ])("names the place of %s", (_, name, content, complaint) => {
    const others = name === "t.csv" ? [file("t0.csv", "a,b\n1,2\n")] : [];
    const path = file(name, content);
    const { status, stderr } = tidemark(
      "baseline",
      "build",
      ...others,
      path,
      "--model",
      "m",
      "-o",
      "x.json",
    );
    expect(stderr).toContain(complaint);
    expect({ status, lines: stderr.trim().split("\n").length }).toEqual({ status: 1, lines: 1 });
  });

  it("leaves out what is no number where that was asked for, and says how much", () => {
    const path = file("dirty.csv", `a\n${"1\n2\n".repeat(200)}many\n1e999\n\n`);
    const args = ["--model", "m", "--out", "d.tidemark.json", "--numeric", "a"];
    const { stdout } = tidemark("baseline", "build", path, ...args);
    expect(stdout).toContain("warning: 2 cells of feature.a are no numbers; left out");
    expect(readFileSync(path, "utf8")).toContain("many");
  });

  it("says that a predicted number is a text", () => {
    const path = file("classes.csv", "p\nyes\nno\n");
    const args = ["--model", "m", "--out", "p.tidemark.json", "--prediction", "p"];
    expect(tidemark("baseline", "build", path, ...args).stderr).toContain(
      'column "p" holds text, but prediction.value are numbers; is it the predicted class?',
    );
  });
});

describe("merging references", () => {
  it("stands for all rows of the parts, within the error that it states", () => {
    const parts = [rows.slice(0, 5000), rows.slice(5000)].map((part, index) => {
      const path = file(`part-${index}.jsonl`, part.map((row) => JSON.stringify(row)).join("\n"));
      const args = ["--model", "m", "--model-version", "1", "--run-id", `run-${index}`];
      const out = `part-${index}.tidemark.json`;
      tidemark("baseline", "build", path, ...args, "--out", out);
      return out;
    });
    const { stderr } = tidemark("baseline", "merge", ...parts, "--out", "all.tidemark.json");
    expect(stderr).toBe("");
    const { stdout } = tidemark("baseline", "show", "all.tidemark.json", "--json");
    const shown = JSON.parse(stdout) as {
      version: string;
      runId: string;
      source: { rows: number };
      signals: Record<string, Record<string, number | Record<string, number>>>;
    };
    expect(shown).toMatchObject({ version: "1", runId: "", source: { rows: ROWS } });
    const whole = built(file("whole.jsonl", jsonText)) as typeof shown.signals;
    expect(shown.signals["feature.sky"]).toEqual(whole["feature.sky"]);
    expect(shown.signals["feature.holiday"]).toMatchObject({ count: ROWS, rankError: 0 });
    const [wind, exact] = [shown.signals["feature.wind"], whole["feature.wind"]];
    expect(wind?.["rankError"]).toBeLessThan(0.008);
    expect(wind?.["mean"]).toBeCloseTo(exact?.["mean"] as number, 9);
    expect(wind?.["standardDeviation"]).toBeCloseTo(exact?.["standardDeviation"] as number, 9);
    expect(wind).toMatchObject({
      count: exact?.["count"],
      min: exact?.["min"],
      max: exact?.["max"],
    });
    const quantiles = (wind?.["quantiles"] ?? {}) as Record<string, number>;
    for (const [name, value] of Object.entries(exact?.["quantiles"] ?? {})) {
      // Winds are uniform from 0 to 100, so a rank of .01 is one of them.
      expect(Math.abs((quantiles[name] as number) - value)).toBeLessThan(1);
    }
  });

  it("refuses other models, and signals of another kind", () => {
    const one = file("one.csv", `a\n${"1\n2\n".repeat(9)}`);
    tidemark("baseline", "build", one, "--model", "m", "--out", "n.tidemark.json");
    tidemark("baseline", "build", one, "--model", "o", "--out", "o.tidemark.json");
    tidemark(
      "baseline",
      "build",
      one,
      "--model",
      "m",
      "--category",
      "a",
      "--out",
      "c.tidemark.json",
    );
    const merge = (other: string) =>
      tidemark("baseline", "merge", "n.tidemark.json", other, "-o", "z");
    expect(merge("o.tidemark.json").stderr).toContain("o.tidemark.json: is of model o, and");
    expect(merge("c.tidemark.json").stderr).toContain(
      "c.tidemark.json: signals.feature.a: is categorical here and numeric before; build it anew",
    );
    expect(tidemark("baseline", "merge", "n.tidemark.json", "-o", "z").status).toBe(2);
  });
});
