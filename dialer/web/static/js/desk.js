// The agent's desk: one page from the microphone check to the last result of the day.

import { Frame, session } from "./lib/session.js";
import { Badge, Button, Choice, Dialog, Field, Icon, LinkState, Note, Trouble, confirmed, html, mount, said, toast, useAsked, useEffect, useKeys, useLayoutEffect, useRef, useState, useTick } from "./lib/ui.js";
import { get } from "./lib/api.js";
import { clock, now, timeExact } from "./lib/format.js";
import { words } from "./lib/i18n.js";
import { Desk, inCall, isOut } from "./desk-model.js";
import { Account, DayLine, Script } from "./desk-account.js";
import { ByHand, mayDial, numberWord, numbersOf } from "./desk-by-hand.js";
import { Result, faultsOf } from "./desk-result.js";
import { meter } from "./desk-sound.js";
import en from "./i18n/desk.en.js";
import id from "./i18n/desk.id.js";

const t = words({ id, en });

const STATES = {
  signed_out: ["quiet", "door"], raising: ["busy", "turn"], idle: ["good", "ready"], reserved: ["busy", "phone-in"], talking: ["busy", "talk"],
  preview: ["busy", "search"], supervising: ["busy", "ear"], wrap_up: ["warn", "pen"], break: ["rest", "cup"], lost: ["bad", "lost"],
};

const OWN_CALL = new Set(["preview", "manual"]); // he hears it ring himself

const audio = document.createElement("audio");
audio.autoplay = true;

const who = await session();
const desk = new Desk(who, audio);
desk.open();

function useDesk() {
  const [, set] = useState(0);
  useEffect(() => {
    const told = () => set((n) => n + 1);
    desk.addEventListener("change", told);
    return () => desk.removeEventListener("change", told);
  }, []);
}

function App() {
  useDesk();
  const state = stateOf();
  document.title = state && !isOut(desk.note) ? t("title.state", { state: t("agent_state." + state) }) : t("title");
  const talks = inCall(desk.note);
  return html`<${Frame} who=${who} page="agent" tools=${html`<${Tools} />`}>
    ${desk.tab === "here" ? html`<${Strip} />${desk.note && inCall(desk.note) ? html`<${Aside} />` : null}<${News} />` : null}
    ${desk.tab !== "here" ? html`<${Elsewhere} />`
      : !desk.info ? html`<${Waiting} />`
      : isOut(desk.note) ? html`<${Start} />`
      : talks || desk.note.contact ? html`<${Call} />`
      : html`<${Idle} />`}
  </${Frame}>`;
}

const stateOf = () => (desk.note?.moves_to && desk.note.state === "signed_out" ? "raising" : desk.note?.state ?? "");

// ---- the head: telephone, link

function Tools() {
  useDesk();
  if (desk.tab !== "here" || !desk.info) return null;
  const phone = phoneWord();
  return html`<div class="row">${desk.info.phone === "browser" && !isOut(desk.note) && html`<span class=${`link-state toned tone-${phone[0]}`} role="status">
    <${Icon} name=${phone[1]} />${t("phone." + phone[2])}</span>`}<${LinkState} link=${desk.link} /></div>`;
}

function phoneWord() {
  const { phone, leg, quality } = desk.phone.seen;
  if (phone === "registered" && leg) {
    return { good: ["good", "phone", "good"], fair: ["warn", "phone", "fair"], poor: ["bad", "alert", "poor"] }[quality?.grade] ?? ["good", "phone", "up"];
  }
  if (phone === "registered") return ["busy", "turn", "waiting"];
  return { starting: ["busy", "turn", "connecting"], registering: ["busy", "turn", "connecting"], away: ["bad", "lost", "away"], refused: ["warn", "turn", "connecting"] }[phone] ?? ["quiet", "phone-off", "off"];
}

// ---- the strip: state, how long, what can be done now

