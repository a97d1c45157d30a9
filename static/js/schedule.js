// Reads a schedule out while it is typed; without this the button beside it does.
const place = document.querySelector("[data-reading]");

if (place) {
  const form = place.closest("form");
  let timer, asked;

  const read = async () => {
    asked?.abort();
    asked = new AbortController();
    const query = new URLSearchParams({ cron: form.elements.cron.value, time_zone: form.elements.time_zone.value });
    try {
      const answer = await fetch(`${place.dataset.reading}?${query}`, { signal: asked.signal });
      if (answer.ok && !answer.redirected) place.innerHTML = await answer.text();
    } catch { /* overtaken by a newer question, or the server is away; saving still says what is wrong */ }
  };

  form.addEventListener("input", (event) => {
    if (!["cron", "time_zone"].includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(read, 300);
  });
  form.querySelector("[data-only-without-script]")?.setAttribute("hidden", "");
}
