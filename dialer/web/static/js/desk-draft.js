// What an agent has typed about a call: kept in this browser at each key, gone when it has been sent.

import { keep, kept } from "./lib/kept.js";

const PREFIX = "draft.";
const KEPT_MS = 3 * 86_400_000;

export const EMPTY = { word: "", amount: "", day: "", time: "", number: "", offer: "", note: "" };

/** The draft of a call; empty where nothing was typed. */
export function draftOf(attempt) {
  try {
    return { ...EMPTY, ...JSON.parse(kept(PREFIX + attempt) ?? "{}") };
  } catch {
    return { ...EMPTY };
  }
}

/** Keep it; `name` and `campaign` are for when the draft is all that is left; `sent`: the server has it as it stands. */
export function keepDraft(attempt, draft, { name = "", campaign = "", sent = false } = {}) {
  const typed = Object.keys(EMPTY).some((key) => draft[key]);
  keep(PREFIX + attempt, typed ? JSON.stringify({ ...draft, name, campaign, sent, at: Date.now() }) : null);
}

export const dropDraft = (attempt) => keep(PREFIX + attempt, null);

/** [{attempt, ...draft, name, at}] of other calls: typed and never sent. Old ones are dropped. */
export function unsent(but) {
  const found = [];
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith("santun." + PREFIX)) continue;
      const attempt = key.slice(("santun." + PREFIX).length);
      const draft = draftOf(attempt);
      if (attempt === but) continue;
      if (draft.sent || !draft.word && !draft.note.trim() || Date.now() - (draft.at ?? 0) > KEPT_MS) dropDraft(attempt);
      else found.push({ attempt, ...draft });
    }
  } catch {
    // no storage: nothing kept
  }
  return found;
}
