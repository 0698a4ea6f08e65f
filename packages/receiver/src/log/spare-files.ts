/**
 * Files of the log that nobody needs any more, kept to be written over. Deleting a file makes the
 * disk busy just when the next batch wants to be synced: some hundred megabytes at a checkpoint
 * made it wait for 130 ms. A file that does not grow is also synced without its metadata.
 */
import { readdir, rename, stat, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Logger } from "../logger.js";
import type { Segment } from "./segment.js";

const SUFFIX = ".spare";
/** What is beyond the bound is deleted one by one, with such pauses. */
const DELETE_PAUSE_MS = 500;

interface SpareFile {
  readonly path: string;
  readonly bytes: number;
}

/** The spare files of one folder. */
export class SpareFiles {
  private readonly directory: string;
  private readonly bytesMax: number;
  private readonly logger: Logger;
  private readonly files: SpareFile[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** @param bytesMax all spare files together; those beyond it are deleted */
  constructor(directory: string, bytesMax: number, logger: Logger) {
    this.directory = directory;
    this.bytesMax = bytesMax;
    this.logger = logger;
  }

  /** Takes up those of an earlier run. */
  async start(): Promise<void> {
    for (const name of await readdir(this.directory)) {
      if (!name.endsWith(SUFFIX)) continue;
      const path = join(this.directory, name);
      this.files.push({ path, bytes: (await stat(path)).size });
    }
    this.deleteSurplus();
  }

  shutdown(): void {
    clearTimeout(this.timer);
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Takes over the file of a segment that nobody needs. */
  async give({ path, fileBytes }: Segment): Promise<void> {
    const spare = join(this.directory, `${basename(path)}${SUFFIX}`);
    try {
      await rename(path, spare);
      this.files.push({ path: spare, bytes: fileBytes });
    } catch (error) {
      this.logger.warn("could not put a file of the log aside", { error, file: path });
    }
    this.deleteSurplus();
  }

  /**
   * Makes a spare file the one at `path`.
   * @returns how long it is; 0 when there is none, and no file has been made
   */
  async take(path: string): Promise<number> {
    for (let spare = this.files.shift(); spare; spare = this.files.shift()) {
      try {
        await rename(spare.path, path);
        return spare.bytes;
      } catch (error) {
        this.logger.warn("could not use a spare file of the log", { error, file: spare.path });
      }
    }
    return 0;
  }

  /** Makes room on the disk; false when there is no spare file. */
  async deleteOldest(): Promise<boolean> {
    const spare = this.files.shift();
    if (spare === undefined) return false;
    await unlink(spare.path).catch((error: Error) => {
      this.logger.warn("could not delete a file of the log", { error, file: spare.path });
    });
    return true;
  }

  private deleteSurplus(): void {
    if (this.timer !== undefined || this.bytes <= this.bytesMax) return;
    this.timer = setTimeout(() => void this.deleteOne(), DELETE_PAUSE_MS).unref();
  }

  private async deleteOne(): Promise<void> {
    if (this.bytes > this.bytesMax) await this.deleteOldest();
    this.timer = undefined;
    this.deleteSurplus();
  }
}
