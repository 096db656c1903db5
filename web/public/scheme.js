// Runs before the first paint, so that a reader who chose a scheme against the system's sees no flash of the other.
try {
  const chosen = localStorage.getItem("mantine-color-scheme-value");
  const dark =
    chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.mantineColorScheme = dark ? "dark" : "light";
} catch {
  // Storage is blocked: the system's scheme stands.
}
