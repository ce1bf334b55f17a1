// Fields are dragged by their handle; the buttons beside them do the same without this.
const list = () => document.querySelector("[data-order] .fields");

function prepare() {
  const fields = list();
  if (!fields || fields.children.length < 2) return;
  fields.classList.add("live");
  fields.querySelectorAll("[data-handle]").forEach((handle) => {
    handle.hidden = false;
    handle.onpointerdown = (event) => event.button || begin(event, handle);
  });
}

function begin(event, handle) {
  event.preventDefault();
  const row = handle.closest("[data-field]");
  const fields = row.parentElement;
  const first = [...fields.children];
  let grip = event.clientY;
  handle.setPointerCapture(event.pointerId);
  row.classList.add("dragged");
  fields.classList.add("dragging");

  handle.onpointermove = ({ clientY }) => {
    const by = clientY - grip;
    const { previousElementSibling: above, nextElementSibling: below } = row;
    if (by < 0 && above && -by > above.offsetHeight / 2) pass(above, "before");
    else if (by > 0 && below && by > below.offsetHeight / 2) pass(below, "after");
    row.style.translate = `0 ${clientY - grip}px`;
  };

  function pass(other, side) {
    const top = row.offsetTop;
    other[side](row);
    grip += row.offsetTop - top;
  }

  function end(keep) {
    handle.onpointermove = handle.onpointerup = handle.onpointercancel = null;
    row.classList.remove("dragged");
    fields.classList.remove("dragging");
    row.style.translate = "";
    if (!keep) return fields.replaceChildren(...first);
    if (first.every((each, at) => each === fields.children[at])) return;
    const form = row.closest("form");
    const told = Object.assign(document.createElement("input"), { type: "hidden", name: "dragged", value: row.dataset.field });
    form.append(told);
    form.requestSubmit();
  }
  handle.onpointerup = () => end(true);
  handle.onpointercancel = () => end(false);
}

prepare();
document.addEventListener("htmx:afterSettle", prepare);
