// A button that says what will be: how much of a request is approved, and for how long.
const all = () => { for (const form of document.querySelectorAll("form[data-answer]:not([data-told])")) tell(form); };
document.addEventListener("swapped", all);
all();

function tell(form) {
  form.dataset.told = "yes";
  const button = form.querySelector("[data-approve]"), plain = button.textContent;
  const say = () => {
    const units = [...form.querySelectorAll("[name=keep]")], kept = units.filter((one) => one.checked).length;
    const time = form.querySelector("[name=seconds]:checked")?.parentElement.textContent.trim().split(",")[0];
    if (!units.length) return;
    const much = kept < units.length ? ` ${kept} of ${units.length}` : "";
    const long = time === "Without an end" ? " without an end" : ` for ${time}`;
    button.textContent = kept ? `${plain}${much}${long}` : "Reject: nothing is left";
  };
  form.addEventListener("change", say);
  say();
}
