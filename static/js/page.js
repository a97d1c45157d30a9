// Copy buttons, the theme without a new page, and a password that does not stay behind when the page is left.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.setAttribute("aria-label", "Copied");
  button.querySelector("use").setAttribute("href", button.dataset.done);
});

// The stylesheet shows the buttons only where a clipboard can be had; without one a click selects the text.
if (navigator.clipboard) document.documentElement.dataset.clipboard = "yes";

addEventListener("pagehide", () => document.querySelector("[data-shown-once]")?.remove());

function choose(event) {
  const form = event.currentTarget, chosen = event.submitter;
  event.preventDefault();
  const given = new FormData(form, chosen);
  fetch(form.action, { method: "POST", body: given, redirect: "manual" });
  if (chosen.value) document.documentElement.dataset.theme = chosen.value;
  else delete document.documentElement.dataset.theme;
  for (const one of document.querySelectorAll("[data-themes] button")) one.setAttribute("aria-pressed", String(one.value === chosen.value));
}
for (const form of document.querySelectorAll("[data-themes]")) form.addEventListener("submit", choose);

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const button of zone ? document.querySelectorAll("[data-own-zone]") : []) {
  button.hidden = false;
  button.addEventListener("click", () => { document.getElementById(button.dataset.ownZone).value = zone; });
}

// The time that is left goes on between two visits. The server says when it is; its clock counts, not the reader's.
const ahead = Date.now() - Number(document.querySelector("[data-now]")?.dataset.now) * 1000;
const words = (seconds) => {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  if (seconds <= 0) return "Ends now";
  if (!minutes) return "less than a minute left";
  const parts = days ? [[days, "d"], [hours % 24, "h"]] : [[hours, "h"], [minutes % 60, "min"]];
  return `${parts.filter(([number]) => number).map(([number, unit]) => `${number} ${unit}`).join(" ")} left`;
};
const short = (seconds) => {
  const minutes = Math.max(0, Math.floor(seconds / 60)), hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)}d`;
  return hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}` : `${minutes}m`;
};
function tick() {
  const now = (Date.now() - ahead) / 1000;
  for (const one of document.querySelectorAll("[data-left]")) one.textContent = words(Number(one.dataset.left) - now);
  for (const ring of document.querySelectorAll("[data-until]")) {
    const from = Number(ring.dataset.from), until = Number(ring.dataset.until);
    const share = Math.max(0, Math.min(100, Math.round((100 * (until - now)) / (until - from))));
    ring.querySelector("circle + circle").setAttribute("stroke-dasharray", `${share} 100`);
    ring.querySelector("text").textContent = short(until - now);
    ring.setAttribute("aria-label", `${share} per cent of the time is left`);
    if (share < 15) ring.dataset.tone = "wait";
  }
}
if (document.querySelector("[data-left], [data-until]") && Number.isFinite(ahead)) setInterval(tick, 10_000);

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
