// Every page: CSRF for htmx, dialogs, toasts with undo, menus, the side panel, forms. Without it all are links and forms.
const $ = (selector, root = document) => root.querySelector(selector);
const meta = (name) => $(`meta[name="${name}"]`)?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  const { verb, headers, path } = event.detail;
  // The token is for this host only; htmx is told to call no other, this is the second lock.
  if (verb !== "get" && new URL(path, location.href).origin === location.origin) headers["X-CSRFToken"] = meta("csrf-token");
});

// An error that is a toast (a refusal) joins the toasts; one that names its own place (a conflict) is shown there.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status < 400) return;
  const refusal = /^\s*<div class="toast/.test(detail.xhr.responseText);
  if (refusal) Object.assign(detail, { target: $("#toasts"), swapOverride: "beforeend" });
  if (refusal || detail.xhr.getResponseHeader("HX-Retarget")) Object.assign(detail, { shouldSwap: true, isError: false });
});

// Toasts
const WORDS = {
  0: "The server cannot be reached. Check the connection and try again.",
  403: "You cannot do this here.",
  404: "It is no longer there, or no longer shared with you.",
  409: "This could not be done. Load the page again to see what changed.",
  413: "This is too large to send.",
  429: "Too many tries. Wait a minute and try again.",
  503: "Not answering right now. Try again in a minute.",
};
const SHOWN = 6000;
const SHOWN_UNDO = 20000;

export function toast({ text, undo = "", tone = "" }) {
  const box = document.createElement("div");
  box.className = `toast ${tone === "error" ? "error" : ""}`;
  box.dataset.toast = "";
  box.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (undo.startsWith("/") && !/^\/[/\\]/.test(undo)) {
    const form = Object.assign(document.createElement("form"), { method: "post", action: undo });
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "csrfmiddlewaretoken", value: meta("csrf-token") }));
    form.append(Object.assign(document.createElement("button"), { className: "quiet undo", textContent: "Undo" }));
    box.append(form);
  }
  const close = Object.assign(document.createElement("button"), { type: "button", className: "quiet square", textContent: "×", title: "Dismiss" });
  close.dataset.toastClose = "";
  box.append(close);
  $("#toasts")?.append(box);
}

function leave(box) {
  if (box.matches(":hover, :focus-within")) return void setTimeout(leave, 2000, box);
  box.classList.add("going");
  setTimeout(() => box.remove(), 220);
}

function expire(box) {
  if (box.dataset.timed || box.matches(".error")) return;
  box.dataset.timed = "yes";
  setTimeout(leave, $("form", box) ? SHOWN_UNDO : SHOWN, box);
}

const toasts = $("#toasts");
if (toasts) {
  new MutationObserver(() => toasts.querySelectorAll("[data-toast]").forEach(expire)).observe(toasts, { childList: true });
  toasts.querySelectorAll("[data-toast]").forEach(expire);
}
document.addEventListener("toast", (event) => toast(event.detail)); // HX-Trigger: {"toast": {"text": …, "undo": …}}
// What asks again by itself (data-poll) is silent: nobody did anything, and the next answer may be a good one.
const asksAgain = ({ elt }) => elt.hasAttribute("data-poll");
document.addEventListener("htmx:responseError", ({ detail }) =>
  asksAgain(detail) || toast({ text: WORDS[detail.xhr.status] ?? "Something went wrong on our side. Nothing was saved.", tone: "error" }));
document.addEventListener("htmx:sendError", ({ detail }) => asksAgain(detail) || toast({ text: WORDS[0], tone: "error" }));

// Dialogs: data-dialog names one in the page; on a link without a name its address is fetched into the shared one.
const shared = $("#dialog");

function show(dialog) {
  const title = dialog === shared && $("h1, h2", dialog);
  if (title) dialog.setAttribute("aria-label", title.textContent.trim());
  dialog.showModal();
  $("[autofocus], input:not([type=hidden]), select, textarea", dialog)?.focus();
}

