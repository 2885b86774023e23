// With what words the talks of a campaign may end: which are offered, in which order, by which keys, which need a note.

import { get, put } from "./lib/api.js";
import { words } from "./lib/i18n.js";
import { may } from "./lib/session.js";
import { Button, Icon, Trouble, html, toast, useAsked, useState } from "./lib/ui.js";
import { SaveBar, Versions, moved, useUnsaved } from "./edit-parts.js";
import en from "./i18n/editors.en.js";
import id from "./i18n/editors.id.js";

const t = words({ id, en });
const KEYS = "1234567890ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const wordOf = (word) => (t.has("said." + word) ? t("said." + word) : word);

export function Results({ campaign }) {
  const [revision, setRevision] = useState(0);
  const [newest, setNewest] = useState(0);
  const [seen, problem, again] = useAsked(async () => {
    const found = await get(`/campaigns/${campaign}/results`, { revision: revision || undefined });
    if (!revision) setNewest(found.version.revision);
    return found;
  }, [campaign, revision]);
  if (!seen) return problem ? html`<${Trouble} problem=${problem} again=${again} />` : html`<p class="wait">${t("loading")}</p>`;
  return html`<div class="stack"><p class="soft measure">${t("result.text")}</p><${Editor} key=${seen.version.revision} campaign=${campaign} seen=${seen} newest=${newest} old=${revision} onPick=${setRevision} onSaved=${() => (revision ? setRevision(0) : again())} /></div>`;
}

function Editor({ campaign, seen, newest, old, onPick, onSaved }) {
  const offered = new Set(seen.words.map((one) => one.word));
  const start = [...seen.words.map((one) => ({ ...one, on: true })), ...seen.all.filter((word) => !offered.has(word)).map((word) => ({ word, key: "", note: false, on: false }))];
  const [rows, setRows] = useState(start);
  const [problem, setProblem] = useState(null);
  const changed = Boolean(old) || JSON.stringify(rows) !== JSON.stringify(start);
  useUnsaved(changed);
  const may_ = may("campaigns:change");
  const on = rows.filter((one) => one.on);
  const taken = new Set(seen.taken);
  const fault = (one) => !one.on ? "" : one.key.length !== 1 || !KEYS.includes(one.key) ? t("result.fault.key") : taken.has(one.key) ? t("result.fault.key_taken") : on.some((other) => other !== one && other.key === one.key) ? t("result.fault.key_twice") : "";
  const faults = rows.map(fault);
  const change = (next) => { setProblem(null); setRows(next); };
  const set = (at, news) => change(rows.map((one, n) => (n === at ? { ...one, ...news } : one)));
  const free = () => [...KEYS].find((key) => !taken.has(key) && !on.some((one) => one.key === key)) ?? "";
  const save = async () => {
    try {
      await put(`/campaigns/${campaign}/results`, { words: on.map(({ word, key, note }) => ({ word, key, note })), revision: newest });
      toast(t("result.saved"));
      onSaved();
    } catch (fault_) {
      setProblem(fault_);
    }
  };
  return html`<div class="row end"><${Versions} path=${`/campaigns/${campaign}/results/versions`} version=${seen.version} picked=${old} onPick=${onPick} /></div>
    <div class="editor"><div class="table-box"><table class="table table-dense results"><thead><tr><th scope="col">${t("result.offered")}</th><th scope="col">${t("result.word")}</th><th scope="col">${t("result.key")}</th><th scope="col">${t("result.note")}</th><th></th></tr></thead>
      <tbody>${rows.map((one, at) => { const word = wordOf(one.word); const always = seen.always.includes(one.word); return html`<tr key=${one.word} class=${one.on ? "" : "is-off"}>
        <td><input type="checkbox" name=${`on-${one.word}`} aria-label=${t("result.offer.of", { word })} checked=${one.on} disabled=${!may_ || always} onChange=${(event) => set(at, { on: event.target.checked, key: event.target.checked ? one.key || free() : one.key })} /></td>
        <th scope="row">${word}${always && html`<br /><span class="tiny soft">${t("result.always")}</span>`}</th>
        <td><input class="input input-s input-key mono" name=${`key-${one.word}`} aria-label=${t("result.key.of", { word })} aria-invalid=${faults[at] ? "true" : undefined} maxlength="1" value=${one.key} disabled=${!may_ || !one.on} onFocus=${(event) => event.target.select()} onInput=${(event) => set(at, { key: event.target.value.toUpperCase() })} /><span class="fault tiny">${faults[at]}</span></td>
        <td><input type="checkbox" name=${`note-${one.word}`} aria-label=${t("result.note.of", { word })} checked=${one.note} disabled=${!may_ || !one.on} onChange=${(event) => set(at, { note: event.target.checked })} /></td>
        <td class="nowrap">${may_ && one.on && html`<${Button} size="s" kind="plain" icon="up" label=${t("result.up", { word })} disabled=${at === 0} onClick=${() => change(moved(rows, at, -1))} /><${Button} size="s" kind="plain" icon="down" label=${t("result.down", { word })} disabled=${at >= rows.length - 1} onClick=${() => change(moved(rows, at, 1))} />`}</td></tr>`; })}</tbody></table></div>
      <section class="stack-s edit-side"><h3>${t("result.preview")}</h3><div class="preview-words">${on.map((one) => html`<span class="button button-s" key=${one.word}>${wordOf(one.word)}${one.note && html` <${Icon} name="pen" label=${t("result.note")} />`}<kbd>${one.key}</kbd></span>`)}</div></section></div>
    <${Trouble} problem=${problem} />
    ${may_ && html`<${SaveBar} changed=${changed} why=${faults.find(Boolean) ?? ""} onUndo=${() => (old ? onPick(0) : change(start))} saves=${save} />`}`;
}
