/** What a pointer does with pictures: tips, a range by dragging, and closer with the wheel. */
import { viewBoxOf } from "./pictures/strip.js";

/** Shorter drags are clicks. */
const DRAG_PX_MIN = 5;
/** A wheel's zoom is taken over when it has come to rest. */
const REST_MS = 300;
const RANGE_MIN_MS = 1000;

/** A picture over time: the range that it shows, and where in it. */
interface Span {
  readonly picture: Element;
  readonly fromMs: number;
  readonly toMs: number;
  readonly left: number;
  readonly right: number;
}

/** Watches all pictures in `root`; `onRange` is told which range somebody wants to see. */
export function watchGestures(
  root: HTMLElement,
  onRange: (fromMs: number, toMs: number) => void,
): void {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true");
  const brush = document.createElement("div");
  brush.className = "brush";
  document.body.append(tip, brush);
  root.addEventListener("pointermove", (event) => showTip(tip, event));
  root.addEventListener("pointerleave", () => tip.classList.remove("shown"));
  watchDrags(root, brush, onRange);
  watchWheel(root, onRange);
}

function showTip(tip: HTMLElement, event: PointerEvent): void {
  const text = (event.target as Element).closest("[data-tip]")?.getAttribute("data-tip");
  tip.classList.toggle("shown", Boolean(text));
  if (!text) return;
  tip.textContent = text;
  const isRight = event.clientX > innerWidth / 2;
  const x = isRight ? event.clientX - tip.offsetWidth - 12 : event.clientX + 12;
  const y = Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8);
  tip.style.transform = `translate(${Math.max(4, x)}px, ${y}px)`;
}

function watchDrags(
  root: HTMLElement,
  brush: HTMLElement,
  onRange: (from: number, to: number) => void,
): void {
  let start: { readonly span: Span; readonly x: number } | undefined;
  root.addEventListener("pointerdown", (event) => {
    const span = spanOf(event.target as Element);
    if (span === undefined || event.button !== 0 || event.pointerType === "touch") return;
    start = { span, x: event.clientX };
    event.preventDefault();
  });
  addEventListener("pointermove", (event) => {
    if (start === undefined) return;
    const box = start.span.picture.getBoundingClientRect();
    const [from, to] = [start.x, event.clientX].toSorted((a, b) => a - b) as [number, number];
    brush.classList.toggle("shown", to - from >= DRAG_PX_MIN);
    const left = Math.max(from, box.left);
    Object.assign(brush.style, {
      transform: `translate(${left}px, ${box.top}px)`,
      width: `${Math.max(0, Math.min(to, box.right) - left)}px`,
      height: `${box.height}px`,
    });
  });
  addEventListener("pointerup", (event) => {
    brush.classList.remove("shown");
    const begun = start;
    start = undefined;
    if (begun === undefined || Math.abs(event.clientX - begun.x) < DRAG_PX_MIN) return;
    const [from, to] = [begun.x, event.clientX]
      .map((x) => timeAt(begun.span, x))
      .toSorted((a, b) => a - b) as [number, number];
    if (to - from >= RANGE_MIN_MS) onRange(from, to);
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    start = undefined;
    brush.classList.remove("shown");
  });
}

/** Ctrl and the wheel, or two fingers: all strips follow at once, the numbers when it rests. */
function watchWheel(root: HTMLElement, onRange: (from: number, to: number) => void): void {
  let range: [number, number] | undefined;
  let frame = 0;
  let rest = 0;
  root.addEventListener(
    "wheel",
    (event) => {
      const span = spanOf(event.target as Element);
      if (span === undefined || !(event.ctrlKey || event.shiftKey)) return;
      event.preventDefault();
      const [from, to] = range ?? [span.fromMs, span.toMs];
      const at =
        from +
        ((timeAt(span, event.clientX) - span.fromMs) / (span.toMs - span.fromMs)) * (to - from);
      const delta = event.deltaY || event.deltaX;
      const factor = Math.exp(Math.max(-1, Math.min(1, delta / 200)));
      if ((to - from) * factor < RANGE_MIN_MS) return;
      const next: [number, number] = [
        at - (at - from) * factor,
        Math.min(at + (to - at) * factor, Date.now()),
      ];
      range = next;
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => zoomStrips(root, ...next));
      clearTimeout(rest);
      rest = window.setTimeout(() => {
        range = undefined;
        onRange(...next);
      }, REST_MS);
    },
    { passive: false },
  );
}

/** Another view of the same drawings, of those that can be seen: nothing is drawn anew. */
function zoomStrips(root: HTMLElement, fromMs: number, toMs: number): void {
  const strips = root.querySelectorAll("svg.strip");
  // They stand below each other, so the first that can be seen is found by halving.
  let [low, high] = [0, strips.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((strips[middle] as Element).getBoundingClientRect().bottom < 0) low = middle + 1;
    else high = middle;
  }
  const top = strips[low]?.getBoundingClientRect().top ?? 0;
  const height = strips[low]?.getBoundingClientRect().height ?? 1;
  // Rows are higher than their strips: this is more than enough.
  const last = Math.min(strips.length, low + Math.ceil((innerHeight - top) / height) + 1);
  const originMs = Number(strips[low]?.getAttribute("data-origin"));
  const viewBox = viewBoxOf(fromMs, toMs, originMs);
  for (let at = low; at < last; at++) strips[at]?.setAttribute("viewBox", viewBox);
}

function spanOf(target: Element): Span | undefined {
  const picture = target.closest("svg[data-from]");
  if (picture === null) return undefined;
  const value = (name: string) => Number(picture.getAttribute(`data-${name}`));
  const [fromMs, toMs] = [value("from"), value("to")];
  return { picture, fromMs, toMs, left: value("left"), right: value("right") };
}

function timeAt({ picture, fromMs, toMs, left, right }: Span, clientX: number): number {
  const box = picture.getBoundingClientRect();
  const share = ((clientX - box.left) / box.width - left) / (right - left);
  return fromMs + Math.max(0, Math.min(1, share)) * (toMs - fromMs);
}
