// Shows the document that describes the API. A token that is typed in stays in this page, and goes with it.
const place = document.getElementById("api");
window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  // Two hundred operations: what they are about first, and a box to narrow that.
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
});
