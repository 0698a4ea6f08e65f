/**
 * Elements as plain data. The page makes and updates DOM nodes of them, the report writes them as
 * text, so both show the same, and text from the network is escaped in one place each.
 */

/** A function is a handler of an event, which only the page has. */
export type Attribute = string | number | boolean | undefined | EventHandler;

/** What a handler gets; it is called with the element that it was set on. */
export type EventHandler = (event: never) => void;

/** What an element may contain; nothing is shown for null, undefined and false. */
export type Child = Element | string | number | null | undefined | false;

/** One element. */
export interface Element {
  readonly tag: string;
  /** Tells it from its brothers when they move; its place does otherwise. */
  readonly key: string | undefined;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly children: readonly (Element | string)[];
}

/** Elements without an end tag. */
const VOID = new Set(["br", "col", "hr", "img", "input", "link", "meta"]);
/** Elements whose text is no HTML: nothing of it may come from outside. */
const RAW = new Set(["style"]);

/** Makes an element; `key` among the attributes is none. */
export function h(
  tag: string,
  attributes: Readonly<Record<string, Attribute>> | null = null,
  ...children: readonly (Child | readonly Child[])[]
): Element {
  const { key, ...rest } = attributes ?? {};
  const kept = children.flat().filter((child) => child !== null && child !== undefined);
  return {
    tag,
    key: key === undefined ? undefined : String(key),
    attributes: rest,
    children: kept
      .filter((child) => child !== false)
      .map((child) => (typeof child === "number" ? String(child) : child)),
  };
}

/** An element as HTML. What the page shows as a tip of its own becomes the browser's. */
export function toHtml(element: Element | string): string {
  if (typeof element === "string") return escapeText(element);
  const { tag, attributes, children } = element;
  const written = Object.entries(attributes)
    .filter(([name, value]) => isShown(value) && name !== "data-tip")
    .map(([name, value]) => ` ${name}="${value === true ? "" : escapeText(String(value))}"`);
  const open = `<${tag}${written.join("")}>`;
  if (VOID.has(tag)) return open;
  const tip = attributes["data-tip"];
  const title = typeof tip === "string" ? `<title>${escapeText(tip)}</title>` : "";
  const raw = (child: Element | string) => (typeof child === "string" ? child : toHtml(child));
  const inner = children.map(RAW.has(tag) ? raw : toHtml).join("");
  return `${open}${title}${inner}</${tag}>`;
}

/** Whether an attribute is written at all. */
export function isShown(value: Attribute): value is string | number | true {
  return value !== undefined && value !== false && typeof value !== "function";
}

function escapeText(text: string): string {
  const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replaceAll(/[&<>"]/g, (character) => escapes[character] as string);
}
