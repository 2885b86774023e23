// What is wrong with a setting or a value, by its code and facts: {code, params, text}. `text` is the English sentence of
// the server, for a code that this page does not know yet.

import en from "../i18n/faults.en.js";
import id from "../i18n/faults.id.js";
import { words } from "./i18n.js";

const t = words({ id, en });

/** The sentence for people; a fact `where` is its beginning. */
export function fault({ code = "", params = {}, text = "" }) {
  if (!code || !t.has(code)) return text;
  return params.where ? `${params.where}: ${t(code, params)}` : t(code, params);
}

/** What is to be done about it; empty: nothing is known. */
export const cure = ({ code = "", params = {}, cure: text = "" }) => (t.has("cure." + code) ? t("cure." + code, params) : text);
