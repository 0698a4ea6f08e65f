/** The page's style as reports carry it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ReportStyle } from "#ui/report.js";

const STYLE = new URL("../../ui/page.css", import.meta.url);

/** The text, and the hash by which a policy allows it and nothing else. */
export function reportStyle(): ReportStyle {
  const css = readFileSync(STYLE, "utf8");
  const hash = createHash("sha256").update(css).digest("base64");
  return { css, hash: `sha256-${hash}` };
}
