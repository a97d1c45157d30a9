// Keeps a request's page up to date. A socket says only that something moved; the page then fetches the part it
// may see. Without a socket it looks every five seconds. What was typed, and what was unfolded, stays.
const part = document.querySelector("[data-live]");
const TICK = 5000;
const REFRESH_TICKS = 6; // even with a socket, so that the time left stays true

function typed(root) {
  return [...root.querySelectorAll("textarea, input[type=radio], input[type=checkbox]")];
}

function swap(html) {
  const kept = new Map(typed(part).map((field) => [field.id, field]));
  const unfolded = [...part.querySelectorAll("details[open]")].map((one) => one.id);
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.innerHTML = html;
  for (const field of typed(part)) {
    const before = kept.get(field.id);
    if (before && field.type === "textarea") field.value = before.value || field.value;
    else if (before) field.checked = before.checked;
  }
  document.dispatchEvent(new Event("swapped"));
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus();
}

function start() {
  const bare = (html) => html.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
  let shown = "", open = false, ticks = 0, busy = false, again = false;

  async function look() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      // Not followed: the sign-in page says once why a session ended, and says it to who reads it.
      const answer = await fetch(part.dataset.live, { cache: "no-store", redirect: "manual" });
      // Signed out, or not ours any more: the page itself knows what to say.
      if (answer.type === "opaqueredirect" || answer.status === 404) location.reload();
      const html = answer.ok ? await answer.text() : "";
      // Nothing is taken from under somebody's hand: an open sheet is let stand, and looked at again later.
      if (html && !part.querySelector(":popover-open") && bare(html) !== shown) { shown = bare(html); swap(html); }
    } catch { /* the server is away; the next tick looks again */ }
    busy = false;
    if (again) { again = false; look(); }
  }

  function listen() {
    const address = new URL(part.dataset.socket, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.onopen = () => { open = true; look(); };
    socket.onmessage = look;
    socket.onclose = () => { open = false; setTimeout(listen, 2 * TICK); };
  }

  setInterval(() => { if (!document.hidden && (!open || ++ticks % REFRESH_TICKS === 0)) look(); }, TICK);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  listen();
}

if (part) start();
