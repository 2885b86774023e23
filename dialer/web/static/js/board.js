// The supervisor's board: one campaign, live, on one screen.

import { get } from "./lib/api.js";
import { clock, count, money, now, percent } from "./lib/format.js";
import { keep, kept } from "./lib/kept.js";
import { reason } from "./lib/reasons.js";
import { Frame, may, session } from "./lib/session.js";
import { Badge, Button, Icon, LinkState, Meter, Trouble, html, mount, useAsked, useEffect, useKeys, useState, useTick } from "./lib/ui.js";
import { AgentDialog, Message, Pace, Run } from "./board-orders.js";
import { PhoneBar } from "./board-phone.js";
import { Charts } from "./board-charts.js";
import { AGENT_LOOKS, FLIGHTS, STATUS_TONES, agentsOf, alertText, alertsOf, funnel, inStates, looksOf, silence, t, useBoard } from "./board-words.js";

const WINDOWS = ["rolling_24h", "calendar_day", "campaign_30_days", "last_100"];

const idOf = (campaign) => (typeof campaign === "string" ? campaign : campaign.id);
const nameOf = (campaign) => (typeof campaign === "string" ? campaign : campaign.name || campaign.id);

function App({ who }) {
  const [found, problem, again] = useAsked(() => get("/campaigns"), []);
  const [campaign, pick] = useState(new URLSearchParams(location.search).get("campaign") ?? kept("board.campaign", ""));
  const [board, link] = useBoard(campaign);
  const [open, setOpen] = useState(null); // {agent} | {message} | {pace}
  document.title = t("title");
  const campaigns = found?.campaigns ?? [];
  useEffect(() => {
    if (campaigns.length && !campaigns.some((one) => idOf(one) === campaign)) choose(idOf(campaigns.find((one) => one.status === "running") ?? campaigns[0]));
  }, [found]);
  const choose = (id) => {
    keep("board.campaign", id);
    history.replaceState(null, "", `?campaign=${encodeURIComponent(id)}`);
    pick(id);
  };
  useKeys({
    "P": { what: t("settings"), run: () => board?.settings && may("campaigns:run") && setOpen({ pace: true }) },
    "M": { what: t("message_all"), run: () => board && may("agents:order") && setOpen({ message: "all" }) },
  }, [board]);
  const shut = () => setOpen(null);
  useTick(2);
  const old = (link && link.word !== "live" && link.word !== "connecting") || silence(board) > 0;
  const alerts = alertsOf(board);
  const tools = html`<${LinkState} link=${link} /><a class="button button-plain button-s" href=${`/wallboard?campaign=${encodeURIComponent(campaign ?? "")}`}><${Icon} name="screen" />${t("wallboard")}</a>`;
  return html`<${Frame} who=${who} page="board" tools=${tools}>
    <h1 class="sr">${t("nav.board")}</h1>
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${found && !campaigns.length ? html`<p class="empty">${t("none")}</p>` : html`
    <div class=${`board ${old ? "is-old" : ""}`}>
      <div class="board-head">
        <select class="input board-pick" aria-label=${t("campaign")} onChange=${(event) => choose(event.target.value)}>
          ${campaigns.map((one) => html`<option key=${idOf(one)} value=${idOf(one)} selected=${idOf(one) === campaign}>${nameOf(one)}</option>`)}</select>
        <${Badge} tone=${STATUS_TONES[board?.status] ?? "quiet"} icon=${{ running: "play", paused: "pause", stopped: "stop" }[board?.status] ?? "clock"}>${board?.status ? t("status." + board.status) : "…"}</${Badge}>
        <div class="board-alerts" role="status" aria-label=${t("alerts.label")} tabindex="0">${alerts.length
          ? alerts.map((alert) => html`<${Badge} key=${alert.kind + (alert.facts?.agent ?? "")} tone=${alert.level} icon="alert">${alertText(alert)}</${Badge}>`)
          : html`<span class="small soft">${board ? t("alerts.none") : ""}</span>`}</div>
        <div class="row nowrap"><${Run} campaign=${campaign} board=${board} />
          ${may("campaigns:run") && html`<${Button} icon="gear" disabled=${!board?.settings} onClick=${() => setOpen({ pace: true })}>${t("settings")}</${Button}>`}
          ${may("agents:order") && html`<${Button} icon="message" label=${t("message_all")} disabled=${!board} onClick=${() => setOpen({ message: "all" })} />`}</div>
      </div>
      <p class="board-reason small" title=${board ? reason(board.reason) : ""}><span class="soft">${t("reason")}:</span> ${board ? reason(board.reason) : t("loading")}</p>
      <${Agents} board=${board} onOpen=${(agent) => setOpen({ agent })} />
      <${Flow} board=${board} />
      <${Rates} board=${board} />
      <${Charts} campaign=${campaign} board=${board} />
      <${Why} board=${board} />
    </div>`}
    <${PhoneBar} who=${who} campaign=${campaign} board=${board} />
    ${open?.pace && board && html`<${Pace} campaign=${campaign} board=${board} onClose=${shut} />`}
    ${open?.message && html`<${Message} campaign=${campaign} agent=${open.message} onClose=${shut} />`}
    ${open?.agent && board && html`<${AgentDialog} campaign=${campaign} who=${who} agent=${board.agents?.[open.agent]} onClose=${shut} onMessage=${(agent) => setOpen({ message: agent })} />`}
  </${Frame}>`;
}

