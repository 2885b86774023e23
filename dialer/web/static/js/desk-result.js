// The result of a talk: one key chooses it, its figures are checked before they are sent, and a note goes along.

import { day, money, now, zoneName } from "./lib/format.js";
import { Button, Field, Icon, Note, html, toast, trouble, useEffect, useKeys, useLayoutEffect, useRef, useState } from "./lib/ui.js";
import { words } from "./lib/i18n.js";
import { amountOf } from "./desk-model.js";
import en from "./i18n/desk.en.js";
import id from "./i18n/desk.id.js";

const t = words({ id, en });

// key, word: those that end most talks have figures, the rest letters
export const RESULTS = [
  ["1", "promise"], ["2", "call_back"], ["3", "paid_claim"], ["4", "refuses"],
  ["5", "not_at_home"], ["6", "hardship"], ["7", "dispute"], ["8", "wrong_number"],
  ["9", "new_number"], ["0", "stop"], ["A", "abusive"], ["V", "machine"],
  ["C", "cut_off"], ["D", "deceased"], ["N", "no_result"],
];
const FOR_GOOD = new Set(["stop", "wrong_number", "deceased"]);

/** Why the draft cannot be sent, by field: {} is well. Days are the debtor's. */
export function faultsOf(draft, pop) {
  const faults = {};
  if (draft.word === "promise") {
    const amount = amountOf(draft.amount, pop?.currency);
    const limit = pop?.limit;
    if (!draft.day) faults.day = t("fault.day");
    else if (limit && draft.day < limit.first_day) faults.day = t("fault.past");
    else if (limit && draft.day > limit.last_day) faults.day = t("fault.late", { day: day(limit.last_day) });
    if (limit?.most && amount > limit.most) faults.amount = t("fault.most", { amount: money(limit.most, pop.currency) });
    else if (limit?.least && amount && amount < limit.least) faults.amount = t("fault.least", { amount: money(limit.least, pop.currency) });
  }
  if (draft.word === "call_back") {
    if (draft.day && !draft.time) faults.time = t("fault.time");
    if (!draft.day && draft.time) faults.day = t("fault.day");
  }
  if (draft.word === "new_number" && draft.number.replace(/\D/g, "").length < 8) faults.number = t("fault.number");
  return faults;
}

