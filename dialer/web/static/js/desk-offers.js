// What the lender lets us offer: computed for this account, chosen by key, with all that it costs, then confirmed.

import { day, money } from "./lib/format.js";
import { Badge, Button, Dialog, html, useKeys, useLayoutEffect, useRef, useState } from "./lib/ui.js";
import { words } from "./lib/i18n.js";
import en from "./i18n/desk.en.js";
import id from "./i18n/desk.id.js";

const t = words({ id, en });

/** The offer of the draft, if the lender still makes it. */
export const offerOf = (draft, pop) => (pop?.offers ?? []).find((one) => one.id === draft.offer);

/** Instalments are named by how many they are. */
export const offerName = (one) => (one.parts.length > 1 ? t("offer.parts", { n: one.parts.length }) : t("offer." + one.name));

/** What it costs: each part with its day, the whole, what is waived and what is charged. */
export const Cost = ({ offer, currency }) => html`<dl class="facts desk-cost">
  ${offer.parts.map((part, n) => html`<dt key=${part.day}>${offer.parts.length > 1 ? t("offer.part", { n: n + 1 }) : t("offer.pays")}</dt><dd><strong>${money(part.amount, currency)}</strong> · ${day(part.day)}</dd>`)}
  <dt>${t("offer.total")}</dt><dd><strong>${money(offer.total, currency)}</strong></dd>
  ${offer.waived ? html`<dt>${t("offer.waived")}</dt><dd>${money(offer.waived, currency)}</dd>` : null}
  ${offer.fee ? html`<dt>${t("offer.fee")}</dt><dd>${money(offer.fee, currency)}</dd>` : null}</dl>`;

/** Choose one: a figure or the arrows mark it, Enter takes it. */
export function Offers({ pop, chosen, onTake, onClose }) {
  const all = pop.offers;
  const [at, set] = useState(Math.max(0, all.findIndex((one) => one.id === chosen)));
  const shown = all[Math.min(at, all.length - 1)];
  const list = useRef();
  useLayoutEffect(() => list.current?.querySelector("[aria-pressed=true]")?.focus(), [at]); // what is marked is where the keys are
  const move = (by) => set((was) => (was + by + all.length) % all.length);
  useKeys({
    ...Object.fromEntries(all.slice(0, 9).map((one, n) => [String(n + 1), { what: offerName(one), run: () => set(n), modal: true }])),
    ArrowDown: { what: t("offer.next"), run: () => move(1), modal: true },
    ArrowUp: { what: t("offer.before"), run: () => move(-1), modal: true },
    Enter: { what: t("offer.take"), run: () => onTake(shown.id), modal: true, when: () => !document.activeElement?.closest("header, footer") },
  }, [all, shown.id]);
  return html`<${Dialog} title=${t("offer.title")} onClose=${onClose} footer=${html`<${Button} onClick=${onClose} keys="Esc">${t("cancel")}</${Button}>
      <${Button} kind="main" onClick=${() => onTake(shown.id)} keys="↵">${t("offer.take")}</${Button}>`}>
    <p class="soft">${t("offer.text", { amount: money(pop.outstanding ?? pop.limit.most, pop.currency) })}</p>
    <div ref=${list} class="stack-s" role="group" aria-label=${t("offer.title")}>${all.map((one, n) => html`<${Button} key=${one.id} class="desk-offer" pressed=${one === shown} onClick=${() => set(n)} keys=${n < 9 ? String(n + 1) : undefined}>
      <span class="grow">${offerName(one)}<br /><span class="small soft">${t(one.parts.length > 1 ? "offer.first" : "offer.once", { amount: money(one.parts[0].amount, pop.currency), day: day(one.parts[0].day) })}</span></span>
      ${one.waived ? html`<${Badge} tone="good">−${money(one.waived, pop.currency)}</${Badge}>` : one.fee ? html`<${Badge} tone="warn">+${money(one.fee, pop.currency)}</${Badge}>` : null}</${Button}>`)}</div>
    <section aria-live="polite" class="desk-chosen stack-s"><h3 class="label">${offerName(shown)}</h3><${Cost} offer=${shown} currency=${pop.currency} /></section></${Dialog}>`;
}
