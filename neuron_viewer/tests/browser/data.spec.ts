import type { Page } from "@playwright/test";

import { expect, expectAccessible, expectNoSidewaysScroll, test } from "./debugger";

const job = (page: Page, name: string) => page.getByRole("listitem", { name: new RegExp(name) });
const form = (page: Page) => page.getByRole("region", { name: "New job" });

async function fill(page: Page, fields: Record<string, string>) {
  for (const [label, value] of Object.entries(fields)) await form(page).getByLabel(label).fill(value);
}

test("collates a text and serves the dataset that comes of it at once", async ({ page, model }) => {
  await page.goto("/data");
  await fill(page, { Name: "little", Tokens: "4k", Excerpts: "3", Window: "32" });
  await form(page).getByRole("button", { name: "Collate" }).last().click();
  await expect(page).toHaveURL(/job=\d{8}-/);
  await expect(job(page, "Collate little")).toContainText("tdb collate");
  await expect(job(page, "Collate little, done")).toBeVisible({ timeout: 110_000 });
  await expect(job(page, "little")).toContainText("--dataset");
  const row = page.getByRole("region", { name: "Datasets" }).getByRole("row", { name: /little/ });
  await expect(row).toContainText(model.name);
  await expect(row).toContainText("3 top");
  await expect(row).toContainText("served");
  await expect(job(page, "Collate little")).toContainText("After a restart");
  await expectAccessible(page);

  await fill(page, { Name: "little" });
  await form(page).getByRole("button", { name: "Collate" }).last().click();
  await expect(form(page).getByRole("alert")).toContainText("There is little already");
  await expect(form(page).getByLabel("Name")).toBeFocused();

  await job(page, "Collate little").getByRole("link", { name: "see mlp_L0_0 in little" }).click();
  await expect(page).toHaveURL(/component\/mlp_L0_0\?dataset=little/);
  await expect(page.getByLabel("Dataset")).toHaveValue("little");
  const options = await page.getByLabel("Dataset").locator("option").allTextContents();
  expect(options).toHaveLength(model.datasets.length + 1);
  await expect(page.getByRole("region", { name: "Exemplars" })).toBeVisible();
  await page.goto("/search?mode=text&find=The+coins+behind+the+cupboard");
  await page.getByLabel("Dataset").selectOption("little");
  await expect(page).toHaveURL(/dataset=little/);
  await expect(page.getByRole("region", { name: "Results" }).getByRole("listitem").first()).toBeVisible();
  await expectAccessible(page);
});

test("cancels a job, resumes it, and forgets it", async ({ page }) => {
  await page.goto("/data");
  await fill(page, { Name: "long", Tokens: "" });
  await form(page).getByRole("button", { name: "Collate" }).last().click();
  const long = job(page, "Collate long");
  await expect(long).toContainText(/\d of [\d,]+ tokens|\d tokens/, { timeout: 110_000 });
  await long.getByRole("button", { name: /^Cancel/ }).click();
  await expect(job(page, "Collate long, cancelled")).toBeVisible();
  await page.reload();
  await job(page, "long").getByRole("button", { name: /^Resume/ }).click();
  await expect(job(page, "Collate long, running")).toBeVisible();
  await job(page, "long").getByRole("button", { name: /^Cancel/ }).dblclick({ delay: 400 });
  await expect(job(page, "Collate long, cancelled")).toBeVisible();
  // Once asks, and asks no more when the pointer has left.
  const forget = job(page, "long").getByRole("button", { name: /^Forget/ });
  await page.mouse.move(0, 0);
  await expect(forget).toHaveText("Forget");
  await forget.click();
  await expect(forget).toHaveText("Forget it?");
  await page.mouse.move(0, 0);
  await expect(forget).toHaveText("Forget");
  await forget.press("Enter");
  await forget.press("Enter");
  await expect(job(page, "long")).toHaveCount(0);
});

