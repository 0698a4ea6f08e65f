import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cliFolder } from "./cli-runs.ts";

const { folder, file, tidemark } = cliFolder();

const training = file(
  "training.csv",
  [
    "wind,sky,when",
    ...Array.from({ length: 50 }, (_, i) => `${i / 10},${i % 3 ? "sun" : "rain"},`),
  ].join("\n"),
);

describe("tidemark baseline", () => {
  it("makes a reference of the columns of numbers, and shows what is in it", () => {
    const built = tidemark(
      "baseline",
      "build",
      training,
      "--model",
      "weather",
      "--out",
      "a.tidemark.json",
    );
    expect(built).toMatchObject({ status: 0, stderr: "" });
    expect(built.stdout).toContain(
      "columns taken: wind as feature.wind, sky as feature.sky\n" +
        "columns left out: when (no values)\n" +
        "warning: feature.wind has 50 values, too few to compare anything with by default",
    );
    const shown = tidemark("baseline", "show", "a.tidemark.json", "--json");
    const content = JSON.parse(shown.stdout) as { signals: Record<string, object> };
    expect(content.signals).toEqual({
      "feature.wind": expect.objectContaining({ kind: "numeric", count: 50, min: 0 }) as object,
      "feature.sky": expect.objectContaining({ top: { sun: 33, rain: 17 } }) as object,
    });
    expect(tidemark("baseline", "show", "a.tidemark.json").stdout).toContain(
      "model weather, any version",
    );
  });

  it("maps columns to features, classes and predictions", () => {
    const args = ["--feature", "wind=wind_speed", "--class", "sky", "--model-version", "3"];
    tidemark("baseline", "build", training, "--model", "w", "--out", "b.tidemark.json", ...args);
    const { stdout } = tidemark("baseline", "show", "b.tidemark.json", "--json");
    const content = JSON.parse(stdout) as { version: string; signals: object };
    expect(content.version).toBe("3");
    expect(Object.keys(content.signals)).toEqual(["feature.wind_speed", "prediction.class"]);
  });

  it.each([
    ["a missing file", ["nowhere.csv"], "nowhere.csv: cannot be read (ENOENT); check the path"],
    [
      "a file without a column that can be a signal",
      [file("text.csv", "a,b\nx,\n")],
      "text.csv: no column holds numbers or categories: a (1 different texts in 1 rows, which " +
        "--category takes), b (no values)",
    ],
    [
      "a spreadsheet",
      [file("book.xlsx", "PK\u0003\u0004\u0014\u0000\u0006")],
      "book.xlsx: is no text, and no Parquet; save it as CSV, JSON lines (both UTF-8) or Parquet",
    ],
    ["a file without rows", [file("empty.csv", "a,b\n")], "empty.csv: has no rows"],
    [
      "a column that does not exist",
      [training, "--feature", "windy"],
      'training.csv: there is no column "windy"; there are: wind, sky, when',
    ],
    [
      "a column without values",
      [training, "--feature", "when"],
      'training.csv: column "when" has no values',
    ],
    [
      "a cell that is no number",
      [file("mixed.csv", "a\n1\n2\nmany\n")],
      'mixed.csv:4: column "a": "many" is no number',
    ],
    [
      "a number that is none any more",
      [file("huge.csv", "a\n1\n1e999\n")],
      'huge.csv:3: column "a": "1e999" is too large for a number',
    ],
    [
      "two columns of one name",
      [file("twice.csv", "a,b,a\n1,2,3\n")],
      'twice.csv:1: two columns are called "a"; rename one of them',
    ],
    [
      "a file without a header",
      [file("bare.csv", "1,2.5\n3,4\n")],
      "bare.csv:1: the first row holds only numbers (1, 2.5); put a row with the columns' names",
    ],
    [
      "a column that is named twice",
      [training, "--feature", "wind", "--prediction", "wind"],
      'training.csv: column "wind" is named twice; name it once',
    ],
    [
      "a signal that two columns are to be",
      [training, "--feature", "wind=x", "--category", "sky=x"],
      "training.csv: two columns are to be feature.x; leave one out",
    ],
    [
      "a feature whose name an attribute has",
      [training, "--feature", "wind=source"],
      'training.csv: no span can carry a feature called "source": ml.feature.source means',
    ],
    [
      "rows of different lengths",
      [file("ragged.csv", "a,b\n1,2\n3\n")],
      "ragged.csv: is no well-formed CSV",
    ],
  ])("says file, line or column of %s", (_, args, complaint) => {
    const { status, stderr } = tidemark(
      "baseline",
      "build",
      ...args,
      "--model",
      "m",
      "--out",
      "x.json",
    );
    expect(stderr).toContain(complaint);
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("takes the columns of numbers that no flag names for features", () => {
    const wide = file(
      "wide.csv",
      [
        "wind,source,,sky,p,yes",
        ...Array.from({ length: 300 }, (_, i) => `${i},1,1,sun,${i},y`),
      ].join("\n"),
    );
    const args = ["--prediction", "p", "--class", "yes"];
    const built = tidemark("baseline", "build", wide, "--model", "w", "--out", "e.json", ...args);
    expect(built.stdout).toContain(
      "columns taken: wind as feature.wind, sky as feature.sky, p as prediction.value, yes as prediction.class\n" +
        "columns left out: source (a reserved name), number 3 (no name)\n",
    );
    const chosen = [...args, "--feature", "wind=w"];
    const narrow = tidemark(
      "baseline",
      "build",
      wide,
      "--model",
      "w",
      "--out",
      "f.json",
      ...chosen,
    );
    expect(narrow.stdout).toContain("wind as feature.w, p as prediction.value, yes as");
    expect(narrow.stdout).not.toContain("left out");
    expect(narrow.stdout).not.toContain("warning");
  });

  it("never writes the reference over the training data", () => {
    const link = join(folder, "link.csv");
    symlinkSync(training, link);
    const before = readFileSync(training, "utf8");
    const { status, stderr } = tidemark("baseline", "build", training, "--model", "w", "-o", link);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `tidemark: --out ${link}: is the training data itself; name another file\n`,
    });
    expect(readFileSync(training, "utf8")).toBe(before);
  });

  it("says where it cannot be written", () => {
    const out = join(folder, "nowhere", "x.tidemark.json");
    const args = ["--model", "w", "--out", out] as const;
    const { status, stderr } = tidemark("baseline", "build", training, ...args);
    expect(stderr).toBe(`tidemark: ${out}: cannot be written (ENOENT); check path and room\n`);
    expect(status).toBe(1);
  });

  it("refuses a reference that is none, and one that has been damaged", () => {
    expect(tidemark("baseline", "show", file("no.json", "{}")).stderr).toContain(
      "no.json: format: ",
    );
    expect(tidemark("baseline", "show", training).stderr).toContain(
      "training.csv: is no reference of Tidemark: ",
    );
    tidemark("baseline", "build", training, "--model", "w", "--out", "c.tidemark.json");
    const text = readFileSync(join(folder, "c.tidemark.json"), "utf8");
    for (const [change, complaint] of [
      [
        text.replace(/"summary": ".{60}/, (part) => `${part.slice(0, -8)}AAAAAAAA`),
        "checksum: is not that of the content",
      ],
      [text.replace('"min": 0', '"min": 1'), "checksum: is not that of the content"],
      [text.slice(0, -100), "is damaged: "],
      [text.replace('"version": 1', '"version": 2'), "is of version 2, and this Tidemark reads 1"],
      [text.replace('"version": 1', '"version": 0'), "version: "],
      [text.replace('"rows": 50', '"rows": "many"'), "source.rows: "],
    ] as const) {
      const { status, stderr } = tidemark("baseline", "show", file("d.tidemark.json", change));
      expect(stderr).toContain("d.tidemark.json: ");
      expect(stderr).toContain(complaint);
      expect(status).toBe(1);
    }
    // Whoever indents it differently, as a formatter does, does not damage it.
    const other = file("o.tidemark.json", JSON.stringify(JSON.parse(text), undefined, 8));
    expect(tidemark("baseline", "show", other).status).toBe(0);
  });
});
