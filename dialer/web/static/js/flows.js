// What the IVR says and what lenders let us offer: written with every fault at its line, drawn, tried, given to campaigns.

import { get, post, put } from "./lib/api.js";
import { words } from "./lib/i18n.js";
import { Frame, may, session } from "./lib/session.js";
import { Badge, Button, Choice, Dialog, Field, Note, Trouble, html, mount, said, toast, useAsked, useState } from "./lib/ui.js";
import { CodeBox } from "./code-box.js";
import { SaveBar, Versions, useUnsaved } from "./edit-parts.js";
import { Drawing, Steps } from "./flow-drawing.js";
import { Offers } from "./offers.js";
import en from "./i18n/flows.en.js";
import id from "./i18n/flows.id.js";

const t = words({ id, en });
const FILES = ["flow", "id", "en"];
const SLOW = { limit: 120 };

function App({ who }) {
  const [tab, set] = useState(new URLSearchParams(location.search).get("tab") === "offers" ? "offers" : "flows");
  document.title = t("title");
  const pick = (name) => { history.replaceState(null, "", name === "offers" ? "?tab=offers" : location.pathname); set(name); };
  return html`<${Frame} who=${who} page="flows"><div class="head"><h1>${t("nav.flows")}</h1></div>
    <div class="tabs-line" role="tablist">${["flows", "offers"].map((name) => html`<button type="button" role="tab" key=${name} aria-selected=${String(name === tab)} onClick=${() => pick(name)}>${t("tab." + name)}</button>`)}</div>
    ${tab === "offers" ? html`<${Offers} />` : html`<${Flows} />`}</${Frame}>`;
}

function Flows() {
  const [found, problem, again] = useAsked(() => get("/flows"), []);
  const [chosen, choose] = useState("");
  const [creates, setCreates] = useState(false);
  const flows = found?.flows ?? [];
  const shown = flows.find((one) => one.flow === chosen) ?? flows[0];
  return html`<div class="stack"><div class="row spread"><p class="soft measure">${t("flows.text")}</p>${may("campaigns:change") && html`<${Button} kind="main" icon="plus" onClick=${() => setCreates(true)}>${t("new")}</${Button}>`}</div>
    <${Trouble} problem=${problem} again=${again} />
    ${found && !flows.length ? html`<div class="card empty"><p>${t("flows.none")}</p></div>` : html`<div class="split"><div class="stack">
        <nav class="card card-flush pick-list" aria-label=${t("tab.flows")}>${flows.map((one) => html`<button type="button" class="pick" key=${one.flow} aria-current=${String(one.flow === shown?.flow)} onClick=${() => choose(one.flow)}>
          <strong class="ellipsis">${one.flow}</strong><span class="badge">${one.label}</span><span class="small soft">${t("version.n", { n: one.version.revision })}</span><span class="small soft">${t("used", { n: one.campaigns.length })}</span></button>`)}</nav>
        ${flows.length > 0 && html`<${Given} flows=${flows} onGiven=${again} />`}</div>
      ${shown && html`<${One} key=${shown.flow} flow=${shown.flow} onSaved=${again} />`}</div>`}
    ${creates && html`<${Create} known=${flows.map((one) => one.flow)} onClose=${() => setCreates(false)} onMade=${(name) => { setCreates(false); choose(name); again(); }} />`}</div>`;
}

function One({ flow, onSaved }) {
  const [revision, setRevision] = useState(0);
  const [newest, setNewest] = useState(0);
  const [seen, problem, again] = useAsked(async () => {
    const found = await get(`/flows/${flow}`, { revision: revision || undefined }, SLOW);
    if (!revision) setNewest(found.version.revision);
    return found;
  }, [flow, revision]);
  if (!seen) return html`<section class="card">${problem ? html`<${Trouble} problem=${problem} again=${again} />` : html`<p class="wait">${t("loading")}</p>`}</section>`;
  return html`<${Editor} key=${seen.version.revision} seen=${seen} newest=${newest} old=${revision} onPick=${setRevision} onSaved=${() => { if (revision) setRevision(0); else again(); onSaved(); }} />`;
}

