/** Where one is: all of what the page shows follows from its address. */

/** What the address says; empty where it says nothing. */
export interface Place {
  readonly view: "models" | "model" | "signal" | "health";
  readonly model: string;
  readonly version: string;
  readonly segment: string;
  readonly signal: string;
  readonly window: string;
  /** Length of a range that ends now, such as `24h`; empty when `from` and `to` are given. */
  readonly range: string;
  readonly from: string;
  readonly to: string;
  readonly live: string;
  readonly against: string;
}

/** The ranges that are offered. */
export const RANGES: readonly string[] = ["auto", "15m", "1h", "6h", "24h", "7d", "30d"];
/** What is shown when the address names no range: all that is known, at most a day. */
export const RANGE_DEFAULT = "auto";

const KEYS = [
  "model",
  "version",
  "segment",
  "signal",
  "window",
  "range",
  "from",
  "to",
  "live",
  "against",
] as const;

/** Reads the part of an address after the question mark. */
export function placeOf(search: string): Place {
  const query = new URLSearchParams(search);
  const values = Object.fromEntries(KEYS.map((key) => [key, query.get(key) ?? ""])) as Record<
    (typeof KEYS)[number],
    string
  >;
  const isHealth = query.get("view") === "health";
  const named = values.signal === "" ? "model" : "signal";
  const view = isHealth ? "health" : values.model === "" ? "models" : named;
  const isFixed = values.from !== "" && values.to !== "";
  const range = isFixed ? "" : values.range || RANGE_DEFAULT;
  return { ...values, view, range };
}

/** The address of a place, relative to the page. */
export function addressOf(place: Place): string {
  const query = new URLSearchParams();
  if (place.view === "health") query.set("view", "health");
  for (const key of KEYS) {
    const value = place[key];
    if (key === "range" && value === RANGE_DEFAULT) continue;
    // A model may have a version without a name, and the newest is another one.
    if (value !== "" || (key === "version" && place.model !== "")) query.set(key, value);
  }
  const text = query.toString();
  return text === "" ? "./" : `?${text}`;
}

/** The same place but for some of it. */
export function to(place: Place, changes: Partial<Place>): Place {
  return { ...place, ...changes };
}

/** A model as a whole, over the same range. */
export function toModel(place: Place, model: string, version: string, segment = ""): Place {
  const nothing = { signal: "", live: "", against: "" };
  return { ...place, ...nothing, view: "model", model, version, segment };
}

/** One signal of the model that is shown. */
export function toSignal(place: Place, signal: string): Place {
  return { ...place, view: "signal", signal, live: "", against: "" };
}

/** The list of models. */
export function toModels(place: Place): Place {
  const nothing = { model: "", version: "", segment: "", signal: "", live: "", against: "" };
  return { ...place, ...nothing, view: "models" };
}
