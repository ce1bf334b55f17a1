// Edit in place: click (a field), e or a double click (a cell) fetches the form; leaving saves; Escape gives up.
const before = new WeakMap();

function open(cell) {
  if (!window.htmx || cell.matches(".editing")) return;
  before.set(cell, [...cell.childNodes]);
  htmx.ajax("GET", cell.dataset.edit, { target: cell, swap: "innerHTML" });
}

function giveUp(cell) {
  cell.classList.remove("editing");
  cell.replaceChildren(...(before.get(cell) ?? []));
  cell.focus();
}

const changed = (form) => [...form.elements].some((field) =>
  field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.options ? [...field.options].some((option) => option.selected !== option.defaultSelected)
      : "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue);

document.addEventListener("edit", (event) => event.target.matches("[data-edit]") && open(event.target));
document.addEventListener("click", (event) => {
  const cell = event.target.closest?.("dd[data-edit]");
  if (cell && !event.target.closest("a, button, form")) open(cell);
});
document.addEventListener("dblclick", (event) => {
  const cell = event.target.closest?.("td[data-edit], th[data-edit]");
  if (cell && !event.target.closest("a, form")) open(cell);
});

document.addEventListener("htmx:afterSettle", ({ target }) => {
  const cell = target.closest?.("[data-edit]");
  if (!cell) return;
  const form = cell.querySelector("form[data-inline]");
  cell.classList.toggle("editing", Boolean(form));
  if (form) {
    const field = form.querySelector("input:not([type=hidden]), select, textarea");
    field?.focus();
    if (field?.select && !field.matches("[aria-invalid]")) field.select();
  } else if (document.activeElement === document.body) {
    cell.focus();
  }
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-inline]");
  const cell = form?.closest("[data-edit]");
  if (cell) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      giveUp(cell);
    } else if (event.key === "Enter" && (!event.target.matches("textarea") || event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      changed(form) || form.querySelector("[aria-invalid]") ? form.requestSubmit() : giveUp(cell);
    }
  } else if (event.target.matches?.("dd[data-edit]") && (event.key === "Enter" || event.key === "e")) {
    event.preventDefault();
    open(event.target);
  }
}, true);

document.addEventListener("focusout", ({ target, relatedTarget }) => {
  const form = target.closest?.("form[data-inline]");
  if (!form || form.contains(relatedTarget) || !form.isConnected || !document.hasFocus()) return;
  const cell = form.closest("[data-edit]");
  if (!cell.matches(".editing") || cell.matches(".htmx-request, :has(.htmx-request)")) return;
  if (changed(form)) form.requestSubmit();
  else setTimeout(() => form.isConnected && giveUp(cell));
});
