import type { Page } from "@playwright/test";

import {
  answered,
  ask,
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  figure,
  firstExample,
  test,
} from "./debugger";

type Coder = { name: string; site: string };

/** The names of the coders that stand for the MLPs and for attention. */
async function coders(page: Page) {
  const model = (await (await page.request.get("/api/model")).json()) as { coders: Coder[] };
  const at = (part: string) => model.coders.find(({ site }) => site.includes(part))?.name ?? "";
  return { mlp: at("mlp"), attn: at("attn") };
}

const rows = (page: Page) => page.getByRole("region", { name: "Nodes" }).locator("tbody tr");

test("switches MLPs to latents, and ablates one", async ({ page, model }) => {
  const { mlp } = await coders(page);
  test.skip(model.name !== "demo" && mlp === "", "The tests run on another model than the demo, without coders.");
  await page.goto("/");
  await answered(page);
  const before = await figure(page).textContent();
  await page.getByLabel("MLP basis").selectOption(mlp);
  await expect(page).toHaveURL(new RegExp(`mlp=${mlp}`));
  await answered(page);
  // A coder in place changes nothing: its error makes up for what it misses.
  await expect(figure(page)).toHaveText(before ?? "");
  await expect(page.getByRole("region", { name: "Answer" })).toContainText("Error");
  await expect(page.getByRole("region", { name: "Answer" })).toContainText("equals the objective");

  await page.getByRole("group", { name: "Kind" }).getByRole("button", { name: "Latents" }).click();
  const latent = rows(page).filter({ hasText: /mlp_ae_L\d+_\d+@/ }).first();
  const name = /mlp_ae_L\d+_\d+/.exec((await latent.textContent()) ?? "")?.[0] ?? "";
  await latent.click();
  await expect(page.getByText("Activation along the prompt")).toBeVisible();
  await expect(page.getByText(/Ablate .* at every position/).first()).toContainText("measured");
  await page.getByRole("button", { name: "Ablate", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`i=ablate\\+${name}\\+zero`));
  await answered(page);
  await expect(rows(page).filter({ hasText: name }).first()).toContainText("ablated");
  await expectAccessible(page);

  // Latents are numbered within their coder: another basis drops the edit.
  await page.getByLabel("MLP basis").selectOption("neuron");
  await answered(page);
  await expect(figure(page)).toHaveText(before ?? "");
  await expect(page).not.toHaveURL(/ablate/);
});

test("traces an attention latent, and says which pairs of tokens make it up", async ({ page, model }) => {
  const { attn } = await coders(page);
  test.skip(model.name !== "demo" && attn === "", "The tests run on another model than the demo, without coders.");
  const { prompt, target, distractor } = firstExample(model);
  await page.goto(ask({ p: prompt, t: target, d: distractor, attn, kind: "latent" }));
  await answered(page);
  const latent = rows(page).filter({ hasText: /attn_ae_L[1-9]\d*_\d+@/ }).first();
  const name = /attn_ae_L\d+_\d+/.exec((await latent.textContent()) ?? "")?.[0] ?? "";
  await latent.click();
  await expect(page.getByText("Pre-activation by token looked at")).toBeVisible();
  await expect(page.getByText(/All pairs and .* of biases make/)).toBeVisible();
  await page.getByRole("button", { name: "Trace", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`tr=${name}`));
  await answered(page);
  await expect(page.getByRole("navigation", { name: "What is explained" })).toContainText(name);
  await expect(page.getByRole("region", { name: "Answer" })).toContainText("equals the objective");
  await page.setViewportSize({ width: 390, height: 844 });
  await expectNoSidewaysScroll(page);
});

test("traces what a coder missed, from its own row", async ({ page, model }) => {
  const { mlp } = await coders(page);
  test.skip(model.name !== "demo" && mlp === "", "The tests run on another model than the demo, without coders.");
  const { prompt, target, distractor } = firstExample(model);
  await page.goto(ask({ p: prompt, t: target, d: distractor, mlp, kind: "latent" }));
  await answered(page);
  await rows(page).filter({ hasText: /mlp_ae_error_L\d+@/ }).first().click();
  await page.getByRole("button", { name: "Trace", exact: true }).click();
  await expect(page).toHaveURL(/tr=mlp_ae_error_L\d+%40\d+\+value/);
  await answered(page);
  await expect(page.getByRole("navigation", { name: "What is explained" })).toContainText("through value");
});
