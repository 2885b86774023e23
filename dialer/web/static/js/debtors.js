// Debtors: found by number, account, contact, person or name; the whole history of one, and every why.

import { get, newKey, post } from "./lib/api.js";
import { count, day, moment, money, phone, span, zoneName } from "./lib/format.js";
import { lang, words } from "./lib/i18n.js";
import { Frame, may, session } from "./lib/session.js";
import { Badge, Button, Dialog, Field, Icon, Note, Table, Trouble, confirmed, html, mount, said, useAsked, useEffect, useState } from "./lib/ui.js";
import en from "./i18n/debtors.en.js";
import id from "./i18n/debtors.id.js";

const t = words({ id, en });
const spoken = (group, word) => (t.has(group + word) ? t(group + word) : String(word).replaceAll("_", " "));
const BY = ["number", "name", "account", "contact", "person_id"];

function App({ who }) {
  const start = Object.fromEntries(new URLSearchParams(location.search));
  const [campaigns] = useAsked(() => get("/campaigns").catch(() => ({ campaigns: [] })), []);
  const [by, setBy] = useState(BY.find((name) => start[name]) ?? "number");
  const [text, setText] = useState(start[by] ?? "");
  const [more, setMore] = useState({ campaign: start.campaign ?? "", lender: start.lender ?? "" });
  const [rows, setRows] = useState(null);
  const [next, setNext] = useState({ cursor: "", looked: 0 });
  const [problem, setProblem] = useState(null);
  const [person, setPerson] = useState(start.person ?? "");
  document.title = t("title");

  const campaign = more.campaign || campaigns?.campaigns[0]?.id || "";
  const seek = async (cursor = "") => {
    if (!text.trim()) return;
    setProblem(null);
    const query = { [by]: text.trim(), cursor, ...(by === "account" ? { lender: more.lender } : {}), ...(by === "name" || by === "contact" ? { campaign: by === "name" ? campaign : more.campaign } : {}) };
    try {
      const found = await get("/debtors", query, { limit: 30 });
      const all = cursor ? [...rows, ...found.debtors] : found.debtors;
      setRows(all);
      setNext({ cursor: found.cursor, looked: (cursor ? next.looked : 0) + found.looked_at });
      if (!cursor) open(new Set(all.map((row) => row.person)).size === 1 ? all[0].person : "");
    } catch (fault) {
      setProblem(fault);
      setRows(null);
    }
  };
  // the address holds no number and no name: addresses are kept in histories and logs
  const open = (who_) => {
    setPerson(who_);
    history.replaceState(null, "", who_ ? `?person=${encodeURIComponent(who_)}` : location.pathname);
  };
  useEffect(() => void (text && seek()), []);
  return html`<${Frame} who=${who} page="debtors">
    <div class="head"><h1>${t("nav.debtors")}</h1></div>
    <div class="stack">
      <form class="card stack" onSubmit=${(event) => { event.preventDefault(); seek(); }} role="search">
        <div class="seek"><${Field} label=${t("by")} kind="select" value=${by} onValue=${setBy} options=${BY.map((name) => [name, t("by." + name)])} />
          <${Field} label=${t("by." + by)} kind="search" value=${text} onValue=${setText} autofocus autocomplete="off" spellcheck=${false} maxlength="100" />
          <${Button} kind="main" type="submit" icon="search">${t("search")}</${Button}></div>
        ${by === "account" && html`<div class="seek-more"><${Field} label=${t("lender")} value=${more.lender} onValue=${(lender) => setMore({ ...more, lender })} /></div>`}
        ${by === "name" && html`<div class="seek-more"><${Field} label=${t("campaign")} kind="select" value=${campaign} onValue=${(one) => setMore({ ...more, campaign: one })} options=${(campaigns?.campaigns ?? []).map((one) => [one.id, one.name])} /></div>`}
        <${Trouble} problem=${problem} />
      </form>
      ${rows && !(person && rows.length === 1) && html`<section class="card card-flush"><${Table} label=${t("found")} rows=${rows} id=${(row) => row.campaign + row.contact} none=${t("found.none")} pick=${(row) => open(row.person)} columns=${[
        { key: "name", name: t("name"), show: (row) => row.name || row.contact },
        { key: "lender", name: t("lender"), show: (row) => html`${row.lender}<br /><span class="small soft">${row.product}</span>` },
        { key: "account", name: t("account"), class: "mono small" },
        { key: "outstanding", name: t("outstanding"), num: true, show: (row) => money(row.outstanding, row.currency) },
        { key: "due", name: t("due"), show: (row) => day(row.due) },
        { key: "numbers", name: t("numbers"), show: (row) => row.numbers.map((one) => html`<div class="clock small" key=${one.number}>${phone(one.number)}</div>`) },
        { key: "campaign", name: t("campaign"), class: "small" },
      ]} />${next.cursor && html`<p class="row-l small soft card"><span>${t("found.more", { n: count(next.looked) })}</span><${Button} size="s" act=${() => seek(next.cursor)}>${t("found.go_on")}</${Button}></p>`}</section>`}
      ${person && html`<${Debtor} key=${person} person=${person} onGone=${() => { open(""); setRows(null); }} />`}
      ${!rows && !person && html`<div class="empty"><${Icon} name="search" /><p>${t("hello")}</p></div>`}
    </div></${Frame}>`;
}

