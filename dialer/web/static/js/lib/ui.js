// The parts that pages are made of. No state of the dialer lives here, and nothing is styled inline: classes only.

import { h, html, render, useEffect, useLayoutEffect, useMemo, useRef, useState, useCallback } from "../../vendor/htm-preact.js";
import { lang, onLang, words } from "./i18n.js";
import { now } from "./format.js";
import { ICONS } from "./icons.js";
import problemsEn from "../i18n/problems.en.js";
import problemsId from "../i18n/problems.id.js";
import { fault } from "./faults.js";
import { keep, kept } from "./kept.js";
import { reason } from "./reasons.js";

export { h, html, render, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState };

const t = words();
const p = words({ id: problemsId, en: problemsEn });
const DETAILED = new Set(["bad_input", "bad_settings", "rules", "settings", "running"]);
let serial = 0;

/** An id that is used once on the page. */
export const useId = (prefix = "i") => useMemo(() => `${prefix}-${++serial}`, []);

/** Show `App` in the element `#app`, again whenever the language changes. */
export function mount(App, where = document.getElementById("app")) {
  const show = () => render(html`<${App} lang=${lang()} /><${Toasts} /><${KeysHelp} />`, where);
  onLang(show);
  show();
}

/** Render again every `every` seconds, for what says "since". */
export function useTick(every = 1) {
  const [, set] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => set((n) => n + 1), every * 1000);
    return () => clearInterval(timer);
  }, [every]);
}

/** Ask once and again when `deps` change: [value, problem, again]. The value that was there stays while the new one comes. */
export function useAsked(asks, deps = []) {
  const [state, set] = useState({ value: undefined, problem: null });
  const turn = useRef(0);
  const again = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const value = await asks();
      if (mine === turn.current) set({ value, problem: null });
    } catch (problem) {
      if (mine === turn.current) set((was) => ({ ...was, problem }));
    }
  }, deps);
  useEffect(() => {
    again();
    return () => void turn.current++;
  }, [again]);
  return [state.value, state.problem, again];
}

// ---- signs and buttons

/** A sign. With `label` it speaks; without, the word beside it does. */
export const Icon = ({ name, label, solid, class: more = "" }) => html`
  <svg class=${`icon ${solid ? "icon-solid" : ""} ${more}`} viewBox="0 0 24 24" role=${label ? "img" : undefined}
    aria-label=${label} aria-hidden=${label ? undefined : "true"} focusable="false"><path d=${ICONS[name] ?? ""} /></svg>`;

/**
 * kind: main, bad, plain or nothing; size: s, l. `busy` keeps it from being pressed twice. `act`: an async function; the
 * button is busy while it runs. `label` names a button that shows only a sign. `keys`: the hot key to be shown.
 */
export function Button({ kind, size, icon, label, act, busy, disabled, pressed, keys, why, children, class: more = "", type = "button", ...rest }) {
  const [runs, set] = useState(false);
  const alive = useRef(true);
  useEffect(() => () => void (alive.current = false), []);
  const press = act && (async (event) => {
    if (runs || busy || disabled) return;
    set(true);
    try {
      await act(event);
    } finally {
      if (alive.current) set(false);
    }
  });
  const bare = icon && !children;
  const classes = ["button", kind && `button-${kind}`, size && `button-${size}`, bare && "button-icon", more].filter(Boolean).join(" ");
  return html`<button type=${type} class=${classes} disabled=${disabled} aria-busy=${runs || busy ? "true" : undefined}
    aria-pressed=${pressed === undefined ? undefined : String(Boolean(pressed))} aria-label=${bare ? label : undefined}
    title=${why ?? (bare ? label : undefined)} onClick=${press} ...${rest}>
    ${icon && html`<${Icon} name=${icon} />`}${children}${keys && html`<kbd aria-hidden="true">${keys}</kbd>`}</button>`;
}

/** A state in a sign, a word and a tone (good, busy, warn, bad, rest, quiet). */
export const Badge = ({ tone = "quiet", icon, children, ...rest }) => html`
  <span class=${`badge tone-${tone}`} ...${rest}>${icon && html`<${Icon} name=${icon} />`}<span>${children}</span></span>`;

