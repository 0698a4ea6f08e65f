/** The page in a real browser: from the demo's drift to the traces in the real Jaeger, and at rest. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { PageReceiver } from "../../packages/receiver/bench/page-receiver.ts";
import { showcase, startPageReceiver } from "../../packages/receiver/bench/page-receiver.ts";
import { openPage, seriousFindings, startBrowser } from "./browser.ts";
import { getJson } from "./peer-api.ts";
import { DEMO_MS, startDemo } from "./peer-demo.ts";
import { ROOT } from "./peer-programs.ts";
import { Stack, startJaeger, TIDEMARK } from "./peer-stack.ts";

const STRANGE = '<img src=x onerror="document.title=`owned`">';
const START_MS = Date.UTC(2026, 10, 23);
const SIZES = [
  { width: 360, height: 740 },
  { width: 1440, height: 900 },
  { width: 3840, height: 2160 },
];
const CHURN = "?model=churn&version=3.1";
const VIEWS = ["", CHURN, `${CHURN}&signal=feature.tenure_months`, `${CHURN}&signal=feature.plan`];
const STATES = [
  "?model=new-ranker&signal=feature.score",
  "?model=nightly-forecast",
  `${CHURN}&segment=region%3Deu`,
  "?model=nope",
  "?view=health",
];

const PATIENCE = { timeout: 60_000, interval: 500 };

interface TraceAnswer {
  readonly data: readonly { readonly spans: readonly { readonly operationName: string }[] }[];
}

/** What runs in the page is text here: these tests know no DOM. */
const WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]";
const FOCUSED = "document.activeElement.textContent.replaceAll(/\\s+/g, ' ').trim()";
const INLINE_SCRIPT = `
  const script = document.createElement("script");
  script.textContent = "document.title = 'owned'";
  document.body.append(script);
  document.title;
`;

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

describe("The page beside the demo and Jaeger", () => {
  const stack = new Stack();
  let admin: string;
  let queryUrl: string;

  beforeAll(async () => {
    const jaeger = await stack.add(startJaeger("http://127.0.0.1:1"));
    queryUrl = jaeger.queryUrl;
    const env = { TIDEMARK_DEMO_FORWARD: jaeger.otlpUrl, TIDEMARK_DEMO_JAEGER: jaeger.queryUrl };
    ({ admin } = await stack.add(startDemo(env)));
  }, DEMO_MS);
  afterAll(() => stack.end());

  it("says that wind and temp_min drifted, and leads to a trace with two clicks", async () => {
    const { page, errors } = await openPage(browser, { viewport: { width: 1160, height: 640 } });
    await page.goto(admin);
    await page.getByRole("heading", { level: 1, name: "2 of 5 signals drifted" }).waitFor();
    // The picture in the README: TIDEMARK_PICTURE=docs/page.png npm run test:peers -- page
    const picture = process.env["TIDEMARK_PICTURE"];
    if (picture) await page.screenshot({ path: join(ROOT, picture) });
    const moved = await page.locator(".moved .signal-name").allInnerTexts();
    expect(moved.toSorted()).toEqual(["feature.temp_min", "feature.wind"]);
    await page
      .getByRole("link", { name: /feature\.wind.*drifted/ })
      .first()
      .click();
    await page.getByRole("heading", { level: 1, name: /feature\.wind/ }).waitFor();
    const trace = page.locator("#traces table a").first();
    const href = (await trace.getAttribute("href")) ?? "";
    // What Jaeger's page complains about is not ours.
    const own = [...errors];
    await trace.click();
    await page.waitForURL(href, { waitUntil: "commit" });
    const [, id] = /^http:\/\/127\.0\.0\.1:\d+\/trace\/([0-9a-f]{32})$/.exec(page.url()) ?? [];
    // What is marked is sent after its window, and Jaeger takes a moment to show it.
    await vi.waitFor(async () => {
      const { data } = await getJson<TraceAnswer>(`${queryUrl}/api/traces/${id}`);
      const names = data.flatMap(({ spans }) => spans.map(({ operationName }) => operationName));
      expect(names).toContain("inference weather");
    }, PATIENCE);
    expect(own).toEqual([]);
  });
});

