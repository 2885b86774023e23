export default {
  "title": "API – Santun",
  "heading": "Santun’s API",
  "download": "Download OpenAPI",
  "right": "Needs the right",
  "right.none": "No particular right",
  "parameters": "Parameter",
  "place": "Place",
  "form": "Form",
  "takes": "Takes",
  "gives": "Gives",
  "refusals": "Refusals:",
  "letters": "at most {n} letters"
};