/** A word to the reader within the page. */
export const Note = ({ tone = "quiet", icon = tone === "bad" || tone === "warn" ? "alert" : "info", role, children, ...rest }) => html`
  <div class=${`note tone-${tone}`} role=${role} ...${rest}><${Icon} name=${icon} /><div class="grow">${children}</div></div>`;

/** What went wrong with a request, in words for people. */
export const Trouble = ({ problem, again }) => problem && html`
  <${Note} tone="bad" role="alert"><span>${trouble(problem)}</span> ${again && html`<${Button} size="s" act=${again}>${t("again")}</${Button}>`}</${Note}>`;

/** What a refusal names besides: the engine's or the settings' own words, where no table has them. */
function facts(problem) {
  const faults = problem.more?.faults;
  if (Array.isArray(faults) && faults.length) return [faults.map((one) => (typeof one === "string" ? one : fault(one))).join(" ")];
  if (problem.kind === "bad_settings" && Array.isArray(faults)) return [];
  return DETAILED.has(problem.kind) && problem.detail ? [problem.detail] : [];
}

/** The sentence for a Problem of lib/api.js. */
export function trouble(problem) {
  if (problem.status === 0) return t("trouble.unreachable");
  if (problem.status === 429) return t("trouble.rate", { n: problem.retryAfter ?? 1 });
  if (problem.kind === "engine_refused") return reason(problem.detail);
  if (t.has("problem." + problem.kind)) return t("problem." + problem.kind, problem.more);
  if (p.has(problem.kind)) return [p(problem.kind, problem.more), ...facts(problem)].join(" ");
  if (problem.detail) return problem.detail;
  return t.has("trouble." + problem.status) ? t("trouble." + problem.status) : t("trouble.other");
}

// ---- forms

/** One labelled control. kind: text, number, date, time, password, email, tel, search, textarea, select (options: [[value, word]]), check. */
export function Field({ label, hint, fault, kind = "text", value, onValue, options, field, short, class: more = "", inputClass = "", ...rest }) {
  const id = useId("f");
  const tell = [hint && `${id}-h`, fault !== undefined && `${id}-e`].filter(Boolean).join(" ");
  const all = {
    id, value, class: `input ${short ? "input-short" : ""} ${inputClass}`, "aria-describedby": tell || undefined,
    "aria-invalid": fault ? "true" : undefined, name: field,
    onInput: (event) => onValue?.(event.target.value, event), ...rest,
  };
  if (kind === "check") {
    return html`<div class=${`field ${more}`}><label class="check" for=${id}><input type="checkbox" id=${id} name=${field} checked=${Boolean(value)}
      aria-describedby=${tell || undefined} onChange=${(event) => onValue?.(event.target.checked, event)} ...${rest} /><span>${label}</span></label>
      ${hint && html`<span class="hint" id=${`${id}-h`}>${hint}</span>`}</div>`;
  }
  const control = kind === "textarea" ? html`<textarea ...${all}></textarea>`
    : kind === "select" ? html`<select ...${all} value=${undefined}>${options.map(([code, word]) => html`<option value=${code} key=${code} selected=${String(code) === String(value)}>${word}</option>`)}</select>`
    : html`<input type=${kind} ...${all} />`;
  return html`<div class=${`field ${more}`}><label for=${id}>${label}</label>${control}
    ${hint && html`<span class="hint" id=${`${id}-h`}>${hint}</span>`}
    ${fault !== undefined && html`<span class="fault" id=${`${id}-e`} aria-live="polite">${fault}</span>`}</div>`;
}

/** A few words to choose one of: options [[value, word, icon]]. */
export const Choice = ({ label, value, options, onValue, size = "s" }) => html`
  <div class="button-group" role="group" aria-label=${label}>${options.map(([code, word, icon]) => html`
    <${Button} key=${code} size=${size} icon=${icon} label=${word} pressed=${code === value} onClick=${() => onValue(code)}>${icon && !word ? null : word}</${Button}>`)}</div>`;

