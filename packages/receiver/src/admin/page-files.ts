/**
 * The web page: a handful of static files, read once. It runs no script but its own files, asks
 * nobody but us, and no other page may frame it.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";

const DOCUMENT = new URL("../../ui/page.html", import.meta.url);
const STYLE = new URL("../../ui/page.css", import.meta.url);
const ICON = new URL("../../ui/icon.svg", import.meta.url);
const THEME = new URL("../../ui/theme.js", import.meta.url);
const SCRIPT = "text/javascript; charset=utf-8";
/** What `tsc -b` makes of `ui/src`. */
const MODULES = new URL("../../dist/ui/", import.meta.url);
/** What only reports are made with. */
const FOR_REPORTS = new Set(["report.js", "views/compare-view.js"]);
/** Where the document says which modules it is going to need, so that none waits for another. */
const PRELOADS = "<!-- modules -->";

/** What a browser may do with the page. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** One file as it is sent. */
export interface PageFile {
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  readonly contentType: string;
  /** Changes with the contents. */
  readonly tag: string;
}

/** The files by their path. @throws when they have not been built */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const folder = fileURLToPath(MODULES);
  const modules = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js"))
    .toSorted();
  const preloads = modules
    .filter((name) => !FOR_REPORTS.has(name))
    .map((name) => `<link rel="modulepreload" href="ui/${name}">`);
  const html = readFileSync(DOCUMENT, "utf8").replace(PRELOADS, preloads.join("\n    "));
  return new Map([
    ["/", fileOf(Buffer.from(html), "text/html; charset=utf-8")],
    ["/ui/page.css", fileOf(readFileSync(STYLE), "text/css; charset=utf-8")],
    ["/ui/icon.svg", fileOf(readFileSync(ICON), "image/svg+xml")],
    ["/ui/theme.js", fileOf(readFileSync(THEME), SCRIPT)],
    ...modules.map((name): [string, PageFile] => {
      const bytes = readFileSync(join(folder, name));
      return [`/ui/${name}`, fileOf(withoutMap(bytes), SCRIPT)];
    }),
  ]);
}

/** Source maps are not served. */
function withoutMap(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString("utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
}

function fileOf(bytes: Buffer, contentType: string): PageFile {
  const tag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  const gzipped = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  return { bytes, gzipped, contentType, tag };
}