function openDialog(trigger, event) {
  const named = trigger.dataset.dialog;
  const dialog = named ? document.getElementById(named) : shared;
  if (!dialog || (!named && !window.htmx)) return;
  event.preventDefault();
  trigger.closest("[popover]")?.hidePopover();
  if (named) return show(dialog);
  htmx.ajax("GET", trigger.href, { target: dialog, swap: "innerHTML" }).then(() => dialog.innerHTML.trim() && show(dialog));
}

function closePanel() {
  const panel = $("#panel");
  panel?.replaceChildren();
  const row = $("tr[aria-current]");
  row?.removeAttribute("aria-current");
  $("a", row ?? document.createElement("a"))?.focus();
}

function openPanel(link, event) {
  if (!window.htmx || !$("#panel") || innerWidth < 1100) return;
  event.preventDefault();
  htmx.ajax("GET", link.href, { target: "#panel", swap: "innerHTML" }).then(() => {
    $("tr[aria-current]")?.removeAttribute("aria-current");
    link.closest("tr")?.setAttribute("aria-current", "true");
  });
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const at = (selector) => event.target.closest?.(selector);
  let hit;
  if ((hit = at("[data-dialog]"))) openDialog(hit, event);
  else if ((hit = at("[data-panel]"))) openPanel(hit, event);
  else if (at("[data-panel-close]")) closePanel();
  else if ((hit = at("[data-close]"))) hit.closest("dialog")?.close();
  else if ((hit = at("[data-toast-close]"))) hit.closest("[data-toast]").remove();
  else if ((hit = at("[data-copy]"))) {
    navigator.clipboard.writeText(hit.dataset.copy).then(() => toast({ text: "Copied" }));
  } else if (event.target.matches?.("dialog[open]")) event.target.close(); // its own area outside the content: the backdrop
});
document.addEventListener("close-dialog", () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close()));
shared?.addEventListener("close", () => shared.replaceChildren());

// A dangerous form opens only when the name was typed.
function match(input) {
  const button = $("button:not([type=button])", input.form);
  if (button) button.disabled = input.value.trim() !== input.dataset.mustMatch;
}
document.querySelectorAll("[data-must-match]").forEach(match);
document.addEventListener("input", (event) => event.target.matches("[data-must-match]") && match(event.target));
document.addEventListener("htmx:load", (event) => event.target.querySelectorAll?.("[data-must-match]").forEach(match));

// A confirmation in a dialog may send a form that stands elsewhere (the picked rows) to its own address.
document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  const other = form.dataset.sends && document.getElementById(form.dataset.sends);
  if (other) {
    event.preventDefault();
    for (const [name, value] of new FormData(form)) {
      if (name === "csrfmiddlewaretoken") continue;
      other.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    other.action = form.action;
    return void other.submit();
  }
  // Twice pressed is once sent. After this turn, so that the pressed button's own name is still sent.
  if (submitter && form.method === "post" && !form.matches("[hx-post], [data-drop]")) {
    setTimeout(() => (submitter.disabled = true));
    addEventListener("pageshow", () => (submitter.disabled = false), { once: true });
  }
});

// Menus where the browser cannot place them itself.
if (!CSS.supports("position-area: bottom")) {
  document.addEventListener("toggle", ({ target, newState }) => {
    const button = newState === "open" && target.matches(".menu") && $(`[popovertarget="${target.id}"]`);
    if (!button) return;
    const { left, bottom } = button.getBoundingClientRect();
    target.style.left = `${Math.max(8, Math.min(left, innerWidth - target.offsetWidth - 8))}px`;
    target.style.top = `${Math.min(bottom + 4, innerHeight - target.offsetHeight - 8)}px`;
  }, true);
}

// Keys that hold on every page.
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "Escape" && !$("dialog[open], :popover-open") && $("#panel > *")) return closePanel();
  if (event.target.matches("input, textarea, select, [contenteditable]") || $("dialog[open]")) return;
  if (event.key === "?") $("#keys")?.showModal();
  else if (event.key === "/" && $("[data-search]")) {
    event.preventDefault();
    $("[data-search]").select();
  }
});
