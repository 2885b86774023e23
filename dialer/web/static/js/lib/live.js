// The /live WebSocket: one snapshot, then numbered deltas. A number that is missing asks for a new snapshot; a link that
// is gone is tried again with growing pauses, and what the page shows meanwhile is marked as old.

import { now, serverSays } from "./format.js";

const PAUSES_S = [0.5, 1, 2, 4, 8, 15];
const SILENT_S = 12; // the server sends something at least every few seconds

/** JSON merge patch (RFC 7396): null takes a name away, an object goes into the one that is there, all else replaces. */
export function merged(known, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = known && typeof known === "object" && !Array.isArray(known) ? { ...known } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

/**
 * Keeps a link open.
 *   new Live({ campaign }, { data(value, message), state(link) })
 * `query` goes into the address. `data` gets the whole value after every change; `link` is {word, since, retryAt}, its
 * word one of connecting, live, silent, down, refused.
 */
export class Live {
  constructor(query, { data = () => {}, state = () => {}, note = () => {} } = {}) {
    Object.assign(this, { query, data, state, note, value: null, seq: null, tries: 0, heardAt: 0, ended: false, timer: 0 });
    this.watch = setInterval(() => this.#look(), 1000);
    this.wake = () => !this.socket && this.#open();
    addEventListener("online", this.wake);
    this.#open();
  }

  close() {
    this.ended = true;
    clearInterval(this.watch);
    clearTimeout(this.timer);
    removeEventListener("online", this.wake);
    this.socket?.close();
  }

  /** Send a message, if the link is up; says whether it was. */
  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  #say(word, more = {}) {
    if (this.word !== word) this.since = now();
    this.word = word;
    this.state({ word, since: this.since, ...more });
  }

  #open() {
    clearTimeout(this.timer);
    if (this.ended) return;
    this.#say("connecting");
    const address = new URL("/live", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    for (const [name, value] of Object.entries(this.query)) if (value) address.searchParams.set(name, value);
    const socket = (this.socket = new WebSocket(address));
    this.heardAt = Date.now();
    socket.onmessage = (event) => socket === this.socket && this.#hear(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.#closed(event.code);
  }

  #closed(code) {
    this.socket = null;
    this.seq = null;
    if (this.ended) return;
    if (code === 4401 || code === 4403) {
      this.#say("refused", { code });
      return;
    }
    const pause = PAUSES_S[Math.min(this.tries++, PAUSES_S.length - 1)] * (0.8 + 0.4 * Math.random());
    this.#say("down", { retryAt: now() + pause });
    this.timer = setTimeout(() => this.#open(), pause * 1000);
  }

  #hear(message) {
    this.heardAt = Date.now();
    if (typeof message.at === "number") serverSays(message.at);
    if (message.type === "snapshot") {
      this.value = message.data;
      this.seq = message.seq;
    } else if (message.type === "delta") {
      if (this.seq === null || message.seq <= this.seq) return;
      if (message.seq !== this.seq + 1) {
        this.seq = null;
        this.send({ type: "resync" });
        return;
      }
      this.seq = message.seq;
      this.value = merged(this.value, message.data);
    } else {
      this.#live();
      this.note(message);
      return;
    }
    this.#live();
    this.data(this.value, message);
  }

  #live() {
    this.tries = 0;
    if (this.word !== "live") this.#say("live");
  }

  #look() {
    const silent = (Date.now() - this.heardAt) / 1000;
    if (this.socket && silent > SILENT_S) {
      const gone = this.socket;
      this.#closed(0); // a half-open link never closes by itself
      gone.close();
    } else if (this.word === "live" && silent > SILENT_S / 2) {
      this.#say("silent");
    }
  }
}
