// Lists: a file is sent, looked at by its headers, and loaded; what of it was not used can be had back with the reason.

import { BASE, del, get, newKey, post, upload } from "./lib/api.js";
import { bytes, count, day, moment, money, percent, zoneName } from "./lib/format.js";
import { cure, fault } from "./lib/faults.js";
import { words } from "./lib/i18n.js";
import { Frame, may, session } from "./lib/session.js";
import { Badge, Button, Field, Icon, Note, Table, Tile, Trouble, confirmed, html, mount, said, useAsked, useEffect, useRef, useState } from "./lib/ui.js";
import en from "./i18n/lists.en.js";
import id from "./i18n/lists.id.js";

const t = words({ id, en });
const FIELDS = [
  "person_id", "account", "name", "amount", "currency", "due", "days_past_due", "minimum", "fee", "incentive", "language", "province", "zone", "city", "post_code",
  "lender", "product", "birth_date", "priority", "score", "expires", "consent_calls", "consent_whereabouts", "consent_other_hours", "consent_source", "consent_date",
];
const PHONES = ["phone", "co_borrower_phone", "work_phone", "emergency_phone"];
const NUMBERED = /^(phone|co_borrower_phone|work_phone|emergency_phone)(\d+)$/;
const LOOKS = { new: ["quiet", "clock"], looked_at: ["busy", "list"], loading: ["busy", "turn"], loaded: ["good", "check"], failed: ["bad", "bad"] };
const COUNTS = ["rows", "new", "known", "changed", "lost", "values", "restored", "twice", "shared", "elsewhere"];

/** Why a value was not used, in the reader's language. */
const reasonOf = (one) => fault({ code: one.code, params: one.facts, text: one.reason });

/** A field's word as it is shown: phone2 is the second number. */
function wordOf(code) {
  const phone = NUMBERED.exec(code);
  if (phone) return t("field." + phone[1], { n: phone[2] });
  if (code.startsWith("custom:")) return t("field.custom", { name: code.slice(7) });
  return t.has("field." + code) ? t("field." + code) : code;
}

function App({ who }) {
  const [campaigns] = useAsked(() => get("/campaigns").catch(() => ({ campaigns: [] })), []);
  const [found, problem, again] = useAsked(() => get("/lists/uploads"), []);
  const [chosen, choose] = useState("");
  const [campaign, setCampaign] = useState(new URLSearchParams(location.search).get("campaign") ?? "");
  document.title = t("title");
  const uploads = [...(found?.uploads ?? [])].reverse();
  const shown = uploads.find((one) => one.upload === chosen) ?? uploads[0];
  const into = campaign || campaigns?.campaigns[0]?.id || "";
  const loading = uploads.some((one) => one.state === "loading");
  useEffect(() => {
    if (!loading) return undefined;
    const timer = setInterval(again, 1000);
    return () => clearInterval(timer);
  }, [loading]);
  return html`<${Frame} who=${who} page="lists">
    <div class="head"><h1>${t("nav.lists")}</h1></div>
    <div class="stack">
      ${may("lists:change") && html`<${Drop} onSent=${(one) => { choose(one.upload); again(); }} />`}
      <${Trouble} problem=${problem} again=${again} />
      ${uploads.length > 0 && html`<div class="split"><nav class="card card-flush pick-list uploads" aria-label=${t("uploads")}>${uploads.map((one) => html`
          <button type="button" class="pick" key=${one.upload} aria-current=${String(one.upload === shown?.upload)} onClick=${() => choose(one.upload)}>
            <strong class="ellipsis">${one.file_name}</strong><${Badge} tone=${LOOKS[one.state]?.[0]} icon=${LOOKS[one.state]?.[1]}>${t("state." + one.state)}</${Badge}>
            <span class="small soft ellipsis">${moment(one.at)}</span><span class="small soft num">${bytes(one.bytes)}</span></button>`)}</nav>
        ${shown && html`<${One} key=${shown.upload} one=${shown} campaigns=${campaigns?.campaigns ?? []} into=${into} onInto=${setCampaign} onChange=${again} />`}</div>`}
    </div></${Frame}>`;
}

