import type { Page } from "@playwright/test";

import { answered, ask, expect, expectAccessible, expectNoSidewaysScroll, figure, firstExample, test } from "./debugger";

const card = (page: Page) => page.getByRole("dialog");
const button = (page: Page) => page.getByRole("button", { name: "Tour", exact: true });
const figures = (page: Page) => page.getByRole("region", { name: "Answer" }).locator(".big");

async function start(page: Page): Promise<void> {
  await button(page).focus();
  await page.keyboard.press("Enter");
  await expect(card(page)).toContainText("Tour, 1 of 5");
}

test("leads from the prompt to a head and back by keyboard alone", async ({ page, model }) => {
  const { prompt, target } = firstExample(model);
  await page.goto("/");
  await answered(page);
  const objective = (await figure(page).textContent()) ?? "";

  await start(page);
  await expect(card(page).getByRole("button", { name: "Next" })).toBeFocused();
  const probability = await page.locator(".slot .cand.t .num").textContent();
  await expect(card(page)).toContainText(`\u00b7${target.trim()} ${probability}`);

  await page.keyboard.press("Enter");
  await expect(card(page).getByRole("heading", { name: "The answer" })).toBeVisible();
  await expect(card(page)).toContainText(`The sum, ${objective}, equals the objective.`);

  await page.keyboard.press("ArrowRight");
  await expect(card(page).getByRole("heading", { name: "The strongest head" })).toBeVisible();
  const row = page.getByRole("region", { name: "Nodes" }).locator("tr[aria-current=true]");
  const node = (await row.getAttribute("data-node")) ?? "";
  expect(node).toMatch(/^attn_L\d+_\d+@\d+:\d+$/);
  await expect(card(page)).toContainText(`${node} has the largest total effect`);
  await expect(card(page)).toContainText("Measured by really removing the write");
  await expect(card(page).locator(".tour-bars dd").nth(1)).toHaveText((await row.locator(".c-tot .num").textContent()) ?? "");

  await page.keyboard.press("ArrowRight");
  const component = node.replace(/@.*/, "");
  await expect(card(page).getByRole("button", { name: `Ablate ${component} everywhere` })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(figures(page)).toHaveCount(3);
  for (const place of [0, 1, 2]) {
    await expect(card(page)).toContainText((await figures(page).nth(place).textContent()) ?? "?");
  }
  await expect(figures(page).nth(2)).toHaveText(objective);
  await expect(page.getByRole("button", { name: `Remove ${component}` })).toBeVisible();

  await page.keyboard.press("Enter");
  await expect(card(page)).toContainText("Tour, 5 of 5");
  await page.keyboard.press("Enter");
  await expect(card(page)).toContainText("Tour done.");
  await expect(figures(page)).toHaveCount(1);
  await expect(card(page)).toContainText(`${node}, ${await figure(page).textContent()}`);
  await expect(page.getByRole("navigation", { name: "What is explained" })).toContainText(`${node} through query`);

  await page.keyboard.press("Enter");
  await expect(card(page)).toHaveCount(0);
  await expect(button(page)).toBeFocused();
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(figure(page)).toHaveText(objective);
  expect(new URL(page.url()).searchParams.get("p")).toBe(prompt);
});

test("goes back over its own steps, and closes where it was opened", async ({ page }) => {
  await page.goto("/");
  await answered(page);
  await start(page);
  for (let i = 0; i < 3; i++) await page.keyboard.press("Enter");
  await expect(card(page).getByRole("button", { name: /^Ablate attn_/ })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(figures(page)).toHaveCount(3);
  await expect(card(page)).toContainText("Tour, 4 of 5");
  await page.keyboard.press("ArrowLeft");
  await expect(card(page)).toContainText("Tour, 3 of 5");
  await expect(figures(page)).toHaveCount(1);
  await expect(page).not.toHaveURL(/[?&]i=/);
  await page.keyboard.press("Escape");
  await expect(card(page)).toHaveCount(0);
  await expect(button(page)).toBeFocused();
});

test("stays out of the way, and takes other questions as they are", async ({ page, model }) => {
  const { name, prompt, target, distractor } = firstExample(model);
  await page.goto(ask({ p: `And then, ${prompt}`, t: target, d: distractor, p2: prompt, t2: target }));
  await answered(page);
  await start(page);
  await expect(card(page)).toContainText("this is another question");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(card(page)).toContainText("there is a second prompt");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await card(page).getByRole("button", { name: `Load \u201c${name}\u201d` }).click();
  await expect(page).toHaveURL((url) => url.searchParams.get("p") === prompt && !url.searchParams.has("p2"));
  await expect(card(page)).not.toContainText("another question");

  // The page stays in use while the card is open.
  await answered(page);
  const before = await figure(page).textContent();
  await page.getByRole("button", { name: "Swap target and distractor" }).press("Enter");
  await expect(figure(page)).not.toHaveText(before ?? "");
  await expect(card(page)).toContainText("Tour, 1 of 5");
});

test("says why there is no answer, and outlives it", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  await page.goto(ask({ p: prompt, t: target, d: distractor, i: "ablate attn_L99_0 zero" }));
  await expect(page.getByRole("alert")).toBeVisible();
  await start(page);
  await expect(card(page)).toContainText("There is no answer to this question:");
  await page.getByRole("button", { name: /^Remove attn_L99_0/ }).click();
  await expect(card(page)).toContainText("The model has read up to");
});

test("is offered on one visit, in one line", async ({ page }) => {
  await page.goto("/");
  await answered(page);
  const offer = page.getByRole("button", { name: "Take the tour" });
  await expect(offer).toBeVisible();
  await offer.click();
  await expect(card(page)).toContainText("Tour, 1 of 5");
  await expect(offer).toHaveCount(0);
  await page.reload();
  await answered(page);
  await expect(offer).toHaveCount(0);
});

for (const [width, colorScheme] of [
  [1440, "light"],
  [1440, "dark"],
  [390, "light"],
] as const) {
  test(`has no serious fault of access at ${width} in ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme });
    await page.goto("/");
    await answered(page);
    await expectAccessible(page);
    await start(page);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect(card(page)).toContainText("Measured by really removing the write");
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await expect(figures(page)).toHaveCount(3);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  });
}
