import { defineConfig } from "@playwright/test";

import { browserOptions } from "./tests/browser/chromium";

const { SHOTS, TIMINGS } = process.env;

/** Against a real server on a real model; `npm run shots` takes the pictures of every state instead, `npm run timings` times pages. */
export default defineConfig({
  testDir: SHOTS ? "tests/shots" : TIMINGS ? "tests/timings" : "tests/browser",
  globalSetup: "./tests/browser/server.ts",
  outputDir: "test-results",
  // One worker: the server works on one request at a time anyway.
  workers: 1,
  // Limits, not expectations: a shared machine may be slow.
  timeout: 240_000,
  // On a busy machine a page may once be later than a test waits.
  retries: process.env.CI ? 2 : 0,
  expect: { timeout: 30_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"]],
  use: { ...browserOptions(), viewport: { width: 1440, height: 900 } },
});