function Editor({ seen, newest, old, onPick, onSaved }) {
  const [source, setSource] = useState(seen.source);
  const [proof, setProof] = useState(seen.proof);
  const [file, pickFile] = useState("flow");
  const [look, setLook] = useState("drawing");
  const [step, pickStep] = useState("");
  const [problem, setProblem] = useState(null);
  const changed = Boolean(old) || JSON.stringify(source) !== JSON.stringify(seen.source);
  useUnsaved(changed);
  const may_ = may("campaigns:change");
  const textOf = (name) => (name === "flow" ? source.flow : source.texts[name] ?? "");
  const type = (text) => { setProblem(null); setSource(file === "flow" ? { ...source, flow: text } : { ...source, texts: { ...source.texts, [file]: text } }); };
  const faultsOf = (name) => proof.faults.filter((one) => one.file === name);
  const check = async () => {
    setProblem(null);
    try {
      const found = await post("/flow-check", source, SLOW);
      setProof(found.faults.length ? { ...proof, faults: found.faults } : found);
      if (found.faults.length) pickFile(FILES.includes(found.faults[0].file) ? found.faults[0].file : "flow");
      else toast(t("sound", { label: found.label }));
    } catch (fault) {
      setProblem(fault);
    }
  };
  const save = async () => {
    setProblem(null);
    try {
      await put(`/flows/${seen.flow}`, { source, revision: newest }, SLOW);
      toast(t("kept"));
      onSaved();
    } catch (fault) {
      if (fault.kind === "bad_flow") {
        setProof({ ...proof, faults: fault.more.faults });
        pickFile(fault.more.faults[0]?.file ?? "flow");
      } else setProblem(fault);
    }
  };
  const make = async () => {
    const made = await said(() => post(`/flows/${seen.flow}/sounds`, undefined, SLOW), (found) => t(found.lacking?.length ? "sounds.left" : "sounds.made", { n: found.lacking?.length ?? 0 }));
    if (made) setProof(made);
  };
  return html`<section class="card stack"><div class="row spread"><h2>${seen.flow} <span class="small soft">${proof.label}</span></h2>
      <${Versions} path=${`/flows/${seen.flow}/versions`} version=${seen.version} picked=${old} onPick=${onPick} /></div>
    <div class="row spread"><${Choice} label=${t("files")} value=${file} onValue=${pickFile} options=${FILES.map((name) => [name, `${t("file." + name)}${faultsOf(name).length ? ` · ${faultsOf(name).length} !` : ""}`])} />
      <div class="row">${proof.faults.length ? html`<${Badge} tone="bad" icon="bad">${t("faults", { n: proof.faults.length })}</${Badge}>` : html`<${Badge} tone="good" icon="check">${t("is_sound")}</${Badge}>`}<${Button} icon="check" act=${check}>${t("check")}</${Button}></div></div>
    <${CodeBox} key=${file} field=${`source-${file}`} label=${t("file." + file)} value=${textOf(file)} onValue=${type} faults=${faultsOf(file)} disabled=${!may_} />
    <${Trouble} problem=${problem} />
    ${proof.lacking?.length > 0 && html`<${Note} tone="warn"><div class="row spread"><span>${t("sounds.missing", { n: proof.lacking.length })}</span>${may_ && !changed && html`<${Button} size="s" icon="record" act=${make}>${t("sounds.make")}</${Button}>`}</div><p class="small soft mono wrap-any">${proof.lacking.slice(0, 12).join(", ")}${proof.lacking.length > 12 ? " …" : ""}</p></${Note}>`}
    ${proof.lacking === null && !proof.faults.length && html`<${Note}>${t("sounds.elsewhere")}</${Note}>`}
    ${may_ && html`<${SaveBar} changed=${changed} onUndo=${() => { if (old) onPick(0); else { setSource(seen.source); setProof(seen.proof); } }} saves=${save} />`}
    ${proof.steps.length > 0 && html`<div class="row spread"><h3>${t("steps", { n: proof.steps.length })}</h3><${Choice} label=${t("look")} value=${look} onValue=${setLook} options=${[["drawing", t("look.drawing")], ["list", t("look.list")]]} /></div>
      ${look === "drawing" ? html`<${Drawing} steps=${proof.steps} picked=${step} onPick=${pickStep} />${step && html`<${Steps} steps=${proof.steps.filter((one) => one.name === step)} picked=${step} onPick=${pickStep} />`}` : html`<${Steps} steps=${proof.steps} picked=${step} onPick=${pickStep} />`}`}</section>`;
}

