// Asks again what would happen, a moment after the request was changed.
const form = document.querySelector("form[data-check]");

if (form) {
  const result = document.getElementById("dry-run");
  let timer, asked;

  const check = async () => {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: new FormData(form), signal: asked.signal });
      if (answer.ok && !answer.redirected) result.innerHTML = await answer.text();
    } catch { /* overtaken by a newer question, or the server is away; the form still works by itself */ }
  };

  form.addEventListener("input", (event) => {
    if (event.target.name === "q") return;
    clearTimeout(timer);
    timer = setTimeout(check, 300);
  });
  form.querySelector("[data-only-without-script]")?.setAttribute("hidden", "");
  if (form.querySelector("[name=pick]:checked")) check();
}
