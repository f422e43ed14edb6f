import type { Page } from "@playwright/test";

import { answered, ask, expect, expectAccessible, firstExample, test } from "./debugger";

const NEURON = "mlp_L1_17";

type Label = { text: string; side: string; score: number | null };

async function explanationsOf(page: Page, component: string): Promise<Label[]> {
  const record = (await (await page.request.get(`/api/components/${component}`)).json()) as { explanations: Label[] };
  return record.explanations;
}

test("shows each side's best explanation with its score, and what it predicts beside what is true", async ({ page }) => {
  const labels = await explanationsOf(page, NEURON);
  await page.goto(`/component/${NEURON}`);
  const panel = page.getByRole("region", { name: "Explanation" });
  for (const side of ["positive", "negative"]) {
    const scores = labels.filter((one) => one.side === side).map((one) => one.score ?? -Infinity);
    const best = labels.find((one) => one.side === side && one.score === Math.max(...scores));
    if (best) await expect(panel).toContainText(best.text);
  }
  await panel.getByRole("button", { name: "Compare" }).first().click();
  const simulation = page.getByRole("region", { name: "True and simulated" });
  await expect(simulation).toContainText("correlation");
  const lines = simulation.locator(".simline");
  await expect(lines.first()).toContainText("true");
  await expect(lines.nth(1)).toContainText("simulated");
  const [above, below] = await lines.evaluateAll((all) =>
    all.slice(0, 2).map((line) => line.querySelector(".peak")?.getBoundingClientRect().left),
  );
  expect(above).toBe(below);
  await expectAccessible(page);
  await simulation.getByRole("button", { name: "Close" }).click();
  await expect(simulation).toHaveCount(0);
});

test("offers to write an explanation, and says what scoring it takes", async ({ page }) => {
  await page.goto(`/component/${NEURON}`);
  await page.getByRole("button", { name: "Write your own" }).first().click();
  const own = page.getByRole("region", { name: /^Your explanation/ });
  await expect(own.getByRole("textbox", { name: "Your explanation" })).toBeFocused();
  await expect(own.getByRole("button", { name: "Score" })).toBeDisabled();
  await own.getByRole("button", { name: "an endpoint" }).click();
  await expect(own).toContainText("at its price");
  await expectAccessible(page);
});

test("scores a sentence by its own words beside the best so far", async ({ page }) => {
  // The answer is the server's own for a stored explanation: a test writes nothing into the user's data.
  const simulation = (await (await page.request.get(`/api/components/${NEURON}/simulation`)).json()) as object;
  await page.route(`**/api/components/${NEURON}/explanations`, (route) => route.fulfill({ json: { ...simulation, problems: [] } }));
  await page.goto(`/component/${NEURON}`);
  await page.getByRole("button", { name: "Write your own" }).first().click();
  const own = page.getByRole("region", { name: /^Your explanation/ });
  await own.getByRole("textbox", { name: "Your explanation" }).fill('fires on " mitten"');
  await own.getByRole("button", { name: "Score" }).click();
  await expect(own).toContainText("As good as the best so far");
  await expect(own.locator(".simline").first()).toBeVisible();
});

test("finds explanations by meaning and by keyword", async ({ page }) => {
  for (const mode of ["meaning", "keyword"]) {
    await page.goto(`/search?find=fires&mode=${mode}`);
    const first = page.locator(".result").first();
    await expect(first).toContainText(/held-out correlation|not scored/);
    await expect(first).toContainText(/fires/);
  }
});

test("tells how much of each layer is explained, and how well", async ({ page, model }) => {
  await page.goto("/search");
  const coverage = page.getByRole("region", { name: "What is explained" });
  await expect(coverage.getByRole("table", { name: "lookup" }).getByRole("row", { name: /mlp_L/ })).toHaveCount(model.n_layers);
  await expect(coverage.getByRole("img").first()).toHaveAttribute("aria-label", /from 0,.*from 0\.9/);
  await expectAccessible(page);
});

test("puts explanations below the node table's rows, without holding it up", async ({ page, model }) => {
  let release = () => {};
  const held = new Promise<void>((done) => {
    release = done;
  });
  await page.route("**/api/components/labels", async (route) => {
    await held;
    await route.continue();
  });
  const { prompt, target, distractor } = firstExample(model);
  await page.goto(ask({ p: prompt, t: target, d: distractor }));
  await answered(page);
  const nodes = page.getByRole("region", { name: "Nodes" });
  await expect(nodes.locator("tr.row").first()).toBeVisible();
  await expect(nodes.locator(".labelrow")).toHaveCount(0);
  release();
  await expect(nodes.locator(".labelrow").first()).toBeVisible();
  await nodes.getByRole("button", { name: "Explanations" }).click();
  await expect(nodes.locator(".labelrow")).toHaveCount(0);
});

