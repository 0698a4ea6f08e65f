/**
 * The page in a browser: reads the address, asks the API for the one document that the view is made
 * from, and shows it. While a range ends now it asks again, as long as somebody looks.
 */
import type {
  ErrorDocument,
  HealthDocument,
  ModelDocument,
  ModelsDocument,
  SignalDocument,
} from "./documents.js";
import type { Element } from "./element.js";
import { h } from "./element.js";
import { watchGestures } from "./gestures.js";
import { patchChildren } from "./patch.js";
import type { Place } from "./place.js";
import { addressOf, placeOf, RANGE_DEFAULT, toModel, toModels } from "./place.js";
import type { Choices } from "./shell.js";
import { shell } from "./shell.js";
import { healthView } from "./views/health-view.js";
import { modelView } from "./views/model-view.js";
import { modelsView } from "./views/models-view.js";
import { notice } from "./views/parts.js";
import { signalView } from "./views/signal-view.js";
import { time } from "./words.js";

const REFRESH_MS = 5000;
/** Long ranges change little in five seconds. */
const SLOW_REFRESH_MS = 30_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Rows that are drawn at once; a thousand would hold up the first picture. */
const ROWS_FIRST = 40;
const ROWS_MORE = 120;
/** Of pictures in units, whatever the size of the text. */
const TEXT_PX = 16;

/** What has come of a request. */
type Answer =
  | { readonly kind: "models"; readonly document: ModelsDocument }
  | { readonly kind: "model"; readonly document: ModelDocument }
  | { readonly kind: "signal"; readonly document: SignalDocument }
  | { readonly kind: "health"; readonly document: HealthDocument }
  | { readonly kind: "error"; readonly status: number; readonly document: ErrorDocument };

const root = document.querySelector("#page") as HTMLElement;
let place: Place = placeOf(location.search);
let answer: Answer | undefined;
let trouble = "";
let isBusy = false;
let rows = ROWS_FIRST;
let filter = "";
let request: AbortController | undefined;
let timer = 0;
let rowsTimer = 0;

function pathOf({
  view,
  model,
  version,
  segment,
  signal,
  window,
  range,
  from,
  to,
  live,
  against,
}: Place): string {
  const query = new URLSearchParams();
  if (view === "model" || view === "signal") {
    query.set("model", model);
    if (new URLSearchParams(location.search).has("version")) query.set("version", version);
    for (const [key, value] of Object.entries({
      segment,
      window,
      range,
      from,
      to,
      signal,
      live,
      against,
    })) {
      if (value !== "" && value !== RANGE_DEFAULT) query.set(key, value);
    }
  }
  return `api/v1/${view}?${query}`;
}

