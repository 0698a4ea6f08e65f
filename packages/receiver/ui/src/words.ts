/** Numbers, times and states in words that people read. */
import type { Learning, SignalState } from "./documents.js";

/** Every state: its sign, its name, and what it means. */
export const STATE_WORDS: Readonly<
  Record<SignalState, { readonly sign: string; readonly name: string; readonly meaning: string }>
> = {
  drifted: { sign: "▲", name: "drifted", meaning: "further from the reference than chance allows" },
  warning: { sign: "◆", name: "warning", meaning: "it may be moving; not certain yet" },
  silent: { sign: "○", name: "silent", meaning: "no values came in the last window" },
  insufficient: { sign: "◌", name: "insufficient", meaning: "too few values to tell" },
  learning: { sign: "◔", name: "learning", meaning: "what is normal is still being learned" },
  unknown: { sign: "–", name: "not judged yet", meaning: "no window has ended yet" },
  stable: { sign: "●", name: "stable", meaning: "as the reference" },
};

/** Three significant digits, and an exponent only where zeros would be counted. */
export function number(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e9 || size < 1e-4) return scientific(value);
  const text =
    size >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
  return text.replace("-", "−");
}

/** From one number to another, with the digits that their difference deserves; empty if equal. */
export function change(before: number, now: number): string {
  const difference = Math.abs(now - before);
  if (!(difference > 0)) return "";
  const digits = Math.max(0, Math.min(20, 2 - Math.floor(Math.log10(difference))));
  const write = (value: number) =>
    Math.abs(value) >= 1e9 || digits > 6
      ? number(value)
      : value.toLocaleString("en", { maximumFractionDigits: digits }).replace("-", "−");
  return `${write(before)} → ${write(now)}`;
}

/** A p-value: one that a double cannot hold any more is not 0. */
export function pValueText(value: number | null): string {
  return value === 0 ? "< 10⁻³⁰⁰" : number(value);
}

/** A distance between 0 and 1 with as many digits as the others in its column. */
export function distance(value: number | null): string {
  return value === null || !Number.isFinite(value) ? "–" : value.toFixed(3);
}

function scientific(value: number): string {
  const [digits = "", power = ""] = value.toExponential(1).split("e");
  const raised = power.replace("+", "").replaceAll(/[-\d]/g, (one) => SUPERSCRIPTS[one] ?? one);
  return `${digits} × 10${raised}`.replace("-", "−");
}

const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  "-": "⁻",
  0: "⁰",
  1: "¹",
  2: "²",
  3: "³",
  4: "⁴",
  5: "⁵",
  6: "⁶",
  7: "⁷",
  8: "⁸",
  9: "⁹",
};

/** How many, with separators. */
export function count(value: number): string {
  return value.toLocaleString("en");
}

/** `3 signals`, `1 signal`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A share as percent, with the digits that it deserves. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0 || value === 100) return `${value} %`;
  if (value < 0.1) return "< 0.1 %";
  return `${value < 10 || value > 99 ? value.toFixed(1) : Math.round(value)} %`;
}

/** A multiple of something, `1.83 ×`. */
export function times(ratio: number | null): string {
  if (ratio === null) return "–";
  return `${ratio < 100 ? ratio.toFixed(2) : number(ratio)} ×`;
}

/** Bytes in binary units. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${number(value / 1024 ** power)} ${units[power]}`;
}

const UNITS: readonly (readonly [name: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
];

/** A length of time in one or two units. */
export function duration(ms: number): string {
  const index = UNITS.findIndex(([, unit]) => ms >= unit);
  const [name, unit] = UNITS[index] ?? ["s", 1000];
  if (index < 0) return "0 s";
  const whole = Math.floor(ms / unit);
  const [smaller, smallerMs] = UNITS[index + 1] ?? ["", 0];
  const rest = smallerMs > 0 && whole < 10 ? Math.floor((ms - whole * unit) / smallerMs) : 0;
  return rest > 0 ? `${whole} ${name} ${rest} ${smaller}` : `${whole} ${name}`;
}

/** `3 min ago`. */
export function ago(ms: number, nowMs: number): string {
  const past = nowMs - ms;
  return past < 1000 ? "just now" : `${duration(past)} ago`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** The clock of the reader, with the day where it is not today's. */
export function time(ms: number, nowMs: number): string {
  const at = new Date(ms);
  const seconds = at.getSeconds() === 0 ? "" : `:${two(at.getSeconds())}`;
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}${seconds}`;
  return day(ms) === day(nowMs) ? clock : `${day(ms)} ${clock}`;
}

/** The day of the reader, `2026-11-23`. */
export function day(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** `10:00 – 10:05`, with the day where it is not today's, and once where it is the same. */
export function between(startMs: number, endMs: number, nowMs: number): string {
  const isOneDay = day(startMs) === day(endMs);
  return `${time(startMs, nowMs)} – ${time(endMs, isOneDay ? startMs : nowMs)}`;
}

const RATES = "difference of the two rates on the arcsine scale, where chance moves each alike";

/** What a test measures. */
export const METHOD_WORDS: Readonly<Record<string, string>> = {
  ks: "Kolmogorov-Smirnov distance: the largest gap between the two cumulative curves",
  hellinger: "Hellinger distance between the two mixes of categories",
  arcsine: RATES,
  fisher: `${RATES}; events are few, so Fisher's exact test gives p`,
  likelihood: `${RATES}; events are few, so the likelihood ratio gives p`,
};

/** A sentence without the name that stands above it, and with times on the reader's clock. */
export function withoutName(signal: string, sentence: string, nowMs: number): string {
  const rest = sentence.startsWith(`${signal}: `) ? sentence.slice(signal.length + 2) : sentence;
  const told = rest.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (at) => time(Date.parse(at), nowMs));
  // A line never ends between a number and its sign.
  return told.charAt(0).toUpperCase() + told.slice(1).replaceAll(" %", "\u00a0%");
}

/** What is lacking before a signal has learned its reference. */
export function learningWords({ learned, needed, learnedSpanMs, neededSpanMs }: Learning): string {
  const values = learned < needed ? `${count(learned)} of ${count(needed)} values` : "";
  const span =
    learnedSpanMs < neededSpanMs ? `${duration(learnedSpanMs)} of ${duration(neededSpanMs)}` : "";
  return [values, span].filter(Boolean).join(", ") || "almost there";
}

/** A name as people say it: `feature.wind` is wind, a feature. */
export function splitSignal(name: string): { readonly group: string; readonly rest: string } {
  const [, group = "", rest = name] = /^(feature|prediction)\.(.+)$/.exec(name) ?? [];
  return { group, rest };
}

/** What breaks a schema: of what so many were found, and what is wrong with them. */
export const QUALITY_WORDS: Readonly<Record<string, readonly [noun: string, fault: string]>> = {
  missing: ["value", "missing"],
  type: ["value", "of another type"],
  invalid: ["value", "NaN or infinite"],
  range: ["value", "outside the reference's range"],
  new_category: ["value", "of a category that the reference does not know"],
  stuck: ["window", "with one and the same value throughout"],
  vanished: ["window", "without a value although the model was at work"],
  cardinality: ["window", "with many more categories than the reference"],
  schema: ["window", "without a signal that the reference has"],
};
