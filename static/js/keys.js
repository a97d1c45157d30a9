// Keyboard shortcuts, told in the sheet that ? opens. They stay out of the way of whoever types, and of the browser's own.
const ROWS = "[data-row] h2 a, .access h3 a, .table tbody td:first-child > a";
const OFF = "latchkey.keys.off";
let before = "";

// Who speaks to the machine, or hits keys by chance, switches them off; the browser remembers.
const off = () => { try { return localStorage.getItem(OFF) === "yes"; } catch { return false; } };
const choice = document.querySelector("[data-keys]");
if (choice) {
  choice.checked = !off();
  choice.addEventListener("change", () => { try { localStorage.setItem(OFF, choice.checked ? "no" : "yes"); } catch { /* kept nowhere */ } });
}

const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

function step(by) {
  const rows = [...document.querySelectorAll(ROWS)].filter((row) => row.offsetParent);
  const at = rows.indexOf(document.activeElement);
  rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by]?.focus();
}

const KEYS = {
  "?": () => document.getElementById("keys")?.togglePopover(),
  "/": () => document.querySelector("main input[type=search]")?.focus(),
  j: () => step(1),
  k: () => step(-1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || off() || typing(event.target)) return;
  const link = before === "g" ? document.querySelector(`[data-key="${CSS.escape(event.key)}"]`) : null;
  before = event.key === "g" ? "g" : "";
  const act = link ? () => link.click() : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

for (const one of document.querySelectorAll("[data-keys-only]")) one.hidden = false;
