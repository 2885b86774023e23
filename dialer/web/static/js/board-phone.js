// A supervisor in a talk: his telephone, which is this page where his user has no other, and the bar that says with whom he
// is and what he can do there. The telephone is on only while it is needed, and so is the microphone.

import { ask, newKey, post } from "./lib/api.js";
import { kept } from "./lib/kept.js";
import { reason } from "./lib/reasons.js";
import { Button, Icon, html, said, toast, trouble, useEffect, useState } from "./lib/ui.js";
import { t } from "./board-words.js";

const LEFT_MS = 4000; // a leg that went may be called again; after it the microphone is let go

const audio = document.createElement("audio");
audio.autoplay = true;
document.body.append(audio);
let phone = null;
const watchers = new Set();

/** Whether he hears and speaks through this page. */
export const isHere = (who) => Boolean(who.agent) && who.phone === "browser";

/** The extension that is called for him. */
export const extensionOf = (who) => who.agent || kept("board.phone", "");

/** Send an order; its answer or refusal is said at the edge of the page. */
export const order = (campaign, name, args = {}) =>
  said(() => post(`/campaigns/${campaign}/orders`, { name, ...args }, { key: newKey(), limit: 10 }),
    (answer) => t("ordered", { text: reason(answer.text) }));

/** This page's telephone is on and can be called; says why where it cannot. */
export async function raised() {
  try {
    const { Softphone } = await import("./softphone.js");
    phone ??= made(new Softphone({ audio, credentials: () => ask("POST", "/desk/phone") }));
    await phone.start();
    await phone.registered();
    if (phone.seen.phone === "registered") return true;
    toast(t("phone.away"), "bad");
  } catch (fault) {
    toast("status" in fault ? trouble(fault) : t("phone.no_microphone"), "bad");
  }
  return false;
}

function made(one) {
  one.addEventListener("change", () => watchers.forEach((told) => told()));
  return one;
}

function useSeen() {
  const [, set] = useState(0);
  useEffect(() => {
    const told = () => set((n) => n + 1);
    watchers.add(told);
    return () => void watchers.delete(told);
  }, []);
  return phone?.seen ?? { phone: "off", leg: false, muted: false };
}

/** {what, agent}: where this supervisor is; what: listen, whisper, join, talking, wrap_up; null: nowhere. */
export function placeOf(board, extension) {
  const own = board?.agents?.[extension];
  if (own && (own.state === "talking" || own.state === "wrap_up" || own.state === "lost")) return { what: own.state === "wrap_up" ? "wrap_up" : "talking", agent: extension };
  for (const agent of Object.values(board?.agents ?? {})) {
    const mine = agent.monitored?.find((one) => one.supervisor === extension);
    if (mine) return { what: mine.mode, agent: agent.id };
  }
  return null;
}

const NEXT = [["listen", "ear"], ["whisper", "whisper"], ["join", "join"], ["take_over", "take"]];

/** The bar: only there while he is in a talk. */
export function PhoneBar({ who, campaign, board }) {
  const seen = useSeen();
  const extension = extensionOf(who);
  const place = extension ? placeOf(board, extension) : null;
  const idle = !place && !seen.leg;
  useEffect(() => {
    if (!idle || !phone || seen.phone === "off") return undefined;
    const ends = setTimeout(() => phone.stop(), LEFT_MS);
    return () => clearTimeout(ends);
  }, [idle, seen.phone]);
  if (!place) return null;
  const give = (name) => order(campaign, name, name === "hang_up" ? { agent: extension } : { agent: place.agent, supervisor: extension });
  const own = place.what === "talking";
  return html`<section class="phone-bar" aria-label=${t("bar")}>
    <span class="row nowrap strong" role="status"><${Icon} name=${{ listen: "ear", whisper: "whisper", join: "join", wrap_up: "pen" }[place.what] ?? "talk"} />${t("bar." + place.what, { agent: place.agent })}</span>
    ${!own && place.what !== "wrap_up" && html`<span class="button-group">${NEXT.map(([name, icon]) => html`<${Button} key=${name} size="s" icon=${icon} pressed=${name === place.what} act=${() => give(name)}>${t("agent." + name)}</${Button}>`)}</span>`}
    ${seen.leg && html`<${Button} size="s" icon=${seen.muted ? "mic-off" : "mic"} pressed=${seen.muted} onClick=${() => phone.mute(!phone.seen.muted)}>${t(seen.muted ? "bar.unmute" : "bar.mute")}</${Button}>`}
    ${own && html`<${Button} size="s" kind="bad" icon="phone-off" act=${() => give("hang_up")}>${t("bar.hang_up")}</${Button}>`}
    ${own || place.what === "wrap_up" ? who.agent && html`<a class="button button-main button-s" href="/agent"><${Icon} name="pen" />${t("bar.desk")}</a>`
      : html`<${Button} size="s" icon="close" act=${() => give("leave")}>${t("agent.leave")}</${Button}>`}</section>`;
}
