import js from "@eslint/js";
import importX from "eslint-plugin-import-x";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

/** Imports go one way: api, lib <- components <- pages <- app; a page never imports another page. */
const layers = {
  "src/{api,lib}/**": ["@/components/**", "@/pages/**", "@/app", "@/main"],
  "src/components/**": ["@/pages/**", "@/app", "@/main"],
  "src/pages/**": ["@/pages/**", "@/app", "@/main"],
};
const pages = ["debugger", "component", "self-check", "data", "search"];
const zones = [
  { target: ["./src/api", "./src/lib"], from: ["./src/components", "./src/pages"] },
  { target: "./src/components", from: "./src/pages" },
  ...pages.map((page) => ({
    target: `./src/pages/${page}`,
    from: "./src/pages",
    except: [`./${page}`],
  })),
];

export default tseslint.config(
  { ignores: ["dist", ".shots", "src/api/client/**", "test-results", "playwright-report"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  reactHooks.configs.flat.recommended,
  {
    plugins: { "import-x": importX },
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    settings: { "import-x/resolver": { node: { extensions: [".ts", ".tsx"] } } },
    rules: {
      "import-x/no-restricted-paths": ["error", { zones, basePath: import.meta.dirname }],
      "import-x/no-default-export": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "react-hooks/incompatible-library": "off",
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  ...Object.entries(layers).map(([folder, group]) => ({
    files: [`${folder}/*.{ts,tsx}`],
    rules: { "no-restricted-imports": ["error", { patterns: [{ group }] }] },
  })),
  { files: ["*.config.{ts,js}", "tests/browser/server.ts"], rules: { "import-x/no-default-export": "off" } },
);
