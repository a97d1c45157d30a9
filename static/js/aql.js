// The query editor. Every textarea[data-aql] becomes one, also those that come later; without this script they are plain
// text areas. What a word is, what may follow, what is wrong and what is selected: the server says it.
const told = document.querySelector("script[data-aql-check]").dataset;
const CHECK_AFTER = 350, COMPLETE_AFTER = 120;
let number = 0;

// The server counts code points, a text area counts UTF-16.
const points = (text) => [...text].length;
const unit = (text, place) => [...text].slice(0, place).join("").length;
const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

// Asks one address; a newer question makes an older one's answer worthless.
function asker(address) {
  let asked;
  return async (data) => {
    asked?.abort();
    const mine = (asked = new AbortController());
    const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
    try {
      const answer = await fetch(address, { method: "POST", body: new URLSearchParams(data), headers: { "X-CSRFToken": token }, signal: mine.signal });
      if (!answer.ok || answer.redirected) return { away: true };
      const read = await answer.json();
      return mine === asked ? read : null;
    } catch {
      return mine === asked ? { away: true } : null;
    }
  };
}

class Editor {
  constructor(area) {
    this.area = area;
    this.id = `aql-${++number}`;
    this.ask = asker(told.aqlCheck);
    this.askWords = asker(told.aqlComplete);
    this.tokens = [];
    this.wrong = null;
    this.written = "";
    this.build();
    this.listen();
    this.paint();
    this.check();
  }

  build() {
    const { area, id } = this;
    const described = area.getAttribute("aria-describedby")?.split(" ").map((one) => document.getElementById(one)).find((one) => one?.matches(".aql-says"));
    this.box = make("div", { class: "aql-box", "data-mode": "aql" });
    this.modes = make("div", { class: "segments", role: "group", "aria-label": "How to write it" }, this.mode("aql", "AQL"), this.mode("basic", "Basic"));
    this.why = make("p", { class: "aql-why", role: "status" });
    this.pre = make("pre", { "aria-hidden": "true" });
    this.stage = make("div", { class: "aql-stage" });
    this.list = make("ul", { class: "aql-list", role: "listbox", id: `${id}-list`, "aria-label": "What may be written here" });
    this.list.hidden = true;
    this.rows = make("div");
    this.spoken = make("p", { class: "hidden", role: "status" });
    this.says = described ?? make("div", { class: "aql-says stack stack-s", id: `${id}-says` });
    area.before(this.box);
    const place = make("div", { class: "aql-place" }, this.stage, this.list);
    this.stage.append(this.pre, area);
    this.box.append(this.modes, this.why, place, this.rows, this.spoken);
    if (!described) {
      this.box.append(this.says);
      area.setAttribute("aria-describedby", [area.getAttribute("aria-describedby"), this.says.id].filter(Boolean).join(" "));
    }
    this.says.setAttribute("aria-live", "polite");
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-haspopup", "listbox");
    area.setAttribute("aria-controls", this.list.id);
    area.setAttribute("autocomplete", "off");
    area.spellcheck = false;
  }

  mode(name, words) {
    const button = make("button", { type: "button", class: "segment", "aria-pressed": String(name === "aql"), "data-aql-mode": name }, words);
    button.addEventListener("click", () => this.turn(name));
    return button;
  }

