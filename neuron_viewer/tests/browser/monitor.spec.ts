/** The Monitor on the model under test, which continues a text: write, explain a token, steer, compare, share. */
import { execFileSync } from "node:child_process";

import type { Page } from "@playwright/test";

import { expect, expectAccessible, expectNoSidewaysScroll, firstExample, test } from "./debugger";

const panel = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
const tokens = (page: Page) => page.locator(".chat .strip button");
const rows = (page: Page) => panel(page, "Components").locator("tbody tr[aria-rowindex]");

async function write(page: Page, text: string, nTokens = 6) {
  await page.goto(`/monitor?max=${nTokens}`);
  await page.getByRole("textbox", { name: "Text" }).fill(text);
  await page.getByRole("button", { name: /^Continue/ }).click();
  await expect(page).toHaveURL(/[?&]r=/);
  await expect(page.getByRole("button", { name: /^Continue/ })).toBeVisible();
}

/** Explains the first token of the reply; gives its index. */
async function explainReply(page: Page): Promise<number> {
  const first = page.locator(".msg").filter({ hasText: "Model" }).locator(".strip button").first();
  await first.click();
  await expect(page).toHaveURL(/[?&]on=\d+/);
  await expect(rows(page).first()).toBeVisible();
  return Number(new URL(page.url()).searchParams.get("on"));
}

test("says how likely each token was, and what else might have been said", async ({ page, model }) => {
  const { prompt, target } = firstExample(model);
  await write(page, prompt);
  await explainReply(page);
  const card = page.locator(".chat .alts");
  await expect(card).toContainText("rank 0");
  await expect(card.locator("li.on")).toContainText(target.trim());
  await tokens(page).nth(2).hover();
  await expect(page.locator(".tokencard")).toContainText("token 2");
});

test("lists what led to a token, and measures it", async ({ page, model }) => {
  await write(page, firstExample(model).prompt);
  const at = await explainReply(page);
  await expect(panel(page, "Explained token")).toContainText(`at ${at}`);
  expect(await rows(page).count()).toBeGreaterThan(10);
  const measured = rows(page).first().locator("td").nth(4);
  await expect(measured).toHaveText(/^[+\u2212]?\d/);
  await expect(panel(page, "Components")).toContainText(/All components together .*\d/);

  await panel(page, "Components").getByRole("button", { name: "Attn", exact: true }).click();
  await expect(page).toHaveURL(/kinds=attn/);
  await expect(rows(page).first().getByRole("link")).toHaveText(/^attn_/);
  await expect(panel(page, "Components")).toContainText("All that pass the filters (attention heads) together");
});

test("explains in other terms, and of another token", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  await write(page, prompt);
  await explainReply(page);
  const header = panel(page, "Explained token");
  await expect(page).toHaveURL(/of=logit_diff/);
  await expect(header.locator(".jj")).toHaveText(/^\+\d/);
  await header.getByLabel("less").fill(distractor);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`vs=${encodeURIComponent(`=${distractor}`).replaceAll("%20", "\\+")}`));
  await expect(header.locator(".jj")).toHaveText(/^\+\d/);
  await page.getByLabel("Explained in").selectOption("prob");
  await expect(header.locator(".jj")).toHaveText(/%$/);
  await expect(panel(page, "Explained token")).toContainText(target.trim());
});

test("branches from another token", async ({ page, model }) => {
  await write(page, firstExample(model).prompt);
  await explainReply(page);
  const other = page.locator(".chat .alts li:not(.on)").first();
  const text = await other.locator(".tok").textContent();
  const before = new URL(page.url()).searchParams.get("r");
  await other.getByRole("button", { name: "branch from here" }).click();
  await expect(page).not.toHaveURL(new RegExp(`r=${before}(&|$)`));
  const reply = page.locator(".msg").filter({ hasText: "Model" }).locator(".strip button").first();
  await expect(reply).toHaveText((text ?? "").replace("\u00b7", " ").trim());
});

test("says where a reply was written with other settings, and writes it again", async ({ page, model }) => {
  await write(page, firstExample(model).prompt);
  const said = page.locator(".madeotherwise");
  await expect(said).toHaveCount(0);
  await page.getByLabel("max", { exact: true }).fill("3");
  await page.keyboard.press("Enter");
  await expect(said).toContainText("written with max 6");
  await page.reload();
  await said.getByRole("button", { name: "Write it again with max 3" }).click();
  await expect(said).toHaveCount(0);
  await expect(page.locator(".msg").filter({ hasText: "Model" }).locator(".strip button")).toHaveCount(3);
});

