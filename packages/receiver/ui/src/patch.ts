/**
 * Brings the DOM to what elements say by changing what differs: what stays keeps its focus, its
 * selection and its scroll position, and nothing flickers.
 */
import type { Attribute, Element } from "./element.js";
import { isShown } from "./element.js";

const SVG = "http://www.w3.org/2000/svg";
/** What each node was made of. */
const made = new WeakMap<Node, Element>();

/** Makes the children of `parent` those that are given. */
export function patchChildren(parent: globalThis.Element, wanted: readonly (Element | string)[]) {
  const keyed = new Map<string, ChildNode>();
  for (const node of parent.childNodes) {
    const key = made.get(node)?.key;
    if (key !== undefined) keyed.set(key, node);
  }
  let next: ChildNode | null = parent.firstChild;
  for (const child of wanted) {
    const reused = reusable(child, next, keyed);
    if (reused === undefined) {
      parent.insertBefore(create(child, parent), next);
      continue;
    }
    if (reused !== next) parent.insertBefore(reused, next);
    else next = next.nextSibling;
    update(reused, child);
  }
  while (next !== null) {
    const rest: ChildNode = next;
    next = next.nextSibling;
    rest.remove();
  }
}

/** The node that can become `child`; undefined when one has to be made. */
function reusable(
  child: Element | string,
  next: ChildNode | null,
  keyed: Map<string, ChildNode>,
): ChildNode | undefined {
  if (typeof child === "string") return next?.nodeType === Node.TEXT_NODE ? next : undefined;
  if (child.key !== undefined) {
    const known = keyed.get(child.key);
    return known && made.get(known)?.tag === child.tag ? known : undefined;
  }
  const known = next === null ? undefined : made.get(next);
  const isAlike = known?.tag === child.tag && known.key === undefined;
  return next !== null && isAlike ? next : undefined;
}

function create(child: Element | string, parent: globalThis.Element): ChildNode {
  if (typeof child === "string") return document.createTextNode(child);
  const isSvg =
    child.tag === "svg" || (parent.namespaceURI === SVG && parent.tagName !== "foreignObject");
  const node = isSvg ? document.createElementNS(SVG, child.tag) : document.createElement(child.tag);
  const empty = { ...child, attributes: {}, children: [] };
  made.set(node, empty);
  update(node, child);
  return node;
}

function update(node: ChildNode, child: Element | string): void {
  if (typeof child === "string") {
    if (node.nodeValue !== child) node.nodeValue = child;
    return;
  }
  const before = made.get(node);
  if (before === child || before === undefined) return;
  const element = node as globalThis.Element;
  for (const name of Object.keys(before.attributes)) {
    if (!(name in child.attributes)) setAttribute(element, name, undefined);
  }
  for (const [name, value] of Object.entries(child.attributes)) {
    if (before.attributes[name] !== value) setAttribute(element, name, value);
  }
  made.set(node, child);
  patchChildren(element, child.children);
}

function setAttribute(element: globalThis.Element, name: string, value: Attribute): void {
  if (name.startsWith("on")) {
    Object.assign(element, { [name]: typeof value === "function" ? value : null });
    return;
  }
  if (name === "value" && element instanceof HTMLInputElement) {
    if (document.activeElement !== element) element.value = String(value ?? "");
    return;
  }
  if (isShown(value)) element.setAttribute(name, value === true ? "" : String(value));
  else element.removeAttribute(name);
}