// ---- tables and figures

/**
 * columns: [{key, name, num, show(row), class}]; `pick(row)` makes rows choosable by mouse and keyboard.
 * `none`: what is said instead of rows.
 */
export function Table({ columns, rows, id = (row, index) => row.id ?? index, pick, picked, none, label, dense, class: more = "" }) {
  const body = rows?.length
    ? rows.map((row, index) => html`<tr key=${id(row, index)} aria-selected=${pick ? String(picked === id(row, index)) : undefined}>
        ${columns.map((column, at) => html`<td key=${column.key} class=${`${column.num ? "num" : ""} ${column.class ?? ""}`}>
          ${pick && at === 0 ? html`<button type="button" class="button button-plain button-s" onClick=${() => pick(row)}>${show(column, row)}</button>` : show(column, row)}</td>`)}</tr>`)
    : html`<tr><td class="none" colspan=${columns.length}>${rows ? none ?? t("nothing") : t("loading")}</td></tr>`;
  return html`<div class="table-box" tabindex="0" role="region" aria-label=${label}><table class=${`table ${pick ? "table-hover" : ""} ${dense ? "table-dense" : ""} ${more}`}>
    <thead><tr>${columns.map((column) => html`<th key=${column.key} scope="col" class=${column.num ? "num" : ""}>${column.name}</th>`)}</tr></thead>
    <tbody>${body}</tbody></table></div>`;
}

const show = (column, row) => (column.show ? column.show(row) : row[column.key]);

/** One figure with its name. */
export const Tile = ({ name, value, more, tone, icon, children, title }) => html`
  <div class=${`tile ${tone ? `tone-${tone}` : ""}`} title=${title}><span class="name">${icon && html`<${Icon} name=${icon} /> `}${name}</span>
    <span class="value">${value}</span>${more !== undefined && html`<span class="more">${more}</span>`}${children}</div>`;

/** A bar from 0 to `most` with the limit's mark and, paler, the upper bound. SVG, for inline styles are forbidden. */
export function Meter({ value = 0, bound, limit, most, tone, label }) {
  const top = most ?? Math.max(limit ? limit * 2 : 0, value, 1e-9);
  const x = (share) => `${Math.min(100, Math.max(0, (share / top) * 100))}%`;
  return html`<svg class=${`meter ${tone ? `tone-${tone}` : ""}`} role="img" aria-label=${label} preserveAspectRatio="none">
    <rect class="track" width="100%" height="100%" />${bound !== undefined && html`<rect class="bound" width=${x(bound)} height="100%" />`}
    <rect class="fill" width=${x(value)} height="100%" />
    ${limit !== undefined && html`<line class="mark" x1=${x(limit)} x2=${x(limit)} y1="-15%" y2="115%" />`}</svg>`;
}

// ---- dialogs

/** A modal dialog while it is rendered; Escape and the cross call `onClose`. `onSend`: it is a form. */
export function Dialog({ title, onClose, onSend, footer, wide, children }) {
  const box = useRef();
  const id = useId("d");
  useLayoutEffect(() => { // before the next key can come: it is the dialog's
    const before = document.activeElement;
    if (!box.current.open) box.current.showModal();
    return () => before?.focus?.();
  }, []);
  const inside = html`<header><h2 id=${id}>${title}</h2><${Button} kind="plain" size="s" icon="close" label=${t("close")} onClick=${onClose} /></header>
    <div class="body stack">${children}</div>${footer && html`<footer>${footer}</footer>`}`;
  return html`<dialog ref=${box} class=${`dialog ${wide ? "dialog-wide" : ""}`} aria-labelledby=${id}
    onCancel=${(event) => { event.preventDefault(); onClose(); }}>
    ${onSend ? html`<form onSubmit=${(event) => { event.preventDefault(); onSend(event); }}>${inside}</form>` : html`<div>${inside}</div>`}</dialog>`;
}

let asksNow = null;
const askers = new Set();

/** Ask yes or no: a promise of true or false. {title, text, yes, bad}. */
export function confirmed(question) {
  return new Promise((done) => {
    asksNow = { ...question, done };
    for (const show of askers) show(asksNow);
  });
}

