// The wallboard: one campaign in large type, to be read across a room. It reads only, and shows nobody's name or number.

import { get } from "./lib/api.js";
import { clock, count, money, now, percent, time } from "./lib/format.js";
import { session } from "./lib/session.js";
import { Badge, Icon, LinkState, Meter, html, mount, useEffect, useState, useTick } from "./lib/ui.js";
import { FLIGHTS, STATUS_TONES, agentsOf, alertText, alertsOf, funnel, inStates, looksOf, t, useBoard } from "./board-words.js";

function App() {
  const [campaign, set] = useState(new URLSearchParams(location.search).get("campaign") ?? "");
  const [board, link] = useBoard(campaign);
  useTick(1);
  document.title = t("title");
  useEffect(() => {
    if (!campaign) get("/campaigns").then((found) => set((found.campaigns.find((one) => one.status === "running") ?? found.campaigns[0])?.id ?? ""), () => {});
  }, []);
  const agents = board ? agentsOf(board) : [];
  const day = board?.day;
  const rate = board?.abandon?.[board.window];
  const limit = board?.abandon_rate_max;
  const tone = !rate?.live ? "quiet" : rate.rate > limit ? "bad" : rate.rate > 0.8 * limit ? "warn" : "good";
  const steps = funnel(day);
  const busy = agents.filter((agent) => agent.state === "talking").length;
  const idle = agents.filter((agent) => agent.state === "idle").length;
  const promised = Object.entries(day?.promised ?? {});
  const alerts = alertsOf(board);
  const figures = [
    [t("agent_state.talking"), count(busy), "busy"],
    [t("agent_state.idle"), count(idle), "good"],
    [t("flow"), board ? count(FLIGHTS.reduce((sum, [, states]) => sum + inStates(board, states), 0)) : "–", null],
    [t("figure.utilisation"), percent(day?.utilisation, 0), null],
    [t("figure.answer"), percent(day?.dialled ? day.answered / day.dialled : null, 0), null],
    [t("funnel.promises"), count(day?.promises ?? 0), "good"],
  ];
  return html`<main id="main" class="wall">
    <header class="wall-head"><h1>${board?.settings?.name ?? campaign}</h1>
      <${Badge} tone=${STATUS_TONES[board?.status] ?? "quiet"} icon=${{ running: "play", paused: "pause", stopped: "stop" }[board?.status] ?? "clock"}>${board?.status ? t("status." + board.status) : "…"}</${Badge}>
      <span class="clock">${time(now())}</span></header>
    <dl class="wall-row">${figures.map(([name, value, look]) => html`<div key=${name} class=${`wall-figure ${look ? "tone-" + look : ""}`}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <div class="wall-main">
      <section class="wall-card"><h2>${t("agents")} ${agents.length}</h2><div class="wall-agents">${agents.map((agent) => {
        const [look, icon] = looksOf(agent);
        return html`<div key=${agent.id} class=${`wall-agent tone-${look}`}><${Icon} name=${icon} /><strong>${agent.id}</strong><span class="clock">${clock(now() - agent.since)}</span><b>${t("agent_state." + agent.state)}</b></div>`;
      })}</div></section>
      <section class="wall-card"><h2>${t("flow.funnel")}</h2>
        <div class="wall-funnel">${steps.map(([name, n]) => html`<span>${t("funnel." + name)}</span><${Meter} value=${n} most=${Math.max(1, steps[0][1])} label=${t("funnel.bar", { name: t("funnel." + name), n })} /><b>${count(n)}</b>`)}
          <span>${t("figure.promised")}</span><span></span><b>${promised.length ? promised.map(([currency, amount]) => money(amount, currency)).join(" + ") : money(0)}</b></div>
        <h2>${t("rates")}</h2>
        <div class=${`wall-limit tone-${tone} stack-s`}><div class="row spread"><b>${rate?.live ? percent(rate.rate) : "–"}</b><span class="soft">${limit ? t("rates.limit", { limit: percent(limit) }) : ""}</span></div>
          <${Meter} value=${rate?.rate ?? 0} bound=${rate?.live ? rate.upper : undefined} limit=${limit} most=${(limit ?? 0.03) * 2} tone=${tone} label=${t("rates.bar", { name: t("rates"), rate: percent(rate?.rate ?? 0), upper: percent(rate?.upper ?? 0), limit: percent(limit) })} /></div></section>
    </div>
    <footer class="wall-foot" role="status">${alerts.length ? alerts.slice(0, 3).map((alert) => html`<${Badge} key=${alert.kind} tone=${alert.level} icon="alert">${alertText(alert)}</${Badge}>`)
      : html`<span class="soft">${board ? t("alerts.none") : ""}</span>`}<${LinkState} link=${link} /></footer></main>`;
}

await session();
mount(App);
