/**
 * How long component pages take to open, and whether exemplars scroll smoothly: `npm run timings` after `npm run build`.
 *
 *   opened    from the address being given until the exemplars are drawn; the browser knows the viewer's files
 *   walked    from the key `]` until the next component's exemplars are drawn
 *   scrolled  gaps between frames while every exemplar of a page goes by
 */
import type { Page } from "@playwright/test";

import { test } from "../browser/debugger";

const TIMES = 7;
const WALKED = "mlp_L1_17";
const COMPONENTS = [WALKED, "attn_L2_3", "mlp_ae_L3_5", "attn_ae_L2_4"];

test("how fast component pages open", async ({ page }) => {
  const rows: string[] = [];
  await page.goto(`/component/${WALKED}`);
  await page.locator(".exrow").first().waitFor();
  for (const component of COMPONENTS) {
    const opened: number[] = [];
    for (let time = 0; time < TIMES; time++) opened.push(await open(page, component));
    rows.push(`${component.padEnd(14)} opened   ${said(opened)}`);
  }
  await open(page, WALKED);
  const walked: number[] = [];
  for (let time = 0; time < TIMES; time++) walked.push(await walk(page));
  rows.push(`${WALKED.padEnd(14)} walked   ${said(walked)}`);
  const gaps = await scroll(page, WALKED);
  rows.push(`scrolled       ${gaps.length} frames, the longest gap ${Math.max(...gaps).toFixed(0)} ms, ` +
    `${gaps.filter((gap) => gap > 34).length} longer than two frames`);
  process.stdout.write(`${rows.join("\n")}\n`);
});

/** Milliseconds of a fresh load, by the browser's own clock from the start of the navigation. */
async function open(page: Page, component: string): Promise<number> {
  await page.goto(`/component/${component}`, { waitUntil: "commit" });
  return page.evaluate(drawn, null);
}

/** Milliseconds from the key to the next component's exemplars. */
async function walk(page: Page): Promise<number> {
  const before = await page.locator("h1").textContent();
  await page.evaluate(() => {
    addEventListener("keydown", (event) => performance.mark("key", { startTime: event.timeStamp }), { once: true });
  });
  const after = page.evaluate(drawn, before);
  await page.keyboard.press("]");
  const start = await page.evaluate(() => performance.getEntriesByName("key").at(-1)?.startTime ?? NaN);
  return (await after) - start;
}

/** In the page: when the exemplars of another component than `before` have been painted. */
function drawn(before: string | null): Promise<number> {
  return new Promise((done) => {
    const look = () => {
      const name = document.querySelector("h1")?.textContent;
      const isThere = name && name !== before && document.querySelector(".exrow .peak");
      if (isThere) requestAnimationFrame(() => setTimeout(() => done(performance.now())));
      else requestAnimationFrame(look);
    };
    look();
  });
}

async function scroll(page: Page, component: string): Promise<number[]> {
  await page.goto(`/component/${component}`);
  await page.locator(".exrow").first().waitFor();
  return page.evaluate(async () => {
    const gaps: number[] = [];
    let last = await new Promise<number>(requestAnimationFrame);
    const end = document.documentElement.scrollHeight - innerHeight;
    for (let at = 0; at < end; at += 40) {
      scrollTo(0, at);
      const now = await new Promise<number>(requestAnimationFrame);
      gaps.push(now - last);
      last = now;
    }
    return gaps;
  });
}

function said(times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  return `${sorted[Math.floor(times.length / 2)]?.toFixed(0)} ms (${sorted[0]?.toFixed(0)} to ${sorted.at(-1)?.toFixed(0)})`;
}
