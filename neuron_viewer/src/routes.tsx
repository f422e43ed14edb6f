/** The pages by path. Each one's code is a file of its own, so that a page opens without that of the others. */
import { lazy, useState, type ComponentType } from "react";
import { matchPath } from "react-router";

import { componentRecordQuery } from "@/api/queries";
import { parseComponent } from "@/lib/node";

interface Code {
  load: () => Promise<ComponentType>;
  /** Once it is there. */
  page: ComponentType | null;
}

function route<Name extends string>(path: string, load: () => Promise<Record<Name, ComponentType>>, name: Name) {
  const code: Code = {
    load: async () => (code.page = (await load())[name]),
    page: null,
  };
  const Later = lazy(async () => ({ default: await code.load() }));
  /** At once where its code is there; what waits, even for nothing, is drawn twice. */
  function Page() {
    const [Shown] = useState<ComponentType>(() => code.page ?? Later);
    return <Shown />;
  }
  return { path, load: code.load, Page };
}

/** `vite.config.ts` has index.html ask for the file of the page that an address names, by the names of these files. */
export const ROUTES = [
  route("/", () => import("@/pages/debugger/debugger-page"), "DebuggerPage"),
  route("/component/:component", () => import("@/pages/component/component-page"), "ComponentPage"),
  route("/monitor", () => import("@/pages/monitor/monitor-page"), "MonitorPage"),
  route("/data", () => import("@/pages/data/data-page"), "DataPage"),
  route("/data/coders/:name", () => import("@/pages/data/coder/coder-page"), "CoderPage"),
  route("/search", () => import("@/pages/search/search-page"), "SearchPage"),
  route("/self-check", () => import("@/pages/self-check/self-check-page"), "SelfCheckPage"),
];

/** The code of the page at a path. */
export async function loadPage(pathname: string): Promise<void> {
  await ROUTES.find(({ path }) => matchPath(path, pathname))?.load();
}

/** The code of every page: going to another needs no server then. */
export function loadAllPages(): void {
  for (const { load } of ROUTES) void load().catch(() => undefined);
}

/** What the page at an address shows first; index.html has sent the same requests. */
export function firstQueries({ pathname, search }: Pick<Location, "pathname" | "search">) {
  const component = matchPath("/component/:component", pathname)?.params.component;
  const given = new URLSearchParams(search);
  const isUnit = parseComponent(component ?? "")?.index != null;
  return component !== undefined && isUnit
    ? [componentRecordQuery(component, given.get("dataset"), given.get("coder"))]
    : [];
}
