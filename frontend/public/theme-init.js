// Runs before the first paint, so that the page never flashes in the other theme.
(function () {
  var stored = localStorage.getItem("theme");
  var dark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.documentElement.lang = localStorage.getItem("language") === "th" ? "th" : "en";
})();
