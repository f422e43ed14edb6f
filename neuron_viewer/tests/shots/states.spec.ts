/** Pictures of every state, wide and narrow, light and dark, into .shots/: `npm run shots` after `npm run build`. */
import type { Page } from "@playwright/test";

import { answered, ask, firstExample, test } from "../browser/debugger";

type Example = ReturnType<typeof firstExample>;
type State = { name: string; url: (example: Example) => string; act?: (page: Page) => Promise<unknown>; unanswered?: true };

const plain = ({ prompt, target, distractor }: Example) => ({ p: prompt, t: target, d: distractor });
const rows = (page: Page) => page.getByRole("region", { name: "Nodes" }).locator("tbody tr");

const STATES: State[] = [
  { name: "debugger", url: (example) => ask(plain(example)), act: (page) => page.waitForTimeout(6000) },
  { name: "row-open", url: (example) => ask(plain(example)), act: (page) => openRow(page) },
  { name: "compare", url: (example) => ask({ ...plain(example), i: "ablate attn_L0_0 zero" }) },
  {
    name: "two-prompts",
    url: (example) => ask({ ...plain(example), p2: `And then, ${example.prompt}`, t2: example.target }),
  },
  { name: "trace", url: (example) => ask({ ...plain(example), tr: "mlp_L1_0@3" }) },
  { name: "editing", url: (example) => ask(plain(example)), act: (page) => page.keyboard.press("e") },
  {
    name: "warnings",
    url: (example) => ask({ ...plain(example), t: example.target.trim(), d: " Johnathanesque", p: `${example.prompt} ` }),
    unanswered: true,
  },
  { name: "error", url: (example) => ask({ ...plain(example), i: "ablate attn_L99_0 zero" }), unanswered: true },
  {
    name: "intervention-editor",
    url: (example) => ask({ ...plain(example), i: "scale attn_L0_0 0.5" }),
    act: (page) => page.getByRole("button", { name: /^Edit: attn_L0_0/ }).click(),
  },
  {
    name: "definition",
    url: (example) => ask(plain(example)),
    act: (page) => page.locator(".fig .big").first().hover(),
  },
  {
    name: "examples",
    url: (example) => ask(plain(example)),
    act: (page) => page.getByRole("button", { name: "Examples" }).click(),
  },
  { name: "tour", url: (example) => ask(plain(example)), act: (page) => thirdStep(page) },
  { name: "go-to", url: (example) => ask(plain(example)), act: (page) => goTo(page) },
  { name: "keys", url: (example) => ask(plain(example)), act: (page) => page.keyboard.press("?") },
  {
    name: "loading",
    url: (example) => ask(plain(example)),
    act: (page) => loading(page),
  },
  {
    name: "lost",
    url: (example) => ask(plain(example)),
    act: async (page) => {
      await page.route("**/api/**", (route) => route.abort());
      await page.keyboard.press("x");
      await page.getByRole("status").filter({ hasText: "tdb serve" }).waitFor({ timeout: 20_000 });
    },
  },
  { name: "component-head", url: () => "/component/attn_L0_0", unanswered: true },
  { name: "component-neuron", url: () => "/component/mlp_L1_0", unanswered: true },
  {
    name: "self-check",
    url: () => "/self-check",
    unanswered: true,
    act: (page) => page.waitForTimeout(8000),
  },
];

async function openRow(page: Page) {
  await rows(page).nth(1).click();
  await page.waitForTimeout(1500);
}

async function thirdStep(page: Page) {
  await page.getByRole("button", { name: "Tour", exact: true }).click();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.waitForTimeout(3000);
}

async function goTo(page: Page) {
  await page.keyboard.press("/");
  await page.keyboard.type("attn_L0_1");
}

async function loading(page: Page) {
  await page.route("**/api/debug", async (route) => {
    await new Promise((done) => setTimeout(done, 4000));
    await route.abort();
  });
  await page.keyboard.press("x");
  await page.waitForTimeout(1500);
}

for (const [width, height] of [[1440, 900], [390, 844]] as const) {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const { name, url, act, unanswered } of STATES) {
      test(`${name} ${width} ${colorScheme}`, async ({ page, model }) => {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme });
        // As on any visit but the first.
        await page.addInitScript(() => { window.localStorage.setItem("tour", "offered"); });
        await page.goto(url(firstExample(model)));
        if (unanswered) await page.waitForTimeout(1500);
        else await answered(page);
        await act?.(page);
        await page.waitForTimeout(800);
        await page.screenshot({ path: `.shots/${name}-${width}-${colorScheme}.png` });
      });
    }
  }
}