function Drop({ onSent }) {
  const [over, setOver] = useState(false);
  const [share, setShare] = useState(null);
  const [problem, setProblem] = useState(null);
  const abort = useRef(null);
  const send = async (file) => {
    if (!file || share !== null) return;
    setProblem(null);
    setShare(0);
    abort.current = new AbortController();
    try {
      // a header takes no letters beyond ASCII
      const headers = { "X-File-Name": file.name.replace(/[^\x20-\x7e]/g, "_") };
      const one = await upload("/lists/uploads", file, { heard: setShare, headers, signal: abort.current.signal, key: newKey() });
      onSent(one);
    } catch (fault) {
      if (fault.name !== "AbortError") setProblem(fault);
    }
    setShare(null);
  };
  return html`<section class=${`drop ${over ? "is-over" : ""}`} onDragOver=${(event) => { event.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)}
    onDrop=${(event) => { event.preventDefault(); setOver(false); send(event.dataTransfer.files[0]); }}>
    <label><input type="file" accept=".csv,.xlsx,text/csv" disabled=${share !== null} onChange=${(event) => { send(event.target.files[0]); event.target.value = ""; }} />
      <span class="button button-main"><${Icon} name="upload" />${t("choose")}</span></label>
    <p class="soft small">${t("choose.more")}</p>
    <div class="drop-wait" aria-live="polite">${share !== null && html`<div class="row nowrap"><progress class="progress" value=${share} max="1" aria-label=${t("sending")}></progress><span class="clock">${percent(share, 0)}</span>
      <${Button} size="s" onClick=${() => abort.current?.abort()}>${t("cancel")}</${Button}></div>${share === 1 && html`<p class="small soft">${t("reading")}</p>`}`}</div>
    <${Trouble} problem=${problem} /></section>`;
}

function One({ one, campaigns, into, onInto, onChange }) {
  const [looked, setLooked] = useState(one);
  const [columns, setColumns] = useState(one.columns);
  const [wish, setWish] = useState({ across: "say", update: false, as_of: "" });
  const [problem, setProblem] = useState(null);
  const [looks, setLooks] = useState(0); // under way: what is loaded is what was seen
  const mapped = one.state === "loading" || one.state === "loaded" ? one : { ...looked, state: one.state, fault: one.fault || looked.fault };
  const headers = Object.keys(columns);
  const reading = { columns };
  const look = async (next) => {
    setColumns(next);
    setProblem(null);
    setLooks((n) => n + 1);
    try {
      const seen = await post(`/lists/uploads/${one.upload}/look`, { mapping: { columns: next } }, { limit: 75, key: newKey() });
      setLooked(seen);
      if (seen.state !== "failed") setColumns(seen.columns);
      onChange();
    } catch (fault) {
      setProblem(fault);
    }
    setLooks((n) => n - 1);
  };
  const load = async () => {
    setProblem(null);
    try {
      const body = { campaign: into, mapping: reading, across: wish.across, update: wish.update, ...(wish.as_of ? { as_of: wish.as_of } : {}) };
      await post(`/lists/uploads/${one.upload}/load`, body, { limit: 30, key: newKey() });
      onChange();
    } catch (fault) {
      setProblem(fault);
    }
  };
  const drop = async () => {
    if (await confirmed({ title: t("drop.title"), text: t("drop.text"), yes: t("drop"), bad: true })) {
      await said(() => del(`/lists/uploads/${one.upload}`));
      onChange();
    }
  };
  const busy = one.state === "loading";
  const options = (header) => {
    const used = columns[header];
    const phones = PHONES.map((kind) => `${kind}${headers.filter((other) => other !== header && NUMBERED.test(columns[other])).length + 1}`);
    const all = ["ignore", ...FIELDS, ...phones, customOf(header), used];
    return [...new Set(all)].map((code) => [code, wordOf(code)]);
  };
  const shownFields = mapped.first.length ? [...new Set(mapped.first.flatMap((row) => Object.keys(row.read)))] : [];
  return html`<section class="card stack"><div class="row spread"><h2 class="wrap-any">${one.file_name}</h2><${Button} size="s" kind="bad" act=${drop}>${t("drop")}</${Button}></div>
    ${mapped.fault && html`<${Note} tone="bad" role="alert">${mapped.fault}</${Note}>`}<${Trouble} problem=${problem} />
    ${(busy || one.state === "loaded") && html`<${Progress} one=${one} />`}
    ${one.state === "loaded" && html`<${Result} one=${one} />`}
    ${!busy && headers.length > 0 && html`<details open=${one.state !== "loaded"}><summary class="strong">${t("columns")}</summary><div class="stack">
        <p class="small soft">${t("columns.text")}</p>
        <div class="map">${headers.map((header) => html`<div key=${header} class=${columns[header] === "ignore" ? "is-unused" : ""}><span class="ellipsis" title=${header}>${header}</span><${Icon} name="right" />
          <select class="input input-s" aria-label=${header} value=${columns[header]} onChange=${(event) => look({ ...columns, [header]: event.target.value })}>${options(header).map(([code, word]) => html`<option key=${code} value=${code} selected=${code === columns[header]}>${word}</option>`)}</select></div>`)}</div>
        ${mapped.unknown.length > 0 && html`<p class="small soft">${t("columns.unknown", { names: mapped.unknown.join(", ") })}</p>`}
        <h3>${t("first")}</h3><${Table} dense label=${t("first")} rows=${mapped.first} id=${(row) => row.line} none=${t("first.none")} columns=${[
          { key: "line", name: t("line"), num: true }, ...shownFields.map((name) => ({ key: name, name: wordOf(name), show: (row) => valueOf(name, row.read) })),
          { key: "refused", name: t("refused"), show: (row) => (row.refused.length ? html`<span class="tone-warn toned">${row.refused.map((one) => `${one.column}: ${one.value} ${reasonOf(one)}`).join("; ")}</span>` : html`<span class="tone-good toned"><${Icon} name="check" label=${t("good")} /></span>`) }]} /></div></details>
      ${may("lists:change") && html`<div class="stack"><div class="form-grid">
          <${Field} label=${t("into")} kind="select" value=${into} onValue=${onInto} options=${campaigns.map((campaign) => [campaign.id, campaign.name])} />
          <${Field} label=${t("across")} kind="select" value=${wish.across} onValue=${(across) => setWish({ ...wish, across })} options=${["say", "allow", "refuse"].map((code) => [code, t("across." + code)])} />
          <${Field} label=${t("as_of")} kind="date" value=${wish.as_of} onValue=${(as_of) => setWish({ ...wish, as_of })} hint=${t("as_of.hint")} />
          <${Field} kind="check" label=${t("update")} value=${wish.update} onValue=${(update) => setWish({ ...wish, update })} hint=${t("update.hint")} /></div>
        <div class="row end"><${Button} kind="main" icon="download" act=${load} disabled=${!into || looks > 0 || one.state === "failed"}>${t(one.state === "loaded" ? "load.again" : "load")}</${Button}></div></div>`}`}
  </section>`;
}

