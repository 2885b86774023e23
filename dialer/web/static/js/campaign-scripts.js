// What the agents of a campaign read out, by language and stage, beside how it looks at the desk.

import { get, put } from "./lib/api.js";
import { words } from "./lib/i18n.js";
import { may } from "./lib/session.js";
import { Button, Choice, Field, Trouble, html, toast, useAsked, useRef, useState } from "./lib/ui.js";
import { SaveBar, Versions, moved, useUnsaved } from "./edit-parts.js";
import en from "./i18n/editors.en.js";
import id from "./i18n/editors.id.js";

const t = words({ id, en });
const STAGES = ["early", "late", "broken", "hardship", "angry"];
const PLACE = /\{(\w+)\}/g;
const EMPTY = { title: "", say: "", do: "" };

export function Scripts({ campaign }) {
  const [language, setLanguage] = useState("id");
  const [revision, setRevision] = useState(0);
  const [newest, setNewest] = useState(0);
  const [seen, problem, again] = useAsked(async () => {
    const found = await get(`/campaigns/${campaign}/scripts`, { language, revision: revision || undefined });
    if (!revision) setNewest(found.version.revision);
    return found;
  }, [campaign, language, revision]);
  if (!seen) return problem ? html`<${Trouble} problem=${problem} again=${again} />` : html`<p class="wait">${t("loading")}</p>`;
  return html`<div class="stack"><p class="soft measure">${t("script.text")}</p>
    <${Editor} key=${`${language}.${seen.language}.${seen.version.revision}`} campaign=${campaign} seen=${seen} newest=${newest} old=${revision} onSaved=${() => (revision ? setRevision(0) : again())}
      tools=${html`<${Choice} label=${t("look.language")} value=${language} onValue=${(one) => { setRevision(0); setLanguage(one); }} options=${[["id", "Indonesia"], ["en", "English"]]} /><${Versions} path=${`/campaigns/${campaign}/scripts/versions`} version=${seen.version} picked=${revision} onPick=${setRevision} />`} /></div>`;
}

/** A script is the campaign's own, or Santun's (`own` lacks the stage). */
function Editor({ campaign, seen, newest, old, tools, onSaved }) {
  const start = Object.fromEntries(seen.own.map((stage) => [stage, seen.stages[stage]]));
  const [own, setOwn] = useState(start);
  const [stage, pick] = useState("early");
  const [problem, setProblem] = useState(null);
  const last = useRef({ field: null, step: 0, name: "say" });
  const changed = Boolean(old) || JSON.stringify(own) !== JSON.stringify(start);
  useUnsaved(changed);
  const steps = own[stage] ?? seen.stages[stage];
  const faults = (problem?.more?.faults ?? []).filter((one) => one.stage === stage);
  const change = (next) => { setProblem(null); setOwn({ ...own, [stage]: next }); };
  const type = (at, name) => (value) => change(steps.map((one, n) => (n === at ? { ...one, [name]: value } : one)));
  const ours = () => { const { [stage]: _, ...rest } = own; setProblem(null); setOwn(rest); };
  const insert = (name) => {
    const { field, step, name: part } = last.current;
    const text = steps[step]?.[part] ?? "";
    const at = field?.selectionStart ?? text.length;
    type(Math.min(step, steps.length - 1), part)(`${text.slice(0, at)}{${name}}${text.slice(field?.selectionEnd ?? at)}`);
    field?.focus();
  };
  const save = async () => {
    setProblem(null);
    try {
      await put(`/campaigns/${campaign}/scripts`, { language: seen.language, stages: own, revision: newest });
      toast(t("script.saved"));
      onSaved();
    } catch (fault) {
      const first = fault.more?.faults?.[0];
      if (first) pick(first.stage);
      setProblem(fault);
    }
  };
  const may_ = may("campaigns:change");
  const field = (at, name, kind, rows) => html`<${Field} kind=${kind} rows=${rows} label=${t("script." + name)} value=${steps[at][name]} onValue=${type(at, name)} disabled=${!may_} field=${`${name}-${at}`} maxlength=${name === "title" ? 200 : 2000}
    onFocus=${(event) => { last.current = { field: event.target, step: at, name }; }} />`;
  return html`<div class="row spread"><div class="row" role="group" aria-label=${t("script.stage")}>${STAGES.map((one) => html`<${Button} key=${one} size="s" pressed=${one === stage} onClick=${() => pick(one)}>${t("stage." + one)}${one in own ? ` · ${t("script.own")}` : ""}</${Button}>`)}</div>
      <div class="row">${tools}</div></div>
    <div class="editor"><div class="stack">
        ${steps.map((one, at) => html`<fieldset class="edit-step stack-s" key=${at}><legend class="row spread"><span>${t("script.step", { n: at + 1 })}</span>${may_ && html`<span class="row nowrap">
            <${Button} size="s" kind="plain" icon="up" label=${t("script.up", { n: at + 1 })} disabled=${at === 0} onClick=${() => change(moved(steps, at, -1))} />
            <${Button} size="s" kind="plain" icon="down" label=${t("script.down", { n: at + 1 })} disabled=${at === steps.length - 1} onClick=${() => change(moved(steps, at, 1))} />
            <${Button} size="s" kind="plain" icon="close" label=${t("script.remove", { n: at + 1 })} onClick=${() => change(steps.filter((_, n) => n !== at))} /></span>`}</legend>
          ${field(at, "title", "text")}${field(at, "say", "textarea", 2)}${field(at, "do", "textarea", 2)}
          ${faults.filter((fault) => fault.step === at).map((fault) => html`<p class="fault" key=${fault.kind + fault.word} role="alert">${t("script.fault." + fault.kind, { word: `{${fault.word}}` })}</p>`)}</fieldset>`)}
        ${!steps.length && html`<p class="fault">${t("script.fault.empty")}</p>`}
        ${may_ && html`<div class="row"><${Button} icon="plus" disabled=${steps.length >= 20} onClick=${() => change([...steps, { ...EMPTY }])}>${t("script.add")}</${Button}>${stage in own && html`<${Button} onClick=${ours}>${t("script.ours")}</${Button}>`}</div>`}</div>
      <div class="stack edit-side"><section class="stack-s"><h3>${t("script.preview")}</h3><ol class="plain preview-script">${steps.map((one, at) => html`<li key=${at}><strong>${filled(one.title, seen.sample)}</strong>${one.say && html`<p class="preview-say">${filled(one.say, seen.sample)}</p>`}${one.do && html`<p class="small soft">${filled(one.do, seen.sample)}</p>`}</li>`)}</ol></section>
        ${may_ && html`<section class="stack-s"><h3>${t("script.variables")}</h3><dl class="facts variables">${Object.keys(seen.sample).map((name) => html`<dt key=${name}><button type="button" class="button button-s mono" aria-label=${t("script.insert", { name })} onMouseDown=${(event) => event.preventDefault()} onClick=${() => insert(name)}>${`{${name}}`}</button></dt><dd class="small soft">${t.has("var." + name) ? t("var." + name) : name}</dd>`)}</dl></section>`}</div></div>
    ${problem && !problem.more?.faults && html`<${Trouble} problem=${problem} />`}
    ${may_ && html`<${SaveBar} changed=${changed} onUndo=${() => { setOwn(start); setProblem(null); if (old) onSaved(); }} saves=${save} />`}`;
}

/** With the invented debtor's values marked, and what is no variable left as it is. */
function filled(text, sample) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(PLACE)) {
    parts.push(text.slice(from, found.index), html`<mark class=${found[1] in sample ? "" : "is-unknown"}>${sample[found[1]] ?? found[0]}</mark>`);
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}
