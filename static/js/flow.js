// The flow editor with a script: rows come and go in place, values are chips with suggestions, the sentence and the
// counts follow what is written. Each is the same form, sent to the same page, which answers with the whole of it.
const form = document.querySelector("form[data-flow]");
const place = document.querySelector("[data-suggest]");
const WAIT = 400;
const FIELDS = "select, textarea, input:not([type=hidden], [type=checkbox], [type=radio])";
const ICONS = document.querySelector("svg.icon use")?.getAttribute("href").split("#")[0];
let timer, asked;

async function send(button) {
  asked?.abort();
  asked = new AbortController();
  clearTimeout(timer);
  const data = new FormData(form);
  data.set("_do", button);
  try {
    const answer = await fetch(location.pathname, { method: "POST", body: data, signal: asked.signal });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null; // overtaken by a newer question, or the server is away: the buttons still work by themselves
  }
}

function tell(page) {
  for (const part of page.querySelectorAll("[data-live]")) {
    const here = document.getElementById(part.id);
    if (!here || here.innerHTML === part.innerHTML) continue;
    const open = here.querySelector("details")?.open;
    here.innerHTML = part.innerHTML;
    if (open) here.querySelector("details")?.setAttribute("open", "");
  }
}

async function read() {
  const page = await send("read");
  if (page) tell(page);
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(read, WAIT);
}

// Swap one section for the same section of the answer; what a person opened in it stays open.
function swap(page, id) {
  const fresh = page.getElementById(id);
  const here = document.getElementById(id);
  if (!fresh || !here) return null;
  const open = [...here.querySelectorAll("details[open][id]")].map((one) => one.id);
  const section = document.importNode(fresh, true);
  here.replaceWith(section);
  for (const one of open) document.getElementById(one)?.setAttribute("open", "");
  dress(section);
  section.dispatchEvent(new CustomEvent("grown", { bubbles: true })); // for whoever dresses fields of their own
  return section;
}

// Press a button and swap the section it belongs to; the focus goes where the change is.
async function grow(id, button, focus) {
  const page = await send(button);
  const section = page && swap(page, id);
  if (!section) return false;
  tell(page);
  focus(section);
  return true;
}

form.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-grow]");
  if (!button) return;
  event.preventDefault();
  const before = new Set([...form.querySelectorAll(FIELDS)].map((one) => one.id));
  const done = await grow(button.dataset.grow, button.value, (section) => {
    const added = [...section.querySelectorAll(FIELDS)].find((one) => !before.has(one.id) && one.checkVisibility());
    (added ?? section).focus();
  });
  if (!done) { button.removeAttribute("data-grow"); button.click(); }
});

form.addEventListener("change", (event) => {
  const chosen = event.target;
  if (/^targets-\d+-(integration|resource_type)$/.test(chosen.name)) {
    grow("what", "read", (section) => section.querySelector(`#${chosen.id}`)?.focus());
  } else if (chosen.name === "trigger") {
    send("read").then((page) => {
      if (!page) return;
      for (const id of ["for", "approvers", "time", "rules"]) swap(page, id);
      tell(page);
    });
  } else if (/operator$/.test(chosen.name) && chosen.type === "radio") {
    for (const word of joined(chosen)) if (word.textContent.trim()) word.textContent = chosen.value;
    soon();
  } else soon();
});
form.addEventListener("input", soon);
form.addEventListener("keydown", (event) => {
  // Enter in a field never sends the form; the buttons do.
  if (event.key === "Enter" && event.target.matches("input:not([type=submit])")) event.preventDefault();
});

function joined(radio) {
  const group = radio.closest(".group, .others") ?? radio.closest(".panel-body");
  return group.querySelectorAll(".condition-join");
}

// Values as chips. The text area keeps the truth: one value a line.
const quote = (value) => (value.includes(",") || value.startsWith('"') ? `"${value.replaceAll('"', '""')}"` : value);

function parse(text) {
  const found = [];
  for (const line of text.split("\n")) {
    for (const match of line.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)) {
      const value = (match[1]?.replaceAll('""', '"') ?? match[2] ?? "").trim();
      if (value && !found.includes(value)) found.push(value);
    }
  }
  return found;
}

