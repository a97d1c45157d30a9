// Keeps the progress of an export up to date until it is over; without this the page is loaded again by hand.
const part = document.querySelector("[data-progress]");
const TICK = 1500;

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(part.dataset.progress, { cache: "no-store" });
      // Signed out, or not ours any more: the page itself knows what to say.
      if (answer.redirected || answer.status === 404) { location.reload(); return; }
      const html = answer.ok ? await answer.text() : "";
      if (html && html !== part.dataset.shown) { part.dataset.shown = html; part.innerHTML = html; }
    } catch { /* the server is away; the next tick looks again */ }
  }
  if (part.querySelector("progress")) setTimeout(look, TICK);
}

if (part?.querySelector("progress")) setTimeout(look, TICK);