test("says what is wrong at the field, and what the command found", async ({ page }) => {
  await page.goto("/data?new=train_sae");
  await fill(page, { Name: "", Layers: "0-99", Latents: "many" });
  await form(page).getByRole("button", { name: "Train" }).last().click();
  await expect(form(page).getByRole("alert")).toHaveText([
    "This is needed.",
    /0-99 is not within the layers 0 to \d+/,
    /many is no whole number/,
  ]);
  const colour = (name: string) => form(page).locator(name).first().evaluate((one) => getComputedStyle(one).color);
  expect(await colour("[role=alert]")).not.toBe(await colour(".note:not([role=alert])"));
  await fill(page, { Name: "no/slash", Layers: "all", Latents: "8", "Active (k)": "2" });
  await form(page).getByRole("button", { name: "Train" }).last().click();
  await expect(form(page).getByRole("alert")).toContainText("no/slash");
  await expectAccessible(page);

  await page.goto("/data");
  await fill(page, { Name: "nothing", Text: "/nowhere/text.jsonl" });
  await form(page).getByRole("button", { name: "Collate" }).last().click();
  await expect(job(page, "Collate nothing, failed")).toBeVisible({ timeout: 60_000 });
  await expect(job(page, "nothing")).toContainText("/nowhere/text.jsonl");
});

test("lists a served dataset that lies elsewhere, with its caveats", async ({ page }) => {
  const other = { name: "openai:gpt2-small", description: "Published.", model: "gpt2", corpus: "", n_tokens: null, n_windows: null };
  const card = { n_components: 36_864, n_bytes: null, coders: [], created: "", seconds: null, path: "az://x", recipe: null, groups: [] };
  await page.route("**/api/model", async (route) => {
    const told = (await (await route.fetch()).json()) as { datasets: object[] };
    await route.fulfill({ json: { ...told, datasets: [...told.datasets, { ...other, ...card, caveats: ["Another GELU."] }] } });
  });
  await page.goto("/data");
  const row = page.getByRole("region", { name: "Datasets" }).getByRole("row", { name: /openai:gpt2-small/ });
  await expect(row).toContainText("Another GELU.");
  await expect(row.getByRole("cell")).toHaveText(["gpt2", "\u2013", "36,864", "\u2013", "\u2013", "public", "served"]);
});

test("shows an empty shelf, a lost server, and fits a phone", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.route("**/api/coders", (route) => route.fulfill({ json: { coder_sets: [], damaged: [] } }));
  await page.route("**/api/datasets", (route) =>
    route.fulfill({ status: 503, json: { error: "busy", message: "The disk is asleep.", hint: "Wake it." } }),
  );
  await page.goto("/data");
  await expect(page.getByText("No coders yet.")).toBeVisible();
  await expect(page.getByRole("region", { name: "Datasets" }).getByRole("alert")).toContainText("The disk is asleep.");
  await expectNoSidewaysScroll(page);
  await expectAccessible(page);
});

test("trains coders, judges them, and shows their training card", async ({ page }) => {
  test.setTimeout(500_000); // two commands that load a model, one after the other
  await page.goto("/data?new=train_sae");
  await fill(page, { Name: "tiny", Layers: "0,1", Latents: "64", "Active (k)": "4", Tokens: "12k" });
  await form(page).getByRole("button", { name: "Train" }).last().click();
  await expect(job(page, "Train coders tiny, done")).toBeVisible({ timeout: 200_000 });
  await expect(job(page, "tiny").getByRole("img", { name: /^Explained variance/ })).toBeVisible();
  const row = page.getByRole("region", { name: "Coders" }).getByRole("row", { name: /tiny/ });
  await expect(row).toContainText("not judged");
  await row.getByRole("button", { name: "Use tiny" }).click();
  await expect(page.getByText(/tdb serve --model .* --coder/).last()).toBeVisible();
  await page.keyboard.press("Escape");

  await form(page).getByRole("button", { name: "Judge" }).first().click();
  await form(page).getByLabel("Coders").selectOption("tiny");
  await fill(page, { Tokens: "2k" });
  await form(page).getByRole("button", { name: "Judge" }).last().click();
  await expect(job(page, "Judge coders tiny, done")).toBeVisible({ timeout: 200_000 });
  await expect(row).not.toContainText("not judged");

  await row.getByRole("link", { name: "tiny" }).click();
  await expect(page).toHaveURL(/\/data\/coders\/tiny/);
  await page.getByRole("button", { name: "layer 1" }).click();
  await expect(page).toHaveURL(/layer=1/);
  const training = page.getByRole("region", { name: "Training" });
  await expect(training.getByRole("img")).toHaveCount(4);
  await expect(page.getByRole("img", { name: /Histogram of 64 latents/ })).toBeVisible();
  await expect(page.getByText(/of the loss is recovered/)).toBeVisible();
  await expectAccessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await expectNoSidewaysScroll(page);
  await page.goto("/data/coders/nothing");
  await expect(page.getByRole("alert")).toContainText("There is no coder set");
});
