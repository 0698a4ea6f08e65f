import type { FileHandle } from "node:fs/promises";
import {
  appendFile,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { METRICS } from "@tidemark/semconv";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { LogOptions } from "../src/log/batch-log.ts";
import { BatchLog, LogUnavailableError } from "../src/log/batch-log.ts";
import type { LogReader } from "../src/log/log-reader.ts";
import { encodeHeader } from "../src/log/log-record.ts";
import { Logger } from "../src/logger.ts";
import type { NumberPoint } from "../src/metric-family.ts";

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tidemark-log-"));
  folders.push(folder);
  return folder;
}

const lines: string[] = [];
const logger = new Logger("info", true, (line) => lines.push(line));

async function openLog(
  directory: string,
  options: Partial<LogOptions> = {},
  opener?: (path: string, flags: string) => Promise<FileHandle>,
) {
  const defaults = {
    segmentBytes: 2000,
    bytesMax: 1e6,
    recentBytesMax: 500,
    sync: "group",
    consumers: ["it"],
    followers: ["it"],
  } as const;
  const log = new BatchLog({ ...defaults, directory, ...options }, logger, opener);
  await log.start();
  return log;
}

function bodyOf(text: string) {
  return {
    body: Buffer.from(text),
    signal: "traces" as const,
    contentType: "application/x-protobuf",
    contentEncoding: "",
    receivedMs: 1.75e12,
  };
}

async function write(log: BatchLog, texts: readonly string[]): Promise<void> {
  await Promise.all(texts.map((text) => log.append(bodyOf(text)).kept));
}

async function readAll(reader: LogReader): Promise<string[]> {
  const texts: string[] = [];
  for (let record = await reader.next(); record; record = await reader.next()) {
    texts.push(Buffer.from(record.body).toString());
  }
  await reader.close();
  return texts;
}

function damagesOf(log: BatchLog): number | undefined {
  const family = log.metrics().find(({ definition }) => definition === METRICS.logDamages);
  const [point] = (family?.points ?? []) as Iterable<NumberPoint>;
  return point?.value;
}

async function segmentFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith(".log")).toSorted();
}

/** Opens files whose `method` fails while `broken()` says so. */
function failing(method: "writev" | "datasync", code: string, broken: () => boolean) {
  return async (path: string, flags: string): Promise<FileHandle> => {
    const file = await open(path, flags);
    const original = file[method].bind(file) as (...args: unknown[]) => Promise<unknown>;
    Object.assign(file, {
      [method]: async (...args: unknown[]) => {
        if (!broken()) return original(...args);
        // Half of it gets through, as when a disk fills up.
        if (method === "writev") {
          const [[first], at] = args as [Uint8Array[], number];
          await file.write(first as Uint8Array, 0, 10, at);
        }
        throw Object.assign(new Error(`${code}: injected`), { code });
      },
    });
    return file;
  };
}

