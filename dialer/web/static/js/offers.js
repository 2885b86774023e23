// The lenders' limits: the file that desk and IVR read, and what it would offer for a debt.

import { get, post, put } from "./lib/api.js";
import { day, money } from "./lib/format.js";
import { words } from "./lib/i18n.js";
import { may } from "./lib/session.js";
import { Field, Note, Table, Trouble, html, toast, useAsked, useEffect, useState } from "./lib/ui.js";
import { CodeBox } from "./code-box.js";
import { SaveBar, Versions, useUnsaved } from "./edit-parts.js";
import en from "./i18n/flows.en.js";
import id from "./i18n/flows.id.js";

const t = words({ id, en });
const SETTLES_MS = 350;

export function Offers() {
  const [seen, problem, again] = useAsked(() => get("/offers"), []);
  if (!seen) return problem ? html`<${Trouble} problem=${problem} again=${again} />` : html`<p class="wait">${t("loading")}</p>`;
  return html`<div class="stack"><p class="soft measure">${t("offers.text")}</p>${!seen.file && html`<${Note} tone="warn">${t("offers.no_file")}</${Note}>`}
    <${Editor} key=${seen.revision} seen=${seen} onSaved=${again} /></div>`;
}

function Editor({ seen, onSaved }) {
  const [text, setText] = useState(seen.text);
  const [debt, setDebt] = useState({ amount: 1200000, minimum: 0, incentive: 0, interest: 0, lender: "", campaign: "" });
  const [tried, setTried] = useState({ faults: seen.faults, offers: [] });
  const [problem, setProblem] = useState(null);
  const changed = text !== seen.text;
  useUnsaved(changed);
  useEffect(() => {
    let live = true;
    const timer = setTimeout(async () => {
      try {
        const found = await post("/offers/trial", { text, ...debt });
        if (live) setTried(found);
      } catch (fault) {
        if (live) setProblem(fault);
      }
    }, SETTLES_MS);
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [text, JSON.stringify(debt)]);
  const save = async () => {
    setProblem(null);
    try {
      await put("/offers", { text, revision: seen.revision });
      toast(t("offers.saved"));
      onSaved();
    } catch (fault) {
      if (fault.kind === "bad_limits") setTried({ faults: fault.more.faults, offers: [] });
      else setProblem(fault);
    }
  };
  const may_ = may("campaigns:change") && Boolean(seen.file);
  const sum = (name) => html`<${Field} kind="number" min="0" step="1000" label=${t("debt." + name)} value=${debt[name]} onValue=${(value) => setDebt({ ...debt, [name]: Number(value) || 0 })} field=${`debt-${name}`} />`;
  const word = (name) => html`<${Field} label=${t("debt." + name)} value=${debt[name]} onValue=${(value) => setDebt({ ...debt, [name]: value })} field=${`debt-${name}`} />`;
  return html`<div class="editor card"><div class="stack"><div class="row spread"><h2>${seen.file || t("offers.none")}</h2>${seen.version.revision > 0 && html`<${Versions} path="/offers/versions" version=${seen.version} picked=${0} onPick=${() => {}} />`}</div>
      <${CodeBox} field="limits" label=${t("offers.file")} value=${text} onValue=${(now) => { setProblem(null); setText(now); }} faults=${tried.faults} disabled=${!may_} rows=${18} />
      <details><summary class="strong">${t("offers.words")}</summary><dl class="facts small">${Object.entries(seen.fields).map(([name, value]) => html`<dt key=${name} class="mono">${name}</dt><dd>${t.has("limit." + name) ? t("limit." + name) : ""} <span class="soft">${t("offers.default", { value: Array.isArray(value) ? `[${value}]` : value })}</span></dd>`)}</dl></details></div>
    <div class="stack edit-side"><h3>${t("debt")}</h3><div class="form-grid">${sum("amount")}${sum("minimum")}${sum("incentive")}${sum("interest")}${word("lender")}${word("campaign")}</div>
      <h3>${t("tried")}</h3>${tried.faults.length ? html`<p class="soft">${t("tried.faults")}</p>` : html`<${Table} label=${t("tried")} rows=${tried.offers} id=${(one) => one.name} none=${t("tried.none")} columns=${[
        { key: "name", name: t("offer"), show: (one) => html`<strong>${t.has("offer." + one.name) ? t("offer." + one.name) : one.name}</strong>${one.waived > 0 && html`<br /><span class="small">${t("waived", { sum: money(one.waived) })}</span>`}${one.fee > 0 && html`<br /><span class="small">${t("fee", { sum: money(one.fee) })}</span>`}` },
        { key: "payments", name: t("payments"), show: (one) => html`<ul class="plain small">${one.payments.map((part) => html`<li key=${part.day}>${day(part.day)} · ${money(part.amount)}</li>`)}</ul>` },
        { key: "total", name: t("total"), num: true, show: (one) => money(one.total) }]} />`}</div></div>
    <${Trouble} problem=${problem} />${may_ && html`<${SaveBar} changed=${changed} why=${tried.faults.length ? t("faults", { n: tried.faults.length }) : ""} onUndo=${() => setText(seen.text)} saves=${save} />`}`;
}
