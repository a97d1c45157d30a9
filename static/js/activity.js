// Typing a number or a day under "More filters" chooses the period that makes it count.
const form = document.querySelector("form[data-filters]");

form?.addEventListener("input", ({ target }) => {
  if (!target.value) return;
  if (["last", "unit", "whole"].includes(target.name) && form.elements.last.value) form.elements.period.value = "last";
  if (["from", "to"].includes(target.name)) form.elements.period.value = "between";
  if (form.elements.period.value !== "between") form.elements.from.value = form.elements.to.value = "";
  if (form.elements.period.value !== "last") form.elements.last.value = "";
});
