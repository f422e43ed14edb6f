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

test("asks, reads and edits by keyboard alone", async ({ page, model }) => {
  await page.goto("/");
  await answered(page);
  const first = await figure(page).textContent();

  await page.keyboard.press("x");
  await expect(figure(page)).not.toHaveText(first ?? "");
  await page.keyboard.press("x");
  await expect(figure(page)).toHaveText(first ?? "");

  await page.keyboard.press("e");
  await expect(page.getByRole("textbox", { name: "Prompt" })).toBeFocused();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(`Once more: ${firstExample(model).prompt}`);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/p=Once\+more/);
  await answered(page);

  const prompt = page.getByRole("group", { name: "Prompt" });
  await prompt.getByRole("button", { pressed: true }).focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page).toHaveURL(/at=\d+/);
  await answered(page);

  await page.keyboard.press("/");
  await page.keyboard.type("attn_L0_0");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/component\/attn_L0_0/);
  await page.goBack();
  await answered(page);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`has no serious fault of access in ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await page.goto("/");
    await answered(page);
    await expectAccessible(page);
  });

  test(`has none while it compares and edits, in ${colorScheme}`, async ({ page, model }) => {
    const { prompt, target, distractor } = firstExample(model);
    await page.emulateMedia({ colorScheme });
    await page.goto(ask({ p: prompt, t: target, d: distractor, i: "ablate attn_L0_0 zero" }));
    await answered(page);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await expect(page.getByLabel("What", { exact: true })).toBeVisible();
    await expectAccessible(page);
  });
}

test("fits a phone", async ({ page, model }) => {
  const { prompt, target, distractor } = firstExample(model);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/");
  await answered(page);
  await expectNoSidewaysScroll(page);
  await page.goto(ask({ p: prompt, t: target, d: distractor, i: "ablate attn_L0_0 zero" }));
  await answered(page);
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Menu", exact: true }).click();
  await page.getByRole("menuitem", { name: "Self-check" }).click();
  await expect(page).toHaveURL(/self-check/);
  await expectNoSidewaysScroll(page);
});
