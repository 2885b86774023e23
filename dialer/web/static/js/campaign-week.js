// The week of a campaign beside the hours of the rules: narrowed, never widened, and what a change does before it is saved.

import { get, patch, post } from "./lib/api.js";
import { count, day as dayOf, moment } from "./lib/format.js";
import { words } from "./lib/i18n.js";
import { may } from "./lib/session.js";
import { Button, Field, Icon, Note, Trouble, html, toast, useAsked, useEffect, useState } from "./lib/ui.js";
import { SaveBar, useUnsaved } from "./edit-parts.js";
import en from "./i18n/editors.en.js";
import id from "./i18n/editors.id.js";

const t = words({ id, en });
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const SPAN = /^([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/;
const SETTLES_MS = 400;

/** "08:00-12:00, 13:00-20:00" -> [[480, 720], [780, 1200]], "closed" -> []; null: neither. */
export function spansOf(text) {
  if (text.trim() === "closed") return [];
  const found = [];
  for (const part of text.split(",")) {
    const one = SPAN.exec(part.trim());
    if (!one) return null;
    const [opens, closes] = [Number(one[1]) * 60 + Number(one[2]), Number(one[3]) * 60 + Number(one[4])];
    if (opens >= closes || closes > 1440 || (found.length && opens <= found.at(-1)[1])) return null;
    found.push([opens, closes]);
  }
  return found;
}

const weekday = (day) => DAYS[(new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7];
const within = (narrow, wide) => narrow.every(([from, to]) => wide.some(([opens, closes]) => opens <= from && to <= closes));
const told = (text) => (text === "closed" ? t("week.closed") : text.replaceAll("-", "–"));

/** A day from 0 to 24 o'clock: the rules' hours pale, what is left of them strong. */
function Bar({ day, law, open, shift }) {
  const x = (minutes) => `${(minutes / 14.4).toFixed(3)}%`;
  const rects = (text, name) => (spansOf(text) ?? []).map(([from, to]) => html`<rect key=${name + from} class=${name} x=${x(from)} width=${x(to - from)} height="100%" />`);
  const ends = /^(\d\d):(\d\d)$/.exec(shift);
  return html`<svg class="week-bar" role="img" aria-label=${t("week.picture", { day: t("day." + day), open: told(open) })} preserveAspectRatio="none">
    <rect class="track" width="100%" height="100%" />${rects(law, "law")}${rects(open, "open")}
    ${[6, 12, 18].map((hour) => html`<line key=${hour} x1=${x(hour * 60)} x2=${x(hour * 60)} y1="0" y2="100%" />`)}
    ${ends && html`<line class="mark" x1=${x(ends[1] * 60 + Number(ends[2]))} x2=${x(ends[1] * 60 + Number(ends[2]))} y1="0" y2="100%" />`}</svg>`;
}

export function Week({ full, onSaved }) {
  const { week, shifts, first_day, last_day, shift_ends } = full.settings;
  const known = { week, shifts, first_day, last_day, shift_ends };
  const [draft, setDraft] = useState(known);
  const [problem, setProblem] = useState(null);
  const [now, troubleNow] = useAsked(() => get(`/campaigns/${full.id}/week`), [full.revision]);
  const [then, setThen] = useState(null);
  const [effect, setEffect] = useState(null);
  const changes = Object.fromEntries(Object.entries(draft).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(known[name])));
  const changed = Object.keys(changes).length > 0;
  const faults = faultsOf(draft, now);
  const wrong = Object.keys(faults).length > 0;
  useUnsaved(changed);
  useEffect(() => {
    setEffect(null);
    if (!changed || wrong || !now) {
      setThen(null);
      return undefined;
    }
    let live = true;
    const timer = setTimeout(async () => {
      try {
        const week_ = await post(`/campaigns/${full.id}/week`, { settings: changes });
        if (live) setThen(week_);
        const touched = now.next.find((one, n) => one.open !== week_.next[n].open)?.day;
        if (!touched) return;
        const [before, after] = await Promise.all([get(`/campaigns/${full.id}/preview`, { day: touched }), post(`/campaigns/${full.id}/preview`, { settings: changes, day: touched })]);
        if (live) setEffect({ day: touched, before: before.callable, after: after.callable });
      } catch (fault) {
        if (live) setProblem(fault);
      }
    }, SETTLES_MS);
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [JSON.stringify(changes), wrong, Boolean(now)]);
  const set = (name, value) => { setProblem(null); setDraft({ ...draft, [name]: value }); };
  const setIn = (name, key, value) => {
    const next = { ...draft[name] };
    if (value === "") delete next[key];
    else next[key] = value;
    set(name, next);
  };
  const save = async () => {
    try {
      await patch(`/campaigns/${full.id}`, { settings: changes, revision: full.revision });
      toast(t("week.saved"));
      onSaved();
    } catch (fault) {
      setProblem(fault);
    }
  };
  const shown = then ?? now;
  const may_ = may("campaigns:run");
  if (!shown) return html`<${Trouble} problem=${troubleNow} />${!troubleNow && html`<p class="wait">${t("loading")}</p>`}`;
  return html`<div class="stack-l"><p class="soft measure">${t("week.text")}</p>
    <div class="table-box"><table class="table week"><thead><tr><th scope="col">${t("week.day")}</th><th scope="col">${t("week.law")}</th><th scope="col">${t("week.own")}</th><th scope="col" class="week-wide"><div class="week-hours" aria-hidden="true"><span>0</span><span>6</span><span>12</span><span>18</span><span>24</span></div></th><th scope="col">${t("week.shift")}</th></tr></thead>
      <tbody>${DAYS.map((day, n) => { const one = shown.days[n]; const shut = draft.week[day] === "closed"; return html`<tr key=${day}><th scope="row">${t("day." + day)}</th>
        <td class="soft nowrap">${shown.always ? t("week.always") : told(one.law)}</td>
        <td><div class="row nowrap"><input class="input input-s week-input" name=${`week-${day}`} aria-label=${t("week.own.of", { day: t("day." + day) })} aria-invalid=${faults[day] ? "true" : undefined} disabled=${!may_ || one.law === "closed"} placeholder=${t("week.as_law")}
            value=${shut ? t("week.closed") : draft.week[day] ?? ""} readonly=${shut} onInput=${(event) => setIn("week", day, event.target.value.trim())} />
          ${one.law !== "closed" && html`<${Button} size="s" kind="plain" icon=${shut ? "plus" : "close"} label=${t(shut ? "week.open" : "week.close", { day: t("day." + day) })} disabled=${!may_} onClick=${() => setIn("week", day, shut ? "" : "closed")} />`}</div>
          ${faults[day] && html`<span class="fault">${faults[day]}</span>`}</td>
        <td class="week-wide"><${Bar} day=${day} law=${one.law} open=${one.open} shift=${draft.shifts[day] ?? draft.shift_ends} /></td>
        <td><input class="input input-s input-clock" inputmode="numeric" maxlength="5" placeholder="–" aria-invalid=${faults["shift." + day] ? "true" : undefined} name=${`shift-${day}`} aria-label=${t("week.shift.of", { day: t("day." + day) })} disabled=${!may_} value=${draft.shifts[day] ?? draft.shift_ends} onInput=${(event) => setIn("shifts", day, event.target.value.trim() === draft.shift_ends ? "" : event.target.value.trim())} /></td></tr>`; })}</tbody></table></div>
    <div class="form-grid"><${Field} kind="date" label=${t("week.first")} value=${draft.first_day} disabled=${!may_} onValue=${(value) => set("first_day", value)} hint=${t("week.dates")} />
      <${Field} kind="date" label=${t("week.last")} value=${draft.last_day} disabled=${!may_} onValue=${(value) => set("last_day", value)} fault=${faults.last_day ?? ""} /></div>
    <section class="stack-s"><h3>${t("week.next")}</h3><ol class="plain week-next">${shown.next.map((one, n) => html`<li key=${one.day} class=${one.open === "closed" ? "is-shut" : ""} data-changed=${String(Boolean(then) && now.next[n].open !== one.open)}>
      <span class="tiny soft">${t("short." + weekday(one.day))}</span><strong>${dayOf(one.day).replace(/ \d{4}$/, "")}</strong><span class="tiny">${one.holiday ? t("week.holiday") : told(one.open)}</span></li>`)}</ol></section>
    <section class="stack-s" aria-live="polite"><h3>${t("week.effect")}</h3>
      ${effect && html`<p><${Icon} name="right" /> ${t("week.effect.day", { day: dayOf(effect.day), before: count(effect.before), after: count(effect.after) })}</p>`}
      <p class="soft">${!shown.opens ? t("week.effect.never") : Date.parse(shown.opens) - Date.now() < 60e3 ? t("week.effect.open") : t("week.effect.opens", { time: moment(shown.opens, shown.zones[0]) })}</p>
      ${!changed && html`<p class="soft small">${t("week.effect.none")}</p>`}</section>
    <${Trouble} problem=${problem} />
    ${may_ ? html`<${SaveBar} changed=${changed} why=${Object.values(faults)[0]} onUndo=${() => { setDraft(known); setProblem(null); }} saves=${save} />` : html`<${Note}>${t("trouble.403")}</${Note}>`}</div>`;
}

/** What cannot be saved, by day or field. */
function faultsOf(draft, now) {
  const faults = {};
  for (const day of DAYS) {
    const text = draft.week[day];
    const law = now?.days.find((one) => one.day === day)?.law ?? "";
    if (text === undefined) continue;
    const own = spansOf(text);
    if (own === null) faults[day] = t("week.shape");
    else if (law && !within(own, spansOf(law) ?? [])) faults[day] = t("week.beyond", { law: told(law) });
  }
  for (const [day, clock] of Object.entries(draft.shifts)) if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(clock)) faults["shift." + day] = t("week.clock");
  if (draft.first_day && draft.last_day && draft.last_day < draft.first_day) faults.last_day = t("week.order");
  return faults;
}