function chips(area) {
  if (area.dataset.dressed) return;
  area.dataset.dressed = "yes";
  const box = document.createElement("span");
  const input = document.createElement("input");
  const list = document.createElement("datalist");
  const label = area.getAttribute("aria-label") ?? document.querySelector(`label[for="${area.id}"]`)?.textContent.trim();
  box.className = "tokens";
  input.id = `${area.id}-add`;
  input.setAttribute("aria-label", `${label ?? "Values"}: add one`);
  if (area.getAttribute("aria-describedby")) input.setAttribute("aria-describedby", area.getAttribute("aria-describedby"));
  input.placeholder = "Add…";
  input.autocomplete = "off";
  list.id = `${area.id}-list`;
  input.setAttribute("list", list.id);
  area.hidden = true;
  area.before(box, list);
  let values = parse(area.value);

  const show = () => {
    area.value = values.map(quote).join("\n");
    box.replaceChildren(...values.map((value) => chip(value)), input);
  };
  const chip = (value) => {
    const one = document.createElement("span");
    const remove = document.createElement("button");
    one.className = "token";
    one.textContent = value;
    remove.type = "button";
    remove.setAttribute("aria-label", `Remove ${value}`);
    remove.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${ICONS}#x"></use></svg>`;
    remove.addEventListener("click", () => { values = values.filter((other) => other !== value); show(); input.focus(); soon(); });
    one.append(remove);
    return one;
  };
  const take = () => {
    const more = parse(input.value).filter((value) => !values.includes(value));
    input.value = "";
    if (!more.length) return;
    values = [...values, ...more];
    show();
    input.focus();
    soon();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || (event.key === "," && !input.value.startsWith('"'))) { event.preventDefault(); take(); }
    if (event.key === "Backspace" && !input.value && values.length) { values.pop(); show(); input.focus(); soon(); }
  });
  input.addEventListener("paste", () => setTimeout(() => { if (/[\n,]/.test(input.value)) take(); }));
  input.addEventListener("blur", () => { if (input.value.trim()) { const to = document.activeElement; take(); if (to !== document.body) to?.focus(); } });
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    if ([...list.children].some((one) => one.value === input.value) && event.inputType !== "insertText") take();
    else suggest(area, input, list);
  });
  area.addEventListener("focus", () => input.focus());
  box.addEventListener("click", (event) => { if (event.target === box) input.focus(); });
  show();
}

// A link to a field that is behind chips leads to the chips.
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#id_"]');
  const add = link && document.getElementById(`${link.hash.slice(1)}-add`);
  if (add) { event.preventDefault(); add.scrollIntoView({ block: "center" }); add.focus(); }
});

const waiting = new WeakMap();

function suggest(area, input, list) {
  const holder = area.closest(".values");
  if (!holder || !("suggestType" in holder.dataset) || input.value.trim().length < 1) return;
  clearTimeout(waiting.get(input));
  waiting.set(input, setTimeout(async () => {
    const query = new URLSearchParams({ q: input.value, type: holder.dataset.suggestType || kind(holder) });
    const row = holder.dataset.suggestRow;
    for (const name of row ? ["integration", "resource_type"] : []) query.set(name, form.elements[`${row}-${name}`]?.value ?? "");
    try {
      const answer = await fetch(`${place.dataset.suggest}?${query}`);
      const { values } = answer.ok ? await answer.json() : { values: [] };
      list.replaceChildren(...values.map(({ value, label }) => {
        const option = document.createElement("option");
        option.value = value;
        if (label) option.label = `${label} · ${value}`;
        return option;
      }));
    } catch { /* suggestions are a nicety */ }
  }, WAIT / 2));
}

const kind = (holder) => holder.closest(".condition")?.querySelector('select[name$="-type"]')?.value ?? "";

function dress(root) {
  for (const area of root.querySelectorAll("textarea[data-values]")) chips(area);
}

document.documentElement.dataset.script = "yes";
dress(document);
document.getElementById("faults")?.focus();
