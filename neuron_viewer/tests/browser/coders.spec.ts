/** Two coder sets of one stream: links and pages of latents are those of the coder that was chosen. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { answered, ask, expect, test } from "./debugger";
import { ROOT, serve } from "./server";

const DEMO = join(ROOT, "datasets/demo");
const OTHER = join(DEMO, "coders/attn");
const question = { p: "When Mary and John went to the store, John gave a drink to", t: " Mary", d: " John" };

/** The demo's coders of attention as a second set of the MLPs': other latents of the same names. */
function otherCoders(folder: string): string {
  const made = join(folder, "other");
  cpSync(OTHER, made, { recursive: true });
  const layers = readdirSync(made).filter((name) => /^L\d+$/.test(name));
  for (const file of ["coders.json", ...layers.map((layer) => `${layer}/config.json`)]) {
    const text = readFileSync(join(made, file), "utf8");
    writeFileSync(join(made, file), text.replace("resid_delta_attn", "resid_delta_mlp").replace('"demo-attn"', '"other"'));
  }
  return made;
}

test("a latent's links and pages are those of the coder that was chosen", async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), "tdb-coders-"));
  const { url, stop } = await serve("demo", ["--coder", otherCoders(folder)]);
  try {
    const asked: string[] = [];
    page.on("request", (request) => {
      if (/\/api\/components\/\w+_ae_L/.test(request.url())) asked.push(request.url());
    });
    await page.goto(url + ask({ ...question, mlp: "other", kind: "latent" }));
    await answered(page);
    const link = page.getByRole("region", { name: "Nodes" }).locator("tbody tr a", { hasText: /^mlp_ae_L\d+_\d+@/ }).first();
    await expect(link).toHaveAttribute("href", /coder=other/);
    await link.click();
    await expect(page).toHaveURL(/\/component\/mlp_ae_L\d+_\d+\?.*coder=other/);
    await expect(page.locator(".chead")).toContainText("coder other");
    // The demo's dataset holds the first coder's latents, so nothing is recorded of this one's.
    await expect(page.getByText(/holds the latents of the coder 'demo-mlp', not of 'other'/).first()).toBeVisible();
    const similar = page.locator(".simt a", { hasText: /_ae_/ }).first();
    await expect(similar).toHaveAttribute("href", /coder=other/);

    await page.getByRole("button", { name: "change in probability if ablated" }).click();
    await page.getByRole("textbox", { name: "Your text" }).click();
    await page.keyboard.press("End");
    await expect(page.getByText(/with mlp_ae_L\d+_\d+ ablated/)).toBeVisible();
    await expect(page.locator(".own .read b").last()).toContainText("pt");

    await page.locator("h1").click(); // out of the text, where brackets are typed
    const name = (await page.locator("h1").textContent()) ?? "";
    await page.keyboard.press("]");
    await expect(page.locator("h1")).not.toHaveText(name);
    await expect(page).toHaveURL(/coder=other/);
    await expect.poll(() => asked.filter((one) => one.includes("/activations")).length).toBeGreaterThan(1);
    expect(asked.filter((one) => !one.includes("coder=other"))).toEqual([]);

    await page.getByRole("link", { name: "Intervene" }).click();
    await expect(page).toHaveURL(/mlp=other/);
    await answered(page);
    await expect(page).toHaveURL(/i=ablate\+mlp_ae_L\d+_\d+\+zero/);
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a sentence about a latent is kept as of the coder that the page names, once its dataset is there", async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), "tdb-coders-"));
  const coder = otherCoders(folder);
  const { url, stop } = await serve("demo", ["--coder", coder]);
  try {
    const options = { name: "others", corpus: join(DEMO, "sample.txt"), tokens: 2000, top: 5, window: 32, coders: [coder] };
    await page.request.post(`${url}/api/jobs`, { data: { kind: "collate", options } });
    const latent = page.getByRole("heading", { name: "mlp_ae_L0_5", exact: true });
    const sentence = page.getByText('fires on " the"', { exact: true });
    await expect
      .poll(async () => ((await (await page.request.get(`${url}/api/health`)).json()) as { data_version: number }).data_version, { timeout: 120_000 })
      .toBe(1);
    await page.goto(`${url}/component/mlp_ae_L0_5?coder=other`);
    await expect(latent).toBeVisible();
    await page.getByRole("button", { name: "Write your own" }).click();
    await page.getByRole("textbox", { name: "Your explanation" }).fill('fires on " the"');
    await page.getByRole("button", { name: "Score", exact: true }).click();
    await expect(sentence.first()).toBeVisible();
    await page.getByRole("button", { name: "Close" }).click();
    await page.goto(`${url}/component/mlp_ae_L0_5`);
    await expect(latent).toBeVisible();
    await expect(page.getByRole("button", { name: "Write your own" })).toBeVisible();
    await expect(sentence).toHaveCount(0);
    await page.goto(`${url}/component/mlp_ae_L0_5?coder=other`);
    await expect(sentence.first()).toBeVisible();
    await page.getByRole("button", { name: "Compare" }).first().click();
    await expect(page.getByRole("region", { name: "True and simulated" }).getByRole("listitem").first()).toBeVisible();
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: /^Delete: fires on/ }).click();
    await expect(sentence).toHaveCount(0);
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