function Strip() {
  useTick(1);
  const note = desk.note;
  const state = stateOf();
  if (!note || isOut(note)) return null;
  const [tone, icon] = STATES[state] ?? ["quiet", "info"];
  const ends = { wrap_up: note.wrap_until, break: note.break_until, preview: note.preview_until }[state] ?? 0;
  const left = ends ? ends - now() : null;
  return html`<section class=${`desk-strip tone-${left !== null && left < 10 && state === "wrap_up" ? "bad" : tone}`} aria-label=${t("strip")}>
    <div class="desk-state" role="status"><${Icon} name=${icon} /><strong>${OWN_CALL.has(note.kind) && state === "reserved" ? t("state.calling") : t("agent_state." + state)}</strong>
      ${state === "break" && note.break_reason && html`<span>${reason(note.break_reason)}</span>`}</div>
    ${desk.info.serves.length > 1 && html`<span class="small soft">${desk.campaignName(note.moves_to || note.campaign)}</span>`}
    <span class="desk-clock clock" aria-label=${t("since")}>${clock(now() - note.since)}</span>
    ${left !== null && html`<span class="clock">${t(state === "wrap_up" ? "wrap.left" : "break.left", { time: clock(left) })}</span>`}
    ${note.next && html`<${Badge} tone="rest" icon="clock">${note.moves_to ? t("next.move", { campaign: desk.campaignName(note.moves_to) }) : t(note.next === "break" ? "next.break" : "next.sign_out")}</${Badge}>`}
    <span class="grow"></span>
    ${(state === "talking" || state === "reserved") && html`<${InCall} />`}
    ${state !== "talking" && state !== "reserved" && html`<${Between} />`}
  </section>`;
}

const reason = (word) => (t.has("reason." + word) ? t("reason." + word) : word);

const does = (path, body, well) => said(() => desk.order(path, body), well);

// ---- in the call

function InCall() {
  const note = desk.note;
  const [open, setOpen] = useState("");
  useEffect(() => setOpen(""), [note.attempt]);
  const talks = stateOf() === "talking";
  const held = note.call === "on_hold";
  const paused = note.recording === "paused";
  const { muted } = desk.phone.seen;
  const browser = desk.info.phone === "browser";
  const mute = () => desk.phone.mute(!desk.phone.seen.muted);
  const hold = () => does(desk.note.call === "on_hold" ? "unhold" : "hold");
  const record = () => does(desk.note.recording === "paused" ? "record-resume" : "record-pause");
  const help = () => does("help", { on: !desk.note.help });
  const hangUp = () => does("hang-up");
  useKeys({
    F2: { what: t("act.help"), run: help, when: () => talks, anywhere: true },
    F4: { what: t("act.mute"), run: mute, when: () => talks && browser, anywhere: true },
    F8: { what: t("act.hold"), run: hold, when: () => talks, anywhere: true },
    F9: { what: t("act.hang_up"), run: hangUp, when: () => talks, anywhere: true },
    K: { what: t("act.keypad"), run: () => setOpen((was) => (was === "keypad" ? "" : "keypad")), when: () => talks && browser },
    T: { what: t("act.hand_over"), run: () => setOpen("hand"), when: () => talks && !desk.note.asked },
  }, [talks, note.attempt]);
  return html`<div class="row desk-tools" role="toolbar" aria-label=${t("call")}>
    ${browser && html`<${Button} size="s" icon=${muted ? "mic-off" : "mic"} pressed=${muted} disabled=${!talks} onClick=${mute} keys="F4">${t(muted ? "act.unmute" : "act.mute")}</${Button}>`}
    <${Button} size="s" icon="hold" pressed=${held} disabled=${!talks} act=${hold} keys="F8">${t(held ? "act.unhold" : "act.hold")}</${Button}>
    ${browser && html`<${Button} size="s" icon="keys" pressed=${open === "keypad"} disabled=${!talks} onClick=${() => setOpen(open === "keypad" ? "" : "keypad")} keys="K">${t("act.keypad")}</${Button}>`}
    ${note.recording && html`<${Button} size="s" icon="record" pressed=${paused} disabled=${!talks} act=${record}>${t(paused ? "act.record" : "act.record_pause")}</${Button}>`}
    <${Button} size="s" icon="take" disabled=${!talks || note.asked} onClick=${() => setOpen("hand")} keys="T">${t("act.hand_over")}</${Button}>
    <${Button} size="s" icon="help" pressed=${note.help} disabled=${!talks} act=${help} keys="F2">${t("act.help")}</${Button}>
    <${Button} size="s" kind="bad" icon="phone-off" disabled=${!talks} act=${hangUp} keys="F9">${t("act.hang_up")}</${Button}>
    ${open === "keypad" && html`<${Keypad} onClose=${() => setOpen("")} />`}
    ${open === "hand" && html`<${HandOver} onClose=${() => setOpen("")} />`}
  </div>`;
}

