import type { Page } from "@playwright/test";

import { expect, expectAccessible, expectNoSidewaysScroll, firstExample, test } from "./debugger";

/** A component of each kind, and the text that the server recorded of it. */
const NEURON = "mlp_L1_17";
const HEAD = "attn_L2_3";

type Exemplar = { tokens: string[]; peak: number; peak_key: number | null; value: number };
type Record = { exemplars: { top_positive: Exemplar[]; top_negative: Exemplar[] }; statistics: { n_tokens: number } };

const lines = (page: Page) => page.locator(".exrow");

async function recordOf(page: Page, component: string): Promise<Record> {
  return (await (await page.request.get(`/api/components/${component}`)).json()) as Record;
}

test("lists a neuron's exemplars by band, each aligned on its peak", async ({ page }) => {
  await page.goto(`/component/${NEURON}`);
  const { exemplars } = await recordOf(page, NEURON);
  const first = lines(page).first();
  await expect(first).toContainText("Top +");
  const peak = first.locator(".peak");
  const top = exemplars.top_positive[0];
  expect((await peak.textContent())?.trim()).toBe(top?.tokens[top.peak]?.trim());

  const boxes = await page.locator(".exrow .peak").evaluateAll((peaks) => peaks.map((one) => one.getBoundingClientRect().left));
  expect(boxes.length).toBeGreaterThan(10);
  expect(Math.max(...boxes) - Math.min(...boxes)).toBeLessThan(2);

  await page.getByRole("button", { name: "Random", exact: true }).click();
  await expect(lines(page).first()).toContainText("Random");
  await expect(page.getByText("Top +", { exact: true }).filter({ visible: true })).toHaveCount(1); // the button
  await page.getByRole("button", { name: "Top \u2212", exact: true }).click();
  await expect(lines(page)).toHaveCount(exemplars.top_negative.length);
});

test("draws only the lines near the window, and every one once it is scrolled to", async ({ page }) => {
  await page.goto(`/component/${NEURON}`);
  await expect(lines(page).first()).toBeVisible();
  const all = Number(await lines(page).first().getAttribute("aria-setsize"));
  expect(await lines(page).count()).toBeLessThan(all);
  await page.mouse.wheel(0, 10_000);
  await expect(page.locator(`.exrow[aria-posinset="${all}"]`)).toBeVisible();
});

test("tells a token's value on hover, and what ablation does to its probability there", async ({ page }) => {
  await page.goto(`/component/${NEURON}`);
  await page.locator(".exrow").first().locator(".peak").hover();
  const readout = page.locator(".exread");
  await expect(readout).toContainText(/[+\u2212]\d/);
  await page.getByRole("button", { name: "change in probability if ablated" }).click();
  await page.locator(".exrow").first().locator(".peak").hover();
  await expect(readout).toContainText(/with mlp_L1_17 ablated there.*pt.*everywhere.*pt/);
});

test("opens an excerpt by keyboard, and sends it to your text and to the Debugger", async ({ page }) => {
  await page.goto(`/component/${NEURON}`);
  await lines(page).first().getByRole("button", { name: /Whole excerpt/ }).focus();
  await page.keyboard.press("Enter");
  await expect(page.locator(".exopen .whole")).toBeVisible();
  await expect(page.locator(".exopen")).toContainText("strongest");
  await page.getByRole("button", { name: "Edit as your text" }).click();
  const { exemplars } = await recordOf(page, NEURON);
  await expect(page.getByRole("textbox", { name: "Your text" })).toHaveValue(exemplars.top_positive[0]?.tokens.join("") ?? "");
  await page.getByRole("link", { name: "Explain what follows" }).click();
  await expect(page).toHaveURL(/\/\?p=.*q=mlp_L1_17/);
});

