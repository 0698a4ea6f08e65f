/** What is stored with a signal, each at a place of its own. */
import type { Summary } from "../closed-window.js";
import { ValueTotals } from "./value-totals.js";
import { WaitingWindows } from "./waiting-windows.js";
import { packSummary } from "./window-summary.js";

/** A pane or the shortest window; the longer windows; the totals. */
export type Place = Summary | WaitingWindows | ValueTotals;

/** What is at a place, as bytes for this receiver's own store. */
export function packPlace(place: Place): Uint8Array {
  const isOurs = place instanceof WaitingWindows || place instanceof ValueTotals;
  return isOurs ? place.serialise() : packSummary(place);
}
