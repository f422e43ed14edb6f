/** Which Chromium to drive, and how: one that the machine has, or Playwright's own. */
import { execFileSync } from "node:child_process";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function browserOptions() {
  const executablePath = chromiumPath();
  return {
    browserName: "chromium" as const,
    launchOptions: { args: FLAGS, ...(executablePath && { executablePath }) },
  };
}

function chromiumPath(): string | undefined {
  const { CHROMIUM_PATH, PLAYWRIGHT_CHROMIUM_EXECUTABLE_PATH } = process.env;
  const named = CHROMIUM_PATH ?? PLAYWRIGHT_CHROMIUM_EXECUTABLE_PATH;
  if (named) return named;
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync("which", [name], { encoding: "utf8", stdio: "pipe" }).trim();
    } catch {
      // Not on this machine; the next name may be.
    }
  }
  return undefined;
}