function Agents({ board, onOpen }) {
  useTick(1);
  const agents = board ? agentsOf(board) : [];
  const states = Object.keys(AGENT_LOOKS).map((state) => [state, agents.filter((agent) => agent.state === state).length]).filter(([, n]) => n);
  return html`<section class="panel board-agents"><header><h2>${t("agents")} <span class="strong">${board ? agents.length : ""}</span></h2>
      <span class="states">${states.map(([state, n]) => html`<span key=${state} class=${`tone-${AGENT_LOOKS[state][0]}`} title=${t("agent_state." + state)}><${Icon} name=${AGENT_LOOKS[state][1]} /><span class="word">${t("agent_state." + state)}</span> ${n}</span>`)}</span></header>
    <div class="scroll">${board && !agents.length ? html`<p class="empty small">${t("agents.none")}</p>` : html`<div class="agents">${agents.map((agent) => {
      const [tone, icon] = agent.help ? ["bad", "help"] : looksOf(agent);
      const more = agent.help ? t("agent.help") : agent.monitored?.length ? t("agent.heard", { who: agent.monitored.map((one) => one.supervisor).join(", ") }) : agent.next ? t("agent.next." + agent.next) : agent.break_reason ? (t.has("pause." + agent.break_reason) ? t("pause." + agent.break_reason) : agent.break_reason) : agent.call && agent.contact ? agent.contact : "";
      return html`<button type="button" key=${agent.id} class=${`agent tone-${tone}`} onClick=${() => onOpen(agent.id)}>
        <${Icon} name=${icon} /><span class="who">${agent.id}</span><span class="clock">${clock(now() - agent.since)}</span>
        <span class="state"><b>${t("agent_state." + agent.state)}</b><span class="ellipsis soft">${more}</span></span></button>`;
    })}</div>`}</div></section>`;
}

function Flow({ board }) {
  const day = board?.day;
  const steps = funnel(day);
  const most = Math.max(1, steps[0][1]);
  const promised = Object.entries(day?.promised ?? {});
  return html`<section class="panel board-flow"><header><h2>${t("flow")}</h2></header><div class="scroll">
    <dl class="figures">
      <div class="figure" title=${t("figure.utilisation.more")}><dt>${t("figure.utilisation")}</dt><dd>${percent(day?.utilisation, 0)}</dd></div>
      <div class="figure" title=${t("figure.answer.more")}><dt>${t("figure.answer")}</dt><dd>${percent(day?.dialled ? day.answered / day.dialled : null, 0)}</dd></div>
      <div class="figure"><dt>${t("figure.lines")}</dt><dd>${count(board?.lines)} <small>/ ${count(board?.settings?.lines_max)}</small></dd></div>
      <div class="figure" title=${t("figure.due.more")}><dt>${t("figure.due")}</dt><dd>${count(board?.due)} <small>/ ${count(board?.later)}</small></dd></div></dl>
    <h3 class="sub">${t("flow.funnel")}</h3>
    <div class="funnel">${steps.map(([name, n, share]) => html`<span>${t("funnel." + name)}</span>
      <${Meter} value=${n} most=${most} label=${t("funnel.bar", { name: t("funnel." + name), n })} /><b class="num">${count(n)}</b><span class="num soft tiny">${share === null ? "" : percent(share, 0)}</span>`)}</div>
    <p class="small soft">${t("figure.promised")}: <b>${promised.length ? promised.map(([currency, amount]) => money(amount, currency)).join(" + ") : money(0)}</b></p>
    <h3 class="sub">${t("flow.now")}</h3>
    <dl class="flights">${FLIGHTS.map(([name, states]) => {
      const n = board ? inStates(board, states) : 0;
      return html`<div key=${name} class=${n ? "" : "none"}><dt>${t("call." + name)}</dt><dd>${count(n)}</dd></div>`;
    })}</dl></div></section>`;
}

