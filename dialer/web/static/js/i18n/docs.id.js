export default {
  "title": "API – Santun",
  "heading": "API Santun",
  "download": "Unduh OpenAPI",
  "right": "Perlu hak",
  "right.none": "Tanpa hak khusus",
  "parameters": "Parameter",
  "place": "Tempat",
  "form": "Bentuk",
  "takes": "Menerima",
  "gives": "Memberi",
  "refusals": "Penolakan:",
  "letters": "paling banyak {n} huruf"
};