/** Which campaign has which conversation. */
function Given({ flows, onGiven }) {
  const [campaigns, problem] = useAsked(async () => {
    const { campaigns: all } = await get("/campaigns");
    return Promise.all(all.map(async (one) => ({ ...one, has: await get(`/campaigns/${one.id}/flow`) })));
  }, [JSON.stringify(flows)]);
  const [refused, setRefused] = useState(null);
  const [turn, setTurn] = useState(0); // a choice that was refused goes back to what holds
  const give = async (campaign, flow) => {
    setRefused(null);
    try {
      await put(`/campaigns/${campaign.id}/flow`, { flow }, SLOW);
      toast(t("given", { name: campaign.name }));
    } catch (fault) {
      setRefused({ campaign, fault });
      setTurn((n) => n + 1);
    }
    onGiven();
  };
  return html`<section class="card stack-s"><h3>${t("given.title")}</h3><p class="small soft">${t("given.text")}</p><${Trouble} problem=${problem} />
    ${(campaigns ?? []).map((one) => html`<div class="stack-s" key=${`${one.id}.${turn}`}><${Field} kind="select" label=${one.name} field=${`flow-${one.id}`} value=${one.has.flow} disabled=${!may("campaigns:change")} onValue=${(flow) => give(one, flow)}
        options=${[["", t("given.own")], ...flows.map((flow) => [flow.flow, `${flow.flow} · ${flow.label}`])]} hint=${one.has.flow ? t("version.n", { n: one.has.revision }) : undefined} />
      ${one.has.flow && one.has.newest > one.has.revision && html`<${Button} size="s" icon="turn" act=${() => give(one, one.has.flow)}>${t("given.newest", { n: one.has.newest })}</${Button}>`}
      ${refused?.campaign.id === one.id && html`<${Trouble} problem=${refused.fault} />`}</div>`)}</section>`;
}

function Create({ known, onClose, onMade }) {
  const [name, set] = useState("");
  const [problem, setProblem] = useState(null);
  const wrong = !name ? "" : known.includes(name) ? t("new.there") : /^[a-z0-9][a-z0-9_-]{0,39}$/.test(name) ? "" : t("new.wrong");
  const send = async () => {
    if (!name || wrong) return;
    setProblem(null);
    try {
      const source = await get("/flow-template", {}, SLOW);
      await put(`/flows/${name}`, { source, revision: 0 }, SLOW);
      onMade(name);
    } catch (fault) {
      setProblem(fault);
    }
  };
  return html`<${Dialog} title=${t("new")} onClose=${onClose} onSend=${send} footer=${html`<${Button} onClick=${onClose}>${t("cancel")}</${Button}><${Button} kind="main" type="submit" disabled=${!name || Boolean(wrong)}>${t("new.send")}</${Button}>`}>
    <p class="soft">${t("new.text")}</p><${Field} label=${t("new.name")} value=${name} onValue=${set} fault=${wrong} maxlength="40" autofocus field="flow-name" /><${Trouble} problem=${problem} /></${Dialog}>`;
}

const who = await session();
mount(() => html`<${App} who=${who} />`);
