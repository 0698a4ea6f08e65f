/** What stands around every view: where one is, which range is shown, and what else there is. */
import type { Element } from "./element.js";
import { h } from "./element.js";
import type { Place } from "./place.js";
import { addressOf, RANGES, toModel, toModels } from "./place.js";
import { time } from "./words.js";

/** What the documents have that the controls choose from. */
export interface Choices {
  readonly nowMs: number;
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly window?: string;
  readonly windows?: readonly string[];
  readonly version?: string;
  readonly versions?: readonly string[];
  readonly segments?: readonly string[];
}

/** The frame of the page, with a view in it. */
export interface Shell {
  readonly place: Place;
  readonly choices: Choices;
  readonly theme: string;
  readonly trouble: string;
  readonly isBusy: boolean;
}

/** The whole page. */
export function shell(frame: Shell, view: readonly Element[]): Element[] {
  const { place, trouble, isBusy } = frame;
  return [
    h(
      "header",
      { class: "top" },
      h(
        "nav",
        { class: "crumbs", "aria-label": "Where you are" },
        h(
          "a",
          { href: addressOf(toModels(place)), class: "brand" },
          h("img", { src: "ui/icon.svg", alt: "", width: 24, height: 24 }),
          "Tidemark",
        ),
        ...crumbs(place),
      ),
      h(
        "div",
        { class: "tools" },
        h("span", { class: `beat ${isBusy ? "busy" : ""}`, "aria-hidden": "true" }),
        h(
          "a",
          { href: "?view=health", "aria-current": place.view === "health" ? "page" : undefined },
          "Health",
        ),
        themeButton(frame.theme),
      ),
    ),
    trouble === ""
      ? h("div", { class: "no-trouble" })
      : h("div", { class: "trouble-bar", role: "alert" }, trouble),
    place.view === "model" || place.view === "signal"
      ? controls(frame)
      : h("div", { class: "no-controls" }),
    h("main", { id: "main", tabindex: "-1", class: `view-${place.view}`, key: "main" }, ...view),
    h(
      "footer",
      null,
      h("a", { href: "api/v1/openapi.json" }, "API"),
      h("a", { href: "metrics" }, "Metrics"),
    ),
  ];
}

function crumbs(place: Place): Element[] {
  const found: Element[] = [];
  const add = (text: string, target: Place, isHere: boolean) =>
    found.push(
      h("span", { class: "separator", "aria-hidden": "true" }, "/"),
      h("a", { href: addressOf(target), "aria-current": isHere ? "page" : undefined }, text),
    );
  if (place.view === "health") return [];
  const { model, version, segment, signal } = place;
  if (model !== "") add(model, toModel(place, model, version), signal === "" && segment === "");
  if (segment !== "") add(segment, toModel(place, model, version, segment), signal === "");
  if (signal !== "") add(signal, place, true);
  return found;
}

function themeButton(theme: string): Element {
  const text = { light: "Light", dark: "Dark" }[theme] ?? "System";
  return h(
    "button",
    { type: "button", class: "quiet", "data-action": "theme", "aria-label": `Theme: ${text}` },
    h("span", { "aria-hidden": "true" }, { light: "☀", dark: "☾" }[theme] ?? "◐"),
  );
}

function controls({ place, choices }: Shell): Element {
  const { windows = [], window = "", versions = [], segments = [] } = choices;
  const shown = choices.version ?? place.version;
  return h(
    "div",
    { class: "controls", role: "group", "aria-label": "What is shown" },
    rangeControl(place, choices),
    segmented("Windows", windows, window, (one) => addressOf({ ...place, window: one })),
    versions.length > 1
      ? select(
          "Version",
          "version",
          shown,
          versions.map((one) => [one, one || "(none)"]),
        )
      : null,
    segments.length > 0
      ? select("Segment", "segment", place.segment, [
          ["", "all traffic"],
          ...segments.map((one) => [one, one] as const),
        ])
      : null,
    place.view === "signal" ? comparing(place, choices, shown) : null,
  );
}

function comparing(
  place: Place,
  { versions = [], fromMs = 0, toMs = 0 }: Choices,
  shown: string,
): Element {
  const length = toMs - fromMs;
  const earlier = `${Math.round(fromMs - length)}-${Math.round(fromMs)}`;
  const isEarlier = /^\d+-\d+$/.test(place.against);
  const others = versions.filter((one) => one !== shown);
  return h(
    "span",
    { class: "control-pair" },
    select("Show", "live", place.live || "window", [
      ["window", "the last window"],
      ["range", "the whole range"],
    ]),
    select("beside", "against", place.against || "reference", [
      ["reference", "the reference"],
      [isEarlier ? place.against : earlier, "the range before"],
      ...others.map((one) => [`version:${one}`, `version ${one || "(none)"}`] as const),
    ]),
  );
}

function rangeControl(place: Place, choices: Choices): Element {
  const { nowMs } = choices;
  const isFixed = place.range === "";
  // What is asked for is known before its document has come.
  const [fromMs, toMs] = [timeOf(place.from) ?? choices.fromMs, timeOf(place.to) ?? choices.toMs];
  return h(
    "span",
    { class: "control-pair" },
    segmented("Range", RANGES, place.range, (one) =>
      addressOf({ ...place, range: one, from: "", to: "" }),
    ),
    h(
      "details",
      { class: "custom", key: "custom" },
      h(
        "summary",
        { class: isFixed ? "current" : undefined },
        isFixed && fromMs && toMs ? `${time(fromMs, nowMs)} – ${time(toMs, nowMs)}` : "Custom",
      ),
      h(
        "form",
        { "data-form": "range" },
        h(
          "label",
          null,
          "From",
          h("input", {
            type: "datetime-local",
            name: "from",
            step: 1,
            value: local(fromMs),
            required: true,
          }),
        ),
        h(
          "label",
          null,
          "To",
          h("input", {
            type: "datetime-local",
            name: "to",
            step: 1,
            value: local(toMs),
            required: true,
          }),
        ),
        h("button", { type: "submit" }, "Show"),
      ),
    ),
  );
}

/** Epoch milliseconds of an address; others are left to the API. */
function timeOf(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** As inputs of times want it, on the reader's clock. */
function local(ms: number | undefined): string {
  if (ms === undefined) return "";
  const offset = new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - offset).toISOString().slice(0, 19);
}

function segmented(
  label: string,
  values: readonly string[],
  current: string,
  address: (value: string) => string,
): Element {
  return h(
    "span",
    { class: "segmented", role: "group", "aria-label": label },
    values.map((value) =>
      h(
        "a",
        { href: address(value), "aria-current": value === current ? "true" : undefined },
        value,
      ),
    ),
  );
}

function select(
  label: string,
  key: string,
  current: string,
  options: readonly (readonly [string, string])[],
): Element {
  return h(
    "label",
    { class: "select" },
    h("span", null, label),
    h(
      "select",
      { "data-select": key },
      options.map(([value, text]) => h("option", { value, selected: value === current }, text)),
    ),
  );
}
