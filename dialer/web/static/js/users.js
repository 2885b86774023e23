// Who may sign in, programs' tokens, and the audit: for administrators.

import { del, get, newKey, patch, post } from "./lib/api.js";
import { moment } from "./lib/format.js";
import { words } from "./lib/i18n.js";
import { Frame, may, session } from "./lib/session.js";
import { Badge, Button, Dialog, Field, Note, Table, Trouble, confirmed, html, mount, said, useAsked, useState } from "./lib/ui.js";
import en from "./i18n/users.en.js";
import id from "./i18n/users.id.js";

const t = words({ id, en });
const ROLES = ["agent", "supervisor", "admin"];

function App({ who }) {
  const [found, problem, again] = useAsked(() => get("/users"), []);
  const [open, setOpen] = useState(null); // {user} | {shown}
  document.title = t("title");
  const reset = async (user) => {
    if (!(await confirmed({ title: t("reset.title", { name: user.name }), text: t("reset.text"), yes: t("reset"), bad: true }))) return;
    const shown = await said(() => post(`/users/${encodeURIComponent(user.name)}/reset`, {}, { key: newKey(), limit: 30 }));
    if (shown) setOpen({ shown });
    again();
  };
  const remove = async (user) => {
    if (!(await confirmed({ title: t("remove.title", { name: user.name }), text: t("remove.text"), yes: t("remove"), bad: true }))) return;
    await said(() => del(`/users/${encodeURIComponent(user.name)}`), t("remove.done", { name: user.name }));
    again();
  };
  return html`<${Frame} who=${who} page="users">
    <div class="head"><h1>${t("nav.users")}</h1><span class="grow"></span>${may("users:change") && html`<${Button} kind="main" icon="plus" onClick=${() => setOpen({ user: null })}>${t("new")}</${Button}>`}</div>
    <${Trouble} problem=${problem} again=${again} />
    <div class="stack"><section class="card card-flush"><${Table} label=${t("nav.users")} rows=${found?.users} id=${(row) => row.name} columns=${[
      { key: "name", name: t("name"), show: (row) => html`<strong>${row.name}</strong>` },
      { key: "role", name: t("role"), show: (row) => t("role." + row.role) },
      { key: "agent", name: t("agent"), show: (row) => (row.agent ? html`${row.agent} <span class="small soft">${t("phone." + row.phone)}</span>` : "–") },
      { key: "campaigns", name: t("campaigns"), class: "wrap-any", show: (row) => row.campaigns?.join(", ") || "–" },
      { key: "state", name: t("state"), show: (row) => html`<${Badge} tone=${row.waits_for_first_sign_in ? "warn" : "good"} icon=${row.waits_for_first_sign_in ? "clock" : "check"}>${t(row.waits_for_first_sign_in ? "state.first" : "state.good")}</${Badge}>` },
      { key: "signed_in_at", name: t("signed_in_at"), show: (row) => html`<span class="clock">${moment(row.signed_in_at)}</span>` },
      { key: "do", name: "", num: true, show: (row) => may("users:change") && html`<div class="row nowrap end"><${Button} size="s" onClick=${() => setOpen({ user: row })}>${t("change")}</${Button}><${Button} size="s" act=${() => reset(row)}>${t("reset")}</${Button}>
        <${Button} size="s" kind="bad" disabled=${row.name === who.name} act=${() => remove(row)}>${t("remove")}</${Button}></div>` },
    ]} /></section>
    ${may("audit:see") && html`<${Audit} />`}</div>
    ${open && "user" in open && html`<${Edit} user=${open.user} onClose=${() => setOpen(null)} onDone=${(shown) => { setOpen(shown ? { shown } : null); again(); }} />`}
    ${open?.shown && html`<${Once} shown=${open.shown} onClose=${() => setOpen(null)} />`}
  </${Frame}>`;
}

