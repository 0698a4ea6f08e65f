import { describe, expect, it } from "vitest";
import { KeyTable, ROLE, unwantedKeys, wantedKeys } from "../src/index.ts";
import { exactNames } from "./arbitrary-request.ts";

/** Keys that every table has. */
const FIXED = new KeyTable(wantedKeys(), unwantedKeys()).size;

/** A table, and its answer by name. */
function tableOf(keysMax?: number) {
  const table = new KeyTable(wantedKeys(), unwantedKeys(), keysMax);
  const idOf = (name: string) => {
    const bytes = Buffer.from(name);
    return table.lookup(bytes, 0, bytes.length);
  };
  return { table, idOf };
}

/** As long as each other, and ending alike: all of them have the same hash. */
const alike = (count: number, prefix = "ml.feature.") =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(6, "0")}_mean`);

describe("KeyTable", () => {
  it("tells keys apart that hash alike, and knows them again", () => {
    const { table, idOf } = tableOf();
    const names = alike(3000);
    const ids = names.map(idOf);
    expect(new Set(ids).size).toBe(names.length);
    expect(ids.map((id) => table.known(id).name)).toEqual(names);
    expect(names.map(idOf)).toEqual(ids);
    expect(table.overflowCount).toBe(0);
  });

  it("finds what was asked for by name, whatever a stranger has put beside it", () => {
    const { idOf } = tableOf();
    const exact = exactNames(wantedKeys());
    const before = exact.map(idOf);
    for (const name of exact) {
      // Under the template's first letters, but with the length and the end of a key that is wanted.
      const end = name.slice(-4);
      for (let i = 0; i < 2000; i++)
        idOf(`ml.fea${String(i).padStart(name.length - 10, "0")}${end}`);
    }
    for (const name of alike(5000)) idOf(name);
    expect(exact.map(idOf)).toEqual(before);
    expect(unwantedKeys().map(idOf)).toEqual(unwantedKeys().map(() => -1));
  });

  it("counts keys beyond its bound under their template", () => {
    const { table, idOf } = tableOf(FIXED + 50);
    const ids = alike(200).map(idOf);
    expect(table.size).toBe(FIXED + 50);
    expect(table.known(ids.at(-1) as number).name).toBe("ml.feature.*");
    expect(table.overflowCount).toBeGreaterThan(100);
  });

  it("takes the elements of a list that is written out for one key", () => {
    const { table, idOf } = tableOf();
    const scores = [0, 7, 12_345].map((i) => idOf(`retrieval.documents.${i}.document.score`));
    expect(new Set(scores).size).toBe(1);
    expect(table.known(scores[0] as number).name).toBe("retrieval.documents.*.document.score");
    expect(idOf("retrieval.documents.0.document.content")).toBe(-1);
    expect(idOf("retrieval.documents..document.score")).toBe(-1);
  });

  it("takes no attribute for an event, or for a signal that it makes itself", () => {
    const { table, idOf } = tableOf();
    expect([...table.events.keys()].map(idOf)).toEqual(Array(table.events.size).fill(-1));
    const derived = table.idOf(ROLE.callSignal, "usage.cost");
    expect(table.known(derived)).toMatchObject({ name: "usage.cost", suffix: "usage.cost" });
    expect(table.idOf(ROLE.callSignal, "usage.cost")).toBe(derived);
    expect(idOf("usage.cost")).toBe(-1);
  });

  it("counts signals of its own that find no room", () => {
    const { table } = tableOf(FIXED + 1);
    expect(table.idOf(ROLE.callSignal, "a")).toBeGreaterThan(0);
    expect(table.idOf(ROLE.callSignal, "b")).toBe(-1);
    expect(table.overflowCount).toBe(1);
  });
});