/** A value as it is read, as people write it. */
function valueOf(name, read) {
  const value = read[name];
  if (value === undefined || value === "") return "–";
  if (["amount", "minimum", "fee", "incentive"].includes(name)) return money(Number(value), read.currency || "IDR");
  if (name === "due" || name === "expires") return day(value);
  if (name === "numbers") return value.replace(/\b(debtor|co_borrower|emergency|workplace)\b/g, (kind) => t("number." + kind));
  return name === "zone" ? zoneName(value) : value;
}

const customOf = (header) => `custom:${header.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "").slice(0, 40) || "x"}`;

const Progress = ({ one }) => html`<div class="stack-s"><div class="row nowrap"><progress class="progress" value=${one.state === "loaded" ? 1 : one.done} max=${one.state === "loaded" ? 1 : one.total || 1} aria-label=${t("state.loading")}></progress>
    <span class="clock">${percent(one.state === "loaded" ? 1 : one.total ? one.done / one.total : 0, 0)}</span></div>
  <div class="tiles">${COUNTS.filter((name) => one.counts[name] || name === "rows" || name === "new" || name === "lost").map((name) => html`<${Tile} key=${name} name=${t("count." + name)} value=${count(one.counts[name] ?? 0)} tone=${name === "lost" && one.counts.lost ? "warn" : undefined} />`)}</div></div>`;

const Result = ({ one }) => html`<div class="stack-s"><div class="row spread"><h3>${t("rejects")}</h3>
    ${one.counts.lost + one.counts.values > 0 && html`<a class="button" href=${`${BASE}/lists/uploads/${one.upload}/rejects`} download><${Icon} name="download" />${t("rejects.download")}</a>`}</div>
  <${Table} dense label=${t("rejects")} rows=${one.rejected} id=${(row, at) => at} none=${t("rejects.none")} columns=${[
    { key: "line", name: t("line"), num: true }, { key: "column", name: t("column") }, { key: "value", name: t("value"), class: "mono" },
    { key: "reason", name: t("why"), show: (row) => html`${reasonOf(row)}${row.cure && html`<br /><span class="soft">${cure({ ...row, params: row.facts })}</span>`}` },
    { key: "row_lost", name: t("row_lost"), show: (row) => t(row.row_lost ? "yes" : "no") }]} /></div>`;

const who = await session();
mount(() => html`<${App} who=${who} />`);
