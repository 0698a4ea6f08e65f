/** The dashboards that Grafana is given are those that the sources make. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DASHBOARDS } from "../collector-config/grafana/src/dashboards.ts";

const folder = new URL("../collector-config/grafana/dashboards/", import.meta.url);

describe("collector-config/grafana/dashboards", () => {
  it.each(Object.entries(DASHBOARDS))(
    "%s.json is as `npm run dashboards` writes it",
    (name, made) => {
      const written = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as unknown;
      // As text and back, since undefined is no JSON.
      expect(written).toEqual(JSON.parse(JSON.stringify(made)));
    },
  );

  it("holds nothing else", () => {
    const files = Object.keys(DASHBOARDS).map((name) => `${name}.json`);
    expect(readdirSync(folder).toSorted()).toEqual(files.toSorted());
  });
});
