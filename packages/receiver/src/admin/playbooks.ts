/**
 * `/playbooks/NAME`: what to do when an alert fires, where the alert's link leads. The text is that
 * of docs/playbooks.md, which the package carries a copy of.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { AdminAnswer } from "./admin-server.js";

const PACKAGED = fileURLToPath(new URL("../../playbooks.md", import.meta.url));
const IN_CLONE = fileURLToPath(new URL("../../../../docs/playbooks.md", import.meta.url));

/** Answers `/playbooks` with all of them, and `/playbooks/NAME` with one. */
export function playbook(path: string): AdminAnswer {
  const file = [PACKAGED, IN_CLONE].find((one) => existsSync(one));
  if (file === undefined)
    return { status: 404, body: { error: "the playbooks are not installed" } };
  const text = readFileSync(file, "utf8");
  const name = path.replace(/^\/playbooks\/?/, "");
  if (name === "") return { status: 200, body: text };
  const entries = text.split(/^(?=## )/m).slice(1);
  const entry = entries.find((one) => one.slice(3, one.indexOf("\n")) === name);
  if (entry !== undefined) return { status: 200, body: entry };
  const known = entries.map((one) => one.slice(3, one.indexOf("\n"))).join(", ");
  return { status: 404, body: { error: `there is no playbook "${name}"; there are: ${known}` } };
}
