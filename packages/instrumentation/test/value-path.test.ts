import { describe, expect, test } from "vitest";
import { parseValuePath, valueAt } from "../src/value-path.js";

const ARGS = [{ user: { "tenant id": "acme", age: 7, ok: true, list: ["a", "b"] } }, null, "x"];

describe("a path", () => {
  test.each([
    ['args[0].user["tenant id"]', "acme"],
    ["args[0].user['tenant id']", "acme"],
    ["args[0].user.age", "7"],
    ["args[0].user.ok", "true"],
    ["args.0.user.list.1", "b"],
    ["args[2]", "x"],
    ["args[0].user.list[1]", "b"],
    ["args[0].user", undefined],
    ["args[0].nobody.knows", undefined],
    ["args[1].of.null", undefined],
    ["args[9]", undefined],
    ["args[0].user.list.map", undefined],
  ])("%s reads %j", (text, value) => {
    const path = parseValuePath(text);
    expect(path && valueAt(path, ARGS)).toBe(value);
  });

  test.each(["", "user", "args.", "args[", "args[a]", "result..id", "arguments[0]", "args[0] "])(
    "%j is refused",
    (text) => {
      expect(parseValuePath(text)).toBeUndefined();
    },
  );

  test("a long value is cut", () => {
    expect(valueAt({ root: "result", steps: [] }, "x".repeat(10_000))).toHaveLength(256);
  });
});
