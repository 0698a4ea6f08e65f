/** The states of one signal over time, as a strip: the more urgent, the higher and the warmer. */
import type { SignalState, StateRun } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { linear, timeTicks } from "../scale.js";
import { between, STATE_WORDS } from "../words.js";

const HEIGHT = 20;
const DAY_MS = 86_400_000;
/** Colour alone would not do for everybody. */
const HEIGHTS: Readonly<Record<SignalState, number>> = {
  drifted: 20,
  warning: 13,
  stable: 6,
  learning: 6,
  insufficient: 4,
  silent: 2,
  unknown: 2,
};

/** A range of time. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
}

/**
 * The strip. Its coordinates are seconds, so that another range is another view of the same
 * drawing.
 */
export function stripPicture(runs: readonly StateRun[], range: TimeRange): Element {
  const { fromMs, toMs, nowMs } = range;
  // What is drawn stays the same while the range moves on, but for what is seen of it.
  const originMs = Math.floor(fromMs / DAY_MS) * DAY_MS;
  const shown = runs.filter(({ endMs, startMs }) => endMs > fromMs && startMs < toMs);
  const label = shown.length === 0 ? "not judged in this range" : shown.map(wordsOf).join(", ");
  return h(
    "svg",
    {
      class: "strip",
      preserveAspectRatio: "none",
      viewBox: viewBoxOf(fromMs, toMs, originMs),
      role: "img",
      "aria-label": label,
      "data-origin": originMs,
      "data-from": fromMs,
      "data-to": toMs,
      "data-left": 0,
      "data-right": 1,
    },
    shown.map(({ startMs, endMs, state }) =>
      h("rect", {
        class: `state-${state}`,
        x: (startMs - originMs) / 1000,
        width: (endMs - startMs) / 1000,
        y: HEIGHT - HEIGHTS[state],
        height: HEIGHTS[state],
        "data-tip": `${STATE_WORDS[state].name}, ${between(startMs, endMs, nowMs)}`,
      }),
    ),
  );

  function wordsOf({ startMs, endMs, state }: StateRun): string {
    return `${STATE_WORDS[state].name} ${between(startMs, endMs, nowMs)}`;
  }
}

/** The times of a strip, as wide as it is. */
export function timeAxis({ fromMs, toMs }: Pick<TimeRange, "fromMs" | "toMs">): Element {
  const x = linear(fromMs, toMs, 0, 100);
  return h(
    "svg",
    { class: "time-axis", "aria-hidden": "true" },
    timeTicks(fromMs, toMs, 6).map(({ at, text }) =>
      h("text", { x: `${x(at)}%`, y: "70%", "text-anchor": anchorOf(x(at)) }, text),
    ),
  );
}

function anchorOf(x: number): string {
  if (x < 5) return "start";
  return x > 95 ? "end" : "middle";
}

/** What of the drawing is seen; its coordinates are seconds since `originMs`. */
export function viewBoxOf(fromMs: number, toMs: number, originMs: number): string {
  return `${(fromMs - originMs) / 1000} 0 ${Math.max(1, toMs - fromMs) / 1000} ${HEIGHT}`;
}