/** What is special about the call just now: who listens, who waits, who is asked. */
function Aside() {
  const { asked, asked_by: by, monitored, call, state, recording, help } = desk.note;
  const told = [
    call === "on_hold" && ["warn", "hold", t("aside.hold")],
    recording === "paused" && ["warn", "record", t("aside.paused")],
    monitored && ["busy", { listen: "ear", whisper: "whisper" }[monitored] ?? "join", t("aside.monitored." + monitored)],
    help && ["busy", "help", t("aside.help")],
    by && state === "reserved" && ["busy", "phone-in", t("aside.asked_by", { agent: by })],
  ].filter(Boolean);
  if (!told.length && !asked) return null;
  return html`<div class="row desk-aside" role="status">${told.map(([tone, icon, text]) => html`<${Badge} key=${text} tone=${tone} icon=${icon}>${text}</${Badge}>`)}
    ${asked && state === "talking" && html`<${Badge} tone="busy" icon="user">${t("aside.asked", { agent: asked })}</${Badge}>
      <${Button} size="s" kind="main" icon="take" act=${() => does("hand-over")}>${t("act.hand_over_now")}</${Button}><${Button} size="s" act=${() => does("consult-end")}>${t("act.consult_end")}</${Button}>`}</div>`;
}

function Keypad({ onClose }) {
  const [sent, set] = useState("");
  const press = (key) => { desk.phone.keys(key); set((was) => (was + key).slice(-20)); };
  const box = useRef();
  useLayoutEffect(() => box.current?.focus(), []); // before the next key can come
  const typed = (event) => {
    if (/^[0-9*#]$/.test(event.key) && !event.ctrlKey && !event.altKey) { event.preventDefault(); event.stopPropagation(); press(event.key); }
    if (event.key === "Escape") onClose();
  };
  return html`<div class="desk-keypad card" role="group" aria-label=${t("act.keypad")} tabindex="-1" ref=${box} onKeyDown=${typed}>
    <output class="mono">${sent || t("keypad.hint")}</output>
    <div class="desk-keys">${[..."123456789*0#"].map((key) => html`<${Button} key=${key} onClick=${() => press(key)}>${key}</${Button}>`)}</div></div>`;
}

function HandOver({ onClose }) {
  const [to, setTo] = useState("agent");
  const [agent, setAgent] = useState("");
  const [announce, setAnnounce] = useState(true);
  const [found, problem] = useAsked(() => get("/desk/colleagues"));
  const free = (found ?? []).filter((one) => one.free);
  const chosen = agent || free[0]?.agent || "";
  const send = async () => {
    if (await (to === "ivr" ? does("to-ivr", undefined, t("hand.done")) : does("to-agent", { agent: chosen, announce }))) onClose();
  };
  return html`<${Dialog} title=${t("act.hand_over")} onClose=${onClose} onSend=${send} footer=${html`<${Button} onClick=${onClose}>${t("cancel")}</${Button}>
      <${Button} kind="main" type="submit" disabled=${to === "agent" && !chosen}>${t(to === "agent" && announce ? "act.consult" : "act.hand_over")}</${Button}>`}>
    <${Choice} label=${t("hand.to")} value=${to} onValue=${setTo} options=${[["agent", t("hand.agent"), "user"], ["ivr", t("hand.ivr"), "robot"]]} />
    ${to === "ivr" ? html`<p class="soft">${t("hand.ivr_hint")}</p>` : html`
      ${problem && html`<${Trouble} problem=${problem} />`}
      ${found && !free.length ? html`<${Note} tone="warn">${t("hand.nobody")}</${Note}>`
        : html`<${Field} kind="select" label=${t("hand.whom")} value=${chosen} onValue=${setAgent} options=${free.map((one) => [one.agent, `${one.name} · ${one.agent}${one.supervisor ? " · " + t("hand.supervisor") : ""}`])} />`}
      <${Field} kind="check" label=${t("hand.announce")} value=${announce} onValue=${setAnnounce} hint=${announce ? t("hand.announce_hint") : undefined} />`}</${Dialog}>`;
}

// ---- between calls

function Between() {
  const state = stateOf();
  const note = desk.note;
  const [open, set] = useState(false);
  const [dials, dial] = useState(false);
  const line = desk.info.campaigns.find((one) => one.id === note.campaign);
  const unfinished = () => {
    const wrong = desk.note.state === "wrap_up" && desk.draft.word && Object.keys(faultsOf(desk.draft, desk.pop)).length > 0;
    if (wrong) toast(t("fault.finish"), "warn");
    return wrong;
  };
  const away = async (why) => { set(false); if (!unfinished()) await said(() => desk.leave("break", { reason: why })); };
  const back = () => does("back");
  const out = async () => unfinished() || (await said(() => desk.leave("sign-out")));
  useKeys({
    B: { what: t(state === "break" ? "act.back" : "act.break"), run: () => (state === "break" ? back() : set(true)) },
    N: { what: t("by_hand.title"), run: () => dial(true), when: () => mayDial(desk.note) },
  }, [state]);
  return html`<div class="row">
    ${mayDial(note) && html`<${Button} icon="phone" onClick=${() => dial(true)} keys="N">${t("act.by_hand")}</${Button}>`}
    ${state === "break" || note.next ? html`<${Button} kind=${state === "break" ? "main" : undefined} icon="ready" act=${back} keys=${state === "break" ? "B" : undefined} disabled=${note.sent_by ? true : undefined} why=${note.sent_by ? t("break.ordered", { who: note.sent_by }) : undefined}>${t(state === "break" ? "act.back" : "act.stay")}</${Button}>`
      : html`<${Button} icon="cup" onClick=${() => set(true)} keys="B">${t("act.break")}</${Button}>`}
    <${Button} icon="door" act=${out}>${t("act.sign_out")}</${Button}>
    ${open && html`<${Breaks} reasons=${line?.breaks ?? []} onChoose=${away} onClose=${() => set(false)} />`}
    ${dials && html`<${ByHand} desk=${desk} onClose=${() => dial(false)} />`}</div>`;
}

function Breaks({ reasons, onChoose, onClose }) {
  useKeys(Object.fromEntries(reasons.slice(0, 9).map((one, n) => [String(n + 1), { what: reason(one), run: () => onChoose(one), modal: true }])), [reasons.join()]);
  return html`<${Dialog} title=${t("break.why")} onClose=${onClose}>
    <div class="stack">${reasons.map((one, n) => html`<${Button} key=${one} size="l" act=${() => onChoose(one)} keys=${n < 9 ? String(n + 1) : undefined}>${reason(one)}</${Button}>`)}</div></${Dialog}>`;
}

// ---- the pages within the page

function Waiting() {
  return html`<div class="desk-middle">${desk.problem ? html`<${Trouble} problem=${desk.problem} />` : html`<p class="soft">${t("loading")}</p>`}</div>`;
}

function Elsewhere() {
  if (desk.tab === "asking") return html`<${Waiting} />`;
  const moved = desk.tab === "moved";
  return html`<section class="desk-middle card stack"><h1>${t(moved ? "tab.moved" : "tab.elsewhere")}</h1>
    <p>${t(moved ? "tab.moved_text" : "tab.elsewhere_text")}</p>
    <div><${Button} kind="main" size="l" icon="take" act=${() => (moved ? location.reload() : desk.open(true))}>${t("tab.take")}</${Button}></div></section>`;
}

function Start() {
  const lines = desk.info.campaigns;
  const [campaign, set] = useState(desk.lastCampaign());
  const [problem, setProblem] = useState(null);
  const browser = desk.info.phone === "browser";
  const { microphone } = desk.phone.seen;
  const go = async () => {
    setProblem(null);
    try {
      await desk.ready(campaign);
    } catch (error) {
      if (error.name && !("status" in error) && microphoneSays(error)) return; // the check below tells
      setProblem(error);
    }
  };
  useKeys({ Enter: { what: t("act.ready"), run: go, when: () => Boolean(campaign) && !document.activeElement?.closest("button, a, summary, select") } }, [campaign]);
  return html`<div class="desk-middle stack-l">
    <${Unsent} />
    <section class="card stack" aria-labelledby="ready-title"><h1 id="ready-title">${t("start.title", { name: who.name })}</h1>
      ${lines.length === 0 ? html`<${Note} tone="warn">${t("start.no_campaign")}</${Note}>`
        : lines.length === 1 ? html`<p>${t("start.campaign")}: <strong>${lines[0].name || lines[0].id}</strong> <span class="soft">${t("status." + lines[0].status)}</span></p>`
        : html`<${Field} kind="select" label=${t("start.campaign")} value=${campaign} onValue=${set} options=${lines.map((one) => [one.id, `${one.name || one.id} (${t("status." + one.status)})`])} />`}
      ${browser ? html`<${Microphone} />` : html`<${Note} icon="phone">${t("start.sip")}</${Note}>`}
      ${problem && html`<${Trouble} problem=${problem} />`}
      <div class="row"><${Button} kind="main" size="l" icon="ready" act=${go} disabled=${!campaign} keys="Enter">${t("act.ready")}</${Button}>
        ${browser && microphone === "unasked" && html`<span class="soft small">${t("start.hint")}</span>`}</div></section>
    <${DayLine} day=${desk.day} /></div>`;
}

const microphoneSays = (error) => ["NotAllowedError", "NotFoundError", "NotReadableError", "SecurityError"].includes(error.name);

/** How loud the agent is, which microphone it is, and what to do where there is none. */
function Microphone() {
  const { microphone } = desk.phone.seen;
  const [level, setLevel] = useState(0);
  const [devices, setDevices] = useState([]);
  const [quiet, setQuiet] = useState(0);
  useEffect(() => {
    if (microphone !== "ready" || !desk.phone.stream) return undefined;
    navigator.mediaDevices.enumerateDevices().then((all) => setDevices(all.filter((one) => one.kind === "audioinput" && one.deviceId)));
    return meter(desk.phone.stream, (loud) => { setLevel(loud); setQuiet((n) => (loud > 0.12 ? 0 : n + 1)); });
  }, [microphone, desk.phone.stream]);
  const check = () => desk.phone.microphone().catch(() => {});
  if (microphone === "ready") {
    return html`<div class="stack-s"><span class="label">${t("mic.level")}</span>
      <div class="row nowrap"><${Icon} name="mic" /><meter class="desk-meter" min="0" max="1" low="0.15" value=${level} aria-label=${t("mic.level")}>${Math.round(level * 100)} %</meter>
        ${devices.length > 1 && html`<select class="input input-s input-auto" aria-label=${t("mic.which")} onChange=${(event) => desk.phone.microphone(event.target.value).catch(() => {})}>
          ${devices.map((one) => html`<option key=${one.deviceId} value=${one.deviceId}>${one.label}</option>`)}</select>`}</div>
      <span class="small soft">${t(quiet > 50 ? "mic.silent" : "mic.fine")}</span></div>`;
  }
  if (microphone === "unasked") return html`<div class="row"><${Button} icon="mic" act=${check}>${t("mic.check")}</${Button}></div>`;
  return html`<${Note} tone="bad" icon="mic-off" role="alert"><strong>${t("mic." + microphone)}</strong> ${t("mic_cure." + microphone)} <${Button} size="s" act=${check}>${t("again")}</${Button}></${Note}>`;
}

function Idle() {
  const state = stateOf();
  const { microphone, ear } = desk.phone.seen;
  return html`<div class="desk-middle stack-l">
    <${Unsent} />
    <section class="card stack" aria-live="polite"><h1>${t("idle." + state)}</h1><p class="soft measure">${t("idle_text." + state)}</p>
      ${desk.info.serves.length > 1 && html`<p class="small soft measure">${t("idle.serves", { campaigns: desk.info.serves.map((one) => desk.campaignName(one)).join(" · ") })}</p>`}
      ${desk.info.phone === "browser" && desk.phone.seen.phone === "off" && html`<div><${Button} kind="main" icon="phone" act=${() => said(() => desk.phone.start())}>${t("act.phone_on")}</${Button}></div>`}
      ${!ear && html`<${Button} kind="main" icon="ear" onClick=${() => desk.phone.hear()}>${t("act.hear")}</${Button}>`}
      ${desk.info.phone === "browser" && (microphone === "ready" || !["unasked"].includes(microphone)) && html`<${Microphone} />`}</section>
    <${DayLine} day=${desk.day} /></div>`;
}

function Call() {
  const { ear } = desk.phone.seen;
  useEffect(() => {
    if (desk.pop) requestAnimationFrame(() => performance.mark("santun.pop", { detail: desk.pop.attempt }));
  }, [desk.pop?.attempt]);
  return html`${!ear && html`<${Note} tone="warn" icon="ear" role="alert">${t("ear.blocked")} <${Button} size="s" onClick=${() => desk.phone.hear()}>${t("act.hear")}</${Button}></${Note}>`}
    ${desk.problem && !desk.pop && html`<${Trouble} problem=${desk.problem} />`}
    <div class="desk-call"><${Account} pop=${desk.pop} note=${desk.note} /><${Script} pop=${desk.pop} key=${desk.note.contact} />
      ${desk.note.state === "preview" ? html`<${Preview} />` : html`<${Result} key=${desk.note.attempt} desk=${desk} />`}</div>`;
}

// ---- preview: the account first, then the call

const SKIPS = ["bad_time", "just_paid", "language", "data", "other"];

function Preview() {
  const { pop, note } = desk;
  const [other, setOther] = useState("");
  const call = () => does("preview/call");
  const skip = (reason) => does("preview/skip", { reason });
  useKeys({
    Enter: { what: t("preview.call"), run: call, when: () => !document.activeElement?.closest("button, a, summary") },
    ...Object.fromEntries(SKIPS.slice(0, 4).map((one, n) => [String(n + 1), { what: `${t("preview.skip")}: ${t("skip." + one)}`, run: () => skip(t("skip." + one)) }])),
  }, [note.contact]);
  const others = numbersOf(pop).filter((one) => one.place !== (pop.next_number ?? 0));
  return html`<section class="card desk-result stack" aria-labelledby="preview-title"><h2 id="preview-title">${t("preview.title")}</h2><p class="soft">${t("preview.text")}</p>
    <div class="row"><${Button} kind="main" size="l" icon="phone" act=${call} keys="Enter" disabled=${!pop}>${t("preview.call")}</${Button}></div>
    ${others.length > 0 && html`<div class="stack-s"><span class="label">${t("preview.numbers")}</span>${others.map((one) => html`<div key=${one.place}><${Button} size="s" icon="phone" act=${() => does("dial", { contact: note.contact, number: one.place })}>${numberWord(one)}</${Button}></div>`)}</div>`}
    <hr /><span class="label">${t("preview.skip")}</span>
    <div class="desk-words desk-words-wide">${SKIPS.slice(0, 4).map((one, n) => html`<${Button} key=${one} size="s" class="desk-word" act=${() => skip(t("skip." + one))} keys=${String(n + 1)}>${t("skip." + one)}</${Button}>`)}</div>
    <form class="row nowrap" onSubmit=${(event) => { event.preventDefault(); if (other.trim()) skip(other.trim()); }}>
      <input class="input" aria-label=${t("skip.other")} placeholder=${t("skip.other")} maxlength="100" value=${other} onInput=${(event) => setOther(event.target.value)} /><${Button} type="submit" disabled=${!other.trim()}>${t("preview.skip")}</${Button}></form></section>`;
}

// ---- what happened, what was said, what was never sent

function News() {
  const shown = desk.news.filter((one) => now() - one.at < 120).slice(0, 2);
  return html`<div class="stack-s desk-news" role="log" aria-label=${t("news")}>
    ${desk.messages.slice(0, 3).map((one) => html`<div key=${one.id} class="note tone-busy"><${Icon} name="message" /><div class="grow"><strong>${one.sender.replace(/^web:/, "")}</strong> <span class="soft clock">${timeExact(one.at)}</span> ${one.text}</div>
      <${Button} size="s" kind="plain" icon="close" label=${t("close")} onClick=${() => desk.read(one)} /></div>`)}
    ${shown.map((one) => html`<div key=${one.what + one.at} class="note tone-warn"><${Icon} name="info" /><div class="grow"><span class="soft clock">${timeExact(one.at)}</span> ${t("news." + one.what, one.values)}</div></div>`)}</div>`;
}

function Unsent() {
  if (!desk.left.length) return null;
  return html`${desk.left.map((one) => html`<${Note} key=${one.attempt} tone="warn" role="alert"><strong>${t("unsent", { name: one.name || one.attempt })}</strong>
    <p>${one.word && t("word." + one.word)} ${one.amount} ${one.day} ${one.time} ${one.number} ${one.note}</p><p class="small soft">${t("unsent_text")}</p>
    <div class="row">${one.word && one.campaign && html`<${Button} size="s" kind="main" act=${() => said(() => desk.sendLate(one), t("result.sent"))}>${t("unsent_send")}</${Button}>`}
    <${Button} size="s" act=${async () => (await confirmed({ title: t("unsent_drop"), text: t("unsent_drop_text"), yes: t("unsent_drop"), bad: true })) && desk.drop(one.attempt)}>${t("unsent_drop")}</${Button}></div></${Note}>`)}`;
}

mount(App);
document.body.append(audio);
Object.assign(globalThis, { santun: { desk } }); // for people who look from the console, and for the browser tests
