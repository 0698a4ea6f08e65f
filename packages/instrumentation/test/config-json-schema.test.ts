import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configJsonSchema, SCHEMA_FILE } from "../scripts/config-json-schema.ts";

test("the shipped editor schema is the one that the file is checked by", () => {
  const shipped = JSON.parse(readFileSync(SCHEMA_FILE, "utf8")) as unknown;
  expect(shipped, "run node packages/instrumentation/scripts/config-json-schema.ts").toEqual(
    JSON.parse(configJsonSchema()),
  );
  expect(shipped).toMatchObject({
    additionalProperties: false,
    properties: {
      stages: {
        items: {
          required: ["module", "stage"],
          properties: { stage: { enum: expect.arrayContaining(["inference"]) as string[] } },
        },
      },
      models: { items: { properties: { inputs: { type: "object" } } } },
    },
  });
});
