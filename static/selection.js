// Selecting rows of a list: one by one, a range with Shift, the page, or all that fit the filter; `x` for the row in focus.
const bar = document.querySelector("[data-selection]");
const part = (name) => bar.querySelector(`[data-${name}]`);
const form = bar.querySelector("form"); // absent where the bar stands in the form
const NAMED = 8; // tags that the bar names, of those that go and of those that stay
const list = () => document.querySelector("[data-picks]");
const boxes = () => [...document.querySelectorAll("[data-pick]")];
const said = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
let last = null; // the box that was changed last, where a range begins
let everything = false; // also what is on other pages

function show() {
  const all = boxes(), picked = all.filter((box) => box.checked);
  const page = document.querySelector("[data-pick-page]");
  if (page) {
    page.checked = all.length > 0 && picked.length === all.length;
    page.indeterminate = picked.length > 0 && !page.checked;
  }
  everything &&= page?.checked ?? false;
  bar.hidden = picked.length === 0;
  if (bar.hidden) return;
  const total = list().dataset.all;
  part("selected").textContent = everything
    ? said(bar.dataset.saidAll, { all: total })
    : said(bar.dataset.said, { images: picked.length });
  if (!form) return;
  tell(picked);
  part("pick-all").hidden = everything || !page.checked || String(all.length) === total;
  part("pick-all").textContent = said(bar.dataset.offer, { all: total });
  part("references").hidden = everything;
  part("references").dataset.copy = picked.flatMap(going).map((tag) => bar.dataset.reference + tag).join("\n");
  part("list").hidden = !everything;
  part("list").href = part("list").dataset.list + location.search;
  part("everything").disabled = !everything;
  // The filter decides which tags of an image are meant, wherever a button of the bar sends them.
  form.action = form.action.split("?")[0] + location.search;
  for (const button of bar.querySelectorAll("[formaction]")) button.formAction = button.formAction.split("?")[0] + location.search;
}

// Of a row it is the tag that is shown first, or those that the filter found; the others stay.
const going = (box) => box.dataset.goes?.split(" ") ?? [box.closest("tr").querySelector("[data-row]").textContent];
// Beside the name stands what only some may hear, and the lock of a protected one.
const nameOf = (link) => [...link.childNodes].find((node) => node.nodeType === Node.TEXT_NODE).textContent;
const shown = (box) => [...box.closest("tr").querySelectorAll("[data-row], .alias")].map(nameOf);
function named(tags, count) {
  const some = tags.slice(0, NAMED).join(", ");
  return count > Math.min(tags.length, NAMED) ? `${some} +${count - Math.min(tags.length, NAMED)}` : some;
}
function tell(picked) {
  const goes = picked.flatMap(going), meant = new Set(goes);
  const stays = picked.flatMap(shown).filter((tag) => !meant.has(tag));
  const staying = picked.reduce((sum, box) => sum + Number(box.dataset.tags), 0) - goes.length;
  const words = [said(bar.dataset.goes, { goes: named(goes, goes.length) })];
  if (staying > 0) words.push(said(bar.dataset.stays, { stays: named(stays, staying) }));
  part("staying").textContent = everything ? bar.dataset.goesAll : words.join(" ");
}

function pick(checked) {
  for (const box of boxes()) box.checked = checked;
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-pick]");
  if (box) {
    const all = boxes(), from = all.indexOf(last), to = all.indexOf(box);
    if (event.shiftKey && from >= 0) for (const each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) each.checked = box.checked;
    last = box;
  } else if (event.target.closest("[data-pick-page]")) pick(event.target.checked);
  else if (event.target.closest("[data-pick-all]")) everything = true;
  else if (event.target.closest("[data-pick-none]")) pick((everything = false));
  else return;
  show();
});
addEventListener("berth:pick", () => {
  const box = document.activeElement?.closest("tr")?.querySelector("[data-pick]");
  if (box) box.click();
});
document.body.addEventListener("htmx:afterSwap", () => { last = null; everything = false; show(); });
show(); // a browser that comes back to the page remembers the boxes
