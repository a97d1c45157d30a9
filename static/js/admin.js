// Administration: a part that moves is fetched again while it moves, and a text is counted and shown as others will
// see it. Without script there is a link to reload, and a test of the connection shows the preview.
const EVERY = 2000;

for (const part of document.querySelectorAll("[data-poll]")) {
  const look = async () => {
    if (document.hidden) return setTimeout(look, EVERY);
    try {
      const answer = await fetch(part.dataset.poll, { cache: "no-store" });
      // Signed out, or gone: the page itself knows what to say.
      if (answer.redirected || answer.status === 404) return location.reload();
      if (answer.ok) {
        const unfolded = [...part.querySelectorAll("details[open]")].map((one) => one.id);
        part.innerHTML = await answer.text();
        for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
      }
    } catch { /* the server is away; the next look tells */ }
    if (hush() || part.querySelector("[data-moving]")) return setTimeout(look, EVERY);
    // What is below was made before: bring it up to date, too.
    location.reload();
  };
  const hush = () => {
    for (const one of part.querySelectorAll("[data-only-without-script]")) one.hidden = true;
    return false;
  };
  hush();
  if (part.querySelector("[data-moving]")) setTimeout(look, EVERY);
}

for (const field of document.querySelectorAll("textarea[data-preview]")) {
  const preview = document.getElementById(field.dataset.preview);
  const count = document.querySelector(`[data-count="${field.id}"]`);
  const show = () => {
    preview.textContent = field.value;
    const length = [...field.value.replace(/\r?\n/g, "\r\n")].length;
    count.textContent = `${length} of ${count.dataset.most} characters`;
    count.toggleAttribute("data-over", length > Number(count.dataset.most));
  };
  field.addEventListener("input", show);
  show();
}
