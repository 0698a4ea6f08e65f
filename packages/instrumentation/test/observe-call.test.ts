import { describe, expect, test, vi } from "vitest";
import { observeCall } from "../src/observe-call.js";

function observer() {
  return {
    succeeded: vi.fn<(result: unknown) => void>(),
    failed: vi.fn<(error: unknown) => void>(),
  };
}

describe("an observed call", () => {
  test("returns the very result", () => {
    const result = {};
    const seen = observer();
    expect(observeCall(() => result, seen)).toBe(result);
    expect(seen.succeeded).toHaveBeenCalledWith(result);
  });

  test("throws the very error", () => {
    const error = new Error("its own");
    const seen = observer();
    const call = () => {
      throw error;
    };
    expect(() => observeCall(call, seen)).toThrow(error);
    expect(seen.failed).toHaveBeenCalledWith(error);
  });

  test("resolves to the very result and rejects with the very error", async () => {
    const result = {};
    const error = new Error("its own");
    const seen = observer();
    expect(await observeCall(async () => result, seen)).toBe(result);
    await expect(observeCall(() => Promise.reject(error), seen)).rejects.toBe(error);
    expect(seen.succeeded).toHaveBeenCalledExactlyOnceWith(result);
    expect(seen.failed).toHaveBeenCalledExactlyOnceWith(error);
  });

  test("hands back a promise with properties of its own as it is", async () => {
    const promise = Object.assign(Promise.resolve(1), { cancel: () => undefined });
    const seen = observer();
    expect(observeCall(() => promise, seen)).toBe(promise);
    await promise;
    expect(seen.succeeded).toHaveBeenCalledWith(1);
  });

  test("hands back a promise of a subclass as it is", async () => {
    class Query extends Promise<number> {}
    const promise = Query.resolve(1);
    expect(observeCall(() => promise, observer())).toBe(promise);
    await promise;
  });

  test("does not start what only starts when it is awaited", () => {
    // oxlint-disable-next-line unicorn/no-thenable -- query builders are such objects
    const lazy = { then: vi.fn<() => void>() };
    expect(observeCall(() => lazy, observer())).toBe(lazy);
    expect(lazy.then).not.toHaveBeenCalled();
  });

  test("is not harmed by an observer that fails", async () => {
    const fail = () => {
      throw new Error("a bug of ours");
    };
    const broken = { succeeded: fail, failed: fail };
    expect(observeCall(() => 1, broken)).toBe(1);
    expect(await observeCall(async () => 2, broken)).toBe(2);
    await expect(observeCall(() => Promise.reject(new Error("host")), broken)).rejects.toThrow(
      "host",
    );
  });
});
