// Runs before the first paint, so that a dark page never flashes white. The choice is made in src/lib/theme.ts.
(function () {
  var choice;
  try { choice = localStorage.getItem("theme"); } catch { choice = null; }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
