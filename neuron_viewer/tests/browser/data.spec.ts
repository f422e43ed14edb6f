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

test("keeps the keyboard in the row when a job is cancelled, and beside it when one is forgotten", async ({ page }) => {
  const made = { options: {}, created: 1, started: 1, progress: null, output: null, error: null, result: null, not_served: null };
  const told = (id: string, name: string, state: string) => ({
    ...made, id, kind: "collate", options: { name }, state, ended: state === "running" ? null : 2, is_resumable: state === "cancelled",
    queue_ahead: null, command: "tdb collate", serve_option: null,
  });
  let jobs = [told("1", "long", "running"), told("2", "other", "done")];
  await page.route("**/api/jobs", (route) => route.fulfill({ json: { jobs, corpora: [], data_dir: "/data" } }));
  await page.route("**/api/jobs/1/cancel", (route) => {
    jobs = [told("1", "long", "cancelled"), told("2", "other", "done")];
    return route.fulfill({ json: jobs[0] });
  });
  await page.route("**/api/jobs/1", (route) => {
    jobs = [told("2", "other", "done")];
    return route.fulfill({ status: 204 });
  });
  await page.goto("/data");
  await job(page, "Collate long").getByRole("button", { name: /^Cancel/ }).press("Enter");
  await expect(job(page, "Collate long, cancelled")).toBeVisible();
  await expect(job(page, "Collate long").locator(".jname")).toBeFocused();
  const forget = job(page, "Collate long").getByRole("button", { name: /^Forget/ });
  await forget.press("Enter");
  await forget.press("Enter");
  await expect(job(page, "Collate long")).toHaveCount(0);
  await expect(job(page, "Collate other").locator(".jname")).toBeFocused();
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

test("says which parts of a served dataset cannot be read", async ({ page }) => {
  const { datasets } = (await (await page.request.get("/api/model")).json()) as { datasets: { path: string }[] };
  const path = datasets[0]?.path ?? "";
  const cut = { path, file: "mlp_L3.safetensors", groups: ["mlp_L3"], message: "mlp_L3.safetensors has 8 bytes, 900 were written" };
  await page.route("**/api/datasets", async (route) => {
    const stored = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...stored, unreadable: [cut] } });
  });
  await page.goto("/data");
  const note = page.getByRole("region", { name: "Datasets" }).locator(".note.alert");
  await expect(note).toHaveText(/^Cannot be read: mlp_L3 \(mlp_L3\.safetensors has 8 bytes.*The rest can\. Copy the files again/);
  await page.unrouteAll({ behavior: "ignoreErrors" }); // the page may be asking again
});

test("lists coders that are served from files without a card", async ({ page }) => {
  await page.route("**/api/model", async (route) => {
    const told = (await (await route.fetch()).json()) as { coders: object[] };
    const more = { name: "theirs", site: "resid_pre", layers: [1, 2], n_latents: 4096, n_latents_by_layer: [4096, 4096] };
    await route.fulfill({ json: { ...told, coders: [...told.coders, more] } });
  });
  await page.goto("/data");
  const row = page.getByRole("region", { name: "Coders" }).getByRole("row", { name: /theirs/ });
  await expect(row).toContainText("no training card");
  await expect(row.getByRole("cell")).toHaveText([
    "residual, before the layer", "1\u20132", "4,096", "\u2013", "\u2013", "\u2013", "\u2013", "\u2013", "served",
  ]);
});

test("shows an empty shelf, a lost server, and fits a phone", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.route("**/api/coders", (route) => route.fulfill({ json: { coder_sets: [], damaged: [] } }));
  await page.route("**/api/model", async (route) => {
    const told = (await (await route.fetch()).json()) as object;
    await route.fulfill({ json: { ...told, coders: [] } });
  });
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