test("steers: both replies, a switch, a sweep, and the link to share it", async ({ page, model }) => {
  await write(page, firstExample(model).prompt);
  await explainReply(page);
  await panel(page, "Components").getByRole("button", { name: "Attn", exact: true }).click();
  const row = rows(page).first();
  await row.hover();
  await row.getByRole("button", { name: /^Suppress attn_/ }).click();
  const compared = page.getByRole("group", { name: "Compare" });
  await expect(compared).toContainText("Default");
  await expect(compared).toContainText("Steered");
  await expect(compared.locator(".ct").first()).toBeVisible();

  const steer = panel(page, "Steer");
  await expect(steer.getByRole("switch")).toHaveAttribute("aria-checked", "true");
  await page.reload();
  await expect(compared.locator(".ct").first()).toBeVisible();
  await steer.getByRole("switch").click();
  await expect(compared).toHaveCount(0);
  await steer.getByRole("switch").click();

  await tokens(page).nth(1).dragTo(tokens(page).nth(3));
  await steer.getByRole("button", { name: /^only tokens 1.3$/ }).click();
  await expect(page).toHaveURL(/at\+1%2C2%2C3/);
  await steer.getByRole("button", { name: /^tokens 1.3: act everywhere instead$/ }).click();

  await steer.getByRole("button", { name: "Sweep strength and number" }).click();
  const cells = steer.getByRole("group", { name: "Sweep" }).getByRole("button");
  await expect(cells).toHaveCount(7);
  await cells.last().click();
  await expect(cells.last()).toHaveAttribute("aria-pressed", "true");
  await expect(steer).toContainText("KL, other text");
  await page.reload();
  await expect(cells).toHaveCount(7);
  await expect(cells.last()).toHaveAttribute("aria-pressed", "true");

  await steer.getByRole("button", { name: /^Remove/ }).click();
  await expect(compared).toHaveCount(0);
});

test("does not offer texts to begin with where the one that was asked about cannot be read", async ({ page }) => {
  await page.route("**/api/monitor/tokens", (route) =>
    route.fulfill({ status: 500, contentType: "application/json", body: '{"error":"e","message":"No reading.","hint":""}' }),
  );
  await page.goto("/monitor?p=One+two");
  await expect(page.getByRole("alert")).toContainText("No reading.");
  await expect(page.getByRole("list", { name: "Texts to begin with" })).toHaveCount(0);
});

test("refuses a sweep of tokens that the text has not", async ({ page }) => {
  await page.goto("/monitor?p=One+two+three&on=1&c=x~set~0~at+1,90~on~attn_L0_0%2B");
  const steer = panel(page, "Steer");
  await expect(steer).toContainText(/The text has tokens 0.\d+\. The concept is to act at 90 too\./);
  await expect(steer.getByRole("button", { name: "Sweep strength and number" })).toBeDisabled();
});

test("runs a ready experiment to another reply, and shares it by its link", async ({ page, context, model }) => {
  const [experiment] = model.monitor_examples ?? [];
  test.skip(model.name !== "demo" && !experiment, "The tests run on another model than the demo, without experiments.");
  if (!experiment) throw new Error("the demo has no ready experiments");
  await page.goto("/monitor");
  await page.getByRole("list", { name: "Ready experiments" }).getByRole("button").first().click();
  const compared = page.getByRole("group", { name: "Compare" });
  const reply = async (of: Page, index: number) =>
    (await of.getByRole("group", { name: "Compare" }).locator(".cmprow").nth(index).locator(".tok").allTextContents())
      .join("").replaceAll("\u00b7", " ").trim();
  await expect(compared.locator(".ct").first()).toBeVisible();
  expect(await reply(page, 0)).toContain(experiment.default.trim());
  expect(await reply(page, 1)).toContain(experiment.steered.trim());
  await expect(page).toHaveURL(/[?&]on=\d+/);
  await expect(panel(page, "Explained token")).toContainText(experiment.target.trim());
  await expect(rows(page).first()).toBeVisible();

  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await panel(page, "Steer").getByRole("button", { name: "Export" }).click();
  await page.getByRole("menuitem", { name: /Copy as Python/ }).click();
  await expect(page.getByRole("menuitem", { name: /Copied/ })).toBeVisible();
  const script = await page.evaluate(() => navigator.clipboard.readText());
  expect(execFileSync("python3", ["-"], { input: script, encoding: "utf8" }).trim()).toBe(experiment.steered.trim());

  const shared = await context.newPage();
  await shared.goto(page.url());
  await expect(shared.getByRole("group", { name: "Compare" }).locator(".ct").first()).toBeVisible();
  expect(await reply(shared, 1)).toBe(await reply(page, 1));
});

