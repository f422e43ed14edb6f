import { expect, expectAccessible, expectNoSidewaysScroll, test } from "./debugger";

test("runs the checks on the loaded model and shows each claim", async ({ page, model }) => {
  await page.goto("/self-check");
  await expect(page.getByText("Not run yet.")).toBeVisible();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByRole("status")).toHaveText(/\d+ pass/, { timeout: 50_000 });
  await expect(page.getByText(model.name, { exact: true }).first()).toBeVisible();
  const claims = page.getByRole("row");
  expect(await claims.count()).toBeGreaterThan(3);
  await expect(claims.nth(1)).toContainText("tdb self-check");
  await expect(page.getByText("fail", { exact: false }).filter({ hasText: /^\u2717/ })).toHaveCount(0);
  await expectAccessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await expectNoSidewaysScroll(page);
});

test("says why the checks could not run, and tries again", async ({ page }) => {
  const error = { error: "busy", message: "Eight requests wait already.", hint: "Try again in a moment." };
  await page.route("**/api/self_check", (route) => route.fulfill({ status: 503, json: error }));
  await page.goto("/self-check");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Eight requests wait already.");
  await expect(page.getByRole("alert")).toContainText("Try again in a moment.");
});
