// Who is skipped: right now, with names, and hour by hour of a day to come.

import { get } from "./lib/api.js";
import { count, moment, phone, time, zoneName } from "./lib/format.js";
import { lang, words } from "./lib/i18n.js";
import { Button, Field, Meter, Table, Trouble, html, useAsked, useState } from "./lib/ui.js";
import en from "./i18n/campaigns.en.js";
import id from "./i18n/campaigns.id.js";

const t = words({ id, en });
const ruleOf = (rule) => (t.has("rule." + rule) ? t("rule." + rule) : rule);

const again_ = (rule, when) => (when ? moment(when) : rule === "under_way" ? "–" : t("now.never"));

export const Skips = ({ campaign }) => html`<div class="stack-l"><${Now} campaign=${campaign} /><${Day} campaign=${campaign} /></div>`;

function Now({ campaign }) {
  const [rule, pick] = useState("");
  const [seen, problem, again] = useAsked(() => get(`/campaigns/${campaign}/skips`, { rule }), [campaign, rule]);
  return html`<section class="stack"><div class="row spread"><h3>${t("now.title")}</h3><${Button} size="s" icon="turn" act=${again}>${t("now.again")}</${Button}></div>
    <${Trouble} problem=${problem} again=${again} />
    ${seen && html`<p>${t("now.sum", { callable: count(seen.callable), contacts: count(seen.contacts) })} ${seen.looked_at < seen.contacts ? html`<span class="soft">${t("now.estimate", { n: count(seen.looked_at) })}</span>` : ""}</p>
      <div class="columns"><${Table} label=${t("now.rules")} rows=${seen.rules} id=${(one) => one.rule} none=${t("now.none")} pick=${(one) => pick(one.rule === rule ? "" : one.rule)} picked=${rule} columns=${[
          { key: "rule", name: t("now.rules"), show: (one) => ruleOf(one.rule) },
          { key: "contacts", name: t("now.people"), num: true, show: (one) => count(one.contacts) },
          { key: "soonest", name: t("now.until"), show: (one) => again_(one.rule, one.soonest) }]} />
        ${seen.examples.length > 0 && html`<${Table} dense label=${t("now.who", { rule: rule ? ruleOf(rule) : "…" })} rows=${seen.examples} id=${(one) => one.contact} none=${t("now.no_names")} columns=${[
          { key: "name", name: t("now.name"), show: (one) => html`<a href=${`/debtors?person=${encodeURIComponent(one.person)}`}>${one.name || one.contact}</a>${rule ? "" : html`<br /><span class="tiny soft">${ruleOf(one.rule)}</span>`}` },
          { key: "number", name: t("now.number"), class: "clock", show: (one) => phone(one.numbers[0]?.number) },
          { key: "until", name: t("now.until"), show: (one) => again_(one.rule, one.until) }]} />`}</div>`}</section>`;
}

function Day({ campaign }) {
  const [day, setDay] = useState("");
  const [seen, problem, again] = useAsked(() => get(`/campaigns/${campaign}/preview`, { day }), [campaign, day]);
  const most = Math.max(1, ...(seen?.hours ?? []).map((hour) => hour.callable));
  return html`<section class="stack">
    <div class="row row-base"><${Field} label=${t("preview.day")} kind="date" value=${day || seen?.day || ""} onValue=${setDay} inputClass="input-auto" />
      <p class="soft grow">${seen ? t("preview.sum", { callable: count(seen.callable), contacts: count(seen.contacts), zone: zoneName(seen.zone), pack: seen.pack }) : ""}
        ${seen && seen.looked_at < seen.contacts ? t("preview.estimate", { n: count(seen.looked_at) }) : ""}</p></div>
    <${Trouble} problem=${problem} again=${again} />
    ${seen && html`<div class="columns"><section class="stack-s"><h3>${t("preview.hours")}</h3>
        ${seen.hours.length ? html`<div class="hours">${seen.hours.map((hour) => html`<span class="clock">${time(hour.begins, seen.zone)}</span><${Meter} value=${hour.callable} most=${most} label=${t("preview.hour", { time: time(hour.begins, seen.zone), n: hour.callable })} /><b class="num">${count(hour.callable)}</b>`)}</div>` : html`<p class="soft">${t("preview.none")}</p>`}</section>
      <section class="stack-s"><h3>${t("preview.rules")}</h3><${Table} label=${t("preview.rules")} rows=${seen.rules} id=${(rule) => rule.rule} none=${t("preview.rules.none")} columns=${[
        { key: "rule", name: t("preview.rule"), show: (rule) => html`<strong>${ruleOf(rule.rule)}</strong><br /><span class="small soft">${lang() === "en" ? rule.sentence : ""} ${rule.source}</span>` },
        { key: "all_day", name: t("preview.people"), num: true, show: (rule) => count(rule.all_day) },
      ]} /></section></div>`}</section>`;
}
