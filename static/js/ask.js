// A new request: results as you type, the basket and what will happen as you pick. Without this script the same form
// does all of it with its own buttons; nothing here knows more than the form does.
const form = document.querySelector("form[data-ask]");
const $ = (id) => document.getElementById(id);
const WAIT = 250;

function start() {
  const found = $("found"), q = $("q"), status = $("found-status");
  let searching, checking, typing, changing;

  for (const one of form.querySelectorAll("[data-only-with-script]")) one.hidden = false;

  // What is in the basket is ticked in the list, and a tick can be taken back there.
  const taken = () => new Set([...form.querySelectorAll("[data-line]")].flatMap((line) => [line.dataset.resource, line.dataset.line]));
  function agree() {
    const inside = taken();
    for (const one of found.querySelectorAll("[data-only-without-script]")) one.hidden = true;
    for (const box of found.querySelectorAll("[data-result]")) {
      const here = inside.has(box.dataset.resource ?? box.value);
      box.disabled = false;
      if (here) { box.checked = true; box.removeAttribute("name"); }
      else if (!box.name) { box.checked = false; box.name = "add"; }
    }
  }

  async function text(address, options) {
    const answer = await fetch(address, options);
    // Signed out: the page itself knows what to say.
    if (answer.redirected) location.reload();
    return answer.ok ? answer.text() : "";
  }

  async function search(change = {}) {
    clearTimeout(typing);
    searching?.abort();
    searching = new AbortController();
    const asked = new URLSearchParams({ q: q.value });
    for (const name of ["whom", "grantee"]) asked.set(name, $(name)?.value ?? "");
    if (asked.get("whom") !== "other") asked.delete("grantee");
    for (const name of ["c", "i", "t"]) asked.set(name, found.querySelector(`input[name=${name}]`)?.value ?? "");
    for (const [name, value] of Object.entries(change)) asked.set(name, value);
    for (const [name, value] of [...asked]) if (!value) asked.delete(name);
    try {
      const html = await text(`${form.dataset.found}?${asked}`, { signal: searching.signal });
      if (!html) return;
      const ticked = [...found.querySelectorAll("[name=add]:checked")].map((box) => box.value);
      const focused = found.contains(document.activeElement);
      found.innerHTML = html;
      for (const box of found.querySelectorAll("[data-result]")) if (ticked.includes(box.value)) box.checked = true;
      agree();
      if (focused) found.querySelector("[data-result]:enabled, button")?.focus();
      status.textContent = found.querySelector("[data-found-status]")?.textContent.trim() ?? "";
      history.replaceState(null, "", asked.size ? `?${asked}` : location.pathname);
    } catch { /* overtaken by a newer search, or the server is away; the button searches without us */ }
  }

  async function check() {
    clearTimeout(changing);
    checking?.abort();
    checking = new AbortController();
    try {
      const html = await text(form.dataset.check, { method: "POST", body: new FormData(form), signal: checking.signal });
      if (!html) return;
      const parts = document.createElement("template"), focused = document.activeElement;
      const inside = $("basket").contains(focused);
      parts.innerHTML = html;
      for (const part of parts.content.querySelectorAll("[data-part]")) {
        const place = $(part.dataset.part);
        // What is being typed stays as it is while the same is asked for.
        const keys = part.querySelector("[data-keys]")?.dataset.keys;
        if (keys !== undefined && place.querySelector("[data-keys]")?.dataset.keys === keys) continue;
        if (place.querySelector("details")?.open) part.querySelector("details")?.setAttribute("open", "");
        // What is the same is not written again: it would be read out again.
        if (place.innerHTML.trim() !== part.innerHTML.trim()) place.replaceChildren(...part.childNodes);
      }
      agree();
      if (inside) ($(focused.id) ?? $("basket").querySelector("button") ?? $("request")).focus();
    } catch { /* as above */ }
  }

  // Somebody else: their address is asked for when they are chosen, and found while it is typed.
  const whom = $("whom"), grantee = $("grantee");
  const whose = () => { if (grantee) grantee.closest("[data-somebody-else]").hidden = whom.value !== "other"; };
  async function suggest() {
    const answer = await text(`${form.dataset.people}?${new URLSearchParams({ q: grantee.value })}`).catch(() => "");
    const people = answer ? JSON.parse(answer).people : [];
    $("people").replaceChildren(...people.map(({ email, name }) => new Option(name, email)));
  }
  if (whom) { whose(); whom.addEventListener("change", () => { whose(); if (whom.value === "other") grantee.focus(); search(); }); }
  grantee?.addEventListener("change", () => search());

  form.addEventListener("input", ({ target }) => {
    if (target === grantee) { clearTimeout(typing); typing = setTimeout(suggest, WAIT); return; }
    if (target === q) { clearTimeout(typing); typing = setTimeout(search, WAIT); return; }
    if (target.id === "other") form.querySelector("[name=duration][value=other]").checked = true;
    if (target.matches("[data-result]")) return;
    clearTimeout(changing);
    changing = setTimeout(check, WAIT);
  });

  form.addEventListener("change", ({ target }) => {
    if (target === grantee) { check(); return; }
    if (!target.matches("[data-result]")) return;
    if (!target.checked && !target.name) {
      const key = target.dataset.resource ?? target.value;
      for (const line of form.querySelectorAll("[data-line]")) {
        if (line.dataset.resource === key || line.dataset.line === key) line.remove();
      }
    }
    check();
  });

  form.addEventListener("submit", (event) => {
    const by = event.submitter;
    if (["send", "break"].includes(by?.value) && by.name === "do") return;
    event.preventDefault();
    if (by?.name === "drop") { by.closest("[data-line]").remove(); check(); }
    else if (by?.name === "do" && by.value === "everywhere") search({ c: "", i: "", t: "" });
    else if (by && ["c", "i", "t", "page"].includes(by.name)) {
      search({ [by.name]: by.value });
      if (by.name === "page") form.scrollIntoView();
    } else { search(); check(); }
  });

  const boxes = () => [...found.querySelectorAll("[data-result]:enabled")];
  function move(step) {
    const all = boxes(), at = all.indexOf(document.activeElement);
    if (at + step < 0) q.focus(); else all[at + step]?.focus();
  }
  document.addEventListener("keydown", (event) => {
    const { key, target } = event, box = target.matches?.("[data-result]");
    if (key === "/" && !event.ctrlKey && !event.metaKey && !target.matches("input:not([type=checkbox], [type=radio]), textarea, select")) q.select(), q.focus();
    else if (key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(form.querySelector("[name=do][value=send]"));
    else if (key === "Enter" && box) target.click();
    else if (key === "Enter" && target === q) search();
    else if (key === "ArrowDown" && (box || target === q)) move(1);
    else if (key === "ArrowUp" && box) move(-1);
    else return;
    event.preventDefault();
  });

  for (const one of form.querySelectorAll("[data-only-without-script]")) one.hidden = true;
  agree();
}

if (form) start();
