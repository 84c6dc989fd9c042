// The documentation of the API: Swagger UI over our OpenAPI document, in the theme of the page.
const root = document.documentElement;
const place = document.getElementById("swagger-ui");
const darkSystem = matchMedia("(prefers-color-scheme: dark)");

const followTheme = () => {
  const theme = root.dataset.theme || (darkSystem.matches ? "dark" : "light");
  root.classList.toggle("dark-mode", theme === "dark"); // what its style sheet looks for
};
new MutationObserver(followTheme).observe(root, { attributeFilter: ["data-theme"] });
darkSystem.addEventListener("change", followTheme);
followTheme();

window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: false, // else a link stands in each button
  defaultModelsExpandDepth: -1, // each operation shows its own
  syntaxHighlight: { activated: false }, // its colours are too pale to read
  validatorUrl: null, // nobody else is asked
  supportedSubmitMethods: ["get"],
});
