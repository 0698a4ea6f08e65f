/** From values to places in a picture, and the values that are written on its axes. */
import { day, number } from "./words.js";

/** A linear map of [from, to] to [start, end]. */
export interface Scale {
  (value: number): number;
  readonly from: number;
  readonly to: number;
}

/** Maps linearly; a range without length maps to its middle. */
export function linear(from: number, to: number, start: number, end: number): Scale {
  const length = to - from;
  const map = (value: number) =>
    round(length === 0 ? (start + end) / 2 : start + ((value - from) / length) * (end - start));
  return Object.assign(map, { from, to });
}

/** Tenths of a pixel are enough, and shorter. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A value on an axis. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** About `wanted` round values of [from, to]: multiples of 1, 2 or 5 times a power of ten. */
export function ticks(from: number, to: number, wanted: number): Tick[] {
  const step = roundStep((to - from) / Math.max(1, wanted));
  if (!(step > 0) || !Number.isFinite(step)) return [];
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  const write = tickWriter(Math.max(Math.abs(from), Math.abs(to)), step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const at = (first + i) * step;
    return { at, text: write(at) };
  });
}

/** One unit for all ticks of an axis, and digits enough to tell each from the next. */
function tickWriter(most: number, step: number): (at: number) => string {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  // Powers of ten tell ticks apart only where they are far from each other.
  if ((most >= 1e9 && step >= most / 50) || digits > 6) return number;
  if (most >= 1e6 && most < 1e9 && step >= 1e4) return (at) => short(at, 1e6, "M");
  if (most >= 1e4 && most < 1e9 && step >= 100) return (at) => short(at, 1e3, "k");
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return (at) => at.toLocaleString("en", options).replace("-", "−");
}

function short(at: number, unit: number, name: string): string {
  return at === 0 ? "0" : `${Number((at / unit).toPrecision(5))}${name}`.replace("-", "−");
}

function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((one) => one * power >= step * 0.999) ?? 10;
  return factor * power;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90].map((days) => days * DAY),
];

/** About `wanted` round times of [fromMs, toMs) on the reader's clock. */
export function timeTicks(fromMs: number, toMs: number, wanted: number): Tick[] {
  const step = TIME_STEPS.find((one) => (toMs - fromMs) / one <= wanted) ?? 90 * DAY;
  // Midnights of the reader are no multiples of a day since 1970.
  const offset = new Date(fromMs).getTimezoneOffset() * MINUTE;
  const found: Tick[] = [];
  for (let at = Math.ceil((fromMs - offset) / step) * step + offset; at <= toMs; at += step) {
    found.push({ at, text: timeText(at, step) });
  }
  return found;
}

function timeText(ms: number, step: number): string {
  const at = new Date(ms);
  if (step >= DAY || (at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0)) {
    return day(ms).slice(5);
  }
  const seconds = step < MINUTE ? `:${two(at.getSeconds())}` : "";
  return `${two(at.getHours())}:${two(at.getMinutes())}${seconds}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