function Edit({ user, onClose, onDone }) {
  const [given, set] = useState({ name: user?.name ?? "", role: user?.role ?? "agent", agent: user?.agent ?? "", phone: user?.phone ?? "browser", campaigns: (user?.campaigns ?? []).join(", ") });
  const [problem, setProblem] = useState(null);
  const put = (name) => (value) => set({ ...given, [name]: value });
  const send = async () => {
    setProblem(null);
    try {
      const { name, campaigns, ...rest } = given;
      rest.campaigns = campaigns.split(/[\s,]+/).filter(Boolean);
      if (user) {
        await patch(`/users/${encodeURIComponent(user.name)}`, rest);
        onDone(null);
      } else onDone(await post("/users", { name: name.trim(), ...rest }, { key: newKey(), limit: 30 }));
    } catch (fault) {
      setProblem(fault);
    }
  };
  return html`<${Dialog} title=${user ? user.name : t("new")} onClose=${onClose} onSend=${send} footer=${html`<${Button} onClick=${onClose}>${t("cancel")}</${Button}><${Button} kind="main" type="submit">${t("save")}</${Button}>`}>
    ${!user && html`<${Field} label=${t("name")} value=${given.name} onValue=${put("name")} hint=${t("name.hint")} maxlength="40" spellcheck=${false} autofocus />`}
    <${Field} label=${t("role")} kind="select" value=${given.role} onValue=${put("role")} options=${ROLES.map((role) => [role, t("role." + role)])} />
    <${Field} label=${t("agent")} value=${given.agent} onValue=${put("agent")} hint=${t("agent.hint")} inputmode="numeric" short maxlength="10" />
    <${Field} label=${t("campaigns")} value=${given.campaigns} onValue=${put("campaigns")} hint=${t("campaigns.hint")} disabled=${!given.agent} spellcheck=${false} />
    <${Field} label=${t("phone")} kind="select" value=${given.phone} onValue=${put("phone")} options=${["browser", "sip"].map((phone) => [phone, t("phone." + phone)])} />
    <${Trouble} problem=${problem} /></${Dialog}>`;
}

const Once = ({ shown, onClose }) => html`<${Dialog} title=${t("once.title", { name: shown.name })} onClose=${onClose} footer=${html`<${Button} kind="main" onClick=${onClose}>${t("close")}</${Button}>`}>
  <${Note} tone="warn">${t("once.text", { time: moment(shown.until) })}</${Note}><p class="big mono">${shown.one_time_password}</p></${Dialog}>`;

function Audit() {
  const [pages, setPages] = useState([]);
  const [first, problem, again] = useAsked(() => get("/audit", { count: 50 }), []);
  const all = [...(first?.entries ?? []), ...pages.flatMap((page) => page.entries)];
  const next = pages.length ? pages.at(-1).next : first?.next;
  const more = async () => {
    const page = await said(() => get("/audit", { count: 50, before: next }));
    if (page) setPages([...pages, page]);
  };
  return html`<section class="card card-flush"><header><h2>${t("audit")}</h2></header><${Trouble} problem=${problem} again=${again} /><${Table} dense label=${t("audit")} rows=${first && all} columns=${[
    { key: "at", name: t("audit.at"), show: (row) => html`<span class="clock">${moment(row.at)}</span>` }, { key: "who", name: t("audit.who") }, { key: "what", name: t("audit.what"), class: "mono" },
    { key: "target", name: t("audit.target"), class: "wrap-any" }, { key: "note", name: t("audit.note"), class: "wrap-any" }, { key: "address", name: t("audit.address"), class: "mono" },
    { key: "status", name: t("audit.status"), num: true, show: (row) => html`<span class=${`tone-${row.status < 400 ? "good" : "bad"} toned`}>${row.status}</span>` }]} />
    ${next && html`<p class="row end card"><${Button} size="s" act=${more}>${t("audit.more")}</${Button}></p>`}</section>`;
}

const who = await session();
mount(() => html`<${App} who=${who} />`);
