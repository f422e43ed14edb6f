/** The pages that exist; the bar, the menu and the Go-to dialog list these and no others. */
export const PAGES = [
  { path: "/", name: "Debugger" },
  { path: "/monitor", name: "Monitor" },
  { path: "/search", name: "Search" },
  { path: "/data", name: "Data & jobs" },
  { path: "/self-check", name: "Self-check" },
] as const;
