// Campaigns: created from a template, looked at, changed while they run, foretold before they begin.

import { get, newKey, patch, post } from "./lib/api.js";
import { count, percent } from "./lib/format.js";
import { fault } from "./lib/faults.js";
import { words } from "./lib/i18n.js";
import { reason } from "./lib/reasons.js";
import { Frame, may, session } from "./lib/session.js";
import { Badge, Button, Dialog, Field, Meter, Note, Tile, Trouble, confirmed, html, mount, said, toast, useAsked, useEffect, useState } from "./lib/ui.js";
import { Results } from "./campaign-results.js";
import { Scripts } from "./campaign-scripts.js";
import { Skips } from "./campaign-skips.js";
import { Week } from "./campaign-week.js";
import en from "./i18n/campaigns.en.js";
import id from "./i18n/campaigns.id.js";

const t = words({ id, en });
const TONES = { ready: "quiet", running: "good", paused: "warn", stopped: "bad" };
const SIGNS = { ready: "clock", running: "play", paused: "pause", stopped: "stop" };

const TABS = ["state", "settings", "week", "scripts", "results", "preview"];
const ELSEWHERE = new Set(["week", "shifts", "first_day", "last_day"]); // they have a tab of their own
const GROUPS = [
  ["basic", ["name", "caller_name", "caller_id", "language", "pack", "trunk", "kind", "mode"]],
  ["pace", ["ratio", "lines_max", "lines_per_agent_max", "calls_per_second", "abandon_rate_max", "shift_ends"]],
  ["call", ["ring_s", "post_dial_delay_s", "call_max_s", "record", "detection", "machine", "overflow", "connect_limit_ms", "grace_ms", "agent_wait_s", "hold_max_s", "ivr_agents"]],
  ["work", ["wrap_up_max_s", "callback_own_agent_s", "cool_down_s", "silent_monitoring", "preview_s", "preview_then", "preview_skip_s", "breaks"]],
  ["promise", ["promise_days_max", "promise_least", "promise_grace_days"]],
  ["again", ["tries_max", "recycle", "retries"]],
];
const CHOICES = { kind: ["agents", "ivr"], mode: ["progressive", "predictive", "ratio", "preview", "ivr"], language: ["id", "en"], overflow: ["message", "ivr"], machine: ["hangup", "message"], preview_then: ["skip", "call"] };
const CHOICE_WORDS = { kind: "kind.", mode: "mode.", language: "language.", overflow: "overflow.", machine: "machine.", preview_then: "then." };
const STEP = { ratio: 0.1, lines_per_agent_max: 0.1, calls_per_second: 0.1 };

function App({ who }) {
  const [found, problem, again] = useAsked(() => get("/campaigns"), []);
  const [chosen, choose] = useState(new URLSearchParams(location.search).get("campaign") ?? "");
  const [creates, setCreates] = useState(false);
  document.title = t("title");
  const campaigns = found?.campaigns ?? [];
  const shown = campaigns.find((one) => one.id === chosen) ?? campaigns[0];
  const pick = (campaign) => {
    history.replaceState(null, "", `?campaign=${encodeURIComponent(campaign)}`);
    choose(campaign);
  };
  return html`<${Frame} who=${who} page="campaigns">
    <div class="head"><h1>${t("nav.campaigns")}</h1><span class="grow"></span>
      ${may("campaigns:change") && html`<${Button} kind="main" icon="plus" onClick=${() => setCreates(true)}>${t("new")}</${Button}>`}</div>
    <${Trouble} problem=${problem} again=${again} />
    ${found && !campaigns.length ? html`<div class="card empty"><p>${t("none")}</p></div>` : html`
    <div class="split"><nav class="card card-flush pick-list" aria-label=${t("nav.campaigns")}>${campaigns.map((one) => html`
        <button type="button" class="pick" key=${one.id} aria-current=${String(one.id === shown?.id)} onClick=${() => pick(one.id)}>
          <strong class="ellipsis">${one.name}</strong><${Badge} tone=${TONES[one.status]} icon=${SIGNS[one.status]}>${t("status." + one.status)}</${Badge}>
          <span class="small soft ellipsis">${one.id} · ${t("mode." + one.mode)}</span><span class="small soft num">${t("left", { due: count(one.due), later: count(one.later) })}</span></button>`)}</nav>
      ${shown && html`<${One} key=${shown.id} campaign=${shown.id} onChange=${again} />`}</div>`}
    ${creates && html`<${Create} known=${campaigns.map((one) => one.id)} onClose=${() => setCreates(false)} onMade=${(campaign) => { setCreates(false); pick(campaign); again(); }} />`}
  </${Frame}>`;
}

