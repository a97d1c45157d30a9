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

document.querySelector("[data-themes]")?.addEventListener("submit", (event) => {
  const form = event.currentTarget, chosen = event.submitter;
  event.preventDefault();
  const given = new FormData(form, chosen);
  fetch(form.action, { method: "POST", body: given, redirect: "manual" });
  if (chosen.value) document.documentElement.dataset.theme = chosen.value;
  else delete document.documentElement.dataset.theme;
  for (const one of form.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one === chosen));
});
