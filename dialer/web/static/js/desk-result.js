// The result of a talk: one key chooses it, its figures are checked before they are sent, and a note goes along.

import { day, money, now, zoneName } from "./lib/format.js";
import { Button, Field, Icon, Note, html, toast, trouble, useKeys, useLayoutEffect, useRef, useState } from "./lib/ui.js";
import { words } from "./lib/i18n.js";
import { amountOf } from "./desk-model.js";
import { Cost, Offers, offerName, offerOf } from "./desk-offers.js";
import en from "./i18n/desk.en.js";
import id from "./i18n/desk.id.js";

const t = words({ id, en });

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
  if (draft.word === "offer" && !offerOf(draft, pop)) faults.offer = t(draft.offer ? "fault.offer_gone" : "fault.offer");
  if (pop?.results?.some((one) => one.word === draft.word && one.note) && !draft.note.trim()) faults.note = t("fault.note");
  if (draft.word === "new_number" && draft.number.replace(/\D/g, "").length < 8) faults.number = t("fault.number");
  return faults;
}

/** [{key, word, note}]: what a talk of this campaign may end with; an offer only where the lender makes one. */
const resultsOf = (pop) => (pop?.results ?? []).filter((one) => one.word !== "offer" || pop.offers?.length);

export function Result({ desk }) {
  const { draft, pop, note } = desk;
  const [touched, touch] = useState(false);
  const [refused, setRefused] = useState("");
  const [offering, offer] = useState(false);
  const results = resultsOf(pop);
  const first = useRef();
  const toFocus = useRef(false);
  const wraps = note.state === "wrap_up";
  const lost = note.state === "lost";
  const faults = faultsOf(draft, pop);
  const shown = (name) => (touched ? faults[name] ?? "" : "");
  const choose = (word) => {
    if (word === "offer") return offer(true);
    desk.type({ word: desk.draft.word === word ? "" : word });
    setRefused("");
    touch(false);
    toFocus.current = true;
    return undefined;
  };
  const take = (id) => {
    desk.type({ word: "offer", offer: id });
    setRefused("");
    offer(false);
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
    if (desk.draft.word === "offer" && !offerOf(desk.draft, desk.pop)) return setRefused(faultsOf(desk.draft, desk.pop).offer);
    if (Object.keys(faultsOf(desk.draft, desk.pop)).length) return requestAnimationFrame(() => first.current?.querySelector("[aria-invalid=true]")?.focus());
    try {
      const told = await desk.send();
      toast(t(told.late ? "result.late" : wrapping ? "result.sent" : "result.kept"), told.late ? "warn" : "good");
    } catch (problem) {
      if (desk.draft.word === "offer") desk.renew(); // what the lender offers may have changed since it was shown
      setRefused(problem.status === 409 && problem.type?.endsWith(":call_over") ? t("result.too_late") : trouble(problem));
    }
    return undefined;
  };
  useKeys({
    ...Object.fromEntries(results.map(({ key, word }) => [key, { what: t("word." + word), run: () => choose(word) }])),
    "Ctrl+Enter": { what: t(wraps ? "result.send" : "result.keep"), run: send },
  }, [draft.word, wraps, JSON.stringify(draft), note.attempt, pop]);
  const type = (name) => (value) => desk.type({ [name]: value });
  const soon = (days) => { const at = new Date(Date.parse((pop?.limit.first_day ?? new Date(now() * 1000).toISOString().slice(0, 10)) + "T00:00:00Z")); at.setUTCDate(at.getUTCDate() + days); return at.toISOString().slice(0, 10); };
  const chosen = draft.word;
  const taken = offerOf(draft, pop);
  return html`<section class="card desk-result stack" aria-labelledby="result-title"><div class="row spread"><h2 id="result-title">${t("result")}</h2>${chosen && html`<span class="strong">${t("word." + chosen)}</span>`}</div>
    <div class="desk-words" role="group" aria-label=${t("result")}>${results.map(({ key, word }) => html`<${Button} key=${word} size="s" pressed=${chosen === word} onClick=${() => choose(word)} keys=${key} class="desk-word">${t("word." + word)}</${Button}>`)}</div>
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
      ${chosen === "offer" && html`<div class="note desk-taken"><div class="grow stack-s"><strong>${taken ? offerName(taken) : faults.offer}</strong>${taken && html`<${Cost} offer=${taken} currency=${pop.currency} />`}
        <div><${Button} size="s" onClick=${() => offer(true)} keys="O" disabled=${!pop?.offers?.length}>${t("offer.change")}</${Button}></div></div></div>`}
      ${FOR_GOOD.has(chosen) && html`<${Note} tone="warn"><span>${t("warn." + chosen)}</span></${Note}>`}
      ${chosen === "abusive" && html`<${Note} tone="rest" icon="cup"><span>${t("warn.abusive")}</span></${Note}>`}
      <${Field} kind="textarea" label=${t("field.note")} value=${draft.note} onValue=${type("note")} rows="2" maxlength="1000" fault=${chosen ? shown("note") : undefined} />
    </div>
    ${refused && html`<${Note} tone="bad" role="alert">${refused}</${Note}>`}
    ${lost && html`<${Note} tone="warn" icon="lost">${t("lost.text")}</${Note}>`}
    <div class="row end desk-send"><${Button} kind="main" size="l" icon=${wraps ? "right" : "check"} act=${send} disabled=${note.state === "reserved"} keys="Ctrl ↵">${t(wraps ? "result.send" : "result.keep")}</${Button}></div>
    ${offering && pop?.offers?.length && html`<${Offers} pop=${pop} chosen=${draft.offer} onTake=${take} onClose=${() => offer(false)} />`}
    <p class="small soft"><${Icon} name="lock" /> ${t("result.safe")}</p></section>`;
}