describe("The page", () => {
  let receiver: PageReceiver;

  beforeAll(async () => {
    const yaml = [
      "processors: { learn: { samples: 4000, span: 0s }, evaluate: { dependence: none } }",
      'service: { links: { jaeger: "http://127.0.0.1:16686" } }',
    ];
    receiver = await startPageReceiver(yaml.join("\n"), START_MS);
    await showcase(receiver, 12, STRANGE);
  });
  afterAll(() => receiver.stop());

  async function settled(page: Page, path: string): Promise<void> {
    await page.goto(`${receiver.url}/${path}`);
    await page.locator("main h1, main .notice").first().waitFor();
  }

  it.each(["light", "dark"] as const)("fits every size in the %s theme", async (colorScheme) => {
    for (const viewport of SIZES) {
      const { page, errors } = await openPage(browser, { viewport, colorScheme });
      for (const path of [...VIEWS, ...STATES]) {
        await settled(page, path);
        const [wide, room] = (await page.evaluate(WIDTHS)) as [number, number];
        expect(wide, `${path} at ${viewport.width}`).toBeLessThanOrEqual(room);
      }
      expect(errors.filter((text) => !text.includes("404"))).toEqual([]);
      await page.context().close();
    }
  });

  it.each(["light", "dark"] as const)(
    "has no serious finding of axe-core in %s",
    async (colorScheme) => {
      const { page } = await openPage(browser, { colorScheme });
      for (const path of [...VIEWS, ...STATES]) {
        await settled(page, path);
        expect(await seriousFindings(page), path).toEqual([]);
      }
      await page.context().close();
    },
  );

  it("shows a model's name as text, whatever it is, and holds to its policy", async () => {
    const { page, errors } = await openPage(browser);
    await settled(page, "");
    await page.getByText(STRANGE, { exact: true }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    expect(await page.locator('main img, [src="x"]').count()).toBe(0);
    expect(await page.title()).toBe(`${STRANGE} · Tidemark`);
    const refused = await page.evaluate(INLINE_SCRIPT);
    expect(refused).not.toBe("owned");
    expect(errors.filter((text) => !text.includes("Content Security Policy"))).toEqual([]);
    await page.context().close();
  });

  it("is used with the keyboard alone", async () => {
    const { page } = await openPage(browser);
    await settled(page, CHURN);
    const focused = async () => String(await page.evaluate(FOCUSED));
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    for (let i = 0; i < 20 && !(await focused()).startsWith("feature.tenure_months"); i++) {
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: /tenure_months/ }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: /drifted/ }).waitFor();
    await page.context().close();
  });

  it("keeps in its address what is shown, and zooms into what is dragged over", async () => {
    const { page } = await openPage(browser);
    await settled(page, CHURN);
    await page.getByRole("group", { name: "Windows" }).getByText("5m").click();
    await page.waitForURL(/window=5m/);
    // The address changes at once, and what is shown when the answer is there.
    await page.locator('[aria-label="Windows"] [aria-current]', { hasText: "5m" }).waitFor();
    await page.locator(".rows .strip").first().scrollIntoViewIfNeeded();
    const box = await page.locator(".rows .strip").first().boundingBox();
    if (box === null) throw new Error("there is no strip");
    await page.mouse.move(box.x + box.width * 0.5, box.y + 5);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.75, box.y + 5, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/from=\d+&to=\d+/);
    const query = new URL(page.url()).searchParams;
    expect(query.get("window")).toBe("5m");
    const hours = (Number(query.get("to")) - Number(query.get("from"))) / 3_600_000;
    expect(hours).toBeGreaterThan(2.5);
    expect(hours).toBeLessThan(3.5);
    const shown = await page.locator(".custom summary.current").innerText();
    await page.reload();
    await page.locator(".custom summary.current").waitFor();
    expect(await page.locator(".custom summary.current").innerText()).toBe(shown);
    await page.context().close();
  });

  it("refreshes what has changed and leaves the rest as it is", async () => {
    const { page } = await openPage(browser);
    await settled(page, CHURN);
    await page.evaluate(`document.querySelector(".rows .row:nth-child(3)").dataset.mark = "kept"`);
    await page.waitForResponse(/api\/v1\/model\?/, { timeout: 60_000 });
    await page.waitForTimeout(200);
    expect(await page.locator("[data-mark=kept]").count()).toBe(1);
    await page.context().close();
  });

  it("says that the receiver is away, and goes on showing what was known", async () => {
    const { page } = await openPage(browser);
    await settled(page, CHURN);
    await page.route(/api\/v1/, (route) => route.abort());
    await page.getByRole("alert").waitFor({ timeout: 60_000 });
    expect(await page.getByRole("alert").innerText()).toMatch(
      /does not answer.*What you see is of/,
    );
    expect(await page.locator(".rows .row").count()).toBeGreaterThan(3);
    await page.unroute(/api\/v1/);
    await page.getByRole("alert").waitFor({ state: "detached", timeout: 60_000 });
    await page.context().close();
  });
});

describe("An empty receiver's page", () => {
  it("says what to do", async () => {
    const receiver = await startPageReceiver("", START_MS);
    const { page, errors } = await openPage(browser);
    await page.goto(receiver.url);
    await page.getByRole("heading", { name: "No predictions yet" }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
    await receiver.stop();
  });
});

describe("Reports", () => {
  const stack = new Stack();
  afterAll(() => stack.end());

  async function opened(
    file: string,
  ): Promise<{ requests: string[]; page: Page; errors: string[] }> {
    const { page, errors } = await openPage(browser);
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    return { requests, page, errors };
  }

  async function run(args: readonly string[]): Promise<number> {
    const { spawnSync } = await import("node:child_process");
    return spawnSync(process.execPath, [TIDEMARK, ...args], { stdio: "ignore" }).status ?? -1;
  }

  it("of comparisons open from a disk without a request, and exit as documented", async () => {
    const folder = stack.folder();
    mkdirSync(folder, { recursive: true });
    const csv = (name: string, rows: readonly number[]) => {
      const path = join(folder, name);
      writeFileSync(
        path,
        ["wind,city", ...rows.map((x) => `${x},${x > 5 ? "ny" : "sea"}`)].join("\n"),
      );
      return path;
    };
    const numbers = (shift: number, rows: number) =>
      Array.from({ length: rows }, (_, i) => shift + ((i * 7919) % 1000) / 100);
    const reference = csv("reference.csv", numbers(0, 4000));
    const html = join(folder, "compare.html");
    const compare = (current: string) =>
      run(["compare", reference, current, "--html", "--out", html]);
    expect(await compare(csv("same.csv", numbers(0, 3000)))).toBe(0);
    expect(await compare(csv("moved.csv", numbers(3, 3000)))).toBe(1);
    const { requests, page, errors } = await opened(html);
    expect(requests).toEqual([pathToFileURL(html).href]);
    expect(errors).toEqual([]);
    expect(await page.locator("svg.density").count()).toBe(1);
    expect(await page.locator("svg.categories").count()).toBe(1);
    expect(await page.locator("script").count()).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
    expect(await compare(join(folder, "nowhere.csv"))).toBe(2);
    await page.context().close();
  });
});