test("shows a head's exemplars as pairs, and where the pointed token attends", async ({ page }) => {
  await page.goto(`/component/${HEAD}`);
  const { exemplars } = await recordOf(page, HEAD);
  const top = exemplars.top_positive[0];
  const first = lines(page).first();
  await expect(first.locator(".peak")).toHaveAttribute("data-token", String(top?.peak_key));
  await expect(first.locator(".from")).toHaveAttribute("data-token", String(top?.peak));
  await expect(page.getByText("Top \u2212")).toHaveCount(0);
  await first.locator(".from").hover();
  await expect(page.locator(".exread")).toContainText("writes most from");
  await page.getByRole("button", { name: "in", exact: true }).click();
  await expect(page.getByRole("button", { name: "in", exact: true })).toHaveAttribute("aria-pressed", "true");
});

test("shows how its values are distributed, with the prompt's among them", async ({ page, model }) => {
  const prompt = model.examples[0]?.prompt ?? "";
  await page.goto(`/component/${NEURON}?${new URLSearchParams({ prompt }).toString()}`);
  const { statistics } = await recordOf(page, NEURON);
  const panel = page.getByRole("region", { name: "Activations" });
  await expect(panel).toContainText(`${statistics.n_tokens.toLocaleString("en-US")} tokens`);
  await expect(panel.getByRole("img", { name: /^Histogram of/ })).toBeVisible();
  await expect(panel).toContainText(/your prompt [+\u2212]\d+\.\d+ \u00b7 (top|bottom) /);
  await panel.getByRole("button", { name: "Density" }).click();
  await expect(panel.getByRole("button", { name: "Density" })).toHaveAttribute("aria-pressed", "true");
  await panel.getByText(/^All \d+ quantiles$/).click();
  await expect(panel.getByText("99.99999%")).toBeVisible();
});

test("lists what writes, reads and fires alike, each leading to its page", async ({ page }) => {
  await page.goto(`/component/${NEURON}`);
  const panel = page.getByRole("region", { name: "Similar components" });
  for (const by of ["Writes", "Reads", "Co-activation"]) {
    await panel.getByRole("button", { name: by }).click();
    await expect(panel.getByRole("row")).toHaveCount(9);
    await expect(panel.getByRole("cell").nth(1)).toHaveText(/^[+\u2212]0\.\d\d$/);
  }
  const link = panel.getByRole("link").first();
  const name = (await link.textContent()) ?? "";
  await link.click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
});

test("says what to do where a component has no record", async ({ page }) => {
  await page.route(`**/api/components/${NEURON}?*`, (route) => route.continue({ url: `${route.request().url()}&dataset=none` }));
  await page.route(`**/api/components/${NEURON}`, (route) => route.continue({ url: `${route.request().url()}?dataset=none` }));
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().includes(`/api/components/${NEURON}`) && request.method() === "GET" && !/tokens|similar/.test(request.url())) asked += 1;
  });
  const { explanations } = (await (await page.request.get(`/api/components/${NEURON}`)).json()) as { explanations: { text: string }[] };
  await page.goto(`/component/${NEURON}`);
  await expect(page.getByRole("region", { name: "Exemplars" })).toContainText("There is no dataset");
  expect(explanations.length).toBeGreaterThan(0);
  await expect(page.getByRole("region", { name: "Explanation" })).toContainText("held-out correlation");
  const told = await page.getByRole("region", { name: "Explanation" }).locator(".exp").first().textContent();
  expect(explanations.map(({ text }) => text.replace(/\s/g, " "))).toContain(told?.replace(/[\s\u00a0]/g, " "));
  expect(asked).toBe(1);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`the exemplars have no serious fault of access in ${colorScheme}, and fit a phone`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const component of [NEURON, HEAD]) {
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto(`/component/${component}`);
      await lines(page).first().getByRole("button", { name: /Whole excerpt/ }).click();
      await expect(page.locator(".exopen")).toBeVisible();
      await expectAccessible(page);
      await page.setViewportSize({ width: 390, height: 844 });
      await expectNoSidewaysScroll(page);
    }
  });
}

