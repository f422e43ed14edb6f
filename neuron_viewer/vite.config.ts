import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Tells index.html, in place of `PAGE_FILES`, the files that each page needs besides the entry's. */
function pageFiles(): Plugin {
  return {
    name: "page-files",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle = {} }) {
        const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
        const entry = new Set(chunks.filter(({ isEntry }) => isEntry).flatMap(({ fileName, imports }) => [fileName, ...imports]));
        const files = chunks.flatMap(({ facadeModuleId, fileName, imports }) => {
          const page = /\/([a-z-]+)-page\.tsx$/.exec(facadeModuleId ?? "")?.[1];
          return page ? [[page, [fileName, ...imports].filter((name) => !entry.has(name))] as const] : [];
        });
        return html.replace("PAGE_FILES", JSON.stringify(Object.fromEntries(files)));
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), pageFiles()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: { "/api": process.env.TDB_URL ?? "http://127.0.0.1:8000" } },
  // One style sheet: the order of its rules does not hang on which page came first.
  build: {
    target: "es2022",
    cssCodeSplit: false,
    chunkSizeWarningLimit: 600,
    // What several pages use lies in one file: each further one costs a request.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "shared", test: /src.(api|lib|components|shell|theme)|node_modules/ }] } } },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
  },
});
