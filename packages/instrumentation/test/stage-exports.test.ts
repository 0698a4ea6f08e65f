import { describe, expect, test } from "vitest";
import { patchExport } from "../src/stage-exports.js";

type AnyFunction = (...args: unknown[]) => unknown;
const wrap = (original: AnyFunction): AnyFunction => {
  const wrapped: AnyFunction = (...args) => `wrapped ${String(original(...args))}`;
  return wrapped;
};

class Some {
  kept = true;
}

function patch(exports: unknown, path: string): unknown {
  const result = patchExport(exports, path, wrap);
  if ("problem" in result) throw new Error(result.problem);
  return result.exports;
}

describe("an export", () => {
  test("is replaced in place where it can be", () => {
    const exports = { work: () => 1, other: 2 };
    expect(patch(exports, "work")).toBe(exports);
    expect(exports.work()).toBe("wrapped 1");
  });

  test("is replaced in a copy where it is read-only, and the rest stays live", () => {
    let other = 1;
    const exports = Object.defineProperties({} as { work: AnyFunction; other: number }, {
      work: { enumerable: true, get: () => () => 1 },
      other: { enumerable: true, get: () => other },
    });
    const copy = patch(exports, "work") as typeof exports;
    other = 2;
    expect([copy.work(), copy.other, Object.keys(copy)]).toEqual([
      "wrapped 1",
      2,
      ["work", "other"],
    ]);
    expect(exports.work()).toBe(1);
  });

  test("may be the module itself", () => {
    expect((patch(() => 1, "default") as AnyFunction)()).toBe("wrapped 1");
  });

  test("may be a method of a class, with its receiver", () => {
    class Model {
      factor = 3;
      predict(this: Model) {
        return this.factor;
      }
    }
    const exports = { Model };
    const keepThis = (original: AnyFunction): AnyFunction =>
      function (this: unknown, ...args) {
        return `wrapped ${String(original.apply(this, args))}`;
      };
    patchExport(exports, "Model.prototype.predict", keepThis);
    expect(new Model().predict()).toBe("wrapped 3");
  });

  test("may be static, or deep within an object", () => {
    class Model {
      static load() {
        return 1;
      }
      kept = true;
    }
    const exports = { Model, a: { b: { c: () => 2 } } };
    patch(exports, "Model.load");
    patch(exports, "a.b.c");
    expect([Model.load(), exports.a.b.c()]).toEqual(["wrapped 1", "wrapped 2"]);
  });

  test("of a CommonJS module is found behind its default export too", () => {
    const commonJs = { work: () => 1 };
    const namespace = { default: commonJs, work: commonJs.work };
    patch(namespace, "work");
    expect([namespace.work(), namespace.default.work()]).toEqual(["wrapped 1", "wrapped 1"]);
    const onlyDefault = { default: { model: { predict: () => 3 } } };
    patch(onlyDefault, "model.predict");
    expect(onlyDefault.default.model.predict()).toBe("wrapped 3");
  });

  test.each([
    [{ work: 1 }, "work", /has no function work; it exports: work/],
    [{}, "work", /has no function work; it exports: nothing/],
    [undefined, "default", /has no function default/],
    [{ Model: Some }, "Model", /exports the class Model; name a method/],
    [Some, "default", /exports the class default/],
    [{ a: 1 }, "a.b.c", /has no export a\.b/],
    [{ a: Object.freeze({ b: () => 1 }) }, "a.b", /does not let a\.b be replaced/],
  ])("that is not there is told: %j %s", (exports, path, problem) => {
    expect(() => patch(exports, path)).toThrow(problem);
  });
});
