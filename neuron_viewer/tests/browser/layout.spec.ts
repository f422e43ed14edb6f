import type { Page } from "@playwright/test";

import { expect, test } from "./debugger";

/** What sticks out of its panel's header, and what scrolls by a few pixels only because something in it spills over. */
async function faultsOfLayout(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = [];
    for (const header of document.querySelectorAll(".panel > header")) {
      const edge = header.getBoundingClientRect().right;
      for (const child of header.querySelectorAll("*")) {
        const { right, width } = child.getBoundingClientRect();
        if (width > 0 && right > edge + 0.5) faults.push(`${header.textContent}: out by ${right - edge}`);
      }
    }
    for (const grid of document.querySelectorAll(".hg, .panel > .scroll")) {
      const spill = grid.scrollHeight - grid.clientHeight;
      if (spill > 0 && spill < 24) faults.push(`${grid.className}: scrolls down by ${spill}`);
    }
    for (const table of document.querySelectorAll(".panel > .scroll")) {
      const wide = table.scrollWidth - table.clientWidth;
      if (wide > 0) faults.push(`${table.textContent.slice(0, 40)}: scrolls aside by ${wide}`);
    }
    for (const line of document.querySelectorAll(".ex")) {
      const [text, source] = [line.querySelector(".after"), line.querySelector(".src")].map((one) => one?.getBoundingClientRect());
      if (text && source && source.width > 0 && text.right > source.left) faults.push("an excerpt runs into its source");
    }
    return faults;
  });
}

for (const width of [1280, 390]) {
  test(`nothing sticks out of a panel or scrolls for nothing at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    for (const component of ["mlp_L1_17", "attn_L2_3", "mlp_ae_L2_40"]) {
      await page.goto(`/component/${component}`);
      await expect(page.getByRole("region", { name: "Similar components" }).getByRole("row").nth(1)).toBeVisible();
      await expect(page.locator(".exrow").first()).toBeVisible();
      expect(await faultsOfLayout(page)).toEqual([]);
    }
    await page.goto("/");
    await expect(page.locator(".hg").last()).toBeVisible();
    expect((await faultsOfLayout(page)).filter((fault) => fault.startsWith("hg"))).toEqual([]);
    await page.goto("/data");
    await expect(page.getByRole("region", { name: "Coders" }).getByRole("row").nth(1)).toBeVisible();
    expect(await faultsOfLayout(page)).toEqual([]);
  });
}

test("keeps the sorted estimate's header apart from the measured effect's at 1280 px", async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto("/");
  await expect(page.locator(".nodes th.c-tot[aria-sort]")).toBeVisible();
  const [estimate, measured] = await page.locator(".nodes :is(th.c-tot, th.c-mea)").evaluateAll((heads) =>
    heads.map((head) => {
      const text = document.createRange();
      text.selectNodeContents(head);
      return text.getBoundingClientRect();
    }),
  );
  expect((measured?.left ?? 0) - (estimate?.right ?? 0)).toBeGreaterThan(6);
});
