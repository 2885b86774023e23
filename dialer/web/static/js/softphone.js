// An agent's telephone in the page: one standing call ("leg") to Asterisk, kept up from sign-in to sign-out.
//
//     const phone = new Softphone({ audio, credentials });
//     phone.addEventListener("change", () => phone.seen);     // what it is doing now, see `seen`
//     await phone.start();                                    // microphone, then registration; the leg comes by itself
//     phone.stop();
//
// `credentials()` gives { user, password, realm, websocket, ice } anew at each call: a password lives as long as a
// registration does, and one that Asterisk no longer knows (it was restarted) is asked for again.

import JsSIP from "../vendor/jssip.min.js";

const GOODBYE = 'Reason: Q.850;cause=16;text="agent"'; // without it Asterisk reports cause 0
const LOOK_MS = 2000;
const AGAIN_MS = 3000;
export const TAKEN = 4001; // close code of /sip: this desk is open somewhere else
export const KICKED = 4003; // and: signed out

/** What `seen.phone` can be: off, starting, registering, registered, away (no websocket), refused, taken, kicked. */
export class Softphone extends EventTarget {
  #ua = null;
  #session = null;
  #mic = null;
  #timer = 0;
  #again = 0;
  #last = null;
  #stopped = true;
  #device = "";

  constructor({ audio, credentials, credentialsWait = AGAIN_MS }) {
    super();
    this.audio = audio;
    this.credentials = credentials;
    this.wait = credentialsWait;
    this.seen = { phone: "off", leg: false, muted: false, microphone: "unasked", quality: null, ear: true };
    // A page that goes says goodbye: Asterisk and the engine then know in 40 ms, not in 15 s.
    addEventListener("pagehide", () => this.#goodbye());
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#hurry());
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#devicesChanged());
  }

  #see(news) {
    this.seen = { ...this.seen, ...news };
    this.dispatchEvent(new Event("change"));
  }

  // ---- microphone

