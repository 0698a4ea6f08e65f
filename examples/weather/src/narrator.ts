/** What the demo says while it runs: lines, and one line that moves where there is a terminal. */
import type { WriteStream } from "node:tty";

/** A share of the work after which a line is written where no terminal is. */
const STEP = 0.25;

/** Writes to one stream. */
export class Narrator {
  private readonly out: WriteStream;

  constructor(out: WriteStream) {
    this.out = out;
  }

  say(line = ""): void {
    this.out.write(`${line}\n`);
  }

  /** A callback that shows how many of `total` are done. */
  progress(what: string, total: number): (done: number) => void {
    let nextStep = STEP;
    return (done) => {
      const text = `  ${what}: ${done} of ${total}`;
      if (this.out.isTTY) this.out.write(`\r${text}${done === total ? "\n" : ""}`);
      else if (done / total >= nextStep) {
        nextStep += STEP;
        this.say(text);
      }
    };
  }
}
