// A text with its line numbers, and what is wrong with it beside the lines.

import { fault } from "./lib/faults.js";
import { words } from "./lib/i18n.js";
import { Icon, html, useEffect, useId, useRef } from "./lib/ui.js";
import en from "./i18n/flows.en.js";
import id from "./i18n/flows.id.js";

const t = words({ id, en });

/** faults: [{line, code, params, text}]; `rows`: how many lines are seen at once. */
export function CodeBox({ label, value, onValue, faults = [], rows = 22, disabled, field }) {
  const box = useRef();
  const gutter = useRef();
  const name = useId("code");
  const wrong = new Set(faults.map((one) => one.line));
  const lines = value.split("\n");
  const go = (line) => {
    const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    box.current.focus();
    box.current.setSelectionRange(from, from + (lines[line - 1] ?? "").length);
    box.current.scrollTop = Math.max(0, (line - 4) * (box.current.scrollHeight / lines.length));
  };
  const first = faults[0]?.line;
  useEffect(() => {
    if (first) box.current.scrollTop = Math.max(0, (first - 4) * (box.current.scrollHeight / lines.length));
  }, [first]);
  return html`<div class="stack-s"><label class="label" for=${name}>${label}</label>
    <div class="code"><div class="code-lines mono" ref=${gutter} aria-hidden="true">${lines.map((_, n) => html`<span key=${n} class=${wrong.has(n + 1) ? "is-wrong" : ""}>${n + 1}</span>`)}</div>
      <textarea id=${name} name=${field} ref=${box} class="input mono code-text" rows=${rows} wrap="off" spellcheck=${false} autocomplete="off" disabled=${disabled} value=${value} aria-invalid=${faults.length ? "true" : undefined} aria-describedby=${`${name}-e`}
        onInput=${(event) => onValue(event.target.value)} onScroll=${(event) => { gutter.current.scrollTop = event.target.scrollTop; }}></textarea></div>
    <ul class="plain code-faults" id=${`${name}-e`} aria-live="polite">${faults.map((one) => html`<li key=${one.line + one.text}><button type="button" class="code-fault" onClick=${() => go(one.line)}><${Icon} name="bad" /><strong>${t("line", { n: one.line })}</strong><span>${fault(one)}</span></button></li>`)}</ul></div>`;
}
