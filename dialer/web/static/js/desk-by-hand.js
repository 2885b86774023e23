// A number of an account, dialled by hand: the account is found by what the agent was told, then one of its numbers called.

import { money, phone } from "./lib/format.js";
import { Button, Dialog, Field, Note, html, trouble, useKeys, useLayoutEffect, useRef, useState } from "./lib/ui.js";
import { keep, kept } from "./lib/kept.js";
import { words } from "./lib/i18n.js";
import { Late } from "./desk-account.js";
import en from "./i18n/desk.en.js";
import id from "./i18n/desk.id.js";

const t = words({ id, en });
const NEVER = new Set(["dead", "stop", "wrong_person"]);

/** His numbers that may be tried, each with its place. */
export const numbersOf = (pop) => (pop?.numbers ?? []).map((one, place) => ({ ...one, place })).filter((one) => !NEVER.has(one.state));

/** Free, or on a break of his own that ends when he says so: the engine allows no other. */
export const mayDial = (note) => ["idle", "preview"].includes(note.state)
  || (note.state === "break" && !note.sent_by && !note.break_until && note.break_reason !== "supervising");

export const numberWord = (one) => `${phone(one.number)} · ${t("number_kind." + one.kind)}`;

/** Find an account, then call: digits choose a number, Enter the one that is marked. */
export function ByHand({ desk, onClose }) {
  const [wanted, want] = useState({ number: "", account: "", lender: kept("desk.lender", "") });
  const [found, set] = useState(null);
  const [wrong, say] = useState("");
  const box = useRef();
  const recent = desk.recent.filter((one) => one.campaign === desk.note.campaign);
  const calls = (found ?? []).flatMap((pop) => numbersOf(pop).map((one) => ({ ...one, contact: pop.contact })));
  const well = async (work) => {
    say("");
    try {
      await work();
    } catch (problem) {
      say(trouble(problem));
    }
  };
  const look = (body) => well(async () => {
    set(await desk.find(body));
    if (body.account) keep("desk.lender", body.lender); // of most campaigns the only one
  });
  const search = () => look(wanted.number.trim() ? { number: wanted.number } : { account: wanted.account, lender: wanted.lender });
  const call = ({ contact, place }) => well(async () => {
    await desk.order("dial", { contact, number: place });
    onClose();
  });
  const again = () => { set(null); say(""); };
  useLayoutEffect(() => box.current?.querySelector(found ? "button" : "input")?.focus(), [found]);
  useKeys(Object.fromEntries(calls.slice(0, 9).map((one, n) => [String(n + 1), { what: numberWord(one), run: () => call(one), modal: true }])), [found]);
  const type = (name) => (value) => want((was) => ({ ...was, [name]: value }));
  return html`<${Dialog} title=${t("by_hand.title")} onClose=${onClose} onSend=${found ? undefined : search} footer=${found
    ? html`<${Button} onClick=${again}>${t("by_hand.again")}</${Button}>`
    : html`<${Button} onClick=${onClose} keys="Esc">${t("cancel")}</${Button}><${Button} kind="main" type="submit" icon="search" disabled=${!wanted.number.trim() && !wanted.account.trim()} keys="↵">${t("by_hand.find")}</${Button}>`}>
    <p class="soft">${t(found ? "by_hand.found" : "by_hand.text")}</p>
    <div ref=${box} class="stack">${found ? found.map((pop) => html`<${Found} key=${pop.contact} pop=${pop} calls=${calls} onCall=${call} />`) : html`
      <${Field} kind="tel" label=${t("by_hand.number")} value=${wanted.number} onValue=${type("number")} autocomplete="off" maxlength="40" />
      <div class="desk-fields"><${Field} label=${t("by_hand.account")} value=${wanted.account} onValue=${type("account")} autocomplete="off" maxlength="100" />
        <${Field} label=${t("account.lender")} value=${wanted.lender} onValue=${type("lender")} autocomplete="off" maxlength="100" /></div>
      ${recent.length > 0 && html`<div class="stack-s"><span class="label">${t("by_hand.recent")}</span><div class="row">${recent.map((one) => html`
        <${Button} key=${one.contact} size="s" act=${() => look({ contact: one.contact })}>${one.name || t("account.unknown")}</${Button}>`)}</div></div>`}`}</div>
    ${wrong && html`<${Note} tone="bad" role="alert">${wrong}</${Note}>`}</${Dialog}>`;
}

function Found({ pop, calls, onCall }) {
  const his = calls.map((one, n) => [one, n + 1]).filter(([one]) => one.contact === pop.contact);
  return html`<section class="desk-chosen stack-s"><div class="row spread"><h3>${pop.name || t("account.unknown")}</h3><${Late} pop=${pop} /></div>
    <div class="row small soft">${[pop.account, pop.lender, pop.outstanding ? money(pop.outstanding, pop.currency) : ""].filter(Boolean).join(" · ")}</div>
    ${his.length ? his.map(([one, n]) => html`<${Button} key=${one.place} class="desk-offer" icon="phone" act=${() => onCall(one)} keys=${n < 10 ? String(n) : undefined}><span class="grow">${numberWord(one)}</span></${Button}>`)
      : html`<${Note} tone="warn">${t("by_hand.no_number")}</${Note}>`}</section>`;
}
