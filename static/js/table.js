// Tables: keys along the rows, picking rows. Rows are found when a key is pressed, so those fetched later count too.
const table = () => document.querySelector("table.grid");
const rows = () => [...(table()?.tBodies ?? [])].flatMap((body) => [...body.rows]).filter((row) => !row.matches(".more"));
const rowOf = (element) => element?.closest?.("table.grid tbody tr");
const handle = (row) => row?.querySelector("th a") ?? row?.querySelector("td a, .pick input, [data-edit]");

function step(by) {
  const all = rows();
  const here = all.indexOf(rowOf(document.activeElement));
  const next = all[Math.max(0, Math.min(all.length - 1, here < 0 ? 0 : here + by))];
  handle(next)?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function along(row, by) {
  const cells = [...row.cells].filter((cell) => !cell.hidden && cell.matches("td[data-edit]"));
  const here = cells.indexOf(document.activeElement.closest("td[data-edit]"));
  const next = cells[here + by];
  if (!next) return void (by < 0 && handle(row)?.focus());
  next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || !table()) return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open], :popover-open")) return;
  const row = rowOf(document.activeElement);
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: row && (() => step(1)),
    ArrowUp: row && (() => step(-1)),
    ArrowRight: row && (() => along(row, 1)),
    ArrowLeft: row && (() => along(row, -1)),
    x: row && (() => row.querySelector(".pick input")?.click()),
    e: row && (() => edit(row)),
    Enter: row && document.activeElement.matches("td[data-edit]") && (() => edit(row)),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

function edit(row) {
  const cell = document.activeElement.closest("[data-edit]") ?? row.querySelector("[data-edit]");
  cell?.dispatchEvent(new Event("edit", { bubbles: true }));
}

// A cell that was edited is where one goes on from; the first one is its link.
const reachable = ({ target }) => {
  const cell = target.closest?.("td[data-edit], th[data-edit]");
  if (!cell || cell.matches(".editing")) return;
  if (!cell.hasAttribute("tabindex")) cell.tabIndex = -1;
  cell.style.width = `${cell.getBoundingClientRect().width}px`; // or the column would shrink while its widest value is being edited
};
document.addEventListener("edit", reachable, true);
document.addEventListener("dblclick", reachable, true);
document.addEventListener("focusin", ({ target }) => target.matches("th[data-edit]") && handle(target.parentElement)?.focus());

// Picking rows
const picks = () => [...document.querySelectorAll("tbody .pick input")];
let last = null;

function told() {
  const all = picks();
  const count = all.filter((box) => box.checked).length;
  document.querySelectorAll("[data-picked]").forEach((place) => (place.textContent = `${count.toLocaleString("en")} selected`));
  document.querySelectorAll("[data-all-matching]").forEach((field) => (field.value = ""));
  const head = document.querySelector("[data-pick-all]");
  if (head) {
    head.checked = count > 0 && count === all.length;
    head.indeterminate = count > 0 && count < all.length;
  }
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-pick-all]")) picks().forEach((box) => (box.checked = target.checked));
  if (target.matches(".pick input")) told();
});

document.addEventListener("click", (event) => {
  const box = event.target;
  if (box.matches?.("tbody .pick input")) {
    const all = picks();
    if (event.shiftKey && last?.isConnected) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      all.slice(from, to + 1).forEach((each) => (each.checked = box.checked));
      told();
    }
    last = box;
  } else if (box.closest?.("[data-pick-none]")) {
    picks().forEach((each) => (each.checked = false));
    told();
  } else if (box.closest?.("[data-pick-matching]")) {
    picks().forEach((each) => (each.checked = true));
    told();
    document.querySelectorAll("[data-all-matching]").forEach((field) => (field.value = "1"));
    document.querySelectorAll("[data-picked]").forEach((place) => {
      place.textContent = box.closest("[data-pick-matching]").textContent.replace("Select all", "All") + " selected";
    });
  }
});
addEventListener("pageshow", told);
document.addEventListener("htmx:afterSettle", ({ target }) => target.closest?.("table.grid, .content") && told());