const numbered = (count: number, prefix = "batch") =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i} ${"x".repeat(i % 300)}`);

describe("the log", () => {
  it("writes traces as it did before there was another signal, so that old records are read", () => {
    const header = encodeHeader({ ...bodyOf("traces"), sequence: 1 });
    expect(Buffer.from(header.subarray(24))).toEqual(Buffer.alloc(8));
  });

  it("gives back what it kept, in order and with everything known of it, after a restart", async () => {
    const directory = await newFolder();
    const log = await openLog(directory);
    await write(log, numbered(100));
    const json = { ...bodyOf("{}"), contentType: "application/json", contentEncoding: "gzip" };
    await log.append({ ...json, signal: "metrics", receivedMs: 12.5 }).kept;
    await log.shutdown();
    expect((await segmentFiles(directory)).length).toBeGreaterThan(2);

    const again = await openLog(directory);
    expect(again.lastKept).toBe(101);
    const reader = again.reader(99);
    expect((await reader.next())?.sequence).toBe(100);
    expect(await reader.next()).toMatchObject({
      sequence: 101,
      signal: "metrics",
      contentType: "application/json",
      contentEncoding: "gzip",
      receivedMs: 12.5,
    });
    await reader.close();
    expect(await readAll(again.reader(0))).toEqual([...numbered(100), "{}"]);
    expect(again.append(bodyOf("next")).sequence).toBe(102);
    await again.shutdown();
  });

  it("covers all batches that wait with one fsync", async () => {
    let syncs = 0;
    const log = await openLog(
      await newFolder(),
      { segmentBytes: 1e6 },
      failing("datasync", "", () => {
        syncs++;
        return false;
      }),
    );
    await write(log, ["first"]);
    syncs = 0;
    await write(log, numbered(200));
    expect(syncs).toBeLessThanOrEqual(2);
    await log.shutdown();
  });

  it("keeps every whole record, wherever a crash has torn the last one", async () => {
    const directory = await newFolder();
    const log = await openLog(directory, { segmentBytes: 1e6 });
    await write(log, ["one", "two", "three"]);
    await log.shutdown();
    const [name = ""] = await segmentFiles(directory);
    const whole = await readFile(join(directory, name));
    const lastAt = whole.length - 32 - "three".length;
    for (let end = lastAt; end < whole.length; end++) {
      await writeFile(join(directory, name), whole.subarray(0, end));
      const cut = await openLog(directory);
      await write(cut, ["four"]);
      expect(await readAll(cut.reader(0))).toEqual(["one", "two", "four"]);
      await cut.shutdown();
    }
  });

  it("does not take garbage behind the last record for a record, and keeps it aside", async () => {
    const directory = await newFolder();
    const log = await openLog(directory);
    await write(log, ["one"]);
    await log.shutdown();
    const [name = ""] = await segmentFiles(directory);
    await appendFile(join(directory, name), Buffer.alloc(5000, 0));
    const again = await openLog(directory);
    expect(again.lastKept).toBe(1);
    expect(await readdir(join(directory, "damaged"))).toEqual([`${name}.35`]);
    await again.shutdown();
  });

  it("refuses when the disk is full, keeps nothing of it, and goes on when there is room", async () => {
    const directory = await newFolder();
    let full = false;
    const log = await openLog(
      directory,
      {},
      failing("writev", "ENOSPC", () => full),
    );
    await write(log, ["before"]);
    full = true;
    const refused = await Promise.allSettled(
      ["lost", "too"].map((t) => log.append(bodyOf(t)).kept),
    );
    for (const result of refused) {
      expect(result).toMatchObject({ status: "rejected", reason: expect.any(LogUnavailableError) });
    }
    expect(refused[0]).toHaveProperty("reason.message", expect.stringContaining("ENOSPC"));
    full = false;
    await write(log, ["after"]);
    expect(await readAll(log.reader(0))).toEqual(["before", "after"]);
    await log.shutdown();
    const again = await openLog(directory);
    expect(await readAll(again.reader(0))).toEqual(["before", "after"]);
    expect(lines.filter((line) => line.includes("cannot keep batches"))).toHaveLength(1);
    await again.shutdown();
  });

  it("does not trust a file whose fsync has failed", async () => {
    const directory = await newFolder();
    let broken = false;
    const log = await openLog(
      directory,
      {},
      failing("datasync", "EIO", () => broken),
    );
    await write(log, ["before"]);
    broken = true;
    await expect(log.append(bodyOf("doubtful")).kept).rejects.toThrow("EIO");
    broken = false;
    await write(log, ["after"]);
    expect(await segmentFiles(directory)).toHaveLength(2);
    await log.shutdown();
    const again = await openLog(directory);
    expect(await readAll(again.reader(0))).toEqual(["before", "after"]);
    await again.shutdown();
  });

  it("refuses beyond its size until consumers have released what is old", async () => {
    const directory = await newFolder();
    const log = await openLog(directory, { bytesMax: 10_000 });
    let accepted = 0;
    const fill = async () => {
      for (;;) {
        await log.append(bodyOf("y".repeat(500))).kept;
        accepted++;
      }
    };
    await expect(fill()).rejects.toThrow("not yet forwarded");
    expect(accepted).toBe(18);
    log.release("it", 10);
    await log.append(bodyOf("z".repeat(500))).kept;
    await expect.poll(() => segmentFiles(directory)).not.toContain("0000000000000001.log");
    expect((await readAll(log.reader(10)))[0]).toBe("y".repeat(500));
    await log.shutdown();
  });

  it("loses only the record that is damaged, says so, and keeps a copy", async () => {
    const directory = await newFolder();
    const log = await openLog(directory);
    await write(log, numbered(200));
    await log.shutdown();
    const names = await segmentFiles(directory);
    expect(names.length).toBeGreaterThan(4);
    const hit = [names[1] as string, names.at(-1) as string];
    for (const name of hit) {
      const bytes = await readFile(join(directory, name));
      bytes[40] = (bytes[40] as number) ^ 1;
      await writeFile(join(directory, name), bytes);
    }
    const again = await openLog(directory);
    const lost = new Set(hit.map((name) => Number.parseInt(name, 10) - 1));
    expect(await readAll(again.reader(0))).toEqual(numbered(200).filter((_, i) => !lost.has(i)));
    expect(await readdir(join(directory, "damaged"))).toEqual(hit.map((name) => `${name}.0`));
    expect(lines.at(-1)).toContain(join(directory, hit[1] as string));
    expect(again.append(bodyOf("next")).sequence).toBe(201);
    await again.shutdown();
  });

  it("finds nothing of a file's earlier use, wherever a crash has torn the last write", async () => {
    const directory = await newFolder();
    const log = await openLog(directory);
    const texts = numbered(250);
    // One by one, and released at once, so that files are soon written over.
    for (const [at, text] of texts.entries()) {
      await write(log, [text]);
      log.release("it", at);
    }
    const path = join(directory, (await segmentFiles(directory)).at(-1) as string);
    const first = Number.parseInt(path.slice(-20), 10);
    const before = await readFile(path);
    await write(log, ["the last one"]);
    const after = await readFile(path);
    await log.shutdown();
    const from = before.findIndex((byte, at) => byte !== after[at]);
    const to = after.findLastIndex((byte, at) => byte !== before[at]) + 1;
    expect(to - from).toBeGreaterThan(40);
    // Old records follow, or this test would show nothing.
    expect(to).toBeLessThan(after.length);
    const kept = texts.slice(first - 1);
    for (let cut = from; cut <= to; cut++) {
      await writeFile(path, Buffer.concat([after.subarray(0, cut), before.subarray(cut)]));
      const again = await openLog(directory);
      const found = await readAll(again.reader(first - 1));
      // What was torn is gone, or whole but for the mark behind it.
      expect([kept, [...kept, "the last one"]]).toContainEqual(found);
      if (cut === from) expect([found, damagesOf(again)]).toEqual([kept, 0]);
      if (cut === to) expect([found.at(-1), damagesOf(again)]).toEqual(["the last one", 0]);
      await again.shutdown();
    }
  });

  it("survives a last file that has been emptied", async () => {
    const directory = await newFolder();
    const log = await openLog(directory);
    await write(log, numbered(60));
    await log.shutdown();
    const last = (await segmentFiles(directory)).at(-1) as string;
    await truncate(join(directory, last), 0);
    const again = await openLog(directory);
    expect(again.lastKept).toBe(Number.parseInt(last, 10) - 1);
    expect(again.append(bodyOf("next")).sequence).toBe(again.lastKept + 1);
    await again.shutdown();
  });
});

describe("readers", () => {
  it("each get every record once and in order, from memory, from disk, and across restarts", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("write" as const), count: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ kind: fc.constant("read" as const), count: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ kind: fc.constant("restart" as const), count: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const directory = await newFolder();
        let log = await openLog(directory);
        let reader = log.reader(0);
        const written: string[] = [];
        const seen: string[] = [];
        const read = async () => {
          const record = await reader.next();
          if (record) seen.push(Buffer.from(record.body).toString());
          return record !== undefined;
        };
        for (const { kind, count } of steps) {
          if (kind === "write") {
            const texts = numbered(count, `at ${written.length}`);
            written.push(...texts);
            await write(log, texts);
          } else if (kind === "read") {
            for (let i = 0; i < count; i++) await read();
            log.release("it", reader.sequence);
          } else {
            await reader.close();
            await log.shutdown();
            log = await openLog(directory);
            reader = log.reader(reader.sequence);
          }
        }
        while (await read());
        expect(seen).toEqual(written);
        expect(damagesOf(log)).toBe(0);
        await reader.close();
        await log.shutdown();
      }),
      { numRuns: 60 },
    );
  });

  it("see what is written while they read the last file", async () => {
    const log = await openLog(await newFolder(), { recentBytesMax: 0, segmentBytes: 5000 });
    const reader = log.reader(0);
    const seen: string[] = [];
    const writing = (async () => {
      for (const text of numbered(300)) await write(log, [text]);
    })();
    while (seen.length < 300) {
      const record = await reader.next();
      if (record) seen.push(Buffer.from(record.body).toString());
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    expect(seen).toEqual(numbered(300));
    await reader.close();
    await log.shutdown();
  });
});