test("suppresses a concept that is measured against random sets", async ({ page, model }) => {
  await write(page, firstExample(model).prompt);
  await explainReply(page);
  const concepts = panel(page, "Concepts");
  const row = concepts.locator("tbody tr").first();
  await expect(row).toContainText(/stronger than \d+ of 32|no better than chance/);
  await expect(concepts.getByRole("status")).toHaveText("");
  const before = await row.locator("b").first().textContent();
  await row.getByRole("button", { name: "Suppress" }).click();
  await expect(row.getByRole("button", { name: "Suppress" })).toHaveAttribute("aria-pressed", "true");
  await expect(panel(page, "Steer")).toContainText(`suppress ${before ?? ""}`);
  const compared = page.getByRole("group", { name: "Compare" });
  await expect(compared).toContainText(/Below each token|The replies are the same/);
  await row.getByRole("button", { name: "Suppress" }).click();
  await expect(compared).toHaveCount(0);

  const header = concepts.locator("header");
  const grouped = await header.textContent();
  await concepts.getByLabel("cut").fill("0.2");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/[?&]cut=0.2(&|$)/);
  await expect(header).not.toHaveText(grouped ?? "");
  const nRows = await panel(page, "Components").getByRole("table").getAttribute("aria-rowcount");
  await page.getByLabel("Least score of the explanation").selectOption("0.6");
  await expect(page).toHaveURL(/[?&]score=0.6(&|$)/);
  await expect(panel(page, "Components").getByRole("table")).not.toHaveAttribute("aria-rowcount", nRows ?? "");
});

test("shows a concept's whole name and both its buttons on a phone", async ({ page, model }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await write(page, firstExample(model).prompt);
  await explainReply(page);
  const row = panel(page, "Concepts").locator("tbody tr").first();
  await expect(row).toContainText(/stronger than \d+ of 32|no better than chance/);
  for (const name of ["Suppress", "Strengthen"]) {
    const box = await row.getByRole("button", { name }).boundingBox();
    expect((box?.x ?? -1) + (box?.width ?? 999)).toBeLessThanOrEqual(390);
  }
  expect(await row.locator("b").first().evaluate((name) => name.scrollWidth <= name.clientWidth)).toBe(true);
  await expectNoSidewaysScroll(page);
});

test("a reply goes on while the page is used, and ends with the page", async ({ page, model }) => {
  await page.goto("/monitor?max=200");
  await page.getByRole("textbox", { name: "Text" }).fill(firstExample(model).prompt);
  await page.getByRole("button", { name: /^Continue/ }).click();
  await expect(page.locator(".msg").filter({ hasText: "Model" }).locator(".strip button").first()).toBeVisible();
  await page.getByRole("link", { name: "Search", exact: true }).click();
  await expect(page).toHaveURL(/\/search/);
  await page.waitForTimeout(500);
  await expect(page).toHaveURL(/\/search/);
});

test("goes by keyboard, selects a range by dragging, and refuses nothing silently", async ({ page, model }) => {
  await write(page, firstExample(model).prompt);
  await tokens(page).first().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/[?&]on=1(&|$)/);
  await explainReply(page);
  await tokens(page).nth(1).dragTo(tokens(page).nth(4));
  await expect(page).toHaveURL(/from=1-4/);
  await page.goto("/monitor?p=Hello&on=99");
  await expect(page.getByRole("alert")).toHaveCount(1);
  await expect(page.getByRole("alert")).toContainText("99");
  await expect(panel(page, "Concepts")).toHaveCount(0);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`the Monitor has no serious fault of access in ${colorScheme}`, async ({ page, model }) => {
    await page.emulateMedia({ colorScheme });
    await write(page, firstExample(model).prompt);
    await explainReply(page);
    await expectAccessible(page);
    await page.setViewportSize({ width: 390, height: 800 });
    await expectNoSidewaysScroll(page);
  });
}
