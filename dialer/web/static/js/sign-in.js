// Signing in, step by step as the API says: password, a new password, a code generator, its code.

import { get, post, useCsrf } from "./lib/api.js";
import { setLang, words } from "./lib/i18n.js";
import { Button, Field, Icon, Looks, Menu, Note, html, mount, trouble, useEffect, useRef, useState } from "./lib/ui.js";
import en from "./i18n/sign-in.en.js";
import id from "./i18n/sign-in.id.js";

const t = words({ id, en });
const LENGTH_LEAST = 12;

/** Only to a page of ours. */
function next(home) {
  const wanted = new URLSearchParams(location.search).get("next") ?? "";
  return /^\/(?![/\\])[\w\-/?=&%.]*$/.test(wanted) && !wanted.startsWith("/sign-in") ? wanted : home || "/";
}

function App() {
  const [me, set] = useState(undefined); // undefined: not known yet; null: nobody
  const [fault, setFault] = useState("");
  const [wait, setWait] = useState(0);
  document.title = t("title");

  const moved = (now) => {
    useCsrf(now.csrf);
    setFault("");
    if (now.step === "done") location.replace(next(now.home));
    else set(now);
  };
  useEffect(() => {
    get("/me").then(moved, (problem) => {
      set(null);
      if (problem.status !== 401) setFault(trouble(problem));
    });
  }, []);
  useEffect(() => {
    if (wait <= 0) return undefined;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  const send = async (path, body) => {
    setFault("");
    try {
      moved(await post(path, body, { limit: 30 }));
    } catch (problem) {
      if (problem.status === 429) setWait(problem.retryAfter ?? 5);
      if (problem.kind === "not_signed_in" || problem.kind === "other_step") {
        set(null); // it took too long: from the beginning
      }
      setFault(t.has("problem." + problem.kind) && problem.status !== 429 ? t("problem." + problem.kind) : problem.status === 429 ? "" : trouble(problem));
    }
  };
  const leave = async () => {
    await post("/sign-out").catch(() => {});
    useCsrf(null);
    set(null);
  };
  const said = wait > 0 ? t("problem.too_many", { n: wait }) : fault;
  const Step = { password: First, enrol: Enrol, code: AskCode }[me?.step] ?? Password;
  return html`<div class="door">
    <header class="door-head"><${Menu} label=${t("nav.menu")} button=${html`<${Icon} name="gear" /><${Icon} name="down" />`}><${Looks} setLanguage=${setLang} /></${Menu}></header>
    <main id="main" class="door-card stack"><div class="brand">Santun</div>
      ${me === undefined ? html`<p class="wait">${t("loading")}</p>` : html`<${Step} send=${send} wait=${wait} said=${said} />
        ${me && html`<div><${Button} kind="plain" size="s" icon="left" act=${leave}>${t("other")}</${Button}></div>`}`}</main>
    <footer class="door-foot soft small">${t("foot")}</footer></div>`;
}

/** One form: its fault has a place of its own, the button is busy until the answer is there. */
function Form({ title, more, go, act, wait, said, children }) {
  const [busy, set] = useState(false);
  const first = useRef();
  useEffect(() => first.current?.querySelector("input")?.focus(), [title]);
  const send = async (event) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    set(true);
    await act();
    set(false);
  };
  return html`<form class="stack" onSubmit=${send} ref=${first} novalidate>
    <div class="stack-s"><h1>${title}</h1><p class="soft">${more}</p></div>
    ${children}
    <div aria-live="assertive">${said && html`<${Note} tone="bad">${said}</${Note}>`}</div>
    <${Button} kind="main" size="l" type="submit" busy=${busy} disabled=${wait > 0}>${go}</${Button}></form>`;
}

function Password({ send, wait, said }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [shown, show] = useState(false);
  const [lack, setLack] = useState("");
  const act = async () => {
    setLack(name.trim() && password ? "" : t("need.both"));
    if (name.trim() && password) await send("/sign-in", { name: name.trim(), password });
  };
  return html`<${Form} title=${t("hello")} more=${t("hello.more")} go=${t("in")} act=${act} wait=${wait} said=${lack || said}>
    <${Field} label=${t("name")} value=${name} onValue=${setName} field="username" autocomplete="username" autocapitalize="none" spellcheck=${false} maxlength="100" />
    <${Field} label=${t("password")} kind=${shown ? "text" : "password"} value=${password} onValue=${setPassword} field="password" autocomplete="current-password" spellcheck=${false} maxlength="200" />
    <${Field} kind="check" label=${t("show")} value=${shown} onValue=${show} /></${Form}>`;
}

function First({ send, wait, said }) {
  const [password, set] = useState("");
  const [again, setAgain] = useState("");
  const met = [[password.length >= LENGTH_LEAST, t("rule.length")], [password !== "" && password === again, t("rule.same")]];
  const act = async () => void (met.every(([ok]) => ok) && (await send("/sign-in/password", { password })));
  return html`<${Form} title=${t("first")} more=${t("first.more")} go=${t("keep")} act=${act} wait=${wait} said=${said}>
    <${Field} label=${t("new")} kind="password" value=${password} onValue=${set} field="new-password" autocomplete="new-password" maxlength="200" />
    <${Field} label=${t("repeat")} kind="password" value=${again} onValue=${setAgain} field="repeat" autocomplete="new-password" maxlength="200" />
    <ul class="plain rules small">${met.map(([ok, rule]) => html`<li key=${rule} class=${ok ? "met" : ""}><${Icon} name=${ok ? "check" : "right"} />${rule}</li>`)}</ul></${Form}>`;
}

const CodeField = ({ value, onValue }) => html`<${Field} label=${t("code.name")} value=${value} onValue=${(text) => onValue(text.replace(/\D/g, "").slice(0, 6))}
  field="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]*" inputClass="input-code" />`;

function AskCode({ send, wait, said }) {
  const [code, set] = useState("");
  const act = async () => void (code.length === 6 && (await send("/sign-in/code", { code }), set("")));
  return html`<${Form} title=${t("code")} more=${t("code.more")} go=${t("code.send")} act=${act} wait=${wait} said=${said}><${CodeField} value=${code} onValue=${set} /></${Form}>`;
}

function Enrol({ send, wait, said }) {
  const [code, set] = useState("");
  const [given, setGiven] = useState(null);
  useEffect(() => void get("/sign-in/enrolment").then(setGiven, () => {}), []);
  const act = async () => void (code.length === 6 && (await send("/sign-in/code", { code }), set("")));
  return html`<${Form} title=${t("enrol")} more=${t("enrol.more")} go=${t("code.send")} act=${act} wait=${wait} said=${said}>
    <${Picture} text=${given?.picture} />
    <p class="small soft">${t("enrol.by_hand")}<br /><code class="secret">${given?.secret.replace(/(.{4})/g, "$1 ") ?? ""}</code></p>
    <${CodeField} value=${code} onValue=${set} /></${Form}>`;
}

/** The API's QR code, drawn anew from its numbers: nothing is put into the page as markup. */
function Picture({ text }) {
  const drawn = text ? new DOMParser().parseFromString(text, "text/html").querySelector("svg") : null;
  const path = drawn?.querySelector("path");
  const side = Number(drawn?.getAttribute("width")) || 1;
  return html`<svg class="qr" viewBox=${`0 0 ${side} ${side}`} role="img" aria-label=${t("enrol.picture")}>
    ${path && html`<path d=${path.getAttribute("d")} transform=${path.getAttribute("transform")} stroke="black" />`}</svg>`;
}

mount(App);
