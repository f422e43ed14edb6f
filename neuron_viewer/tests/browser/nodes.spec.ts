import type { Locator, Page } from "@playwright/test";
import { readFile } from "node:fs/promises";

import { AxeBuilder } from "@axe-core/playwright";

import { answered, expect, expectNoSidewaysScroll, figure, test } from "./debugger";

const panelOf = (page: Page) => page.getByRole("region", { name: "Nodes" });
const rowsOf = (page: Page) => panelOf(page).locator("tr[data-node]");
const allMeasured = (page: Page) =>
  expect(panelOf(page).getByText(/^Measured ([\d,]+) of \1$/)).toBeVisible({ timeout: 40_000 });

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).include("section.nodes").analyze();
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`),
  ).toEqual([]);
}

async function nameOf(row: Locator): Promise<string> {
  return (await row.getAttribute("data-node")) ?? "";
}

/** The head pair with the largest effect that writes at the last token. */
async function openStrongestHead(page: Page): Promise<string> {
  await panelOf(page).getByRole("button", { name: "Attn", exact: true }).click();
  await expect(page).toHaveURL(/kind=attn/);
  const row = rowsOf(page).first();
  await expect(row).toContainText("attn_");
  await row.getByRole("cell").nth(1).click();
  await expect(panelOf(page).getByRole("button", { name: "Ablate" })).toBeVisible();
  return nameOf(row);
}

test("streams measured effects in beside the estimates, and moves no row", async ({ page }) => {
  await page.goto("/");
  await answered(page);
  const before = await Promise.all([0, 1, 2, 3].map((place) => nameOf(rowsOf(page).nth(place))));
  await expect(panelOf(page).getByText(/^Measured [1-9][\d,]* of/)).toBeVisible();
  await expect(rowsOf(page).first().locator(".c-mea .num")).toHaveText(/^([+\u2212]\d|0)/);
  await allMeasured(page);
  const after = await Promise.all([0, 1, 2, 3].map((place) => nameOf(rowsOf(page).nth(place))));
  expect(after).toEqual(before);

  const measured = panelOf(page).getByRole("columnheader", { name: /^Measured effect/ });
  await measured.getByRole("button").click();
  await expect(measured).toHaveAttribute("aria-sort", "descending");
  const sizes = await rowsOf(page).locator(".c-mea .num").allTextContents();
  const numbers = sizes.map((text) => Math.abs(Number(text.replace("\u2212", "-"))));
  expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
});

test("ablates a head and shows Left, Diff and Right", async ({ page }) => {
  await page.goto("/");
  await answered(page);
  const node = await openStrongestHead(page);
  const component = node.split("@")[0] ?? "";
  const result = panelOf(page).locator(".prev1");
  await expect(result).toContainText(`Ablate ${component} at every position:`);
  await expect(result).toContainText(/\u2192 [+\u2212]?\d.*measured/);
  const predicted = /\u2192 ([+\u2212]?[\d.]+)/.exec((await result.textContent()) ?? "")?.[1];

  await panelOf(page).getByRole("button", { name: "Ablate" }).click();
  await expect(page).toHaveURL(new RegExp(`i=ablate\\+${component}\\+zero`));
  for (const side of ["Left", "Diff", "Right"]) {
    await expect(panelOf(page).getByRole("columnheader", { name: side }).first()).toBeVisible();
  }
  // What was measured before is what happens now.
  await expect(figure(page)).toHaveText(predicted ?? "");
  await expect(rowsOf(page).first()).toContainText("ablated");
  await expectAccessible(page);

  await panelOf(page).getByRole("button", { name: "Values" }).click();
  await expect(panelOf(page).getByText(/left case/)).toBeVisible();
  await expect(panelOf(page).getByText(/^Measured [1-9]/)).toBeVisible();
});

test("traces a head through its query, and clears the trace", async ({ page }) => {
  await page.goto("/");
  await answered(page);
  const before = await figure(page).textContent();
  const node = await openStrongestHead(page);
  await panelOf(page).getByRole("button", { name: "query" }).click();
  await expect(page).toHaveURL(/tr=attn_L\d+_\d+%40\d+%3A\d+\+query/);
  await expect(page.getByText(node).first()).toBeVisible();
  await expect(figure(page)).not.toHaveText(before ?? "");
  await expect(rowsOf(page).first()).toBeVisible();
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await expect(page).not.toHaveURL(/tr=/);
  await expect(figure(page)).toHaveText(before ?? "");
});

test("works by keyboard alone", async ({ page }) => {
  await page.goto("/");
  await answered(page);
  await page.keyboard.press("j");
  await expect(rowsOf(page).first()).toBeFocused();
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowDown");
  const third = rowsOf(page).nth(2);
  await expect(third).toBeFocused();
  await page.keyboard.press("k");
  await expect(rowsOf(page).nth(1)).toBeFocused();

  // A number says what it is, without a pointer.
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("?");
  await expect(page.getByRole("tooltip")).toContainText("Write");
  await page.keyboard.press("Escape");
  await page.keyboard.press("ArrowDown");
  await expect(third).toBeFocused();

  // Biases have no page of their own: on to a row that has.
  while (!/^(attn|mlp)_/.test(await nameOf(panelOf(page).locator("tr:focus")))) await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(panelOf(page).getByRole("button", { name: "Open component" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(panelOf(page).getByRole("button", { name: "Open component" })).toBeHidden();
  await page.keyboard.press("s");
  await expect(panelOf(page).getByRole("textbox", { name: /^Scale/ })).toBeFocused();
  await page.keyboard.type("0.25");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/i=scale\+\S+\+0\.25/);
  await expect(panelOf(page).getByRole("columnheader", { name: "Diff" }).first()).toBeVisible();
});

test("filters by kind, text and range, and says when nothing is left", async ({ page, model }) => {
  await page.goto("/");
  await answered(page);
  await page.keyboard.press("f");
  await page.keyboard.type("mlp l0");
  await expect(page).toHaveURL(/q=mlp/);
  const names = () => rowsOf(page).evaluateAll((rows) => rows.map((row) => row.getAttribute("data-node")));
  const isMeant = (name: string | null) => name !== null && name.startsWith("mlp_L0_");
  const areMeant = (shown: (string | null)[]) => shown.length > 0 && shown.every(isMeant);
  await expect.poll(async () => areMeant(await names())).toBe(true);
  await page.keyboard.type(" nothing at all");
  await expect(panelOf(page).getByText("No row matches the filter.")).toBeVisible();
  await panelOf(page).getByRole("button", { name: "Clear the filter" }).click();
  await expect(rowsOf(page).nth(5)).toBeVisible();

  await panelOf(page).getByRole("button", { name: "Layers, tokens, top k" }).click();
  await page.getByRole("spinbutton", { name: "Layers from" }).fill(String(model.n_layers - 1));
  await expect(page).toHaveURL(new RegExp(`layers=${model.n_layers - 1}-${model.n_layers - 1}`));
  await page.keyboard.press("Escape");
  await expect(rowsOf(page).first()).toContainText(`_L${model.n_layers - 1}_`);
});

test("hands the rows out as CSV", async ({ page }) => {
  await page.goto("/");
  await answered(page);
  await panelOf(page).getByRole("button", { name: "Export the rows" }).click();
  const saved = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: /^CSV, all/ }).click();
  const text = await readFile(await (await saved).path(), "utf8");
  expect(text).toContain("node,component,kind,layer");
  expect(text.trim().split("\r\n").length).toBeGreaterThan(20);
});

test("stops measuring when another question is asked", async ({ page }) => {
  await page.route("**/api/measure", async (route) => {
    if (route.request().headers()["accept"] !== "text/event-stream") await route.continue();
    // Else it is never answered, so that only the page can end it.
  });
  const stopped = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/api/measure"));
  const asked = page.waitForRequest("**/api/measure");
  await page.goto("/");
  await asked;
  await page.getByRole("button", { name: "Swap target and distractor" }).click();
  expect((await stopped).failure()?.errorText).toContain("ABORTED");
});

test("says why measuring failed, and goes on", async ({ page }) => {
  await page.route(
    "**/api/measure",
    (route) =>
      route.fulfill({
        status: 503,
        json: { error: "busy", message: "The queue is full.", hint: "Try again in a moment." },
      }),
    { times: 1 },
  );
  await page.goto("/");
  const note = panelOf(page).getByRole("alert");
  await expect(note).toContainText("The queue is full.");
  await expect(note).toContainText("Try again in a moment.");
  await note.getByRole("button", { name: "Go on measuring" }).click();
  await allMeasured(page);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test("keeps node, estimate and measured, and puts the rest in the open row", async ({ page }) => {
    await page.goto("/");
    await answered(page);
    const headers = panelOf(page).getByRole("columnheader");
    await expect(headers).toHaveText([/^Node/, /^Total effect/, /^Measured effect/, /^Flag/]);
    await rowsOf(page).first().locator(".c-tot").click();
    await expect(panelOf(page).locator(".figures")).toContainText("Direct effect");
    await expect(panelOf(page).getByRole("button", { name: "Open component" })).toBeVisible();
    await expectNoSidewaysScroll(page);
    await expectAccessible(page);
  });
});