function Debtor({ person, onGone }) {
  const [him, problem, again] = useAsked(() => get(`/debtors/${person}`), [person]);
  const [writes, setWrites] = useState(false);
  const [stops, setStops] = useState(false);
  if (!him) return problem ? html`<${Trouble} problem=${problem} again=${again} />` : html`<p class="wait">${t("loading")}</p>`;
  const first = him.accounts[0];
  const standing = him.accounts.map((one) => one.standing);
  const withdraw = async () => {
    if (await confirmed({ title: t("withdraw.title"), text: t("withdraw.text"), yes: t("withdraw"), bad: true })) {
      await said(() => post(`/debtors/${person}/withdraw`, {}, { key: newKey() }), (done) => t("withdraw.done", { n: done.count }));
      again();
    }
  };
  return html`<div class="debtor">
    <div class="stack">
      <section class="card stack"><div class="stack-s"><h2 class="debtor-name">${first.name || first.contact}</h2>
          <div class="row">${him.stops.length > 0 && html`<${Badge} tone="bad" icon="shield">${t("stopped")}</${Badge}>`}${him.hardship && html`<${Badge} tone="rest" icon="info">${t("said.hardship")}</${Badge}>`}
            ${him.silent_until && html`<${Badge} tone="rest" icon="clock">${t("silent", { time: moment(him.silent_until, first.zone) })}</${Badge}>`}
            ${standing.includes("under_way") && html`<${Badge} tone="busy" icon="phone">${t("standing.under_way")}</${Badge}>`}</div></div>
        <dl class="facts"><dt>${t("attempts")}</dt><dd>${count(him.attempts)}</dd><dt>${t("talks")}</dt><dd>${count(him.conversations)}</dd>
          <dt>${t("numbers")}</dt><dd>${[...new Map(him.accounts.flatMap((one) => one.numbers).map((one) => [one.number, one])).values()].map((one) => html`<div key=${one.number}><span class="clock">${phone(one.number)}</span> <span class="small soft">${spoken("number.", one.kind)}, ${spoken("state.", one.state)}</span></div>`)}</dd>
          <dt>${t("zone")}</dt><dd>${first.zone ? `${zoneName(first.zone)} (${first.zone})` : t("zone.none")}</dd>
          ${(first.regency || first.province) && html`<dt>${t("place")}</dt><dd>${[first.regency, first.province, first.post_code].filter(Boolean).join(", ")}</dd>`}</dl>
        ${may("debtors:change") && html`<div class="row"><${Button} icon="pen" onClick=${() => setWrites(true)}>${t("note")}</${Button}>
          ${may("stops:change") && html`<${Button} icon="shield" onClick=${() => setStops(true)}>${t("stop")}</${Button}>`}
          <${Button} kind="bad" act=${withdraw}>${t("withdraw")}</${Button}></div>`}</section>
      ${him.accounts.map((one) => html`<${Account} key=${one.campaign + one.contact} one=${one} />`)}
      ${him.promises.length > 0 && html`<section class="card"><header><h3>${t("promises")}</h3></header><ul class="plain stack-s">${him.promises.map((one) => html`<li class="row spread" key=${one.id}>
        <span>${one.amount ? money(one.amount, one.currency) : t("promise.any")} · ${day(one.due)}</span><${Badge} tone=${{ kept: "good", broken: "bad", part: "warn", pending: "busy", replaced: "quiet" }[one.state] ?? "quiet"} icon=${{ kept: "check", broken: "bad" }[one.state] ?? "clock"}>${spoken("promise.", one.state)}</${Badge}></li>`)}</ul></section>`}
    </div>
    <div class="stack"><${History} entries=${him.history} zone=${first.zone} /><${Why} person=${person} zone=${first.zone} numbers=${first.numbers} /></div>
    ${writes && html`<${Write} person=${person} onClose=${() => setWrites(false)} onDone=${() => { setWrites(false); again(); }} />`}
    ${stops && html`<${Stop} him=${him} onClose=${() => setStops(false)} onDone=${() => { setStops(false); again(); }} />`}
  </div>`;
}

