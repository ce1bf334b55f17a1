// Drop zones: a file dropped or chosen goes up with a bar. Without this the form is sent as any other.
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const find = (form, part) => form.querySelector(`[data-drop-${part}]`);
const carries = (event) => event.dataTransfer?.types.includes("Files");

function zone(event) {
  return event.target.closest?.("form[data-drop]") ?? document.querySelector("form[data-drop-page]");
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function fail(form, text) {
  delete form.dataset.busy;
  find(form, "progress").hidden = true;
  const place = find(form, "error");
  place.textContent = text;
  place.hidden = false;
}

function send(form) {
  const { files } = form.querySelector("input[type=file]");
  const [file] = files;
  if (!file || form.dataset.busy !== undefined) return;
  const most = Number(form.dataset.most); // bytes; the server asks again
  if (Array.from(files).some((one) => one.size > most)) {
    return fail(form, `A file may have at most ${Math.floor(most / 1024 / 1024)} MB.`);
  }
  form.dataset.busy = "";
  find(form, "error").hidden = true;
  const name = find(form, "name");
  name.textContent = `${file.name} · ${size(file.size)}`;
  name.hidden = false;
  const bar = find(form, "progress");
  bar.hidden = false;
  bar.value = 0;
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("X-CSRFToken", token());
  request.setRequestHeader("HX-Request", "true");
  request.upload.onprogress = ({ loaded, total }) => (bar.value = (loaded / total) * 100);
  request.upload.onload = () => bar.removeAttribute("value"); // sent; the server is reading
  request.onerror = () => fail(form, "The connection broke. Nothing was kept; try again.");
  request.onload = () => answered(form, request);
  request.send(new FormData(form));
}

function answered(form, request) {
  const there = request.getResponseHeader("HX-Redirect");
  if (there) return location.assign(there);
  if (request.status < 400 && request.responseURL && request.responseURL !== form.action) return location.assign(request.responseURL);
  if (request.status === 413) return fail(form, "This file is too large.");
  if (request.status < 400 || request.status === 422) {
    const answer = new DOMParser().parseFromString(request.responseText, "text/html").body;
    form.replaceWith(...answer.childNodes);
    return window.htmx?.process(document.body);
  }
  fail(form, request.status === 403 ? "You cannot add files here." : "The file was not accepted. Nothing was kept.");
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-drop]")) return;
  event.preventDefault();
  send(event.target);
});
document.addEventListener("change", ({ target }) => {
  const form = target.matches("form[data-drop] input[type=file]") && target.form;
  if (form) send(form);
});
document.addEventListener("dragover", (event) => {
  const form = carries(event) && zone(event);
  document.querySelectorAll("form[data-drop].over").forEach((other) => other !== form && other.classList.remove("over"));
  if (!form) return;
  event.preventDefault();
  form.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.querySelectorAll("form[data-drop].over").forEach((form) => form.classList.remove("over"));
});
document.addEventListener("drop", (event) => {
  const form = carries(event) && zone(event);
  if (!form) return;
  event.preventDefault();
  form.classList.remove("over");
  if (event.dataTransfer.files.length > 1 && !form.querySelector("input[type=file]").multiple) {
    return fail(form, "Drop one file at a time.");
  }
  form.querySelector("input[type=file]").files = event.dataTransfer.files;
  send(form);
});
