/**
 * Batches that an endpoint has refused for good, as files to look at and to send again by hand:
 * the body as it came, and beside it what the endpoint said.
 */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LogRecord } from "../log/log-record.js";
import type { Logger } from "../logger.js";

/** Refused batches that are kept; the oldest make room. */
const LETTERS_MAX = 100;

/** The dead letters of one endpoint. */
export class DeadLetters {
  private readonly folder: string;
  private readonly logger: Logger;

  /** @param exporter the name in the configuration; its characters are made fit for a folder */
  constructor(directory: string, exporter: string, logger: Logger) {
    this.folder = join(directory, exporter.replaceAll(/[^\w.-]+/g, "_"));
    this.logger = logger;
  }

  /** Keeps a batch; returns where, or undefined when it could not be kept. */
  async keep(record: LogRecord, reason: string): Promise<string | undefined> {
    const type = record.contentType === "application/json" ? "json" : "pb";
    const packed = { gzip: ".gz", zstd: ".zst" }[record.contentEncoding] ?? "";
    const name = String(record.sequence).padStart(16, "0");
    const file = join(this.folder, `${name}.${record.signal}.${type}${packed}`);
    try {
      await mkdir(this.folder, { recursive: true });
      await writeFile(file, record.body);
      await writeFile(join(this.folder, `${name}.reason.txt`), `${reason}\n`);
      await this.makeRoom();
      return file;
    } catch (error) {
      this.logger.warn("could not keep a refused batch", { file, error });
      return undefined;
    }
  }

  private async makeRoom(): Promise<void> {
    const files = (await readdir(this.folder)).toSorted();
    const excess = files.length - 2 * LETTERS_MAX;
    for (const file of files.slice(0, Math.max(0, excess))) await rm(join(this.folder, file));
  }
}
