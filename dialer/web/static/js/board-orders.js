// A supervisor's orders: to the campaign, to an agent. Each waits for the engine's word and shows it.

import { get, patch } from "./lib/api.js";
import { clock, decimal, now } from "./lib/format.js";
import { may } from "./lib/session.js";
import { Badge, Button, Dialog, Field, Trouble, confirmed, html, toast, useAsked, useEffect, useRef, useState, useTick } from "./lib/ui.js";
import { keep } from "./lib/kept.js";
import { looksOf, t } from "./board-words.js";
import { extensionOf, isHere, order, raised } from "./board-phone.js";

/** Start, pause, stop: what makes no sense now cannot be pressed, and nothing changes its place. */
export function Run({ campaign, board }) {
  const status = board?.status;
  if (!may("campaigns:run")) return null;
  const stop = async () => {
    if (await confirmed({ title: t("stop.title"), text: t("stop.text"), yes: t("stop.yes"), bad: true })) await order(campaign, "stop");
  };
  return html`<div class="button-group">
    <${Button} icon="play" act=${() => order(campaign, "start")} disabled=${!status || status === "running"}>${t("start")}</${Button}>
    <${Button} icon="pause" act=${() => order(campaign, "pause")} disabled=${status !== "running"}>${t("pause")}</${Button}>
    <${Button} icon="stop" act=${stop} disabled=${!status || status === "stopped" || status === "ready"}>${t("stop")}</${Button}></div>`;
}

const MODES = { agents: ["progressive", "predictive", "ratio", "preview"], ivr: ["ivr"] };
/** name, least, step; abandon_rate_max is shown in per cent */
const CAPS = [["ratio", 1, 0.1], ["abandon_rate_max", 0.1, 0.1], ["lines_max", 1, 1], ["lines_per_agent_max", 1, 0.1], ["calls_per_second", 0.1, 0.1]];
const shownAs = (name, value) => (name === "abandon_rate_max" ? Number((value * 100).toFixed(3)) : value);
const meantBy = (name, text) => (name === "abandon_rate_max" ? Number((Number(text) / 100).toFixed(6)) : Number(text));

/** Mode and caps: what is set now beside each, applied together, and the moment at which the engine has them. */
export function Pace({ campaign, board, onClose }) {
  const settings = board.settings ?? {};
  const [wanted, set] = useState({});
  const [problem, setProblem] = useState(null);
  const [sent, setSent] = useState(null);
  const changed = Object.entries(wanted).filter(([name, value]) => value !== "" && value !== settings[name]);
  useTick(0.5);
  useEffect(() => {
    if (sent && sent.pairs.every(([name, value]) => settings[name] === value)) {
      toast(t("set.done", { seconds: decimal(now() - sent.at), what: sent.pairs.map(([name]) => t("set." + name)).join(", ") }));
      onClose();
    }
  });
  const send = async () => {
    if (!changed.length) {
      toast(t("set.same"), "info");
      return;
    }
    setProblem(null);
    try {
      await patch(`/campaigns/${campaign}`, { settings: Object.fromEntries(changed) });
      setSent({ at: now(), pairs: changed });
    } catch (fault) {
      setProblem(fault);
    }
  };
  const late = sent && now() - sent.at > 8;
  return html`<${Dialog} title=${t("set.title")} onClose=${onClose} onSend=${send}
    footer=${html`<span class="grow soft small">${late ? t("set.waits") : ""}</span><${Button} onClick=${onClose}>${t("cancel")}</${Button}>
      <${Button} type="submit" kind="main" busy=${Boolean(sent) && !late}>${t("set.send")}</${Button}>`}>
    <p class="soft">${t("set.text")}</p>
    <div class="form-grid">
      <${Field} label=${t("set.mode")} kind="select" value=${wanted.mode ?? settings.mode} onValue=${(mode) => set({ ...wanted, mode })}
        options=${(MODES[settings.kind] ?? MODES.agents).map((mode) => [mode, t("mode." + mode)])} hint=${t("set.now", { value: t("mode." + settings.mode) })} />
      ${CAPS.map(([name, least, step]) => html`<${Field} key=${name} label=${t("set." + name)} kind="number" min=${least} step=${step}
        value=${name in wanted ? shownAs(name, wanted[name]) : shownAs(name, settings[name])} hint=${t("set.now", { value: shownAs(name, settings[name]) })}
        onValue=${(text) => set({ ...wanted, [name]: text === "" ? "" : meantBy(name, text) })} />`)}</div>
    <${Trouble} problem=${problem} /></${Dialog}>`;
}

/** To one agent, or to all. */
export function Message({ campaign, agent, onClose }) {
  const [text, set] = useState("");
  const send = async () => {
    if (text.trim() && (await order(campaign, "message", { agent, text: text.trim() }))) onClose();
  };
  return html`<${Dialog} title=${agent === "all" ? t("message_all") : t("agent.title", { agent })} onClose=${onClose} onSend=${send}
    footer=${html`<${Button} onClick=${onClose}>${t("cancel")}</${Button}><${Button} type="submit" kind="main">${t("agent.send")}</${Button}>`}>
    <${Field} label=${t("agent.message")} kind="textarea" value=${text} onValue=${set} hint=${t("agent.message.hint")} maxlength="500" autofocus /></${Dialog}>`;
}

