// What the desk knows and does: the engine's notes, the account on the line, the telephone, the draft. No markup here.

import { Problem, ask, get, newKey, post } from "./lib/api.js";
import { keep, kept } from "./lib/kept.js";
import { now } from "./lib/format.js";
import { toSignIn } from "./lib/session.js";
import { Live } from "./lib/live.js";
import { chime, warn } from "./desk-sound.js";
import { EMPTY, draftOf, dropDraft, keepDraft, unsent } from "./desk-draft.js";
import { hold } from "./desk-tab.js";
import { Softphone } from "./softphone.js";

const IN_CALL = new Set(["reserved", "talking", "wrap_up"]);
const OUT = new Set(["", "signed_out"]);
const OF_CALL = new Set(["hang-up", "hold", "unhold", "to-ivr", "to-agent", "consult-end", "hand-over", "help", "record-pause", "record-resume"]);
const AGAIN_MS = 2000;
const LAST_MOMENT_MS = 2500;
const RECENT = 4;

/** Not signed in, and not on his way to another campaign either. */
export const isOut = (note) => !note || (OUT.has(note.state) && !note.moves_to);

export class Desk extends EventTarget {
  who = null;
  info = null; // GET /desk
  note = null; // the engine's last word
  pop = null; // who is on the line
  draft = { ...EMPTY };
  link = null;
  tab = "asking"; // asking, here, elsewhere, moved
  messages = [];
  news = []; // what happened, the newest first
  recent = []; // {contact, campaign, name}: who was before him since the page came, the newest first
  left = []; // results that were typed and never sent
  day = null;
  problem = null;
  phone = null;
  #live = null;
  #sending = null;
  #ending = 0;
  #cut = false; // the link went, and it was said

  constructor(who, audio) {
    super();
    this.who = who;
    this.phone = new Softphone({ audio, credentials: () => ask("POST", "/desk/phone") });
    this.phone.addEventListener("change", () => this.#phoneChanged());
    this.before = this.phone.seen;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** Ask for the desk; another tab may have it. */
  async open(take = false) {
    this.tab = (await hold(this.who.agent, { take, lost: () => this.#letGo("moved") })) ? "here" : "elsewhere";
    this.#changed();
    if (this.tab === "here") await this.#begin();
  }

  #letGo(tab) {
    this.tab = tab;
    this.phone.stop();
    this.#live?.close();
    this.#live = null;
    this.#changed();
  }

  async #begin() {
    try {
      this.info = await get("/desk");
      this.problem = null;
    } catch (problem) {
      this.problem = problem;
      this.#changed();
      setTimeout(() => this.tab === "here" && !this.info && this.#begin(), AGAIN_MS);
      return;
    }
    this.#live ??= new Live({ desk: 1 }, { state: (link) => this.#linked(link), note: (told) => this.#told(told) });
    this.#heard(this.info.note, this.info.call);
    this.left = unsent(this.note?.attempt);
    this.look();
    if (this.#wantsPhone() && !isOut(this.note)) this.#phoneBack();
    this.#changed();
  }

  #wantsPhone() {
    return this.info?.phone === "browser";
  }

  async #phoneBack() {
    try {
      await this.phone.start(); // after a reload: he was ready, and is again without a click
    } catch {
      this.#changed(); // phone.seen says why
    }
  }

  // ---- what the engine says

  #linked(link) {
    const was = this.link?.word;
    this.link = link;
    if (link.word === "down" && (was === "live" || was === "silent")) {
      this.#say("link_down");
      this.#cut = true;
    }
    if (link.word === "refused") {
      if (inCall(this.note)) this.#say("session_ended");
      else toSignIn(); // what was typed waits in this browser
    }
    if (link.word === "live" && this.#cut) {
      this.#say("link_up");
      this.#cut = false;
    }
    this.#changed();
  }

  #told(message) {
    if (message.type !== "desk") return;
    if (message.note.note === "message") {
      if (!this.messages.some((one) => one.id === message.note.id)) {
        this.messages = [message.note, ...this.messages].slice(0, 20);
        chime([660]);
      }
      this.#changed();
      return;
    }
    this.#heard(message.note);
  }

  #heard(note, pop) {
    if (!note || (this.note && note.seq <= this.note.seq)) return;
    const was = this.note;
    this.note = note;
    const joined = note.state === "talking" && (was?.state !== "talking" || was.attempt !== note.attempt);
    if (note.attempt !== (was?.attempt ?? "") || note.contact !== (was?.contact ?? "")) this.#otherCall(note, was, pop);
    if (joined && was) {
      chime();
      this.phone.mute(false);
      performance.mark("santun.joined", { detail: note.attempt });
    }
    if (was && was.state !== note.state) this.#moved(was, note);
    this.#lastMoment(note);
    this.#changed();
  }

