// The engine's own sentences (why so many calls, why not) in the reader's language. They are English as they come; each
// pattern of i18n/reasons.js is one of their clauses. What no pattern knows stays as it came: better than nothing.

import PATTERNS from "../i18n/reasons.js";
import { lang, words } from "./i18n.js";

const t = words();

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const RULES = Object.entries(PATTERNS).map(([pattern, said]) => {
  const names = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return [new RegExp("^" + escaped(pattern).replace(/\\\{(\w+)\\\}/g, (_, name) => (name === "why" ? "(.+)" : "([^,;]+?)")) + "$"), names, said];
});

function clause(text) {
  for (const [shape, names, said] of RULES) {
    const found = shape.exec(text);
    if (found) return said.replace(/\{(\w+)\}/g, (_, name) => found[1 + names.indexOf(name)]);
  }
  return null;
}

const part = (text) => clause(text) ?? parts(text);

/** As few pieces between commas as are known. */
function parts(text) {
  const pieces = text.split(", ");
  for (let cut = pieces.length - 1; cut > 0; cut--) {
    const first = clause(pieces.slice(0, cut).join(", "));
    if (first) return `${first}, ${part(pieces.slice(cut).join(", "))}`;
  }
  return text;
}

const RULED = /^([a-z_]+): (.+)$/; // the gate's: a rule's name before its sentence

/** A refusal of the gate; null: it is none. */
function ruled(text) {
  const found = RULED.exec(text);
  if (!found) return null;
  const [, rule, sentence] = found;
  const known = t.has("rule." + rule);
  if (lang() === "en") return known || /^[A-Z\d]/.test(sentence) ? sentence : null;
  const said = known ? t("rule." + rule) : clause(sentence);
  return said && t("not_called", { rule: said.charAt(0).toLowerCase() + said.slice(1) });
}

/** A sentence of the engine for people. */
export function reason(text) {
  const refused = text && ruled(text);
  if (refused) return refused;
  if (!text || lang() === "en") return text ?? "";
  const found = /^(No|\d+) (call|account)s?( to offer)?: (.*)$/.exec(text);
  const said = (found ? found[4] : text).split("; ").map(part).join("; ").replace(/(\d)\.(\d)/g, "$1,$2");
  // figures as they are written here: 2.3 is 2,3
  if (!found) return said.charAt(0).toUpperCase() + said.slice(1);
  const what = found[2] === "call" ? "panggilan" : "akun";
  const head = found[1] === "No" ? `Tidak ada ${what} baru` : `${found[1]} ${what} baru`;
  return `${head}: ${said}`;
}
