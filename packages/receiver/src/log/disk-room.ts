/**
 * Room on the disk that the log does not take. What is in the log leaves it on the strength of a
 * checkpoint, and a checkpoint needs room itself: a log that filled the disk would stay full.
 */
import { statfs } from "node:fs/promises";

/** More than a checkpoint of a hundred thousand signals writes; of small disks an eighth. */
const RESERVE_BYTES_MAX = 64 * 1024 * 1024;
const RESERVE_SHARE = 1 / 8;
/** The disk is asked again after this share of the reserve, in case others write to it as well. */
const TRUSTED_SHARE = 1 / 4;

/** The disk of one folder. */
export class DiskRoom {
  private readonly directory: string;
  /** What may be written before the disk is asked again. */
  private trustedBytes = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * To be called before so much is written.
   * @throws Error when only the reserve would be left
   */
  async take(bytes: number): Promise<void> {
    if (bytes > this.trustedBytes) await this.ask(bytes);
    this.trustedBytes = Math.max(0, this.trustedBytes - bytes);
  }

  private async ask(bytes: number): Promise<void> {
    const { bavail, bsize, blocks } = await statfs(this.directory);
    // Some network file systems do not say how large they are; only writing tells there.
    if (blocks === 0) return;
    const reserveBytes = Math.min(RESERVE_BYTES_MAX, blocks * bsize * RESERVE_SHARE);
    const freeBytes = bavail * bsize - reserveBytes;
    if (bytes > freeBytes) {
      const left = `${bavail * bsize} bytes are left on the disk`;
      throw new Error(`${left}, of which ${Math.ceil(reserveBytes)} are for checkpoints`);
    }
    this.trustedBytes = Math.min(freeBytes, reserveBytes * TRUSTED_SHARE);
  }
}
