import { answered, ask, expect, firstExample, test } from "./debugger";

test("reads the map by mouse and keyboard, and filters the table by it", async ({ page, model }) => {
  await page.goto("/");
  await answered(page);
  const panel = page.getByRole("region", { name: "Total effect by layer and token" });
  const grid = panel.getByRole("grid");
  await expect(grid).toHaveAttribute("aria-rowcount", String(model.n_layers + 4));

  await grid.focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  const cell = grid.getByRole("gridcell");
  await expect(cell).toHaveText(/at .+: /);
  await expect(panel.locator(".readout")).toContainText(/at/);

  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/(layers|tokens)=/);
  await expect(panel.locator(".hg-mark.filter")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).not.toHaveURL(/(layers|tokens)=/);

  const cells = panel.locator(".hg-cells");
  const box = await cells.boundingBox();
  if (!box) throw new Error("The map has no cells.");
  await page.mouse.move(box.x + box.width - 3, box.y + box.height - 12);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 3, box.y + box.height - 3, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/layers=0-1/);

  await panel.getByRole("button", { name: "Show as table" }).click();
  await expect(panel.getByRole("columnheader").first()).toBeVisible();
  await expect(panel.getByRole("rowheader", { name: "Layer 0" })).toBeVisible();
});

test("makes a likely token the target, and another the distractor", async ({ page }) => {
  await page.goto("/");
  await answered(page);
  const panel = page.getByRole("region", { name: "Next token" });
  const rows = panel.getByRole("row");
  await expect(panel.getByText("target", { exact: true })).toBeVisible();
  await expect(panel.getByText("distractor", { exact: true })).toBeVisible();

  const second = rows.nth(2).getByRole("button").first();
  const name = (await second.textContent()) ?? "";
  await second.click();
  const target = () => new URL(page.url()).searchParams.get("t");
  await expect.poll(target).toBe(name.replace("·", " "));
  await answered(page);
  await panel.getByRole("row", { name }).getByText("target", { exact: true }).waitFor();
  await rows
    .nth(1)
    .getByRole("button")
    .first()
    .click({ modifiers: ["Shift"] });
  await answered(page);
  await expect(panel.getByText("distractor", { exact: true })).toBeVisible();
});

test("shows the pattern of any head, and selects a pair", async ({ page, model }) => {
  await page.goto("/");
  await answered(page);
  const panel = page.getByRole("region", { name: "Attention pattern" });
  await panel.getByRole("combobox", { name: "Layer of the head" }).selectOption("0");
  await panel
    .getByRole("combobox", { name: "Head", exact: true })
    .selectOption(`attn_L0_${model.n_heads - 1}`);
  const grid = panel.getByRole("grid", { name: `Attention pattern of attn_L0_${model.n_heads - 1}` });
  await expect(grid).toBeVisible();
  await grid.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`sel=attn_L0_${model.n_heads - 1}%40\\d+%3A0`));
  await expect(grid).toBeVisible();
});

test("compares: points, differences, two patterns where the prompts differ", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  await page.goto(
    ask({ p: prompt, t: target, d: distractor, p2: `And then, ${prompt}`, t2: target, d2: distractor }),
  );
  await answered(page);
  const next = page.getByRole("region", { name: "Next token" });
  await expect(next.getByRole("columnheader", { name: "Diff, points" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Change in total effect" }).getByRole("grid")).toBeVisible();
  const pattern = page.getByRole("region", { name: "Attention pattern" });
  await expect(pattern.getByRole("grid")).toHaveCount(2);
});

test("stays quick on a long prompt, whose end is shown first", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  const long = `${Array.from({ length: 12 }, () => `${prompt} them.`).join(" ")} ${prompt}`;
  await page.goto(ask({ p: long, t: target, d: distractor, k: "10" }));
  await answered(page);
  const grid = page.getByRole("region", { name: "Total effect by layer and token" }).getByRole("grid");
  const columns = Number(await grid.getAttribute("aria-colcount"));
  expect(columns).toBeGreaterThan(100);
  const scroller = page.locator(".themap .hg");
  await expect.poll(() => scroller.evaluate((element) => element.scrollLeft)).toBeGreaterThan(200);
  // The cells are one canvas, however many they are.
  expect(await grid.locator("*").count()).toBeLessThan(300);
  await grid.focus();
  await page.keyboard.press("Home");
  await expect.poll(() => scroller.evaluate((element) => element.scrollLeft)).toBe(0);
});
