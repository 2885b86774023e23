// Before the first paint: the theme and language that were chosen here. Runs in <head>, not as a module.
(function () {
  var root = document.documentElement, kept = null;
  try { kept = window.localStorage; } catch (error) { return; }
  var theme = kept.getItem("santun.theme"), lang = kept.getItem("santun.lang");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  root.lang = lang === "en" ? "en" : "id";
})();
