// What board and wallboard share: words, signs and tones of states, and the live board of one campaign.

import { useEffect, useState } from "./lib/ui.js";
import { words } from "./lib/i18n.js";
import { clock, now, percent } from "./lib/format.js";
import { Live } from "./lib/live.js";
import { get } from "./lib/api.js";
import { toSignIn } from "./lib/session.js";
import en from "./i18n/board.en.js";
import id from "./i18n/board.id.js";

export const t = words({ id, en });

/** state -> [tone, sign] */
export const AGENT_LOOKS = {
  idle: ["good", "ready"],
  reserved: ["busy", "ring"],
  preview: ["busy", "search"],
  talking: ["busy", "talk"],
  wrap_up: ["warn", "pen"],
  break: ["rest", "cup"],
  raising: ["quiet", "turn"],
  lost: ["bad", "lost"],
  signed_out: ["quiet", "door"],
};

/** [tone, sign] of an agent; one whose state is newer than this page is shown all the same. */
export const looksOf = (agent) => AGENT_LOOKS[agent.state] ?? ["quiet", "info"];

/** Rows of calls in flight: [name, the engine's states in it]. */
export const FLIGHTS = [
  ["dialing", ["claimed", "placed"]],
  ["ringing", ["ringing"]],
  ["waiting", ["detecting", "waiting", "wants_agent"]],
  ["joining", ["joining"]],
  ["talking", ["talking"]],
  ["held", ["on_hold", "held"]],
  ["in_ivr", ["in_ivr"]],
  ["in_message", ["in_message"]],
];

export const STATUS_TONES = { ready: "quiet", running: "good", paused: "warn", stopped: "bad" };

export const inStates = (board, states) => states.reduce((sum, state) => sum + (board.calls?.[state] ?? 0), 0);

/** Agents who are here, by extension. */
export const agentsOf = (board) =>
  Object.values(board.agents ?? {})
    .filter((agent) => agent.state !== "signed_out")
    .sort((one, other) => Boolean(other.help) - Boolean(one.help) || one.id.length - other.id.length || (one.id < other.id ? -1 : 1));

const STALE_S = 5; // as in alerts.py: a board that comes no more cannot say so itself

/** Seconds for which the engine has been silent; 0: it is not. */
export const silence = (board) => (board?.at && now() - board.at > STALE_S ? Math.round(now() - board.at) : 0);

/** What a supervisor is to look at now, the worst first. */
export function alertsOf(board) {
  const seconds = silence(board);
  const told = board?.alerts ?? [];
  return seconds ? [{ kind: "engine_silent", level: "bad", facts: { seconds } }, ...told.filter((one) => one.kind !== "engine_silent")] : told;
}

/** The sentence of an alert. */
export function alertText({ kind, facts }) {
  const shown = { ...facts };
  for (const name of ["rate", "limit"]) if (name in shown) shown[name] = percent(shown[name]);
  if ("seconds" in shown) shown.time = clock(shown.seconds);
  return t.has("alert." + kind) ? t("alert." + kind, shown) : kind;
}

/** The funnel's steps: [name, count, share of the one before]. */
export function funnel(day) {
  const steps = ["dialled", "answered", "right", "promises"].map((name) => [name, day?.[name] ?? 0]);
  return steps.map(([name, n], at) => [name, n, at && steps[at - 1][1] ? n / steps[at - 1][1] : null]);
}

/** [board, link] of a campaign, live. A link that comes up no more may be a session that has ended. */
export function useBoard(campaign) {
  const [board, setBoard] = useState(null);
  const [link, setLink] = useState(null);
  useEffect(() => {
    if (!campaign) return undefined;
    setBoard(null);
    let tries = 0;
    const live = new Live({ campaign }, {
      data: (value) => { tries = 0; setBoard(value); },
      state: (link_) => {
        setLink(link_);
        if (link_.word === "refused") toSignIn();
        if (link_.word === "down" && ++tries === 2) get("/me").catch((problem) => problem.status === 401 && toSignIn());
      },
    });
    return () => live.close();
  }, [campaign]);
  return [board, link];
}