function One({ campaign, onChange }) {
  const [tab, set] = useState("state");
  const [full, problem, again] = useAsked(() => get(`/campaigns/${campaign}`), [campaign]);
  const changed = () => { again(); onChange(); };
  return html`<section class="card"><div class="row spread"><h2>${full?.settings.name ?? campaign}</h2>
      <div class="row"><${Run} campaign=${campaign} status=${full?.status} onDone=${changed} />
        <a class="button" href=${`/lists?campaign=${campaign}`}>${t("nav.lists")}</a><a class="button" href=${`/board?campaign=${campaign}`}>${t("nav.board")}</a></div></div>
    <div class="tabs-line" role="tablist">${TABS.map((name) => html`<button type="button" role="tab" key=${name} aria-selected=${String(name === tab)} onClick=${() => set(name)}>${t("tab." + name)}</button>`)}</div>
    <${Trouble} problem=${problem} again=${again} />
    ${!full ? !problem && html`<p class="wait">${t("loading")}</p>` : tab === "state" ? html`<${State} full=${full} />`
      : tab === "settings" ? html`<${Settings} key=${full.revision} full=${full} onSaved=${changed} />` : tab === "week" ? html`<${Week} key=${full.revision} full=${full} onSaved=${changed} />`
      : tab === "scripts" ? html`<${Scripts} campaign=${campaign} />` : tab === "results" ? html`<${Results} campaign=${campaign} />` : html`<${Skips} campaign=${campaign} />`}</section>`;
}

function Run({ campaign, status, onDone }) {
  if (!may("campaigns:run")) return null;
  const order = async (name) => {
    if (name === "stop" && !(await confirmed({ title: t("stop.title"), text: t("stop.text"), yes: t("stop.yes"), bad: true }))) return;
    await said(() => post(`/campaigns/${campaign}/orders`, { name }, { key: newKey(), limit: 10 }), (answer) => reason(answer.text));
    onDone();
  };
  return html`<div class="button-group"><${Button} icon="play" disabled=${!status || status === "running"} act=${() => order("start")}>${t("start")}</${Button}>
    <${Button} icon="pause" disabled=${status !== "running"} act=${() => order("pause")}>${t("pause")}</${Button}>
    <${Button} icon="stop" disabled=${status !== "running" && status !== "paused"} act=${() => order("stop")}>${t("stop")}</${Button}></div>`;
}

const COUNTED = ["live", "promise:made", "promise:kept", "promise:part", "promise:broken"];

function State({ full }) {
  const { counters } = full;
  const outcomes = Object.entries(counters).filter(([name, n]) => n && name.startsWith("outcome:")).map(([name, n]) => [name.slice(8), n]).sort(([, one], [, other]) => other - one);
  const all = outcomes.reduce((sum, [, n]) => sum + n, 0);
  return html`<div class="stack">
    ${full.faults.length > 0 && html`<${Note} tone="bad"><strong>${t("faults")}</strong><ul>${full.faults.map((one) => html`<li key=${one.text}>${fault(one)}</li>`)}</ul></${Note}>`}
    <div class="tiles"><${Tile} name=${t("contacts")} value=${count(full.contacts)} /><${Tile} name=${t("due")} value=${count(full.due)} /><${Tile} name=${t("later")} value=${count(full.later)} />
      <${Tile} name=${t("attempts")} value=${count(counters.attempts ?? 0)} />${COUNTED.filter((name) => counters[name]).map((name) => html`<${Tile} key=${name} name=${t("counter." + name)} value=${count(counters[name])} />`)}</div>
    <h3>${t("came")}</h3>
    ${outcomes.length ? html`<div class="hours">${outcomes.map(([name, n]) => html`<span>${t.has("outcome." + name) ? t("outcome." + name) : name}</span><${Meter} value=${n} most=${outcomes[0][1]} label=${`${name}: ${n}`} /><span class="num"><b>${count(n)}</b> <span class="small soft">${percent(n / all, 0)}</span></span>`)}</div>`
      : html`<p class="soft">${t("came.none")}</p>`}</div>`;
}

const isTable = (value) => value !== null && typeof value === "object";
const typed = (value) => (isTable(value) ? JSON.stringify(value, null, 1) : value);

/** What was typed for a setting, in the form that the API takes; undefined: it makes no sense. */
function meant(known, text) {
  if (isTable(known)) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }
  if (typeof known === "number") return text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
  return text;
}