  /** Ask for the microphone; gives its MediaStream. Throws DOMException NotAllowedError, NotFoundError, NotReadableError. */
  async microphone(device = this.#device) {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.#see({ microphone: "insecure" });
      throw new DOMException("a page without https has no microphone", "SecurityError");
    }
    this.#device = device;
    const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    if (device) wanted.deviceId = { ideal: device };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted, video: false });
      await this.#use(stream);
      return stream;
    } catch (error) {
      const why = { NotAllowedError: "denied", NotFoundError: "none", NotReadableError: "busy" }[error.name] ?? "failed";
      this.#see({ microphone: why });
      throw error;
    }
  }

  get stream() {
    return this.#mic;
  }

  async #use(stream) {
    const old = this.#mic;
    const track = stream.getAudioTracks()[0];
    track.enabled = !this.seen.muted;
    track.addEventListener("ended", () => this.#mic === stream && this.#lostMicrophone());
    this.#mic = stream;
    const sender = this.#session?.connection?.getSenders().find((one) => one.track?.kind === "audio" || !one.track);
    if (sender) await sender.replaceTrack(track);
    if (old && old !== stream) old.getTracks().forEach((one) => one.stop());
    this.#see({ microphone: "ready" });
  }

  async #lostMicrophone() {
    this.#see({ microphone: "lost" });
    await this.microphone("").catch(() => {}); // the next one there is; #see has told why not
  }

  #devicesChanged() {
    if (this.seen.microphone === "lost" || this.seen.microphone === "none") this.microphone("").catch(() => {});
  }

  // ---- registration

  /** Microphone, then SIP. The leg is raised by the engine. */
  async start() {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#see({ phone: "starting" });
    try {
      if (!this.#mic || this.seen.microphone !== "ready") await this.microphone();
      await this.#register();
    } catch (error) {
      this.#stopped = true;
      this.#see({ phone: "off" });
      throw error;
    }
  }

  /** When Asterisk knows the way here, or after `limit` ms: the engine tries again by itself. */
  registered(limit = 4000) {
    if (this.seen.phone === "registered") return Promise.resolve();
    return new Promise((done) => {
      const ends = setTimeout(over, limit);
      const told = () => this.seen.phone === "registered" && over();
      const self = this;
      function over() {
        clearTimeout(ends);
        self.removeEventListener("change", told);
        done();
      }
      this.addEventListener("change", told);
    });
  }

  async #register() {
    const known = await this.credentials();
    if (this.#stopped) return;
    const address = new URL(known.websocket, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(address.href)],
      uri: `sip:${known.user}@${known.realm}`,
      authorization_user: known.user,
      password: known.password,
      register: true,
      register_expires: 60,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 5,
      user_agent: "Santun desk",
    });
    this.ice = { iceServers: known.ice ?? [], iceTransportPolicy: known.relay ? "relay" : "all" };
    ua.on("registered", () => this.#ua === ua && this.#see({ phone: "registered" }));
    ua.on("disconnected", (event) => this.#ua === ua && this.#disconnected(event));
    ua.on("registrationFailed", (event) => this.#ua === ua && this.#refused(event.response?.status_code ?? 0));
    ua.on("newRTCSession", (event) => (event.originator === "remote" && this.#ua === ua ? this.#incoming(event) : event.session.terminate()));
    this.#ua = ua;
    this.#see({ phone: "registering" });
    ua.start();
  }

  #disconnected({ code }) {
    if (code === TAKEN || code === KICKED) {
      this.stop();
      this.#see({ phone: code === TAKEN ? "taken" : "kicked" });
    } else if (!this.#stopped) {
      this.#see({ phone: "away" });
    }
  }

  #refused(code) {
    // 401, 403, 404: the password is not known any more. Anything else JsSIP tries again by itself.
    this.#see({ phone: "refused" });
    if (code >= 400 && code < 500) this.#anew();
  }

  /** With a fresh password; a leg of the old one is dead or somebody else's. */
  #anew() {
    if (this.#again || this.#stopped) return;
    this.#again = setTimeout(async () => {
      this.#again = 0;
      if (this.#stopped) return;
      const old = this.#ua;
      this.#ua = null;
      if (old) quietly(() => old.stop());
      try {
        await this.#register();
      } catch {
        this.#see({ phone: "away" });
        this.#anew();
      }
    }, this.wait);
  }

  #hurry() {
    // Back from sleep or from a lost network: do not wait for the next try.
    if (!this.#stopped && this.#ua && !this.#ua.isConnected()) this.#ua.start();
  }

  // ---- the leg

  // Only Asterisk can call this phone, and it does so to park the leg: every call is answered.
  #incoming({ session }) {
    const old = this.#session;
    this.#session = session; // a new leg always wins: the goodbye to an old one may have been lost
    if (old) quietly(() => old.terminate());
    if (this.seen.leg) this.#see({ leg: false });
    session.on("icecandidate", (event) => / typ (host|relay)/.test(event.candidate.candidate) && this.#enough(event));
    session.on("peerconnection", ({ peerconnection }) => this.#connected(session, peerconnection));
    session.on("confirmed", () => this.#up(session));
    const over = (event) => {
      if (this.#session !== session) return;
      this.#session = null;
      clearInterval(this.#timer);
      this.#see({ leg: false, quality: null, by: event.originator });
    };
    session.on("ended", over);
    session.on("failed", over);
    session.answer({ mediaStream: this.#mic, pcConfig: this.ice });
  }

  /** The line is up when Asterisk says so and sound can pass. */
  #up(session) {
    if (this.#session !== session || this.seen.leg || !session.isEstablished() || session.connection?.connectionState !== "connected") return;
    this.#see({ leg: true });
    clearInterval(this.#timer);
    this.#last = null;
    this.#timer = setInterval(() => this.#look(session), LOOK_MS);
  }

  #enough(event) {
    // One usable address is enough: to wait for all of them can take seconds.
    if (this.ice.iceTransportPolicy !== "relay" || / typ relay/.test(event.candidate.candidate)) event.ready();
  }

  #connected(session, connection) {
    connection.addEventListener("track", ({ streams, track }) => {
      this.audio.srcObject = streams[0] ?? new MediaStream([track]);
      this.audio.play().then(
        () => this.#see({ ear: true }),
        () => this.#see({ ear: false }), // the browser wants a click first
      );
    });
    connection.addEventListener("connectionstatechange", () => {
      this.#up(session);
      // No sound goes through any more: say goodbye, so that a new leg is raised now and not after 15 s of silence.
      if (connection.connectionState === "failed" && this.#session === session) quietly(() => session.terminate({ extraHeaders: [GOODBYE] }));
    });
  }

  async #look(session) {
    const report = await session.connection?.getStats().catch(() => null);
    if (!report || this.#session !== session) return;
    const now = { lost: 0, received: 0, jitter: 0, trip: null, energy: 0, sent: 0 };
    report.forEach((one) => {
      if (one.type === "inbound-rtp" && one.kind === "audio") {
        Object.assign(now, { lost: one.packetsLost, received: one.packetsReceived, jitter: one.jitter, energy: one.totalAudioEnergy });
      }
      if (one.type === "outbound-rtp" && one.kind === "audio") now.sent = one.packetsSent;
      if (one.type === "remote-inbound-rtp") now.trip = one.roundTripTime ?? null;
    });
    const last = this.#last ?? now;
    this.#last = now;
    const came = now.received - last.received;
    const lost = Math.max(0, now.lost - last.lost);
    const loss = came + lost ? lost / (came + lost) : 0;
    this.#see({ quality: { loss, jitter: now.jitter, trip: now.trip, silent: this.#last !== last && came === 0, grade: grade(loss, now.jitter, now.trip) } });
  }

  // ---- what the agent does

  /** Let nobody hear him, or everybody again. */
  mute(on) {
    this.#mic?.getAudioTracks().forEach((track) => (track.enabled = !on));
    this.#see({ muted: on });
  }

  /** Send keys: 0-9, * and #. */
  keys(text) {
    if (this.#session?.isEstablished()) this.#session.sendDTMF(text, { transportType: "RFC2833" });
  }

  /** A click that lets the browser play sound. */
  hear() {
    this.audio.play().then(() => this.#see({ ear: true }), () => {});
  }

  #goodbye() {
    const session = this.#session;
    if (session) quietly(() => session.terminate({ extraHeaders: [GOODBYE] }));
  }

  /** Leg down, registration given back, microphone let go. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#again);
    clearInterval(this.#timer);
    this.#again = 0;
    this.#goodbye();
    const ua = this.#ua;
    this.#ua = null;
    this.#session = null;
    if (ua) quietly(() => ua.stop());
    this.#mic?.getTracks().forEach((track) => track.stop());
    this.#mic = null;
    this.#see({ phone: "off", leg: false, muted: false, quality: null, microphone: "unasked" });
  }
}

/** good, fair or poor, by what speech suffers from: loss, jitter (s), round trip (s). */
export function grade(loss, jitter, trip) {
  if (loss > 0.05 || jitter > 0.06 || (trip ?? 0) > 0.5) return "poor";
  return loss > 0.015 || jitter > 0.03 || (trip ?? 0) > 0.25 ? "fair" : "good";
}

function quietly(act) {
  try {
    act();
  } catch {
    // dead already
  }
}
