// What the pages do beyond HTML: theme, copy, shortcuts, and telling what happened. Everything else works without it.
const root = document.documentElement;
const live = document.querySelector("[data-live]");

const stored = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch {} },
};

let silence;
function tell(text, milliseconds = 2500) {
  live.textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { live.textContent = ""; }, milliseconds);
}

// -- theme ------------------------------------------------------------------
const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const toggle = document.querySelector("[data-theme-toggle]");
function nameToggle() { toggle?.setAttribute("aria-label", isDark() ? toggle.dataset.toLight : toggle.dataset.toDark); }
toggle?.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  stored.set("theme", root.dataset.theme);
  nameToggle();
});
nameToggle();

// -- copy -------------------------------------------------------------------
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const box = document.createElement("textarea"); // a page over plain http has no clipboard
  box.value = text;
  document.body.append(box);
  box.select();
  const copied = document.execCommand("copy");
  box.remove();
  if (!copied) throw new Error("not copied");
}
function digestOf(shown) { // it stands shortened there, and whole in the address or in the title
  const part = shown.querySelector("[href], [title]");
  return part.title || part.pathname.split("/").pop();
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from], [data-copy-beside]");
  if (!button) return;
  const { copy: own, copyFrom: from } = button.dataset;
  const text = own ?? (from ? document.getElementById(from).textContent : digestOf(button.previousElementSibling));
  try { await copy(text); } catch { return tell(text, 10000); }
  button.focus();
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
  tell(live.dataset.copied);
});

// -- single-key shortcuts ----------------------------------------------------
const help = document.getElementById("keys");
const keysAreOn = () => stored.get("keys") !== "off";
const showHints = () => root.toggleAttribute("data-no-keys", !keysAreOn());
help?.addEventListener("beforetoggle", async (event) => {
  if (event.newState !== "open" || help.firstElementChild) return;
  await htmx.ajax("GET", help.dataset.from, help);
  for (const box of help.querySelectorAll("[data-keys-switch]")) box.checked = keysAreOn();
});
help?.addEventListener("change", (event) => {
  stored.set("keys", event.target.checked ? "on" : "off");
  showHints();
});
showHints();
function step(by) {
  const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());
  const at = rows.indexOf(document.activeElement?.closest("tr, li")?.querySelector("[data-row]"));
  rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by))]?.focus();
}
const keys = {
  "/": () => document.querySelector("[data-find]")?.focus(),
  f: () => document.querySelector("[data-filter]")?.focus(),
  "?": () => help?.togglePopover(),
  j: () => step(1),
  k: () => step(-1),
  x: () => dispatchEvent(new Event("berth:pick")),
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !keysAreOn()) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
  const act = keys[event.key];
  if (!act || (event.key !== "?" && document.querySelector(".dialog:popover-open"))) return;
  event.preventDefault();
  act();
});

// -- what asks again and again rests while nobody sees the page ------------------
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.matches("[data-polls]")) event.preventDefault();
});

// -- rows that are fetched anew keep the focus ----------------------------------
let focused;
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const here = document.activeElement;
  focused = event.detail.target.contains(here) && here.matches("[data-row]") ? here.getAttribute("href") : null;
});
document.body.addEventListener("htmx:afterSwap", () => {
  if (focused) document.querySelector(`[data-row][href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
});

// -- what the search finds while one types -------------------------------------
const find = document.querySelector(".find");
find?.addEventListener("keydown", (event) => {
  const field = find.querySelector("[data-find]");
  if (event.key === "Escape") {
    if (document.activeElement === field) field.blur();
    else field.focus();
    return;
  }
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by || event.isComposing) return;
  event.preventDefault();
  const stops = [field, ...find.querySelectorAll("[data-finds] a")];
  stops[(stops.indexOf(document.activeElement) + by + stops.length) % stops.length]?.focus();
});

// -- parts that could not be fetched ------------------------------------------
for (const name of ["htmx:sendError", "htmx:responseError"]) document.body.addEventListener(name, () => tell(live.dataset.failed, 5000));
