// Who is on the line: the account, what was promised and said before, the script, and the agent's own day.

import { count, day, money, moment, phone, seconds, span, zoneName } from "./lib/format.js";
import { Badge, Button, Icon, html, useEffect, useKeys, useState, useTick } from "./lib/ui.js";
import { words } from "./lib/i18n.js";
import en from "./i18n/desk.en.js";
import id from "./i18n/desk.id.js";

const t = words({ id, en });
const DASH = "–";
const STAGE_SIGN = { early: "clock", late: "calendar", broken: "alert", hardship: "shield", angry: "help" };

/** What was the result, in the reader's language. */
export const wordOf = (word) => (word && t.has("word." + word) ? t("word." + word) : word);

const Fact = ({ name, children }) => children === null || children === undefined || children === "" ? null : html`<dt>${name}</dt><dd>${children}</dd>`;

/** How late the payment is; nothing where that is not shown. */
export function Late({ pop }) {
  if (pop.days_late === undefined || pop.days_late === null) return null;
  if (pop.days_late <= 0) return html`<${Badge} tone="good" icon="calendar">${pop.days_late === 0 ? t("account.due_today") : t("account.due_in", { n: -pop.days_late })}</${Badge}>`;
  return html`<${Badge} tone=${pop.days_late > 30 ? "bad" : "warn"} icon="alert">${t("account.late", { n: pop.days_late })}</${Badge}>`;
}

/** The account; before it comes its place is kept. */
export function Account({ pop, note }) {
  if (!pop) return html`<section class="card desk-account" aria-busy="true"><h2>${t("account")}</h2><p class="soft">${t("loading")}</p></section>`;
  const promises = pop.promises;
  return html`<section class="card desk-account stack" aria-labelledby="who">
    <header class="stack-s"><div class="row spread"><h1 id="who" class="desk-name">${pop.name || t("account.unknown")}</h1>
        ${pop.kind && html`<${Badge} icon=${pop.kind === "call_back" ? "clock" : pop.kind === "inbound" ? "phone-in" : "phone"}>${t.has("kind." + pop.kind) ? t("kind." + pop.kind) : pop.kind}</${Badge}>`}</div>
      <div class="row small"><span class="mono">${phone(pop.number || note?.number || pop.numbers?.[pop.next_number ?? 0]?.number)}</span>${pop.number_kind && pop.number_kind !== "debtor"
        ? html`<${Badge} tone="warn" icon="alert">${t("number." + pop.number_kind)}</${Badge}>` : html`<span class="soft">${t("number.debtor")}</span>`}
        ${pop.zone && html`<${LocalTime} zone=${pop.zone} />`}</div></header>
    ${pop.outstanding !== undefined && pop.outstanding !== null && html`<div class="row spread desk-sum"><span class="big">${money(pop.outstanding, pop.currency)}</span><${Late} pop=${pop} /></div>`}
    <dl class="facts">
      <${Fact} name=${t("account.lender")}>${pop.lender}</${Fact}><${Fact} name=${t("account.product")}>${pop.product}</${Fact}>
      <${Fact} name=${t("account.number")}>${pop.account}</${Fact}>
      <${Fact} name=${t("account.due")}>${pop.due && day(pop.due)}</${Fact}>
      <${Fact} name=${t("account.minimum")}>${pop.minimum && money(pop.minimum, pop.currency)}</${Fact}>
      <${Fact} name=${t("account.fee")}>${pop.fee && money(pop.fee, pop.currency)}</${Fact}>
      <${Fact} name=${t("account.incentive")}>${pop.incentive && money(pop.incentive, pop.currency)}</${Fact}>
      <${Fact} name=${t("account.place")}>${[pop.regency, pop.province].filter(Boolean).join(", ")}</${Fact}>
    </dl>
    ${pop.heard?.length ? html`<div class="note tone-busy"><${Icon} name="robot" /><div class="grow"><strong>${t("account.heard")}</strong>
      <ul class="plain">${pop.heard.map((one, n) => html`<li key=${n}>${t.has("heard." + one.what) ? t("heard." + one.what) : wordOf(one.what)} <span class="soft">${heardValue(one, pop)}</span></li>`)}</ul></div></div>` : null}
    ${promises && html`<div class="stack-s"><h2 class="label">${t("account.promises")}</h2>
      <div class="row"><${Badge} tone=${promises.kept ? "good" : "quiet"} icon="check">${t("promises.kept", { n: promises.kept })}</${Badge}>
        <${Badge} tone=${promises.broken ? "bad" : "quiet"} icon="bad">${t("promises.broken", { n: promises.broken })}</${Badge}>
        ${promises.part ? html`<${Badge} tone="warn" icon="money">${t("promises.part", { n: promises.part })}</${Badge}>` : null}</div>
      ${promises.open_day && html`<p class="small">${t("promises.open", { amount: promises.open_amount ? money(promises.open_amount, pop.currency) : DASH, day: day(promises.open_day) })}</p>`}</div>`}
    ${pop.contacts && html`<div class="stack-s"><h2 class="label">${t("account.contacts")}</h2>
      ${pop.contacts.length ? html`<ul class="plain desk-past">${pop.contacts.map((one) => html`<li key=${one.at}><span class="soft">${moment(one.at)}</span> ${wordOf(one.disposition) || (t.has("outcome." + one.outcome) ? t("outcome." + one.outcome) : one.outcome)}
        ${one.promised ? html` <span>${money(one.promised, pop.currency)}</span>` : null} <span class="soft">${one.talk_s ? span(one.talk_s) : ""}</span></li>`)}</ul>`
        : html`<p class="small soft">${t("account.no_contacts")}</p>`}</div>`}
    ${pop.notes?.length ? html`<div class="stack-s"><h2 class="label">${t("account.notes")}</h2><ul class="plain desk-past">${pop.notes.map((one) => html`<li key=${one.at}><span class="soft">${moment(one.at)} ${one.by}</span><br />${one.text}</li>`)}</ul></div>` : null}
  </section>`;
}