function Question() {
  const [question, set] = useState(asksNow);
  useEffect(() => {
    askers.add(set);
    return () => askers.delete(set);
  }, []);
  if (!question) return null;
  const answer = (yes) => { set((asksNow = null)); question.done(yes); };
  return html`<${Dialog} title=${question.title} onClose=${() => answer(false)} onSend=${() => answer(true)}
    footer=${html`<${Button} onClick=${() => answer(false)}>${t("cancel")}</${Button}>
      <${Button} type="submit" kind=${question.bad ? "bad" : "main"}>${question.yes}</${Button}>`}><p>${question.text}</p></${Dialog}>`;
}

// ---- notices

const notices = [];
const noticed = new Set();
const STAYS_S = { good: 5, info: 6, warn: 10, bad: 14 };

/** Say something at the edge of the page; tone: good, info, warn, bad. The same text is said once. */
export function toast(text, tone = "good") {
  const known = notices.findIndex((one) => one.text === text);
  if (known >= 0) notices.splice(known, 1);
  const one = { id: ++serial, text, tone };
  notices.push(one);
  if (notices.length > 4) notices.shift();
  setTimeout(() => dismiss(one), STAYS_S[tone] * 1000);
  for (const told of noticed) told();
}

function dismiss(one) {
  const at = notices.indexOf(one);
  if (at < 0) return;
  notices.splice(at, 1);
  for (const told of noticed) told();
}

const SIGN = { good: "check", info: "info", warn: "alert", bad: "bad" };

function Toasts() {
  const [, set] = useState(0);
  useEffect(() => {
    const told = () => set((n) => n + 1);
    noticed.add(told);
    return () => noticed.delete(told);
  }, []);
  return html`<div class="toasts" aria-live="polite" role="status">${notices.map((one) => html`
    <div key=${one.id} class=${`toast tone-${one.tone === "info" ? "busy" : one.tone}`}><${Icon} name=${SIGN[one.tone]} /><span class="grow">${one.text}</span>
      <${Button} kind="plain" size="s" icon="close" label=${t("close")} onClick=${() => dismiss(one)} /></div>`)}</div><${Question} />`;
}

/** Do `work`; what it throws is said as a notice. Gives the value, or undefined. */
export async function said(work, well) {
  try {
    const value = await work();
    if (well) toast(typeof well === "function" ? well(value) : well);
    return value;
  } catch (problem) {
    toast(trouble(problem), "bad");
    return undefined;
  }
}

// ---- keys

const keyed = new Map(); // key -> [{what, run, when}], the newest first
const TYPES_ON_MS = 700;
let helpShown = null;
let typed = { into: null, at: 0 }; // where somebody typed last

const nameOf = (event) => [event.ctrlKey && "Ctrl", event.altKey && "Alt", event.metaKey && "Meta", event.shiftKey && event.key.length > 1 && "Shift",
  event.key === " " ? "Space" : event.key.length === 1 ? event.key.toUpperCase() : event.key].filter(Boolean).join("+");

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  const name = nameOf(event);
  const types = event.target.closest?.("input, textarea, select, [contenteditable]");
  const free = !types || event.ctrlKey || event.altKey || /^F\d+$/.test(event.key);
  const writes = event.key.length === 1 && !event.ctrlKey && !event.altKey;
  if (types && event.key !== "Shift") typed = { into: writes ? types : null, at: event.timeStamp }; // Enter, F9: he is done with the word
  else if (writes && typed.into && !typed.into.isConnected && event.timeStamp - typed.at < TYPES_ON_MS) {
    typed.at = event.timeStamp; // his field has gone while he typed: the rest of the word is no hot key
    return;
  }
  const modal = document.querySelector("dialog[open]");
  if (name === "?" && free && !modal) {
    helpShown?.(true);
    event.preventDefault();
    return;
  }
  const found = (keyed.get(name) ?? []).find((one) => (free || one.anywhere) && (!modal || one.modal) && (one.when?.() ?? true));
  if (found) {
    event.preventDefault();
    found.run(event);
  }
});