  listen() {
    const { area } = this;
    area.addEventListener("input", () => {
      this.paint();
      if (!this.quiet) { this.checkSoon(); this.completeSoon(); }
    });
    area.addEventListener("keydown", (event) => this.key(event));
    area.addEventListener("blur", () => this.close());
    area.addEventListener("click", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const one = event.target.closest("li");
      if (one) this.take(Number(one.dataset.place));
    });
    this.says.addEventListener("click", (event) => {
      const button = event.target.closest("[data-aql-use]");
      if (!button) return;
      event.preventDefault();
      this.turnTo("aql");
      this.put(button.dataset.aqlUse, 0, area.value.length);
      area.focus();
    });
    for (const name of ["input", "change"]) this.rows.addEventListener(name, (event) => this.rowTold(event, name));
    this.rows.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) { event.preventDefault(); this.rowsAsk(button.value); }
    });
    this.rows.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
    });
  }

  // ---- words in colour: the last answer's, moved along with what was typed since

  paint() {
    const text = this.area.value;
    const [tokens, wrong] = this.moved(text);
    const parts = [];
    let end = 0;
    for (const [kind, from, to] of tokens) {
      if (from < end || to > text.length) continue;
      const bad = kind === "wrong" || (wrong && from < wrong[1] && to > wrong[0]);
      parts.push(text.slice(end, from), make("span", { class: bad ? "is-wrong" : `aql-${kind}` }, text.slice(from, to)));
      end = to;
    }
    // A last line that is empty needs something to stand on.
    this.pre.replaceChildren(...parts, text.slice(end), "\n");
  }

  moved(text) {
    const old = this.written;
    if (old === text) return [this.tokens, this.wrong];
    let head = 0, tail = 0;
    while (head < old.length && head < text.length && old[head] === text[head]) head++;
    while (tail < old.length - head && tail < text.length - head && old.at(-1 - tail) === text.at(-1 - tail)) tail++;
    const by = text.length - old.length, behind = old.length - tail;
    const kept = this.tokens.flatMap(([kind, from, to]) => (to <= head ? [[kind, from, to]] : from >= behind ? [[kind, from + by, to + by]] : []));
    return [kept, null];
  }

  // ---- what it says

  checkSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), CHECK_AFTER);
  }

  asked(more = []) {
    return [["query", this.area.value], ...(this.area.dataset.aql === "all" ? [["all", "1"]] : []), ...more];
  }

  async check() {
    clearTimeout(this.timer);
    const text = this.area.value;
    this.tell(await this.ask(this.asked()), text);
  }

  tell(answer, text) {
    if (!answer) return false;
    if (answer.away) {
      this.says.replaceChildren(make("p", { class: "meta" }, "The server does not answer now. Go on writing: the query is read again when it is sent."));
      return false;
    }
    this.tokens = answer.tokens.map(([kind, from, to]) => [kind, unit(text, from), unit(text, to)]);
    this.wrong = answer.wrong && answer.wrong.map((place) => unit(text, place));
    this.written = text;
    this.paint();
    const open = this.says.querySelector("details")?.open;
    this.says.innerHTML = answer.says;
    const fold = this.says.querySelector("details");
    if (fold && open !== undefined) fold.open = open;
    if (this.says.querySelector(".field-error")) this.area.setAttribute("aria-invalid", "true");
    else this.area.removeAttribute("aria-invalid");
    return true;
  }

  // ---- what may be written next

  completeSoon() {
    clearTimeout(this.wordTimer);
    this.wordTimer = setTimeout(() => this.complete(), COMPLETE_AFTER);
  }

  async complete(wanted = false) {
    const { area } = this;
    if (area.selectionStart !== area.selectionEnd || document.activeElement !== area) return this.close();
    const text = area.value, cursor = area.selectionStart;
    const answer = await this.askWords([["query", text], ["cursor", points(text.slice(0, cursor))]]);
    if (!answer) return;
    const found = (answer.suggestions ?? []).map((one) => ({ ...one, start: unit(text, one.start) }));
    // What stands there already is no suggestion.
    const other = found.filter((one) => text.slice(one.start, cursor) !== one.text);
    if (area.value !== text || area.selectionStart !== cursor || document.activeElement !== area || !other.length) return this.close();
    this.found = other;
    this.begun = other[0].start < cursor;
    // Behind what is whole the list waits until it is asked for: it would only cover what the query selects.
    if (!this.begun && !wanted && /["\])]$/.test(text.slice(0, cursor))) return this.close();
    this.show();
  }

  show() {
    this.list.replaceChildren(...this.found.map((one, place) =>
      make("li", { role: "option", id: `${this.list.id}-${place}`, "data-place": place, "aria-selected": "false" }, make("code", {}, one.text), make("span", {}, one.explanation))));
    this.list.hidden = false;
    this.list.scrollTop = 0;
    this.mark(-1);
    this.spoken.textContent = `${this.found.length} suggestion${this.found.length === 1 ? "" : "s"}: arrow keys to choose, Tab or Enter to take, Escape to close.`;
  }

  close() {
    clearTimeout(this.wordTimer);
    this.list.hidden = true;
    this.area.removeAttribute("aria-activedescendant");
  }

  mark(place) {
    this.chosen = place;
    for (const one of this.list.children) one.setAttribute("aria-selected", String(Number(one.dataset.place) === place));
    const one = this.list.children[place];
    if (one) { this.area.setAttribute("aria-activedescendant", one.id); one.scrollIntoView({ block: "nearest" }); }
    else this.area.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.key === " " && event.ctrlKey) { event.preventDefault(); this.complete(true); return; }
    if (this.list.hidden || event.isComposing) return;
    const { key } = event, last = this.found.length - 1;
    if (key === "Escape") { event.preventDefault(); event.stopPropagation(); this.close(); }
    else if (key === "ArrowDown") { event.preventDefault(); this.mark(this.chosen >= last ? 0 : this.chosen + 1); }
    else if (key === "ArrowUp") { event.preventDefault(); this.mark(this.chosen <= 0 ? last : this.chosen - 1); }
    else if (key === "Enter" && this.chosen >= 0) { event.preventDefault(); this.take(this.chosen); }
    // Tab leaves the field unless something is begun or chosen: nobody is held in here.
    else if (key === "Tab" && !event.shiftKey && (this.chosen >= 0 || this.begun)) { event.preventDefault(); this.take(Math.max(this.chosen, 0)); }
    else if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) this.close();
  }

  take(place) {
    const { area } = this, one = this.found[place], after = area.value.slice(area.selectionEnd);
    let { text } = one, end = area.selectionEnd, goes = false;
    if (text.endsWith('["key"]')) { text = text.slice(0, -5); goes = true; }
    else if (/\w$|=$/.test(text)) { text += /^\s/.test(after) ? "" : " "; goes = true; }
    else if (after.startsWith('"')) end += text.endsWith('"]') && after.startsWith('"]') ? 2 : 1;
    if (/^\w/.test(text) && /["\])]$/.test(area.value.slice(0, one.start))) text = ` ${text}`;
    if (text.endsWith('"]')) { text += " "; goes = true; }
    this.close();
    this.put(text, one.start, end, goes);
  }

  // Written as if by hand, so that it can be undone.
  put(text, start, end, goes = false) {
    const { area } = this;
    area.focus();
    area.setSelectionRange(start, end);
    this.quiet = true;
    if (!document.execCommand("insertText", false, text)) {
      area.setRangeText(text, start, end, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.quiet = false;
    this.check();
    if (goes) this.complete();
  }

  // ---- rows

  turnTo(mode) {
    this.box.dataset.mode = mode;
    for (const one of this.modes.children) one.setAttribute("aria-pressed", String(one.dataset.aqlMode === mode));
    if (mode === "aql") this.rows.replaceChildren();
  }

  // A check of what was typed in the meantime is newer and has the question dropped: then it is asked again, so that the
  // button is not lost. Nothing is asked for a press that a later one took back.
  async askRows() {
    const mine = this.pressed;
    let text, answer;
    do {
      clearTimeout(this.timer);
      text = this.area.value;
      answer = await this.ask(this.asked([["_do", "basic"], ["rows", "1"]]));
    } while (answer === null && mine === this.pressed);
    return [text, mine === this.pressed ? answer : null];
  }

  async turn(mode) {
    this.pressed = (this.pressed ?? 0) + 1;
    this.why.textContent = "";
    this.close();
    if (mode === "aql") {
      if (this.box.dataset.mode === "basic") await this.rowsAsk("read", false);
      this.turnTo("aql");
      return;
    }
    if (this.box.dataset.mode === "basic") return;
    const [text, answer] = await this.askRows();
    if (!this.tell(answer, text)) return;
    if (!answer.rows) { this.why.textContent = answer.why; return; }
    this.turnTo("basic");
    this.fill(answer.rows);
    this.rows.querySelector("select")?.focus();
  }

  // The text area is what is sent: the rows have no names of their own.
  fill(html) {
    this.rows.innerHTML = html;
    for (const one of this.rows.querySelectorAll("[name]")) {
      if (one.tagName !== "BUTTON") one.dataset.name = one.name;
      one.removeAttribute("name");
    }
    for (const one of this.rows.querySelectorAll('input[data-name="aql-key"], input[data-name="aql-values"]')) {
      const list = make("datalist", { id: `${this.id}-d${++number}` });
      one.setAttribute("list", list.id);
      one.after(list);
    }
  }

  rowTold(event, name) {
    event.stopPropagation();
    if (event.target.tagName === "SELECT") { if (name === "change") this.rowsAsk("read"); return; }
    if (name !== "input") return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rowsAsk("read", false), CHECK_AFTER);
    clearTimeout(this.wordTimer);
    this.wordTimer = setTimeout(() => this.suggest(event.target), COMPLETE_AFTER);
  }

  // One after the other, each with what stands in the rows by then: no button is lost, and nothing that was typed.
  rowsAsk(button, again = true) {
    clearTimeout(this.timer);
    this.asking = (this.asking ?? Promise.resolve()).then(() => this.rowsSend(button, again));
    return this.asking;
  }

  rowsSent() {
    return [...this.rows.querySelectorAll("[data-name]")].map((one) => [one.dataset.name, one.value]);
  }

  async rowsSend(button, again) {
    const sent = this.rowsSent();
    if (!sent.length) return;
    const answer = await this.ask(this.asked([...sent, ["_do", button], ...(again ? [["rows", "1"]] : [])]));
    if (String(this.rowsSent()) !== String(sent)) return this.rowsSend(button, again);
    const text = answer?.query ?? this.area.value;
    if (text !== this.area.value) {
      this.area.value = text;
      this.quiet = true;
      this.area.dispatchEvent(new Event("input", { bubbles: true }));
      this.quiet = false;
    }
    if (!this.tell(answer, text) || !answer.rows || !again) return;
    const focused = [...this.rows.querySelectorAll("[data-name]")].indexOf(document.activeElement);
    const had = this.rows.contains(document.activeElement);
    this.fill(answer.rows);
    if (!had) return;
    const now = [...this.rows.querySelectorAll("[data-name]")];
    if (button === "row:add") now.filter((one) => one.dataset.name === "aql-field").at(-1)?.focus();
    else (now[focused] ?? now.find((one) => one.tagName === "SELECT") ?? this.rows.querySelector("button"))?.focus();
  }

  // The values of a row are those that may be written in its query.
  async suggest(input) {
    const list = input.nextElementSibling, row = input.closest(".aql-row");
    if (list?.tagName !== "DATALIST") return;
    const of = (name) => row.querySelector(`[data-name="${name}"]`).value;
    const keyed = !row.querySelector("[data-no-key]"), value = input.dataset.name === "aql-values";
    const key = keyed ? `[${JSON.stringify(of("aql-key"))}]` : "";
    const begun = `"${input.value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}`;
    const query = value ? `${of("aql-field")}${key} = ${begun}` : `${of("aql-field")}[${begun}`;
    const answer = await this.askWords([["query", query], ["cursor", points(query)]]);
    if (!answer?.suggestions) return;
    list.replaceChildren(...answer.suggestions.map((one) => make("option", { value: JSON.parse(value ? one.text : one.text.slice(0, -1)) })));
  }
}

function dress(root) {
  for (const area of root.querySelectorAll("textarea[data-aql]")) {
    if (area.closest(".aql-stage")) continue;
    new Editor(area);
  }
}

document.documentElement.dataset.aqlReady = "yes";
dress(document);
new MutationObserver((changes) => {
  if (changes.some((one) => [...one.addedNodes].some((node) => node.nodeType === 1 && (node.matches("textarea[data-aql]") || node.querySelector("textarea[data-aql]"))))) dress(document);
}).observe(document.body, { childList: true, subtree: true });