export function Result({ desk }) {
  const { draft, pop, note } = desk;
  const [touched, touch] = useState(false);
  const [refused, setRefused] = useState("");
  const first = useRef();
  const toFocus = useRef(false);
  const wraps = note.state === "wrap_up";
  const lost = note.state === "lost";
  const faults = faultsOf(draft, pop);
  const shown = (name) => (touched ? faults[name] ?? "" : "");
  const choose = (word) => {
    desk.type({ word: desk.draft.word === word ? "" : word });
    setRefused("");
    touch(false);
    toFocus.current = true;
  };
  useLayoutEffect(() => { // before the next key can come: a digit meant for the amount is no result
    if (toFocus.current) first.current?.querySelector("input, textarea")?.focus();
    toFocus.current = false;
  });
  const send = async () => {
    const wrapping = desk.note.state === "wrap_up"; // as it is now: keys may come faster than the page is drawn
    touch(true);
    setRefused("");
    if (!desk.draft.word) return setRefused(t("fault.choose"));
    if (Object.keys(faultsOf(desk.draft, desk.pop)).length) return requestAnimationFrame(() => first.current?.querySelector("[aria-invalid=true]")?.focus());
    try {
      await desk.send();
      toast(t(wrapping ? "result.sent" : "result.kept"));
    } catch (problem) {
      setRefused(problem.status === 409 && problem.type?.endsWith(":call_over") ? t("result.too_late") : trouble(problem));
    }
    return undefined;
  };
  useKeys({
    ...Object.fromEntries(RESULTS.map(([key, word]) => [key, { what: t("word." + word), run: () => choose(word) }])),
    "Ctrl+Enter": { what: t(wraps ? "result.send" : "result.keep"), run: send },
  }, [draft.word, wraps, JSON.stringify(draft), note.attempt]);
  useEffect(() => { setRefused(""); touch(false); }, [note.attempt]);
  const type = (name) => (value) => desk.type({ [name]: value });
  const soon = (days) => { const at = new Date(Date.parse((pop?.limit.first_day ?? new Date(now() * 1000).toISOString().slice(0, 10)) + "T00:00:00Z")); at.setUTCDate(at.getUTCDate() + days); return at.toISOString().slice(0, 10); };
  const chosen = draft.word;
  return html`<section class="card desk-result stack" aria-labelledby="result-title"><div class="row spread"><h2 id="result-title">${t("result")}</h2>${chosen && html`<span class="strong">${t("word." + chosen)}</span>`}</div>
    <div class="desk-words" role="group" aria-label=${t("result")}>${RESULTS.map(([key, word]) => html`<${Button} key=${word} size="s" pressed=${chosen === word} onClick=${() => choose(word)} keys=${key} class="desk-word">${t("word." + word)}</${Button}>`)}</div>
    <div ref=${first} class="stack">
      ${chosen === "promise" && html`<div class="desk-fields"><${Field} label=${t("field.amount", { currency: pop?.currency ?? "" })} value=${draft.amount} onValue=${type("amount")} inputmode="decimal" fault=${shown("amount")} autocomplete="off"
          hint=${draft.amount && !faults.amount ? money(amountOf(draft.amount, pop?.currency), pop?.currency) : pop?.limit.most ? t("hint.amount", { least: money(pop.limit.least, pop.currency), most: money(pop.limit.most, pop.currency) }) : undefined} />
        <${Field} kind="date" label=${t("field.day")} value=${draft.day} onValue=${type("day")} min=${pop?.limit.first_day} max=${pop?.limit.last_day} fault=${shown("day")} hint=${pop?.limit ? t("hint.day", { day: day(pop.limit.last_day) }) : undefined} /></div>
        <div class="row">${pop?.outstanding ? html`<${Button} size="s" onClick=${() => desk.type({ amount: String(pop.currency === "IDR" ? pop.outstanding : (pop.outstanding / 100).toFixed(2)) })}>${t("quick.all")}</${Button}>` : null}
          ${[[0, "quick.today"], [1, "quick.tomorrow"], [7, "quick.week"]].map(([days, word]) => html`<${Button} key=${word} size="s" onClick=${() => desk.type({ day: soon(days) })}>${t(word)}</${Button}>`)}</div>`}
      ${chosen === "call_back" && html`<div class="desk-fields"><${Field} kind="date" label=${t("field.call_day")} value=${draft.day} onValue=${type("day")} min=${pop?.limit.first_day} fault=${shown("day")} />
        <${Field} kind="time" label=${t("field.call_time")} value=${draft.time} onValue=${type("time")} fault=${shown("time")} hint=${pop?.zone ? t("hint.zone", { zone: zoneName(pop.zone) }) : t("hint.no_zone")} /></div>
        <div class="row">${[[0, "quick.today"], [1, "quick.tomorrow"], [7, "quick.week"]].map(([days, word]) => html`<${Button} key=${word} size="s" onClick=${() => desk.type({ day: soon(days) })}>${t(word)}</${Button}>`)}</div>`}
      ${chosen === "new_number" && html`<${Field} kind="tel" label=${t("field.number")} value=${draft.number} onValue=${type("number")} fault=${shown("number")} autocomplete="off" />`}
      ${FOR_GOOD.has(chosen) && html`<${Note} tone="warn"><span>${t("warn." + chosen)}</span></${Note}>`}
      ${chosen === "abusive" && html`<${Note} tone="rest" icon="cup"><span>${t("warn.abusive")}</span></${Note}>`}
      <${Field} kind="textarea" label=${t("field.note")} value=${draft.note} onValue=${type("note")} rows="2" maxlength="1000" />
    </div>
    ${refused && html`<${Note} tone="bad" role="alert">${refused}</${Note}>`}
    ${lost && html`<${Note} tone="warn" icon="lost">${t("lost.text")}</${Note}>`}
    <div class="row end desk-send"><${Button} kind="main" size="l" icon=${wraps ? "right" : "check"} act=${send} disabled=${note.state === "reserved"} keys="Ctrl ↵">${t(wraps ? "result.send" : "result.keep")}</${Button}></div>
    <p class="small soft"><${Icon} name="lock" /> ${t("result.safe")}</p></section>`;
}
