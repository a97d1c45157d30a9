// Security keys: allauth's script speaks to the browser; this says which form it is and what went wrong.
const form = document.querySelector("[data-key-form]");
const button = document.getElementById("key-button");
const trouble = document.querySelector("[data-key-trouble]");

if (form && button && window.PublicKeyCredential && window.allauth?.webauthn) {
  const forms = window.allauth.webauthn.forms;
  const ids = { data: "key-options", credential: "key-credential" };
  button.hidden = false;
  for (const note of document.querySelectorAll("[data-key-needs-script]")) note.hidden = true;
  button.addEventListener("click", () => { trouble.hidden = true; });
  if (form.dataset.keyForm === "add") forms.addForm({ ids: { ...ids, add: "key-button" } });
  else forms.authenticateForm({ ids: { ...ids, authenticate: "key-button" } });
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  trouble.hidden = false;
});
