// A conflict comes into the shared dialog as the answer to saving a cell; what was typed stays in the cell behind it.
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id === "dialog" && !target.open && target.querySelector("[data-conflict]")) target.showModal();
});