test("says which datasets hold the component, and why another does not", async ({ page, model }) => {
  const group = { name: "mlp_L1", kind: "mlp", layer: 1, stream: null, coder: null, n_components: 512 };
  const other = { name: "theirs", description: "Published.", n_tokens: null, groups: [group], caveats: ["Another GELU."] };
  await page.route("**/api/model", async (route) => {
    const told = (await (await route.fetch()).json()) as { datasets: object[] };
    const datasets = [{ ...other, name: "elsewhere", groups: [{ ...group, layer: 0 }] }, ...told.datasets.slice(0, 1), other];
    await route.fulfill({ json: { ...told, datasets } });
  });
  expect(model.n_layers).toBeGreaterThan(1);
  await page.goto(`/component/${NEURON}`);
  const select = page.getByRole("combobox", { name: "Dataset" });
  await expect(select.getByRole("option")).toHaveText([
    /^demo, [\d,]+ tokens$/,
    "theirs, public excerpts, 1 caveat",
    "elsewhere, without this layer",
  ]);
  await expect(select).toHaveValue("demo");
  await expect(select.getByRole("option", { name: /^elsewhere/ })).toBeDisabled();
  await select.selectOption("theirs");
  await expect(page).toHaveURL(/dataset=theirs/);
  const exemplars = page.getByRole("region", { name: "Exemplars" });
  await expect(exemplars).toContainText("There is no dataset");
  await expect(page.getByRole("region", { name: "Explanation" })).toContainText("held-out correlation");
  await exemplars.getByRole("link", { name: "Look in demo" }).click();
  await expect(page).toHaveURL(/dataset=demo/);
  await expect(lines(page).first()).toBeVisible();
});

test("shows a public record without a histogram, and without one of its own", async ({ page }) => {
  await page.route(`**/api/components/${NEURON}`, async (route) => {
    const record = (await (await route.fetch()).json()) as { statistics: object };
    const statistics = { ...record.statistics, n_tokens: null, n_values: null, min: null, fraction_active: null, quantiles: { "0.5": 0.01, "0.99": 0.5 } };
    await route.fulfill({ json: { ...record, statistics, histogram: { edges: [0, 1], counts: [0] }, caveats: ["Another GELU."] } });
  });
  await page.goto(`/component/${NEURON}?text=The`);
  const panel = page.getByRole("region", { name: "Activations" });
  await expect(panel).toContainText(/No histogram is recorded; your text \u2212\d\S* \u00b7 bottom 50%\./);
  await expect(panel.getByRole("img")).toHaveCount(0);
  await expect(page.getByText("Another GELU.")).toBeVisible();
});

test("says what the embeddings' values are, that nothing is recorded of them, and where a latent is silent", async ({ page, model }) => {
  const { prompt } = firstExample(model);
  const text = new URLSearchParams({ text: prompt }).toString();
  await page.goto(`/component/embed?${text}`);
  await expect(page.locator(".read")).toContainText(/norm of its write\d/);
  await expect(page.getByText("embed is no single unit")).toBeVisible();
  const lists = page.getByRole("region", { name: "Write to the output" });
  await expect(lists.getByRole("listitem")).toHaveCount(20);
  const first = await lists.textContent();
  await page.getByRole("textbox", { name: "Your text" }).press("End");
  await expect(lists).not.toHaveText(first ?? "");
  await page.goto(`/component/mlp_ae_error_L2?${text}`);
  await expect(lists.getByRole("listitem")).toHaveCount(20);
  await page.goto(`/component/mlp_ae_L2_40?${text}`);
  await expect(page.locator(".read")).toContainText("not active on any token of this text");
  await page.goto(`/component/mlp_ae_L2_40?${new URLSearchParams({ text: "The", prompt }).toString()}`);
  await expect(page.locator(".own2")).toContainText("not active on any token of it");
  await expect(page.locator(".own2 .num")).toBeHidden();
});
