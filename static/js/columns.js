// Columns of a table with an id: widths, order and hiding, remembered in this browser under the table's id.
// Styles are set through the object model, which a policy without inline styles allows.
const key = (table) => `enclave.columns.${table.id}`;
const MIN = 56;

function load(table) {
  try {
    return { widths: {}, hidden: [], order: [], ...JSON.parse(localStorage.getItem(key(table)) ?? "{}") };
  } catch {
    return { widths: {}, hidden: [], order: [] }; // storage is closed, or holds something else: as if nothing was kept
  }
}

function save(table, kept) {
  try {
    localStorage.setItem(key(table), JSON.stringify(kept));
  } catch {
    // Full or closed: the table still looks as wished until it is left.
  }
}

const heads = (table) => [...table.tHead.rows[0].cells].filter((head) => head.dataset.column);

function apply(table) {
  const kept = load(table);
  const first = table.tHead.rows[0];
  // Each heading remembers where the server put it, since fetched rows arrive in that order.
  [...first.cells].forEach((head, place) => (head.dataset.place ??= place));
  const by = Object.fromEntries(heads(table).map((head) => [head.dataset.column, head]));
  const fixed = [...first.cells].filter((head) => !head.dataset.column || head.matches(".first"));
  const rest = Object.values(by).filter((head) => !fixed.includes(head)).sort((a, b) => a.dataset.place - b.dataset.place);
  const wanted = [...kept.order.map((name) => by[name]).filter((head) => rest.includes(head))];
  const all = [...fixed, ...wanted, ...rest.filter((head) => !wanted.includes(head))];
  const places = all.map((head) => Number(head.dataset.place));
  const hidden = new Set(kept.hidden);
  for (const row of table.rows) {
    if (row.cells.length !== all.length) continue; // "Show more" and the like span the table
    const cells = row.ordered ?? (row.ordered = [...row.cells]);
    if (places.some((place, at) => row.cells[at] !== cells[place])) row.append(...places.map((place) => cells[place]));
    places.forEach((place, at) => (cells[place].hidden = hidden.has(all[at].dataset.column) && !all[at].matches(".first")));
  }
  const sized = Object.keys(kept.widths).length > 0;
  if (sized) freeze(table, kept.widths);
  else thaw(table);
}

function freeze(table, widths) {
  if (!table.matches(".fixed")) {
    // Measured before any is set: each width set moves the others.
    const now = [...table.tHead.rows[0].cells].map((head) => [head, head.offsetWidth]);
    now.forEach(([head, width]) => (head.style.width = `${width}px`));
  }
  table.classList.add("fixed");
  heads(table).forEach((head) => widths[head.dataset.column] && (head.style.width = `${widths[head.dataset.column]}px`));
}

function thaw(table) {
  table.classList.remove("fixed");
  [...table.tHead.rows[0].cells].forEach((head) => (head.style.width = ""));
}

function grips(table) {
  heads(table).forEach((head) => {
    if (head.querySelector(".grip")) return;
    const grip = Object.assign(document.createElement("span"), { className: "grip" });
    grip.setAttribute("aria-hidden", "true");
    grip.addEventListener("pointerdown", (event) => drag(event, table, head, grip));
    grip.addEventListener("dblclick", () => change(table, (kept) => delete kept.widths[head.dataset.column]));
    head.append(grip);
  });
}

function drag(event, table, head, grip) {
  event.preventDefault();
  grip.setPointerCapture(event.pointerId);
  const start = event.clientX;
  const width = head.offsetWidth;
  const size = (at) => Math.max(MIN, Math.round(width + at - start));
  freeze(table, {});
  grip.onpointermove = (move) => (head.style.width = `${size(move.clientX)}px`);
  grip.onpointerup = (up) => {
    grip.onpointermove = grip.onpointerup = null;
    change(table, (kept) => (kept.widths[head.dataset.column] = size(up.clientX)));
  };
}

function change(table, how) {
  const kept = load(table);
  how(kept);
  save(table, kept);
  apply(table);
}

// The menu of columns
function fill(menu, table) {
  const list = menu.querySelector("ol");
  const kept = load(table);
  list.replaceChildren(...heads(table).filter((head) => !head.matches(".first")).map((head, at, all) => {
    const name = head.dataset.column;
    const item = document.createElement("li");
    const label = Object.assign(document.createElement("label"), { className: "check" });
    const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: !kept.hidden.includes(name) });
    box.addEventListener("change", () => change(table, (now) => {
      now.hidden = now.hidden.filter((each) => each !== name).concat(box.checked ? [] : [name]);
    }));
    label.append(box, head.textContent.trim());
    item.append(label, mover("↑", `Move ${head.textContent.trim()} left`, at > 0, -1), mover("↓", `Move ${head.textContent.trim()} right`, at < all.length - 1, 1));
    return item;

    function mover(sign, title, can, by) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: sign, title, disabled: !can });
      button.setAttribute("aria-label", title);
      button.addEventListener("click", () => {
        const names = all.map((each) => each.dataset.column);
        names.splice(at + by, 0, ...names.splice(at, 1));
        change(table, (now) => (now.order = names));
        fill(menu, table);
      });
      return button;
    }
  }));
}

document.addEventListener("toggle", ({ target, newState }) => {
  const table = newState === "open" && target.dataset?.columnsOf && document.getElementById(target.dataset.columnsOf);
  if (table) fill(target, table);
}, true);
document.addEventListener("click", (event) => {
  const menu = event.target.closest?.("[data-columns-reset]")?.closest("[data-columns-of]");
  const table = menu && document.getElementById(menu.dataset.columnsOf);
  if (!table) return;
  localStorage.removeItem(key(table));
  apply(table);
  fill(menu, table);
});

function prepare() {
  document.querySelectorAll("table.grid[id]").forEach((table) => {
    if (!table.tHead) return;
    grips(table);
    apply(table);
  });
}
prepare();
document.addEventListener("htmx:afterSettle", ({ target }) => target.closest?.("table.grid, .content, main") && prepare());