  #otherCall(note, was, pop) {
    this.draft = note.attempt ? draftOf(note.attempt) : { ...EMPTY };
    this.#sending = null;
    if (!note.attempt && !note.contact) {
      this.pop = null;
      this.left = unsent("");
      return;
    }
    if (pop && pop.attempt === note.attempt) {
      this.#shows(pop);
    } else {
      if (this.pop?.contact !== note.contact) this.pop = null; // of an account that was shown before its call it stays
      this.#fetchPop(note);
    }
  }

  async #fetchPop(note, tries = 0) {
    try {
      const pop = await get("/desk/pop", {}, { limit: 5 });
      if (this.note.attempt !== note.attempt || (pop.attempt && pop.attempt !== note.attempt)) return;
      this.#shows(pop);
      this.problem = null;
      this.#changed();
    } catch (problem) {
      if (this.note.attempt !== note.attempt || tries > 20) return;
      this.problem = problem.status === 404 ? null : problem;
      this.#changed();
      setTimeout(() => this.note.attempt === note.attempt && this.#fetchPop(note, tries + 1), 300 * (tries + 1));
    }
  }

  #shows(pop) {
    this.pop = pop;
    const others = this.recent.filter((one) => one.contact !== pop.contact);
    this.recent = [{ contact: pop.contact, campaign: this.note.campaign, name: pop.name || pop.account }, ...others].slice(0, RECENT);
  }

  /** Accounts of his campaign with this number, account or contact. */
  find = (wanted) => this.#order("/desk/find", wanted);

  /** What was shown of the account may be old: look again. */
  renew() {
    return this.#fetchPop(this.note);
  }

  #moved(was, note) {
    if (note.state === "wrap_up") {
      this.phone.mute(false);
      this.look();
    }
    if (note.state === "lost") {
      this.#say("leg_lost");
      warn();
    }
    if (was.state === "lost" && !isOut(note)) this.#say(note.state === "talking" ? "back_in_call" : "leg_back");
    if (was.state === "reserved" && note.state === "idle") this.#say("not_joined");
    if (note.state === "break" && note.sent_by) this.#say("sent_to_break", { who: note.sent_by });
    if (note.state === "break" && note.break_reason === "cool_down") this.#say("cool_down");
    if (note.campaign !== was.campaign && !isOut(note)) this.#say("moved_on", { campaign: this.campaignName(note.campaign) });
    if (isOut(note)) {
      if (note.sent_by) this.#say("sent_out", { who: note.sent_by });
      this.phone.stop();
    }
  }

  #say(what, values = {}) {
    this.news = [{ what, values, at: Date.now() / 1000 }, ...this.news].slice(0, 8);
  }

  // ---- the telephone

  #phoneChanged() {
    const seen = this.phone.seen;
    const was = this.before;
    this.before = seen;
    if (was.phone !== seen.phone) {
      if (seen.phone === "away" && was.phone === "registered") this.#say("phone_away");
      if (seen.phone === "registered" && was.phone === "away") this.#say("phone_back");
      if (seen.phone === "taken") this.#letGo("moved");
      if (seen.phone === "kicked") this.#say("kicked");
    }
    if (was.microphone !== seen.microphone && seen.microphone === "lost") this.#say("microphone_lost");
    this.#changed();
  }

  // ---- what the agent does

  /** One click: microphone, telephone, ready for this campaign. */
  async ready(campaign) {
    keep("desk.campaign", campaign);
    if (this.#wantsPhone()) {
      await this.phone.start();
      await this.phone.registered();
    }
    await this.#order("/desk/ready", { campaign });
  }

  campaignName(id) {
    return this.info?.campaigns.find((one) => one.id === id)?.name || id;
  }

  lastCampaign() {
    const lines = this.info?.campaigns ?? [];
    const last = kept("desk.campaign");
    if (this.info?.serves.length) return (lines.find((one) => one.status === "running") ?? lines[0])?.id ?? ""; // his own order
    return (lines.find((one) => one.id === last) ?? lines.find((one) => one.status === "running") ?? lines[0])?.id ?? "";
  }

  /** Orders about a call or an account name it: a key that was pressed for the one before does nothing to the next. */
  order = (path, body) => {
    const { attempt, contact } = this.note ?? {};
    const of = OF_CALL.has(path) && attempt ? `?attempt=${encodeURIComponent(attempt)}` : path.startsWith("preview/") && contact ? `?contact=${encodeURIComponent(contact)}` : "";
    return this.#order("/desk/" + path + of, body);
  };

  async #order(path, body) {
    return await ask("POST", path, { body });
  }

  /** A break or the end of work. It ends a wrap-up: what was typed is sent before, or would be lost. */
  async leave(path, body) {
    const { attempt, state } = this.note;
    if (state === "wrap_up" && this.draft.word) {
      await post("/desk/disposition", this.#result());
      dropDraft(attempt);
    }
    const told = await this.#order("/desk/" + path, body);
    if (path === "sign-out" && told.text !== "after this call") this.phone.stop();
    return told;
  }

  type(news) {
    this.draft = { ...this.draft, ...news };
    if (this.note?.attempt) this.#keep(this.note.attempt);
    this.#changed();
  }

  #keep(attempt, sent = false) {
    keepDraft(attempt, this.draft, { name: this.pop?.name ?? "", campaign: this.note.campaign, sent });
  }

  /** Wrap-up is about to end by itself: what was chosen is sent as it is, if the server takes it. */
  #lastMoment(note) {
    clearTimeout(this.#ending);
    if (note.state !== "wrap_up" || !note.wrap_until) return;
    this.#ending = setTimeout(async () => {
      if (this.note.attempt !== note.attempt || this.note.state !== "wrap_up" || !this.draft.word) return;
      try {
        await this.send();
        this.#say("sent_in_time");
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem; // it stays here as unsent
      }
      this.#changed();
    }, Math.max(0, (note.wrap_until - now()) * 1000 - LAST_MOMENT_MS));
  }

  /** Send the result: in wrap-up it ends it, in the call it is kept. The same wish has the same key, however often it is sent. */
  async send() {
    const { attempt } = this.note;
    const body = this.#result();
    const wrapping = this.note.state === "wrap_up";
    const print = JSON.stringify([wrapping, body]);
    if (this.#sending?.print !== print) this.#sending = { print, key: newKey() };
    const told = await post(wrapping ? "/desk/wrapped" : "/desk/disposition", body, { key: this.#sending.key });
    this.#sending = null;
    if (told.late) this.#say("sent_late");
    if (wrapping || told.late) this.drop(attempt); // the note that wrap-up is over may have come before this answer
    else this.#keep(attempt, true);
    return told;
  }

  #result() {
    return { ...resultOf(this.note.attempt, this.draft, this.pop?.currency), campaign: this.note.campaign };
  }

  /** What was typed and came too late: a correction. */
  async sendLate(one) {
    await post("/desk/late", { ...resultOf(one.attempt, one), campaign: one.campaign });
    this.drop(one.attempt);
  }

  drop(attempt) {
    dropDraft(attempt);
    this.left = this.left.filter((one) => one.attempt !== attempt);
    this.#changed();
  }

  read(message) {
    this.messages = this.messages.filter((one) => one !== message);
    this.#changed();
  }

  async look() {
    try {
      this.day = await get("/desk/day");
      this.#changed();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem; // a figure less on the page
    }
  }
}

/** A draft as the API wants it. */
export function resultOf(attempt, draft, currency = "IDR") {
  const body = { attempt, word: draft.word };
  if (draft.note.trim()) body.note = draft.note.trim();
  if (draft.word === "promise") Object.assign(body, { day: draft.day || null, amount: amountOf(draft.amount, currency) });
  if (draft.word === "call_back" && draft.day) body.at = `${draft.day}T${draft.time || "09:00"}`;
  if (draft.word === "new_number") body.number = draft.number;
  if (draft.word === "offer") body.offer = draft.offer;
  return body;
}

/** "1.250.000" -> 1250000; of a currency with cents "1,250.50" -> 125050: the last point or comma before two figures. */
export function amountOf(text, currency = "IDR") {
  const plain = String(text).trim();
  const cents = currency === "IDR" ? null : /^(.*)[.,](\d\d)$/.exec(plain);
  const whole = Number((cents ? cents[1] : plain).replace(/\D/g, "") || 0);
  return currency === "IDR" ? whole : whole * 100 + Number(cents?.[2] ?? 0);
}

export const inCall = (note) => IN_CALL.has(note?.state ?? "");
