/** Light, dark, or what the system says; remembered. index.html applies it before the first paint. */
export type Theme = "light" | "dark" | "system";

export function storedTheme(): Theme {
  const theme = window.localStorage.getItem("theme");
  return theme === "light" || theme === "dark" ? theme : "system";
}

export function storeTheme(theme: Theme): void {
  if (theme === "system") window.localStorage.removeItem("theme");
  else window.localStorage.setItem("theme", theme);
  const dark =
    theme === "dark" ||
    (theme === "system" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
