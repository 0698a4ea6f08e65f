/** How far a long reading is: a bar on a terminal, a line now and then elsewhere. */
import type { Progress } from "../references/data-file.js";

const BAR_CELLS = 24;
/** How often a terminal is drawn on, and how often a log gets a line. */
const DRAW_MS = 100;
const LINE_MS = 10_000;

/** Shows progress on stderr. */
export class ReadProgress {
  private readonly what: string;
  private readonly out: NodeJS.WriteStream;
  private readonly startMs: number;
  private lastMs: number;
  private drawn = false;

  constructor(what: string, out: NodeJS.WriteStream, nowMs: number) {
    this.what = what;
    this.out = out;
    this.startMs = nowMs;
    this.lastMs = nowMs;
  }

  /** Tells how far it is; most calls do nothing. */
  update(rows: number, { done, total }: Progress, nowMs: number): void {
    if (nowMs - this.lastMs < (this.out.isTTY ? DRAW_MS : LINE_MS)) return;
    this.lastMs = nowMs;
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const counted = `${rows.toLocaleString("en")} rows`;
    const percent = `${Math.floor(share * 100)} %`;
    if (!this.out.isTTY) {
      this.out.write(`${this.what}: ${percent}, ${counted}\n`);
      return;
    }
    const cells = Math.round(share * BAR_CELLS);
    const bar = "█".repeat(cells) + "░".repeat(BAR_CELLS - cells);
    const leftMs = share > 0 ? ((nowMs - this.startMs) / share) * (1 - share) : 0;
    const left = leftMs > 1000 ? `, ${Math.round(leftMs / 1000)} s left` : "";
    this.out.write(`\r\u001b[2K${bar} ${percent.padStart(5)}  ${counted}${left}`);
    this.drawn = true;
  }

  /** Takes the bar away. */
  end(): void {
    if (this.drawn) this.out.write("\r\u001b[2K");
  }
}