/** Asks for what the address says, and shows it; a later request takes the place of this one. */
async function load(): Promise<void> {
  request?.abort();
  const own = new AbortController();
  request = own;
  clearTimeout(timer);
  const asked = place;
  isBusy = true;
  try {
    const signal = AbortSignal.any([own.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
    const response = await fetch(pathOf(asked), {
      signal,
      headers: { Accept: "application/json" },
    });
    const body = (await response.json()) as never;
    if (own.signal.aborted) return;
    const { ok, status } = response;
    const found: Answer = ok
      ? { kind: asked.view, document: body }
      : { kind: "error", status, document: body };
    answer = found;
    trouble = "";
    if (found.kind === "models" && found.document.models.length === 1) {
      showOnly(found.document);
      return;
    }
  } catch (error) {
    if (own.signal.aborted) return;
    trouble = troubleText(error as Error);
  }
  isBusy = false;
  render();
  schedule();
}

/** A list of one is a step too many. */
function showOnly({ models }: ModelsDocument): void {
  const [only] = models;
  if (only) go(addressOf(toModel(place, only.model, only.version)), true);
}

function troubleText(error: Error): string {
  const known = answer && "nowMs" in answer.document ? answer.document.nowMs : undefined;
  const shown = known === undefined ? "" : ` What you see is of ${time(known, Date.now())}.`;
  const what = error.name === "TimeoutError" ? "takes too long to answer" : "does not answer";
  return `The receiver ${what}.${shown} Trying again …`;
}

function schedule(): void {
  const isLive = place.range !== "" || trouble !== "";
  if (!isLive || document.hidden) return;
  const isLong = /d$|24h/.test(place.range) && place.view !== "models";
  timer = window.setTimeout(
    () => void load(),
    isLong && trouble === "" ? SLOW_REFRESH_MS : REFRESH_MS,
  );
}

/** Shows what is known now. */
function render(): void {
  const view = viewOf();
  const choices: Choices =
    answer && answer.kind !== "error" ? answer.document : { nowMs: Date.now() };
  const theme = document.documentElement.dataset["theme"] ?? "";
  patchChildren(root, shell({ place, choices, theme, trouble, isBusy }, view));
  const name = [place.signal, place.model].filter(Boolean).join(" · ");
  document.title = name === "" ? "Tidemark" : `${name} · Tidemark`;
  const most = answer?.kind === "model" ? answer.document.signals.length : 0;
  if (rows < most) afterPaint(moreRows);
}

/** Rows that nobody sees yet come after those that are seen have been painted. */
function moreRows(): void {
  rows += ROWS_MORE;
  render();
}

function afterPaint(task: () => void): void {
  clearTimeout(rowsTimer);
  requestAnimationFrame(() => {
    rowsTimer = window.setTimeout(task);
  });
}

function viewOf(): Element[] {
  const setting = { place, href: addressOf, isReport: false, width: widthInUnits() };
  if (answer === undefined)
    return [h("p", { class: "boot", role: "status" }, "Asking the receiver …")];
  switch (answer.kind) {
    case "models":
      return modelsView(answer.document, setting);
    case "model":
      return modelView(answer.document, { ...setting, rows, filter });
    case "signal":
      return signalView(answer.document, setting);
    case "health":
      return healthView(answer.document);
    default:
      return [broken(answer.status, answer.document.error)];
  }
}

function broken(status: number, error: string): Element {
  const titles: Record<number, string> = {
    400: "This address cannot be shown",
    401: "You are not known here",
    404: "Not found",
  };
  return notice(
    titles[status] ?? "The receiver failed on this",
    h("p", null, error),
    h("p", null, h("a", { class: "button", href: addressOf(toModels(place)) }, "All models")),
  );
}

function widthInUnits(): number {
  const main = document.querySelector("main");
  const style = getComputedStyle(document.documentElement);
  const size = Number.parseFloat(style.fontSize) || TEXT_PX;
  const px = main?.clientWidth || Math.min(window.innerWidth - 2 * size, 90 * size);
  return Math.round((px * TEXT_PX) / size);
}

/** Goes somewhere else; what is shown stays until the new view has come. */
function go(address: string, replaced = false): void {
  const before = place;
  if (replaced) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  place = placeOf(location.search);
  const isElsewhere =
    before.view !== place.view || before.signal !== place.signal || before.model !== place.model;
  if (isElsewhere) {
    filter = "";
    rows = ROWS_FIRST;
    window.scrollTo(0, 0);
    void load().then(() =>
      document.querySelector<HTMLElement>("#main")?.focus({ preventScroll: true }),
    );
  } else {
    render();
    void load();
  }
}

function onClick(event: MouseEvent): void {
  const target = event.target as globalThis.Element;
  const button = target.closest("[data-action=theme]");
  if (button) {
    nextTheme();
    return;
  }
  const anchor = target.closest("a");
  if (!anchor || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const url = new URL(anchor.href, location.href);
  const isOurs = url.origin === location.origin && url.pathname === location.pathname;
  if (!isOurs || (anchor.getAttribute("href") ?? "").startsWith("#")) return;
  event.preventDefault();
  go(url.search === "" ? location.pathname : url.search);
}

function nextTheme(): void {
  const data = document.documentElement.dataset;
  const next = { "": "dark", dark: "light", light: "" }[data["theme"] ?? ""] ?? "";
  if (next === "") delete data["theme"];
  else data["theme"] = next;
  try {
    localStorage.setItem("tidemark.theme", next);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  render();
}

function onChange(event: Event): void {
  const target = event.target as HTMLSelectElement;
  const key = target.dataset["select"];
  if (key)
    go(
      addressOf({
        ...place,
        [key]: target.value,
        version: key === "version" ? target.value : shownVersion(),
      }),
    );
}

function shownVersion(): string {
  return answer?.kind === "model" || answer?.kind === "signal"
    ? answer.document.version
    : place.version;
}

function onInput(event: Event): void {
  const target = event.target as HTMLInputElement;
  if (target.dataset["filter"] === undefined) return;
  filter = target.value;
  render();
}

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  if (form.dataset["form"] !== "range") return;
  event.preventDefault();
  const values = new FormData(form);
  const [from, to] = [values.get("from"), values.get("to")].map((text) =>
    typeof text === "string" ? Date.parse(text) : Number.NaN,
  );
  if (from && to && from < to) showRange(from, to);
}

function showRange(fromMs: number, toMs: number): void {
  document.querySelector("details.custom")?.removeAttribute("open");
  go(
    addressOf({
      ...place,
      range: "",
      from: String(Math.round(fromMs)),
      to: String(Math.round(toMs)),
    }),
  );
}

addEventListener("popstate", () => {
  place = placeOf(location.search);
  rows = ROWS_FIRST;
  void load();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (place.range !== "") void load();
});
root.addEventListener("click", onClick);
root.addEventListener("change", onChange);
root.addEventListener("input", onInput);
root.addEventListener("submit", onSubmit);
watchGestures(root, showRange);
// Its height changes whenever rows come into sight, and means nothing to what is shown.
let drawnWidth = 0;
new ResizeObserver(([entry]) => {
  const width = entry?.contentRect.width ?? 0;
  if (width === drawnWidth) return;
  drawnWidth = width;
  render();
}).observe(root);
void load();
