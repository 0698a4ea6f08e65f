/** Tells of paths of the configuration that lead nowhere in any call. */
import { complain } from "./complain.js";
import type { ValuePath } from "./value-path.js";
import { pathText } from "./value-path.js";

/** A server may never end, so a path that led nowhere so often is told of at once. */
const CALLS_UNTIL_TOLD = 100;

interface Use {
  calls: number;
  /** Found, or told of: there is nothing more to count. */
  done: boolean;
  readonly what: string;
}

/** Counts in how many calls each path has led nowhere, until it leads somewhere. */
export class PathUses {
  private readonly uses = new Map<ValuePath, Use>();

  /** Notes one call; `owner` says whose path it is, such as `./src/features.js getFeatures`. */
  note(path: ValuePath, found: boolean, owner: string, key: string): void {
    let use = this.uses.get(path);
    if (use === undefined) {
      use = { calls: 0, done: false, what: `${owner}: ${key}: ${pathText(path)}` };
      this.uses.set(path, use);
    }
    if (use.done) return;
    use.calls++;
    use.done = found;
    if (use.calls >= CALLS_UNTIL_TOLD) tell(use);
  }

  /** Says which paths have led nowhere; for the end of the process. */
  complainAboutUnresolved(): void {
    for (const use of this.uses.values()) tell(use);
  }
}

function tell(use: Use): void {
  if (use.done) return;
  use.done = true;
  const calls = use.calls === 1 ? "the only call" : `any of ${use.calls} calls`;
  complain(`${use.what} led to no text, number or boolean in ${calls}; check the path`);
}
