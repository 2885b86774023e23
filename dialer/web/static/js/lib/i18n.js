// Two languages, one table per language and page: js/i18n/PAGE.id.js and PAGE.en.js, JSON after `export default`.
//
//     import id from "./i18n/board.id.js";
//     import en from "./i18n/board.en.js";
//     const t = words({ id, en });
//     t("board.calls", { n: 3 })
//
// `{name}` is replaced; "one thing|{n} things" takes the first part when n is 1. A key that the page's table lacks is
// looked up in the common one. tests/web/test_static.py holds both languages of a table to the same keys and names in
// braces, and every key in the sources to a table.

import common_en from "../i18n/common.en.js";
import common_id from "../i18n/common.id.js";
import { keep, kept } from "./kept.js";

const COMMON = { id: common_id, en: common_en };
const heard = new Set();
let current = kept("lang") === "en" ? "en" : "id";
document.documentElement.lang = current;

/** "id" or "en". */
export const lang = () => current;

/** Show everything in the other language; what was typed stays. */
export function setLang(wanted) {
  current = wanted === "en" ? "en" : "id";
  keep("lang", current);
  document.documentElement.lang = current;
  for (const told of heard) told(current);
}

/** Call `told(lang)` on every change; gives what ends it. */
export function onLang(told) {
  heard.add(told);
  return () => heard.delete(told);
}

/** The t(key, values) of a page's two tables. `t.has(key)`: whether there is such a key. */
export function words(tables = { id: {}, en: {} }) {
  const find = (key) => tables[current][key] ?? COMMON[current][key];
  const t = (key, values = {}) => fill(find(key) ?? key, values);
  t.has = (key) => find(key) !== undefined;
  return t;
}

function fill(text, values) {
  const parts = text.split("|");
  const said = parts.length === 2 ? parts[values.n === 1 ? 0 : 1] : text;
  return said.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
