import { answered, ask, expect, figure, firstExample, test } from "./debugger";

test("shows a first result with nothing typed", async ({ page, model }) => {
  const example = firstExample(model);
  await page.goto("/");
  await answered(page);
  expect(new URL(page.url()).searchParams.get("p")).toBe(example.prompt);
  await expect(page.getByText("equals the objective")).toBeVisible();
  await expect(page.getByRole("region", { name: "Nodes" }).getByRole("row").nth(5)).toBeVisible();
  await expect(page.getByRole("button", { name: /^Model .+, (ready|busy)$/ })).toBeVisible();
});

test("compares two prompts of different length", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  await page.goto(ask({ p: prompt, t: target, d: distractor }));
  await answered(page);
  const alone = await figure(page).textContent();

  await page.getByRole("button", { name: "Add second prompt" }).click();
  await page.getByRole("textbox", { name: "Prompt" }).fill(`And then, ${prompt}`);
  await page.getByRole("button", { name: /^Run/ }).click();

  const figures = page.getByRole("region", { name: "Answer" }).locator(".big");
  await expect(figures).toHaveCount(3);
  await expect(figures.first()).toHaveText(alone ?? "");
  await expect(page.getByRole("group", { name: "Prompt, left" })).toBeVisible();
  await expect(page.getByRole("group", { name: "Prompt, right" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Nodes" }).getByText("Diff").first()).toBeVisible();
});

test("keeps everything in the URL: reload, back, forward, undo", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  await page.goto(ask({ p: prompt, t: target, d: distractor }));
  await answered(page);
  const first = await figure(page).textContent();
  const opposite = first?.startsWith("+") ? `\u2212${first.slice(1)}` : `+${first?.slice(1)}`;

  await page.getByRole("button", { name: "Swap target and distractor" }).click();
  await expect(figure(page)).toHaveText(opposite);
  await page.reload();
  await expect(figure(page)).toHaveText(opposite);

  await page.goBack();
  await expect(figure(page)).toHaveText(first ?? "");
  await page.goForward();
  await expect(figure(page)).toHaveText(opposite);
  await page.keyboard.press("u");
  await expect(figure(page)).toHaveText(first ?? "");
  await page.keyboard.press("U");
  await expect(figure(page)).toHaveText(opposite);
});

test("edits an ablation as a sentence, and takes it away", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  await page.goto(ask({ p: prompt, t: target, d: distractor }));
  await answered(page);

  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByLabel("What", { exact: true }).fill("attn_L0_0");
  await page.getByRole("button", { name: "Add and run" }).click();
  const figures = page.getByRole("region", { name: "Answer" }).locator(".big");
  await expect(figures).toHaveCount(3);
  await expect(page.getByText("left: ablated")).toBeVisible();

  await page.getByRole("button", { name: /^Edit: attn_L0_0 ablate to zero/ }).click();
  await page.getByRole("button", { name: "mean", exact: true }).click();
  await expect(page).toHaveURL(/i=ablate\+attn_L0_0\+mean/);
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: /^Remove attn_L0_0/ }).click();
  await expect(figures).toHaveCount(1);
});

test("says what is wrong with a request, and how to mend it", async ({ page, model }) => {
  const { prompt, target } = firstExample(model);
  const alert = page.getByRole("region", { name: "Error" });
  await page.goto(ask({ p: prompt, t: target, i: "ablate attn_L99_0 zero" }));
  await expect(alert).toContainText("Intervention: attn_L99_0: layer 99 is out of range");
  await page.getByRole("button", { name: /^Remove attn_L99_0/ }).click();
  await answered(page);
  await expect(alert).toHaveCount(0);

  // The last good answer stays below, and the way back to it is one click.
  await page.getByRole("button", { name: /^Remove target/ }).click();
  await expect(alert).toContainText("There is no target token.");
  await expect(alert).toContainText("Name the token to explain");
  await expect(figure(page)).toBeVisible();
  await page.getByRole("button", { name: "Back to the last question" }).click();
  await expect(alert).toHaveCount(0);
  await answered(page);
});

test("warns of a target without its space, and of several tokens, with the fix", async ({ page, model }) => {
  const { prompt, target } = firstExample(model);
  await page.goto(ask({ p: prompt, t: target.trim(), d: " Johnathanesque" }));
  await expect(page.getByText("No leading space")).toBeVisible();
  await expect(page.getByText("Several tokens:")).toBeVisible();
  await page.getByRole("button", { name: /^Remove distractor/ }).click();
  await page.getByRole("button", { name: `Use \u00b7${target.trim()}` }).click();
  await expect(page).toHaveURL(new RegExp(`t=\\+${target.trim()}`));
  await answered(page);
});

test("names the server that is gone, and goes on when it is back", async ({ page }) => {
  await page.goto("/");
  await answered(page);
  const line = page.getByRole("status").filter({ hasText: "tdb serve" });
  await page.route("**/api/**", (route) => route.abort());
  await page.getByRole("button", { name: "Swap target and distractor" }).click();
  await expect(line).toBeVisible({ timeout: 20_000 });
  await page.unroute("**/api/**");
  await expect(line).toHaveCount(0, { timeout: 20_000 });
  await answered(page);
});
