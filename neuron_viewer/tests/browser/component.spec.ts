import {
  answered,
  ask,
  expect,
  expectAccessible,
  expectNoSidewaysScroll,
  firstExample,
  test,
} from "./debugger";

test("walks from component to component by keys, within the model", async ({ page, model }) => {
  await page.goto("/component/attn_L0_0");
  const title = page.getByRole("heading", { level: 1 });
  await expect(title).toHaveText("attn_L0_0");
  await page.keyboard.press("]");
  await expect(title).toHaveText("attn_L0_1");
  await page.keyboard.press("ArrowUp");
  await expect(title).toHaveText("attn_L1_1");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(title).toHaveText("attn_L0_1");
  await page.keyboard.press("[");
  await page.keyboard.press("[");
  await expect(title).toHaveText("attn_L0_0");

  const jump = page.getByRole("textbox", { name: "Go to a component" });
  await jump.fill(`attn_L${model.n_layers}_0`);
  await jump.press("Enter");
  await expect(page.getByRole("alert")).toContainText(`there is no layer ${model.n_layers}`);
  await jump.fill(`mlp_L${model.n_layers - 1}_0`);
  await jump.press("Enter");
  await expect(title).toHaveText(`mlp_L${model.n_layers - 1}_0`);
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("colours any text as it is typed, and keeps it in the URL", async ({ page }) => {
  await page.goto("/component/mlp_L0_0");
  const text = page.getByRole("textbox", { name: "Your text" });
  await text.fill("A different sentence about <b>rain</b>.");
  await expect(page).toHaveURL(/text=A\+different/);
  await expect(page.locator(".heat-editor [data-token]").first()).toBeVisible();
  await expect(page.locator(".heat-editor p")).toContainText("<b>rain</b>");
  await expect(page.locator(".read")).toContainText("activation");
  await page.reload();
  await expect(text).toHaveValue("A different sentence about <b>rain</b>.");
  await text.fill("");
  await expect(page.getByText("Type something to see where it acts.")).toBeVisible();
});

test("measures how likely a token is without the component", async ({ page, model }) => {
  const { prompt } = firstExample(model);
  await page.goto(`/component/attn_L0_0?${new URLSearchParams({ text: prompt }).toString()}`);
  await page.getByRole("button", { name: "change in probability if ablated" }).click();
  const readout = page.locator(".read");
  await expect(readout).toContainText(/probability of this token.*%.*with attn_L0_0 ablated.*%/);
  await expect(readout).toContainText(/pt$/);
});

test("shows where a head attends, and its circuits", async ({ page, model }) => {
  const { prompt } = firstExample(model);
  await page.goto(`/component/attn_L1_0?${new URLSearchParams({ prompt }).toString()}`);
  // The text is the question's at first; that stands below once another is typed.
  const text = page.getByRole("textbox", { name: "Your text" });
  await expect(text).toHaveValue(prompt);
  await expect(page.getByText("from the Debugger", { exact: true })).toBeVisible();
  await expect(page.locator(".own2")).toHaveCount(0);
  await text.fill(`${prompt} the`);
  await expect(page.locator(".own2")).toContainText("From the Debugger");
  await expect(page.locator(".own2")).toContainText(prompt);
  await expect(page.locator(".read")).toContainText("attends to");
  await page.locator(".heat-editor [data-token]").first().waitFor();
  await expect(page.getByRole("grid", { name: /Attention pattern of attn_L1_0/ })).toBeVisible();
  for (const list of ["OV: what it writes", "QK: where it looks"]) {
    await expect(page.getByRole("region", { name: list }).getByRole("listitem").first()).toBeVisible();
  }
  await expect(page.getByText(/^copies/)).toBeVisible();
  await expectAccessible(page);
});

test("brings the question back to the Debugger, and ablates there", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  const question = ask({ p: prompt, t: target, d: distractor });
  await page.goto(`/component/attn_L0_0${question.slice(1)}`);
  await page.getByRole("link", { name: "Intervene" }).click();
  await answered(page);
  await expect(page.getByText("left: ablated")).toBeVisible();
});

test("says what is wrong with a name", async ({ page, model }) => {
  await page.goto(`/component/attn_L${model.n_layers + 5}_0`);
  await expect(page.getByRole("alert")).toContainText("there is no layer");
  await page.goto("/component/nonsense");
  await expect(page.getByRole("alert")).toContainText("is not the name of a component");
});

test("has no serious fault of access, and fits a phone", async ({ page }) => {
  await page.goto("/component/mlp_L0_1");
  await expect(page.getByRole("region", { name: "Write to the output" })).toBeVisible();
  await page.locator(".heat-editor [data-token]").first().waitFor();
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.reload();
  await page.locator(".heat-editor [data-token]").first().waitFor();
  await expectAccessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await expectNoSidewaysScroll(page);
});

test("takes over the requests that index.html sent, and sends none again", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto("/component/mlp_L0_3");
  await expect(page.locator(".exrow").first()).toBeVisible();
  for (const path of ["/api/model", "/api/components/mlp_L0_3"]) expect(asked.filter((one) => one === path)).toHaveLength(1);
});
