// What scrolls sideways is a stop of the tab key, and says what it is; what fits is none.
// Where there is room for it changes: with the window, an opened box, formulas once they are set.
(() => {
  const kind = (element) => {
    if (element.matches(".math-wrapper")) return "Formula";
    if (element.querySelector(":scope > img")) return "Picture";
    if (!element.matches("pre")) return "Table";
    return element.closest(".cell_output") ? "Output" : "Code";
  };

  const scrolls = (element) =>
    element.scrollWidth > element.clientWidth &&
    /auto|scroll/.test(getComputedStyle(element).overflowX);

  const mark = () => {
    for (const element of document.querySelectorAll("article pre, article div")) {
      if (scrolls(element)) {
        element.tabIndex = 0;
        element.setAttribute("role", "group");
        element.setAttribute("aria-label", kind(element));
        element.dataset.scrolls = "";
      } else if ("scrolls" in element.dataset) {
        for (const name of ["tabindex", "role", "aria-label", "data-scrolls"]) {
          element.removeAttribute(name);
        }
      }
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const article = document.querySelector("article");
    if (article) new ResizeObserver(mark).observe(article);
  });
})();