const Account = ({ one }) => html`<section class="card"><header><h3>${one.lender || one.contact}</h3><span class="grow"></span><${Badge} tone=${{ listed: "quiet", under_way: "busy", rests: "rest" }[one.standing] ?? "quiet"}>${spoken("standing.", one.standing)}</${Badge}></header>
  <dl class="facts"><dt>${t("campaign")}</dt><dd><a href=${`/campaigns?campaign=${one.campaign}`}>${one.campaign}</a></dd><dt>${t("account")}</dt><dd class="mono">${one.account || one.contact}</dd>
    ${one.product && html`<dt>${t("product")}</dt><dd>${one.product}</dd>`}<dt>${t("outstanding")}</dt><dd class="strong">${one.outstanding ? money(one.outstanding, one.currency) : "–"}</dd>
    ${one.minimum > 0 && html`<dt>${t("minimum")}</dt><dd>${money(one.minimum, one.currency)}</dd>`}${one.fee > 0 && html`<dt>${t("fee")}</dt><dd>${money(one.fee, one.currency)}</dd>`}
    <dt>${t("due")}</dt><dd>${day(one.due)}</dd>${one.standing === "listed" && html`<dt>${t("next")}</dt><dd>${moment(one.due_at, one.zone)}</dd>`}
    ${one.callback_at && html`<dt>${t("said.call_back")}</dt><dd>${moment(one.callback_at, one.zone)}</dd>`}
    <dt>${t("tries")}</dt><dd>${count(one.tries)}${Object.keys(one.came).length > 0 && html` <span class="small soft">${Object.entries(one.came).map(([name, n]) => `${spoken("outcome.", name)} ${n}`).join(", ")}</span>`}</dd>
    ${Object.entries(one.custom).map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}</dl></section>`;

const LOOKS = {
  call: ["phone", "quiet"], note: ["pen", "quiet"], payment: ["money", "good"], promise_kept: ["check", "good"], promise_part: ["money", "warn"], promise_broken: ["bad", "bad"],
};

/** What an entry of the history says, in words. */
function told(entry) {
  const more = [];
  if (entry.what === "call") {
    if (entry.disposition) more.push(spoken("said.", entry.disposition.split(":")[0]));
    else if (entry.choice) more.push(spoken("said.", entry.choice));
    if (entry.talk_s) more.push(t("talked", { time: span(entry.talk_s) }));
    if (entry.agent) more.push(t("by.agent", { agent: entry.agent }));
  }
  if (entry.amount) more.push(money(entry.amount, entry.currency || "IDR"));
  if (entry.due) more.push(t("by.day", { day: day(entry.due) }));
  if (entry.by) more.push(entry.by);
  return more.join(" · ");
}

