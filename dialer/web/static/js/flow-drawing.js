// A conversation drawn: every step once, by how far it is from the start, and an arrow for each way on.

import { words } from "./lib/i18n.js";
import { html, useEffect, useRef } from "./lib/ui.js";
import en from "./i18n/flows.en.js";
import id from "./i18n/flows.id.js";

const t = words({ id, en });
const WIDE = 156;
const HIGH = 38;
const GAP_X = 18;
const GAP_Y = 44;

/** step name -> {x, y}: rows by distance from the start, then from the steps that are reached from anywhere. */
export function placed(steps) {
  const known = new Map(steps.map((step) => [step.name, step]));
  const rows = [];
  const depth = new Map();
  const walk = (names, from) => {
    let row = names.filter((name) => known.has(name) && !depth.has(name));
    for (let at = from; row.length; at++) {
      for (const name of row) depth.set(name, at);
      (rows[at] ??= []).push(...row);
      row = [...new Set(row.flatMap((name) => known.get(name).arrows.map((arrow) => arrow.to)))].filter((name) => known.has(name) && !depth.has(name));
    }
  };
  walk(steps.filter((step) => step.role === "start").map((step) => step.name), 0);
  for (const step of steps) if (!depth.has(step.name)) walk([step.name], Math.max(0, rows.length - 1));
  const most = Math.max(1, ...rows.map((row) => row.length));
  const places = new Map();
  rows.forEach((row, y) => row.forEach((name, x) => places.set(name, { x: (x + (most - row.length) / 2) * (WIDE + GAP_X) + GAP_X / 2, y: y * (HIGH + GAP_Y) + 8 })));
  return { places, width: most * (WIDE + GAP_X), height: rows.length * (HIGH + GAP_Y) };
}

export function Drawing({ steps, picked, onPick }) {
  const { places, width, height } = placed(steps);
  const box = useRef();
  useEffect(() => {
    const first = places.get(picked) ?? places.get(steps.find((step) => step.role === "start")?.name);
    if (first) box.current.scrollTo({ left: first.x + WIDE / 2 - box.current.clientWidth / 2, top: Math.max(0, first.y - box.current.clientHeight / 3) });
  }, [picked, steps]);
  const edges = steps.flatMap((step) => [...new Set(step.arrows.map((arrow) => arrow.to))].filter((to) => places.has(to)).map((to) => {
    const [from, end] = [places.get(step.name), places.get(to)];
    const [x1, y1, x2, y2] = [from.x + WIDE / 2, from.y + HIGH, end.x + WIDE / 2, end.y];
    const back = y2 <= y1;
    const side = Math.max(from.x, end.x) + WIDE + GAP_X / 2;
    const path = back ? `M${from.x + WIDE} ${from.y + HIGH / 2} C${side} ${from.y + HIGH / 2} ${side} ${end.y + HIGH / 2} ${end.x + WIDE} ${end.y + HIGH / 2}` : `M${x1} ${y1} C${x1} ${y1 + GAP_Y / 2} ${x2} ${y2 - GAP_Y / 2} ${x2} ${y2}`;
    const on = step.arrows.filter((arrow) => arrow.to === to).map((arrow) => arrow.on).filter(Boolean).join(" ");
    const near = step.name === picked || to === picked;
    return html`<g key=${step.name + to} class=${`edge ${back ? "is-back" : ""} ${near ? "is-near" : ""}`}><path d=${path} marker-end="url(#tip)" />${on && near && html`<text x=${(x1 + x2) / 2} y=${(y1 + y2) / 2}>${on}</text>`}</g>`;
  }));
  return html`<div class="drawing" ref=${box} tabindex="0" role="region" aria-label=${t("drawing")}><svg viewBox=${`0 0 ${width} ${height}`} width=${width} height=${height} role="img" aria-label=${t("drawing")}>
    <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" /></marker></defs>
    ${edges}${steps.map((step) => { const { x, y } = places.get(step.name); return html`<g key=${step.name} class=${`node kind-${step.kind} ${step.name === picked ? "is-picked" : ""}`} onClick=${() => onPick(step.name)}>
      <rect x=${x} y=${y} width=${WIDE} height=${HIGH} rx=${step.kind === "end" ? 19 : 5} /><text x=${x + WIDE / 2} y=${y + 16}>${short(step.name)}</text><text class="more" x=${x + WIDE / 2} y=${y + 30}>${short(step.facts.join(", ") || step.result || step.entry || step.does || t("kind." + step.kind))}</text></g>`; })}</svg></div>`;
}

const short = (text) => (text.length > 22 ? `${text.slice(0, 21)}…` : text);

/** The same as a list, for who cannot see it, and for what a drawing has no room for. */
export const Steps = ({ steps, picked, onPick }) => html`<ol class="plain flow-steps">${steps.map((step) => html`<li key=${step.name} class=${step.name === picked ? "is-picked" : ""}>
  <div class="row"><button type="button" class="button button-plain button-s mono" aria-pressed=${String(step.name === picked)} onClick=${() => onPick(step.name)}>${step.name}</button><span class="badge">${t("kind." + step.kind)}</span>${step.verifies && html`<span class="badge tone-good">${t("verifies")}</span>`}${step.facts.map((fact) => html`<span class="badge tone-busy" key=${fact}>${fact}</span>`)}</div>
  ${step.says.length > 0 && html`<p class="small soft mono">${step.says.join(" · ")}</p>`}
  <ul class="plain small">${step.arrows.map((arrow, n) => html`<li key=${n}>${arrow.on && html`<kbd>${arrow.on}</kbd> `}→ <button type="button" class="button button-plain button-s mono" onClick=${() => onPick(arrow.to)}>${arrow.to}</button>${arrow.when && html` <span class="soft">${t("if", { when: arrow.when })}</span>`}</li>`)}</ul></li>`)}</ol>`;
