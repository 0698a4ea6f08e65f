/**
 * The page in Chromium with 1,000 signals and 30 days behind it: how much is sent, when what moved
 * is painted, and how long a frame takes while somebody zooms. Run with `npm run bench:page`.
 */
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { encodeTraffic, normals, startPageReceiver } from "./page-receiver.ts";
import { seeded } from "./trace-bodies.ts";

const SIGNALS = 1000;
const DAYS = 30;
const STEP_HOURS = 6;
const VALUES = 800;
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 9, 1);
/** Stands for all times in a body that is sent again and again. */
const MARK_MS = Date.UTC(2001, 8, 9);
const LOADS = 5;
const WHEEL_STEPS = 90;

const YAML = `
processors:
  observe: { recentSpans: 0 }
  learn: { samples: 2000, span: 0s }
  evaluate: { windows: [6h, 1d], ladder: 1, dependence: none }
`;

/** When rows have been painted, and how long frames take, as the browser itself measures it. */
const OBSERVE = `
  const look = new MutationObserver(() => {
    if (!document.querySelector(".rows .row:nth-child(20) rect")) return;
    look.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("painted")));
  });
  look.observe(document, { childList: true, subtree: true });
`;
const FRAMES = `
  window.frames_ = [];
  let last = performance.now();
  const frame = (now) => {
    window.frames_.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
`;
const SENT = `performance.getEntriesByType("resource")
  .filter(({ name }) => name.includes("/ui/"))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)
  + performance.getEntriesByType("navigation")[0].encodedBodySize`;

const receiver = await startPageReceiver(YAML, START_MS);
const found = execFileSync("sh", ["-c", "command -v chromium || command -v google-chrome"]);
const executablePath = found.toString().trim();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  await fill();
  const address = `${receiver.url}/?model=wide&range=30d`;
  const painted: number[] = [];
  for (let load = 0; load < LOADS; load++) painted.push(await paintedMs(browser, address));
  const page = await open(browser, address);
  const sentBytes = (await page.evaluate(SENT)) as number;
  const frames = await zoomFrames(page);
  const rows = await page.locator(".rows .row").count();
  console.log(`${rows - 1} signals, ${DAYS} days, ${LOADS} loads, ${frames.length} frames`);
  const figures = {
    page_sent: figure(sentBytes / 1024, "KiB", 150),
    moved_painted: figure(median(painted), "ms", 1000),
    zoom_frame_median: figure(median(frames), "ms", 20),
    zoom_frame_p95: figure(quantile(frames, 0.95), "ms", 50),
  };
  console.log(JSON.stringify({ bench: "page", node: process.versions.node, figures }));
} finally {
  await browser.close();
  await receiver.stop();
}

/** Most signals stay as they are; every eighth moves for some days, each at its own time. */
async function fill(): Promise<void> {
  const random = seeded(3);
  const calm = Array.from({ length: SIGNALS }, () => normals(random, VALUES, 0, 1));
  const body = (phase: number) => {
    const features = Object.fromEntries(
      calm.map((values, i) => {
        const moved = i % 8 === 0 && phase > 0 && (i >> 3) % 4 === phase - 1;
        return [`signal_${i}`, moved ? values.map((value) => value + 1) : values];
      }),
    );
    return encodeTraffic([{ model: "wide", version: "1", features }], MARK_MS);
  };
  const bodies = [0, 1, 2, 3, 4].map((phase) => timed(body(phase)));
  const steps = (DAYS * 24) / STEP_HOURS;
  for (let step = 0; step < steps; step++) {
    const phase = step < 12 ? 0 : Math.floor((step / steps) * 5);
    receiver.clock.nowMs = START_MS + (step + 0.5) * STEP_HOURS * HOUR_MS;
    await receiver.post((bodies[phase] as (ms: number) => Uint8Array)(receiver.clock.nowMs));
  }
  receiver.clock.nowMs += STEP_HOURS * HOUR_MS;
  await receiver.post((bodies[0] as (ms: number) => Uint8Array)(receiver.clock.nowMs));
}

/** The same body at any time. */
function timed(body: Uint8Array): (ms: number) => Uint8Array {
  const bytes = Buffer.from(body);
  const places = [MARK_MS - 4, MARK_MS].map((ms) => {
    const mark = Buffer.alloc(8);
    mark.writeBigUInt64LE(BigInt(ms) * 1_000_000n);
    return bytes.indexOf(mark);
  });
  return (ms) => {
    for (const place of places) bytes.writeBigUInt64LE(BigInt(ms) * 1_000_000n, place);
    return bytes;
  };
}

async function open(from: Browser, address: string): Promise<Page> {
  const context = await from.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(OBSERVE);
  await page.goto(address);
  // Not by waiting in the page: its policy lets nobody make code of text there.
  while (!(await page.evaluate("performance.getEntriesByName('painted').length > 0")))
    await sleep(50);
  return page;
}

async function paintedMs(from: Browser, address: string): Promise<number> {
  const page = await open(from, address);
  const ms = (await page.evaluate(
    "performance.getEntriesByName('painted')[0].startTime",
  )) as number;
  await page.context().close();
  return ms;
}

/** Zooms in and out again over the strips. */
async function zoomFrames(page: Page): Promise<number[]> {
  await page.waitForTimeout(1000);
  const box = await page.locator(".rows .strip").nth(5).boundingBox();
  if (box === null) throw new Error("there is no strip");
  await page.mouse.move(box.x + box.width / 2, box.y + 5);
  await page.keyboard.down("Control");
  await page.evaluate(FRAMES);
  for (let step = 0; step < WHEEL_STEPS; step++) {
    await page.mouse.wheel(0, step < WHEEL_STEPS / 2 ? -40 : 40);
  }
  await page.keyboard.up("Control");
  return ((await page.evaluate("window.frames_")) as number[]).slice(2);
}

function figure(value: number, unit: string, most: number): object {
  return { value: Number(value.toFixed(1)), unit, goal: `<= ${most}`, holds: value <= most };
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