function Settings({ full, onSaved }) {
  const [wanted, set] = useState({});
  const [problem, setProblem] = useState(null);
  const { settings } = full;
  const grouped = new Set(GROUPS.flatMap(([, names]) => names));
  const groups = [...GROUPS, ["other", Object.keys(settings).filter((name) => !grouped.has(name) && !ELSEWHERE.has(name))]];
  const changes = Object.entries(wanted).filter(([name, text]) => String(text) !== String(typed(settings[name])));
  const unclear = changes.filter(([name, text]) => meant(settings[name], text) === undefined);
  const runs = full.status === "running";
  const may_ = (name) => (full.live.includes(name) ? may("campaigns:run") : may("campaigns:change") && !runs);
  useEffect(() => {
    const leaves = (event) => changes.length && event.preventDefault();
    addEventListener("beforeunload", leaves);
    return () => removeEventListener("beforeunload", leaves);
  }, [changes.length]);
  const save = async () => {
    setProblem(null);
    try {
      await patch(`/campaigns/${full.id}`, { settings: Object.fromEntries(changes.map(([name, text]) => [name, meant(settings[name], text)])), revision: full.revision });
      toast(t(runs ? "saved.live" : "saved"));
      onSaved();
    } catch (fault) {
      setProblem(fault);
    }
  };
  const field = (name) => {
    const known = settings[name];
    const value = name in wanted ? wanted[name] : typed(known);
    const more = {
      label: t.has("set." + name) ? t("set." + name) : name.replaceAll("_", " "), hint: t.has("hint." + name) ? t("hint." + name) : undefined, disabled: !may_(name),
      class: changes.some(([one]) => one === name) ? "is-changed" : "", onValue: (now) => set({ ...wanted, [name]: now }), key: name, field: name,
    };
    if (typeof known === "boolean") return html`<${Field} ...${more} kind="check" value=${value} />`;
    if (name in CHOICES) return html`<${Field} ...${more} kind="select" value=${value} options=${[...new Set([...CHOICES[name], known])].map((code) => [code, t.has(CHOICE_WORDS[name] + code) ? t(CHOICE_WORDS[name] + code) : code])} />`;
    if (isTable(known)) return html`<${Field} ...${more} kind="textarea" value=${value} inputClass="mono" spellcheck=${false} />`;
    if (typeof known === "number") return html`<${Field} ...${more} kind="number" min="0" step=${STEP[name] ?? (name === "abandon_rate_max" ? 0.001 : 1)} value=${value} />`;
    return html`<${Field} ...${more} value=${value} />`;
  };
  return html`<form class="stack-l" onSubmit=${(event) => { event.preventDefault(); if (changes.length && !unclear.length) save(); }}>
    ${runs && html`<${Note} tone="busy">${t("set.runs")}</${Note}>`}
    ${groups.map(([group, names]) => { const here = names.filter((name) => name in settings); return here.length > 0 && html`<fieldset class="settings-group" key=${group}><legend>${t("group." + group)}</legend><div class="form-grid">${here.map(field)}</div></fieldset>`; })}
    <${Trouble} problem=${problem} />
    <div class="save-bar"><span class="grow soft small">${unclear.length ? t("set.unclear", { names: unclear.map(([name]) => name).join(", ") }) : changes.length ? t("set.changed", { n: changes.length }) : ""}</span>
      <${Button} disabled=${!changes.length} onClick=${() => set({})}>${t("set.undo")}</${Button}>
      <${Button} kind="main" type="submit" disabled=${!changes.length || unclear.length > 0}>${t("save")}</${Button}></div></form>`;
}

const idOf = (name) => name.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);

function Create({ known, onClose, onMade }) {
  const [found, problem] = useAsked(() => get("/templates"), []);
  const [template, pick] = useState("agents");
  const [given, set] = useState({ name: "", id: "", caller_name: "" });
  const [fault, setFault] = useState(null);
  const campaign = given.id || idOf(given.name);
  const wrong = !campaign ? "" : known.includes(campaign) ? t("new.there") : /^[a-z0-9][a-z0-9-]{0,39}$/.test(campaign) ? "" : t("new.id.wrong");
  const send = async () => {
    if (!campaign || wrong || !given.name.trim()) return;
    setFault(null);
    try {
      const settings = { name: given.name.trim(), ...(given.caller_name.trim() ? { caller_name: given.caller_name.trim() } : {}) };
      await post("/campaigns", { id: campaign, template, settings });
      toast(t("new.done", { name: given.name.trim() }));
      onMade(campaign);
    } catch (problem_) {
      setFault(problem_);
    }
  };
  return html`<${Dialog} wide title=${t("new")} onClose=${onClose} onSend=${send}
    footer=${html`<${Button} onClick=${onClose}>${t("cancel")}</${Button}><${Button} kind="main" type="submit" disabled=${!campaign || Boolean(wrong)}>${t("new.send")}</${Button}>`}>
    <p class="soft">${t("new.text")}</p><${Trouble} problem=${problem} />
    <div class="templates" role="group" aria-label=${t("new.template")}>${Object.keys(found?.templates ?? {}).map((name) => html`<button type="button" class="template" key=${name} aria-pressed=${String(name === template)} onClick=${() => pick(name)}>
      <b>${t.has("template." + name) ? t("template." + name) : name}</b><span class="small soft">${t.has("about." + name) ? t("about." + name) : ""}</span></button>`)}</div>
    <div class="form-grid"><${Field} label=${t("set.name")} value=${given.name} onValue=${(name) => set({ ...given, name })} maxlength="80" />
      <${Field} label=${t("new.id")} value=${given.id || idOf(given.name)} onValue=${(name) => set({ ...given, id: name })} hint=${t("new.id.hint")} fault=${wrong} spellcheck=${false} />
      <${Field} label=${t("set.caller_name")} value=${given.caller_name} onValue=${(name) => set({ ...given, caller_name: name })} hint=${t("hint.caller_name")} maxlength="80" /></div>
    <${Trouble} problem=${fault} /></${Dialog}>`;
}

const who = await session();
mount(() => html`<${App} who=${who} />`);