test("says what a language model would take before it is asked, and whether there is one to ask", async ({ page }) => {
  await page.goto(`/component/${NEURON}`);
  await page.getByRole("button", { name: "Explain", exact: true }).first().click();
  const offer = page.getByRole("dialog");
  await expect(offer).toContainText("No language model is asked");
  await offer.getByRole("button", { name: "by a language model" }).click();
  await expect(offer).toContainText(/Up to \d[\d,]* calls and \d[\d,]* tokens/);
  const told = (await (
    await page.request.post("/api/explanations/estimate", { data: { dataset: "demo", components: [NEURON], candidates: 3 } })
  ).json()) as { is_configured: boolean; n_calls: number };
  await expect(offer).toContainText(`Up to ${told.n_calls} calls`);
  const start = offer.getByRole("button", { name: "Start" });
  if (told.is_configured) {
    await expect(start).toBeEnabled();
  } else {
    await expect(offer).toContainText("no language model to ask");
    await expect(start).toBeDisabled();
  }
  await expectAccessible(page);
});

test("the Data page tells the cost of a language model too, and starts none without one", async ({ page }) => {
  const estimate = { model: null, address: null, hint: "Set it.", n_components: 512, n_sides: 595, n_calls: 7735, n_tokens: 9_876_543 };
  await page.route("**/api/explanations/estimate", (route) => route.fulfill({ json: { ...estimate, is_configured: false } }));
  await page.goto("/data");
  await page.getByRole("group", { name: "Kind of job" }).getByRole("button", { name: "Explain" }).click();
  const form = page.getByRole("region", { name: "New job" });
  await form.getByLabel("Dataset").selectOption("demo");
  await form.getByLabel("By", { exact: true }).selectOption("a language model");
  await expect(form).toContainText("Up to 7,735 calls and 9,900,000 tokens, for 595 sides of 512 components");
  await expect(form).toContainText("stops by itself at 15,000,000 tokens");
  await expect(form.getByRole("button", { name: "Explain" }).last()).toBeDisabled();
  await form.getByLabel("By", { exact: true }).selectOption("rules, without a language model");
  await expect(form).not.toContainText("calls");
});

test("says of a head that its lines are summed over keys, for a stored explanation and for one's own", async ({ page }) => {
  const head = "attn_L2_3";
  const simulation = (await (await page.request.get(`/api/components/${head}/simulation`)).json()) as object;
  await page.route(`**/api/components/${head}/explanations`, (route) => route.fulfill({ json: { ...simulation, problems: [] } }));
  await page.goto(`/component/${head}`);
  await page.getByRole("button", { name: "Compare" }).first().click();
  await expect(page.getByRole("region", { name: "True and simulated" })).toContainText("Summed over keys");
  await page.getByRole("button", { name: "Write your own" }).first().click();
  const own = page.getByRole("region", { name: /^Your explanation/ });
  await own.getByRole("textbox", { name: "Your explanation" }).fill("attends to the token before");
  await own.getByRole("button", { name: "Score" }).click();
  await expect(own).toContainText("Summed over keys");
});

test("keeps a row's sentence to one line, and shows the whole of it on hover and on focus", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(ask({ p: prompt, t: target, d: distractor }));
  await answered(page);
  const body = page.getByRole("region", { name: "Nodes" }).locator("tbody").filter({ hasText: "most of all to" }).first();
  const sentence = body.locator(".labeltext");
  const isCut = () => sentence.evaluate((text) => text.scrollWidth > text.clientWidth);
  const height = async () => (await body.boundingBox())?.height;
  await expect(sentence).toBeVisible();
  expect(await isCut()).toBe(true);
  const before = await height();
  expect(before).toBeLessThan(48);
  await sentence.hover();
  expect(await isCut()).toBe(false);
  expect(await height()).toBe(before);
  await page.mouse.move(0, 0);
  expect(await isCut()).toBe(true);
  await page.keyboard.press("Tab"); // from here on the focus is seen
  await body.locator(".row").focus();
  expect(await isCut()).toBe(false);
});
