/** The page under test, and what a test may ask the server itself. */
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page, test as base } from "@playwright/test";

export { expect };

type Example = { name: string; prompt: string; target: string; distractor: string };
type Experiment = { target: string; default: string; steered: string };
type Model = {
  name: string;
  n_heads: number;
  n_layers: number;
  n_ctx: number;
  examples: Example[];
  monitor_examples: Experiment[] | null;
  datasets: { name: string }[];
};

export const test = base.extend<{ model: Model; faults: string[] }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads the names of the fixtures from the pattern.
  baseURL: async ({}, provide) => {
    await provide(process.env.TDB_URL);
  },
  model: async ({ request }, provide) => {
    await provide((await (await request.get("/api/model")).json()) as Model);
  },
  /** Every test fails on an error in the console, but for those the network makes of a status it expects. */
  faults: [
    async ({ page }, provide) => {
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => {
        const isStatus = message.text().startsWith("Failed to load resource");
        if (message.type() === "error" && !isStatus) faults.push(message.text());
      });
      await provide(faults);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});

/** The first example of the model. */
export function firstExample(model: Model): Example {
  const [example] = model.examples;
  if (!example) throw new Error("The model under test has no example.");
  return example;
}

/** An address that asks about a prompt. */
export function ask(fields: Record<string, string | string[]>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const item of [value].flat()) params.append(name, item);
  }
  return `/?${params.toString()}`;
}

export async function answered(page: Page): Promise<void> {
  await expect(figure(page)).toHaveText(/^[+\u2212]?\d/);
  await expect(page.getByRole("region", { name: "Answer" })).toHaveAttribute("aria-busy", "false");
}

/** The page's large figure. */
export function figure(page: Page) {
  return page.getByRole("region", { name: "Answer" }).locator(".big").first();
}

/** No serious or critical violation of WCAG 2.2 AA. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`),
  ).toEqual([]);
}

/** The page itself must not scroll sideways; tables and maps may, inside their panels. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [content, width] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  expect(content).toBeLessThanOrEqual(width ?? 0);
}