const SPIES = [["listen", "ear"], ["whisper", "whisper"], ["join", "join"], ["take_over", "take"]];

/** One agent: how he stands, what may be asked of him. The dialog follows the live board. */
export function AgentDialog({ campaign, agent, who, onClose, onMessage }) {
  const here = isHere(who);
  const [phone, setPhone] = useState(extensionOf(who));
  const [name, setName] = useState("");
  const [to, setTo] = useState("");
  const [all] = useAsked(() => get("/campaigns"), []);
  const others = (all?.campaigns ?? []).map((one) => [one.id ?? one.settings?.id, one.name ?? one.settings?.name]).filter(([id]) => id && id !== campaign);
  useTick(1);
  useEffect(() => {
    setName("");
    if (agent?.contact && may("debtors:see")) get("/debtors", { contact: agent.contact, campaign }).then((found) => setName(found.debtors.find((one) => one.contact === agent.contact)?.name ?? ""), () => {});
  }, [agent?.contact]);
  const known = useRef(agent);
  known.current = agent ?? { ...known.current, state: "signed_out", call: "", attempt: "" };
  const now_ = known.current;
  const mine = now_.monitored?.find((one) => one.supervisor === phone)?.mode;
  const [tone, icon] = looksOf(now_);
  const give = (order_, more = {}) => order(campaign, order_, { agent: now_.id, ...more });
  const spy = async (order_) => {
    if (!here) keep("board.phone", phone);
    else if (order_ !== "leave" && !(await raised())) return;
    await give(order_, { supervisor: phone });
  };
  const talks = now_.state === "talking";
  const works = now_.state !== "signed_out";
  return html`<${Dialog} title=${t("agent.title", { agent: now_.id })} onClose=${onClose}>
    <div class="row spread"><${Badge} tone=${tone} icon=${icon}>${t("agent_state." + now_.state)}</${Badge}><span class="clock strong">${clock(now() - now_.since)}</span></div>
    ${now_.help && html`<p class="tone-bad toned strong">${t("agent.help")}</p>`}
    ${now_.monitored?.length > 0 && html`<p class="soft">${now_.monitored.map((one) => t("agent.monitored", { who: one.supervisor, what: t("agent." + one.mode) })).join(", ")}</p>`}
    <dl class="facts"><dt>${t("agent.call")}</dt><dd>${now_.call ? t("call." + flightOf(now_.call)) : "–"}</dd>
      <dt>${t("agent.contact")}</dt><dd>${now_.contact ? html`<a href=${`/debtors?campaign=${campaign}&contact=${encodeURIComponent(now_.contact)}`}>${name || now_.contact}</a>` : "–"}</dd></dl>
    ${may("agents:order") && html`<section class="stack-s"><h3>${t("agent.ask")}</h3><div class="act">
        <${Button} icon="message" disabled=${!works} onClick=${() => onMessage(now_.id)}>${t("agent.message")}</${Button}>
        ${now_.state === "break" || now_.next ? html`<${Button} icon="ready" act=${() => give("back")}>${t("agent.back")}</${Button}>`
          : html`<${Button} icon="cup" disabled=${!works} act=${() => give("break")}>${t("agent.break")}</${Button}>`}
        <${Button} icon="door" kind="bad" disabled=${!works} why=${t("agent.sign_out.text")} act=${() => give("sign_out")}>${t("agent.sign_out")}</${Button}></div>
        ${now_.moves_to ? html`<p class="small soft">${t("agent.moves", { campaign: now_.moves_to })}</p>` : others.length > 0 && html`<div class="row"><select class="input input-s input-auto" aria-label=${t("agent.move_to")} value=${to} onChange=${(event) => setTo(event.target.value)}>
          <option value="">${t("agent.move_to")}</option>${others.map(([id, called]) => html`<option key=${id} value=${id}>${called || id}</option>`)}</select>
          <${Button} icon="take" disabled=${!works || !to} act=${() => give("move", { to })}>${t("agent.move")}</${Button}></div>`}</section>
      <section class="stack-s"><h3>${t("agent.in_call")}</h3>
        ${here ? html`<p class="small soft">${t(talks ? "agent.phone.here" : "agent.no_call")}</p>` : html`<${Field} label=${t("agent.phone")} value=${phone} onValue=${(text) => setPhone(text.replace(/\D/g, "").slice(0, 10))} inputmode="numeric" short hint=${talks ? t("agent.phone.hint") : t("agent.no_call")} />`}
        <div class="act">${SPIES.map(([name_, sign]) => html`<${Button} key=${name_} icon=${sign} pressed=${name_ === "take_over" ? undefined : mine === name_} disabled=${!talks || phone.length < 2} act=${() => spy(name_)}>${t("agent." + name_)}</${Button}>`)}
          <${Button} kind="plain" disabled=${!mine} act=${() => spy("leave")}>${t("agent.leave")}</${Button}></div></section>`}</${Dialog}>`;
}

const flightOf = (state) => ({ claimed: "dialing", placed: "dialing", detecting: "waiting", wants_agent: "waiting", on_hold: "held", ended: "gone" })[state] ?? state;