function heardValue(one, pop) {
  if (one.what === "promise") {
    const [when, amount] = one.value.split(";");
    return `${day(when)} ${amount ? money(Number(amount), pop.currency) : ""}`;
  }
  if (one.what === "offer") {
    const parts = one.value.split(";").slice(1).map((part) => part.split("="));
    return parts.length ? `${parts.length > 1 ? t("offer.parts", { n: parts.length }) + ", " : ""}${day(parts[0][0])} ${money(Number(parts[0][1]), pop.currency)}` : "";
  }
  if (one.what === "call_back" && seconds(one.value)) return moment(one.value, pop.zone);
  return "";
}

function LocalTime({ zone }) {
  useTick(20);
  return html`<span class="soft">${t("account.there", { time: moment(Date.now() / 1000, zone).split(",").pop().trim() || zoneName(zone) })}</span>`;
}

/** What to say; the stage is chosen by the debt, and by the agent when the talk turns. */
export function Script({ pop }) {
  const stages = Object.keys(STAGE_SIGN);
  const [stage, set] = useState(null);
  const shown = stage ?? pop?.script.stage ?? "early";
  useEffect(() => set(null), [pop?.attempt]);
  useKeys({ "]": { what: t("script.next"), run: () => set(stages[(stages.indexOf(shown) + 1) % stages.length]) }, "[": { what: t("script.before"), run: () => set(stages[(stages.indexOf(shown) + stages.length - 1) % stages.length]) } }, [shown]);
  if (!pop) return html`<section class="card desk-script"></section>`;
  return html`<section class="card desk-script stack" aria-labelledby="script-title"><div class="row spread"><h2 id="script-title">${t("script")}</h2>
      <span class="small soft"><kbd>[</kbd> <kbd>]</kbd></span></div>
    <div class="row desk-stages" role="group" aria-label=${t("script.stage")}>${stages.map((one) => html`<${Button} key=${one} size="s" icon=${STAGE_SIGN[one]} pressed=${one === shown} onClick=${() => set(one)}>${t("stage." + one)}</${Button}>`)}</div>
    <ol class="desk-steps">${pop.script.steps[shown].map((one, n) => html`<li key=${shown + n}><strong>${one.title}</strong>${one.say && html`<p lang=${pop.language} class="desk-say">${one.say}</p>`}
      ${one.do && html`<p class="small soft">${one.do}</p>`}</li>`)}</ol></section>`;
}

/** The agent's day so far. */
export function DayLine({ day: seen }) {
  if (!seen) return null;
  const figures = [["talks", count(seen.talks)], ["talk_s", span(seen.talk_s)], ["contacts", count(seen.contacts)], ["promises", count(seen.promises)], ["kept", count(seen.kept)]];
  return html`<section class="card" aria-labelledby="day-title"><header><h2 id="day-title">${t("day")}</h2></header>
    <div class="desk-day">${figures.map(([name, value]) => html`<div class="tile" key=${name}><span class="name">${t("day." + name)}</span><span class="value">${value}</span></div>`)}</div></section>`;
}
