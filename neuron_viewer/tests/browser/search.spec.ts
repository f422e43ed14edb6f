import type { Page } from "@playwright/test";

import { answered, expect, expectAccessible, expectNoSidewaysScroll, firstExample, test } from "./debugger";

const results = (page: Page) => page.getByRole("region", { name: "Results" });
const rows = (page: Page) => page.locator(".result");
const box = (page: Page) => page.getByRole("textbox", { name: "Search" });

test("finds what promotes a token, strongest first, and keeps the search in the URL", async ({ page, model }) => {
  const { target } = firstExample(model);
  await page.goto("/search");
  await page.getByRole("button", { name: "token", exact: true }).click();
  await box(page).fill(target.replace(" ", "\u00b7"));
  await expect(rows(page).first()).toBeVisible();
  await expect(page).toHaveURL(/find=\+\w+.*mode=token|mode=token.*find=\+\w+/);
  const shown = await page.locator(".match b").allTextContents();
  const values = shown.map((text) => Number(text.replace("\u2212", "-")));
  expect(values).toEqual([...values].sort((a, b) => b - a));

  await page.getByRole("combobox", { name: "Layer" }).selectOption("2");
  await expect(rows(page).first().getByRole("link").first()).toHaveText(/^mlp_(ae_)?L2_/);
  await page.reload();
  await expect(page.getByRole("combobox", { name: "Layer" })).toHaveValue("2");
  await expect(rows(page).first().getByRole("link").first()).toHaveText(/^mlp_(ae_)?L2_/);
});

test("lists a thousand results, draws those near the window, and scrolls to the last", async ({ page, model }) => {
  const { prompt } = firstExample(model);
  await page.goto(`/search?${new URLSearchParams({ find: prompt, mode: "text" }).toString()}`);
  await expect(rows(page).first()).toBeVisible();
  const all = Number(await rows(page).first().getAttribute("aria-setsize"));
  expect(all).toBe(1000);
  expect(await rows(page).count()).toBeLessThan(80);
  await page.mouse.move(700, 600);
  await page.mouse.wheel(0, 100_000);
  await expect(page.locator(`.result[aria-posinset="${all}"]`)).toBeVisible();
});

test("opens a result's page, or ablates it in the Debugger", async ({ page, model }) => {
  const { target } = firstExample(model);
  await page.goto(`/search?${new URLSearchParams({ find: target, mode: "token" }).toString()}`);
  const link = rows(page).first().getByRole("link").first();
  const name = (await link.textContent()) ?? "";
  await rows(page).first().getByRole("link", { name: "Ablate" }).click();
  await answered(page);
  await expect(page).toHaveURL(new RegExp(`i=ablate\\+${name}\\+zero`));
  await page.goBack();
  await link.click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
});

test("says what is wrong with a token that is several, and what is explained before anything is typed", async ({ page }) => {
  await page.goto("/search");
  await expect(page.getByRole("region", { name: "What is explained" })).toBeVisible();
  await page.goto("/search?find=several+tokens+here&mode=token");
  await expect(results(page).getByRole("alert")).toContainText("token");
});

test("asks nothing of another mode with words that were not meant for it, and keeps them for the way back", async ({ page }) => {
  const refused: string[] = [];
  page.on("response", (response) => {
    if (response.url().includes("/api/search") && !response.ok()) refused.push(response.url());
  });
  await page.goto("/search?find=names+of+women");
  await expect(rows(page).first()).toBeVisible();
  await box(page).fill("names of women and men"); // not yet handed on
  await page.getByRole("button", { name: "token", exact: true }).click();
  await expect(page).toHaveURL(/mode=token/);
  await expect(box(page)).toHaveValue("");
  await expect(page.getByRole("region", { name: "What is explained" })).toBeVisible();
  await page.getByRole("button", { name: "meaning", exact: true }).click();
  await expect(box(page)).toHaveValue("names of women and men");
  await expect(rows(page).first()).toBeVisible();
  await page.getByRole("button", { name: "keyword", exact: true }).click();
  await expect(box(page)).toHaveValue("names of women and men");
  expect(refused).toEqual([]);
});

test("lists a side of a component once, with each explanation that was found", async ({ page }) => {
  await page.goto("/search?find=days");
  await expect(rows(page).first()).toBeVisible();
  const answer = (await (await page.request.get("/api/search?q=days&mode=meaning&limit=1000")).json()) as {
    hits: { component: string; side: string }[];
  };
  const sides = new Set(answer.hits.map(({ component, side }) => `${component} ${side}`));
  expect(sides.size).toBeLessThan(answer.hits.length);
  await expect(rows(page).first()).toHaveAttribute("aria-setsize", String(sides.size));
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`the search page has no serious fault of access in ${colorScheme}, and fits a phone`, async ({ page, model }) => {
    await page.emulateMedia({ colorScheme });
    await page.goto(`/search?${new URLSearchParams({ find: firstExample(model).prompt, mode: "text" }).toString()}`);
    await expect(rows(page).first()).toBeVisible();
    await expectAccessible(page);
    await page.setViewportSize({ width: 390, height: 844 });
    await expectNoSidewaysScroll(page);
  });
}
