import { describe, expect, it } from "vitest";
import { CALL_BYTES, CallMemory, idKey, spanKey } from "../src/observe/call-memory.ts";

const keysOf = (call: number) => [spanKey(`trace-${call}`, "span"), idKey(`response-${call}`)];

/** A memory of `capacity` calls that has got `count`; each call is its own group. */
function filled(capacity: number, count: number): CallMemory {
  const memory = new CallMemory(capacity);
  for (let call = 0; call < count; call++) memory.add(keysOf(call), call, 1000 + call);
  return memory;
}

/** The groups of calls by each of their keys; negative where none is found. */
const found = (memory: CallMemory, count: number) =>
  Array.from({ length: count }, (_, call) =>
    keysOf(call).map((key) => memory.find(key)?.group ?? -1),
  );

describe("a memory of calls", () => {
  it("finds a call by each of its keys, and the latest one by a key that several have", () => {
    const memory = filled(100, 50);
    expect(found(memory, 50)).toEqual(Array.from({ length: 50 }, (_, call) => [call, call]));
    const added = memory.add([idKey("response-7")], 99, 5);
    expect(memory.find(idKey("response-7"))).toEqual(added);
    expect(added).toMatchObject({ group: 99, minute: 5 });
    expect(memory.find(idKey("response-51"))).toBeUndefined();
    // A span's key and an id's are not confused.
    expect(memory.find(idKey("trace-7span"))).toBeUndefined();
  });

  it.each([1, 7, 64, 100])(
    "of %d calls has the last so many, and at most twice as many",
    (size) => {
      const count = 5 * size + 3;
      const known = found(filled(size, count), count).filter(([call = -1]) => call >= 0);
      expect(known.length).toBeGreaterThanOrEqual(size);
      expect(known.length).toBeLessThanOrEqual(2 * size);
      expect(known.at(-1)).toEqual([count - 1, count - 1]);
    },
  );

  it("of none remembers none", () => {
    expect(
      found(filled(0, 3), 3)
        .flat()
        .every((group) => group === -1),
    ).toBe(true);
  });

  it("knows up to when calls may be forgotten, though they come late", () => {
    const memory = new CallMemory(4);
    const add = (...minutes: number[]) => {
      for (const minute of minutes) memory.add([idKey("any")], 0, minute);
      return memory.forgottenMinute;
    };
    expect(add(100, 100, 100, 40, 101, 101, 101)).toBe(Number.NEGATIVE_INFINITY);
    expect(add(101)).toBe(100);
    expect(add(50, 50, 50, 50)).toBe(101);
    expect(add(50, 50, 50, 50)).toBe(101);
    const other = new CallMemory(4);
    other.restore(memory.unsaved().parts, memory.forgottenMinute);
    expect(other.forgottenMinute).toBe(101);
  });

  it("hands out what is new, once, and is the same when it has been restored", () => {
    const memory = filled(10, 14);
    const { parts, generations } = memory.unsaved();
    expect(generations).toEqual([
      { generation: 0, count: 10 },
      { generation: 1, count: 4 },
    ]);
    expect(parts.map(({ bytes }) => bytes.length / CALL_BYTES)).toEqual([10, 4]);
    expect(memory.unsaved().parts).toEqual([]);
    memory.add(keysOf(14), 14, 1014);
    expect(memory.unsaved().parts).toMatchObject([{ generation: 1, from: 4 }]);
    const other = new CallMemory(10);
    other.restore(parts, memory.forgottenMinute);
    expect(found(other, 14)).toEqual(found(filled(10, 14), 14));
    // Who it is does not change with a restart, and each is somebody else.
    const calls = Array.from({ length: 14 }, (_, call) => memory.find(idKey(`response-${call}`)));
    expect(calls.map((call) => call?.minute)).toEqual(calls.map((_, call) => 1000 + call));
    expect(new Set(calls.map((call) => call?.id)).size).toBe(14);
    expect(calls[3]).toEqual(other.find(idKey("response-3")));
    memory.forgetSaved();
    expect(memory.unsaved().parts.map(({ from }) => from)).toEqual([0, 0]);
  });
});