function Rates({ board }) {
  const limit = board?.abandon_rate_max;
  const trunk = board?.trunk;
  const node = board?.node;
  const health = trunk && (trunk.hold_s > 0 ? ["bad", t("health.trunk.held", { trunk: trunk.name, n: Math.ceil(trunk.hold_s) })]
    : trunk.failures > 2 ? ["warn", t("health.trunk.failing", { trunk: trunk.name, n: trunk.failures })] : ["good", t("health.trunk.good", { trunk: trunk.name })]);
  const asterisk = node && (node.up ? [node.ack_p99_ms > 500 ? "warn" : "good", t("health.asterisk.up", { node: node.name, ms: Math.round(node.ack_p99_ms) })] : ["bad", t("health.asterisk.down", { node: node.name })]);
  const windows = [...WINDOWS].sort((one, other) => (other === board?.window) - (one === board?.window));
  return html`<section class="panel board-rates"><header><h2>${t("rates")}</h2><span class="grow"></span><span class="tiny limit strong">${limit ? t("rates.limit", { limit: percent(limit) }) : ""}</span></header><div class="scroll">
    ${windows.map((name) => {
      const rate = board?.abandon?.[name];
      const upper = rate?.live ? rate.upper : undefined;
      const tone = !rate?.live ? "quiet" : rate.rate > limit ? "bad" : rate.rate > 0.8 * limit ? "warn" : "good";
      const law = name === board?.window;
      return html`<div class=${`window tone-${tone}`} key=${name}><span class="name">${t("window." + name)}${law && html` <span class="tiny soft">(${t("rates.law")})</span>`}</span>
        <span class="rate">${rate?.live ? percent(rate.rate) : "–"}</span>
        <${Meter} value=${rate?.rate ?? 0} bound=${upper} limit=${limit} most=${(limit ?? 0.03) * 2} tone=${tone} label=${t("rates.bar", { name: t("window." + name), rate: percent(rate?.rate ?? 0), upper: percent(upper), limit: percent(limit) })} />
        <span class="more">${rate?.live ? t("rates.bound", { upper: percent(rate.upper), n: count(rate.abandoned + (rate.overflow_counts ? rate.overflowed : 0)), live: count(rate.live) }) : "–"}</span></div>`;
    })}
    <h3 class="sub">${t("health")}</h3>
    <dl class="health"><dt>${t("health.trunk")}</dt><dd class=${`tone-${health?.[0]} toned`}>${health && html`<${Icon} name=${health[0] === "good" ? "check" : "alert"} /> `}${health?.[1] ?? "–"}</dd>
      <dt>${t("health.asterisk")}</dt><dd class=${`tone-${asterisk?.[0]} toned`}>${asterisk && html`<${Icon} name=${asterisk[0] === "good" ? "check" : "alert"} /> `}${asterisk?.[1] ?? "–"}</dd>
      <dt>${t("health.rules")}</dt><dd class="wrap-any">${board?.pack ?? "–"}</dd></dl></div></section>`;
}

const spoken = (group, word) => (t.has(group + word) ? t(group + word) : word.replaceAll("_", " "));
const TABS = [["refused", "rule."], ["choices", "said."], ["results", "said."], ["outcomes", "outcome."]];

function Why({ board }) {
  const [tab, set] = useState(kept("board.why", "refused"));
  const group = TABS.find(([name]) => name === tab)?.[1] ?? "rule.";
  const counts = tab === "outcomes" ? board?.outcomes : board?.day?.[tab];
  const rows = Object.entries(counts ?? {}).sort(([, one], [, other]) => other - one);
  const choose = (name) => { keep("board.why", name); set(name); };
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = TABS.findIndex(([name]) => name === tab);
    choose(TABS[(at + step + TABS.length) % TABS.length][0]);
    event.currentTarget.children[(at + step + TABS.length) % TABS.length].focus();
  };
  return html`<section class="panel board-why"><header><div class="tabs" role="tablist" onKeyDown=${move}>${TABS.map(([name]) => html`
      <button type="button" role="tab" id=${`tab-${name}`} class="tab" aria-selected=${String(name === tab)} aria-controls="why" tabindex=${name === tab ? 0 : -1} key=${name} onClick=${() => choose(name)}>${t("why." + name)}</button>`)}</div></header>
    <div class="scroll" id="why" role="tabpanel" aria-labelledby=${`tab-${tab}`} tabindex="0">${rows.length
      ? html`<table class="counts"><tbody>${rows.map(([word, n]) => html`<tr key=${word}><td>${spoken(group, word)}</td><td>${count(n)}</td></tr>`)}</tbody></table>`
      : html`<p class="empty small">${board ? t(tab === "refused" ? "why.refused.none" : "why.none") : ""}</p>`}</div></section>`;
}

const who = await session();
mount(() => html`<${App} who=${who} />`);