/**
 * Hot keys while the component is there: {"F2": {what: "what it does", run, when, anywhere, modal}}. Not while somebody
 * types (F keys, Ctrl and Alt excepted, or `anywhere`), not under a dialog (unless `modal`). "?" lists them.
 */
export function useKeys(wanted, deps = []) {
  useLayoutEffect(() => { // with what is drawn: a key never meets what was there before
    const mine = Object.entries(wanted).map(([name, one]) => [name.length === 1 ? name.toUpperCase() : name, one]);
    for (const [name, one] of mine) keyed.set(name, [one, ...(keyed.get(name) ?? [])]);
    return () => {
      for (const [name, one] of mine) keyed.set(name, (keyed.get(name) ?? []).filter((other) => other !== one));
    };
  }, deps);
}

/** Open the list of hot keys. */
export const showKeys = () => helpShown?.(true);

function KeysHelp() {
  const [open, set] = useState(false);
  helpShown = set;
  if (!open) return null;
  const rows = [...keyed].filter(([, ones]) => ones.length).map(([name, [one]]) => [name, one.what]);
  return html`<${Dialog} title=${t("keys.title")} onClose=${() => set(false)}><dl class="facts">
    ${rows.map(([name, what]) => html`<dt key=${name}><kbd>${name}</kbd></dt><dd>${what}</dd>`)}
    <dt><kbd>?</kbd></dt><dd>${t("keys.this")}</dd></dl></${Dialog}>`;
}

// ---- the look

const THEMES = ["auto", "light", "dark"];

/** "auto", "light" or "dark". */
export const theme = () => kept("theme", "auto");

export function setTheme(wanted) {
  keep("theme", wanted === "auto" ? null : wanted);
  if (wanted === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  dispatchEvent(new Event("santun-theme"));
}

/** The theme's and the language's switch, for the menu of the page's head. */
export function Looks({ setLanguage }) {
  const [, set] = useState(0);
  const sign = { auto: "auto", light: "sun", dark: "moon" };
  return html`<div class="stack">
    <div class="row spread"><span class="small soft">${t("look.language")}</span><${Choice} label=${t("look.language")} value=${lang()}
      options=${[["id", "Indonesia"], ["en", "English"]]} onValue=${setLanguage} /></div>
    <div class="row spread"><span class="small soft">${t("look.theme")}</span><${Choice} label=${t("look.theme")} value=${theme()}
      options=${THEMES.map((one) => [one, t(`look.${one}`), sign[one]])} onValue=${(one) => { setTheme(one); set((n) => n + 1); }} /></div></div>`;
}

/** A menu that closes when something else is clicked or Escape pressed. */
export function Menu({ label, children, button, class: more = "" }) {
  const box = useRef();
  useEffect(() => {
    const away = (event) => { if (box.current?.open && !box.current.contains(event.target)) box.current.open = false; };
    const escape = (event) => { if (event.key === "Escape" && box.current?.open) { box.current.open = false; box.current.querySelector("summary").focus(); } };
    addEventListener("click", away);
    addEventListener("keydown", escape);
    return () => { removeEventListener("click", away); removeEventListener("keydown", escape); };
  }, []);
  return html`<details class=${`menu ${more}`} ref=${box}><summary class="button button-plain">${button}<span class="sr">${label}</span></summary><div class="menu-box">${children}</div></details>`;
}

/** How the live link does. `link`: what Live of lib/live.js tells. */
export function LinkState({ link }) {
  useTick(1);
  const word = link?.word ?? "connecting";
  const [tone, icon] = { live: ["good", "check"], connecting: ["quiet", "turn"], silent: ["warn", "alert"], down: ["bad", "lost"], refused: ["bad", "lock"] }[word];
  const wait = word === "down" && link.retryAt ? Math.max(0, Math.ceil(link.retryAt - now())) : 0;
  return html`<span class=${`link-state tone-${tone} toned`} role="status"><${Icon} name=${icon} />${t(`link.${word}`, { n: wait })}</span>`;
}
