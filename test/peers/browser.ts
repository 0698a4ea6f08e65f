/** A real browser, and what is wrong with a page that it shows. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { peerPath } from "./peer-programs.ts";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
/** What keeps people from using a page. */
const SERIOUS = new Set(["serious", "critical"]);

/** For whatever is waited for: a page that is slow on a loaded machine is none that fails. */
const PATIENCE_MS = 60_000;

/** Starts Chromium without a window. In a container it has no sandbox to lock itself into. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: peerPath("chromium"), args: ["--no-sandbox"] });
}

/** Opens a page that keeps what went wrong in it. */
export async function openPage(
  browser: Browser,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<{ readonly page: Page; readonly errors: string[] }> {
  const context = await browser.newContext({ timezoneId: "UTC", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) errors.push(message.text());
  });
  return { page, errors };
}

/** The serious findings of axe-core, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // By evaluating, not as a script of the page: the page's policy would refuse that.
  await page.evaluate(readFileSync(AXE, "utf8"));
  const { violations } = (await page.evaluate("axe.run()")) as {
    violations: {
      id: string;
      impact: string;
      nodes: { target: string[]; failureSummary: string }[];
    }[];
  };
  return violations
    .filter(({ impact }) => SERIOUS.has(impact))
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} at ${target.join(" ")}: ${failureSummary}`),
    );
}
