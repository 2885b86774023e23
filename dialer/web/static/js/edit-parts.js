// What the editors of a campaign share: their versions, the bar with which they save, and what holds an unsaved page back.

import { get } from "./lib/api.js";
import { moment } from "./lib/format.js";
import { words } from "./lib/i18n.js";
import { Button, Field, Note, html, useAsked, useEffect } from "./lib/ui.js";
import en from "./i18n/editors.en.js";
import id from "./i18n/editors.id.js";

const t = words({ id, en });

/** Do not leave a page on which something is not saved without being asked. */
export function useUnsaved(changed) {
  useEffect(() => {
    const leaves = (event) => changed && event.preventDefault();
    addEventListener("beforeunload", leaves);
    return () => removeEventListener("beforeunload", leaves);
  }, [changed]);
}

/** Undo and save; `why`: what keeps it from being saved. */
export const SaveBar = ({ changed, why, onUndo, saves }) => html`<div class="save-bar"><span class="grow small ${why ? "tone-bad toned" : "soft"}" role="status">${why || (changed ? t("unsaved") : "")}</span>
  <${Button} disabled=${!changed} onClick=${onUndo}>${t("undo")}</${Button}><${Button} kind="main" disabled=${!changed || Boolean(why)} act=${saves}>${t("save")}</${Button}></div>`;

/** Who wrote what is shown, and a choice of what was written before. `path`: of the sheet's versions. */
export function Versions({ path, version, picked, onPick }) {
  const [found] = useAsked(() => (version.revision ? get(path) : Promise.resolve({ versions: [] })), [path, version.revision]);
  const told = (key, one) => t(key, { n: one.revision, by: one.by, time: moment(one.at) });
  const old = found?.versions ?? [];
  return html`<div class="row small">${!version.revision ? html`<span class="soft">${t("version.none")}</span>` : old.length < 2 ? html`<span class="soft">${told("version.now", version)}</span>`
    : html`<${Field} label=${t("version.old")} kind="select" inputClass="input-s input-auto" class="field-row" value=${picked || version.revision} onValue=${(n) => onPick(Number(n) === version.revision ? 0 : Number(n))} options=${old.map((one) => [one.revision, told("version.pick", one)])} />`}
    ${Boolean(picked) && html`<${Note} tone="warn">${t("version.back")}</${Note}>`}</div>`;
}

/** The list with its item at `at` moved by `by`. */
export function moved(list, at, by) {
  const to = at + by;
  if (to < 0 || to >= list.length) return list;
  const next = [...list];
  [next[at], next[to]] = [next[to], next[at]];
  return next;
}