const History = ({ entries, zone }) => html`<section class="card"><header><h3>${t("history")}</h3></header>${entries.length ? html`<div class="history">${entries.map((entry) => {
  const [icon, tone] = LOOKS[entry.what] ?? ["info", "quiet"];
  const live = entry.outcome === "connected" || entry.outcome === "ivr";
  return html`<div class=${`entry tone-${live ? "good" : tone}`} key=${entry.id + entry.what}><time>${moment(entry.at, zone)}</time><${Icon} name=${icon} />
    <div><strong>${entry.what === "call" ? spoken("outcome.", entry.outcome) : spoken("what.", entry.what)}</strong>${entry.campaign && html` <span class="tiny soft">${entry.campaign}</span>`}
      <div class="small soft">${told(entry)}</div>${entry.text && html`<div class="wrap-any">${entry.text}</div>`}</div></div>`;
})}</div>` : html`<p class="soft">${t("history.none")}</p>`}</section>`;

function Why({ person, zone, numbers }) {
  const [rows, set] = useState(null);
  const [problem, setProblem] = useState(null);
  const look = async () => {
    setProblem(null);
    try {
      set((await get(`/debtors/${person}/decisions`, {}, { limit: 30 })).decisions);
    } catch (fault) {
      setProblem(fault);
    }
  };
  return html`<section class="card"><header><h3>${t("why")}</h3><span class="grow"></span>${!rows && html`<${Button} size="s" icon="search" act=${look}>${t("why.look")}</${Button}>`}</header>
    <${Trouble} problem=${problem} again=${look} />
    ${rows ? html`<${Table} dense label=${t("why")} rows=${rows} id=${(row, at) => at} none=${t("why.none")} columns=${[
      { key: "at", name: t("why.at"), show: (row) => html`<span class="clock">${moment(row.at, zone)}</span>` },
      { key: "allowed", name: t("why.said"), show: (row) => html`<span class=${`tone-${row.allowed ? "good" : "warn"} toned nowrap`}><${Icon} name=${row.allowed ? "check" : "bad"} /> ${t(row.allowed ? "why.yes" : "why.no")}</span>` },
      { key: "rule", name: t("why.rule"), show: (row) => (row.rule ? html`<strong>${spoken("rule.", row.rule)}</strong>${lang() === "en" && html`<br /><span class="soft">${row.sentence}</span>`}` : row.pack) },
      { key: "number", name: t("why.number"), show: (row) => (row.number >= 0 && numbers[row.number] ? html`<span class="clock">${phone(numbers[row.number].number)}</span>` : "–") },
      { key: "until", name: t("why.until"), show: (row) => (row.until ? (row.until.startsWith("9999") ? t("why.never") : html`<span class="clock">${moment(row.until, zone)}</span>`) : "–") },
    ]} />` : html`<p class="soft small">${t("why.text")}</p>`}</section>`;
}

function Write({ person, onClose, onDone }) {
  const [text, set] = useState("");
  const send = async () => {
    if (text.trim() && (await said(() => post(`/debtors/${person}/notes`, { text: text.trim() }, { key: newKey() }), t("note.done")))) onDone();
  };
  return html`<${Dialog} title=${t("note")} onClose=${onClose} onSend=${send} footer=${html`<${Button} onClick=${onClose}>${t("cancel")}</${Button}><${Button} kind="main" type="submit">${t("save")}</${Button}>`}>
    <${Field} label=${t("note.text")} kind="textarea" value=${text} onValue=${set} maxlength="1000" hint=${t("note.hint")} autofocus /></${Dialog}>`;
}

function Stop({ him, onClose, onDone }) {
  const [text, set] = useState("");
  const send = async () => {
    const done = await said(() => post("/stops", { person: him.person, reason: text.trim() }, { key: newKey() }), t("stop.done"));
    if (done) onDone();
  };
  return html`<${Dialog} title=${t("stop.title")} onClose=${onClose} onSend=${send} footer=${html`<${Button} onClick=${onClose}>${t("cancel")}</${Button}><${Button} kind="bad" type="submit">${t("stop.yes")}</${Button}>`}>
    <${Note} tone="warn">${t("stop.text")}</${Note}><${Field} label=${t("stop.reason")} value=${text} onValue=${set} maxlength="200" autofocus /></${Dialog}>`;
}

const who = await session();
mount(() => html`<${App} who=${who} />`);
