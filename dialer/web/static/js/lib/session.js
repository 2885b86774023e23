// Who is signed in, what he may do, and the frame of every page: navigation by rights, language, theme, sign-out.

import { get, post, useCsrf } from "./api.js";
import { lang, setLang, words } from "./i18n.js";
import { Button, Icon, Looks, Menu, html, said, showKeys } from "./ui.js";

const t = words();

/** Where each page is and which right it needs. */
export const PAGES = [
  ["agent", "/agent", "desk"],
  ["board", "/board", "board:see"],
  ["campaigns", "/campaigns", "campaigns:see"],
  ["flows", "/flows", "campaigns:see"],
  ["lists", "/lists", "lists:see"],
  ["debtors", "/debtors", "debtors:see"],
  ["users", "/users", "users:see"],
  ["docs", "/docs", "self"],
];

let signedIn = null;

/** Who is signed in {name, role, agent, rights, home, ...}; asks once. Goes to the sign-in page where nobody is. */
export async function session() {
  if (signedIn) return signedIn;
  try {
    signedIn = await get("/me");
  } catch (problem) {
    if (problem.status !== 401) throw problem;
  }
  if (signedIn?.step !== "done") {
    toSignIn();
    return new Promise(() => {}); // the page is on its way
  }
  useCsrf(signedIn.csrf);
  return signedIn;
}

export function toSignIn() {
  location.assign("/sign-in?next=" + encodeURIComponent(location.pathname + location.search));
}

/** Whether the one who is signed in has a right. */
export const may = (right) => Boolean(signedIn?.rights?.includes(right));

export async function signOut() {
  await said(() => post("/sign-out"));
  location.assign("/sign-in");
}

/** The rights of `who` that a page or a control needs. */
const sees = (who, right) => who?.rights?.includes(right) && (right !== "desk" || who.agent);

/** The frame: `page` is its name in PAGES, `tools` goes between navigation and the menu. */
export const Frame = ({ who, page, tools, children, wide = true }) => html`
  <div class="page"><a class="skip" href="#main">${t("skip")}</a>
    <header class="bar"><a class="brand" href="/">Santun</a>
      <nav class="nav" aria-label=${t("nav.label")}>${PAGES.filter(([, , right]) => sees(who, right)).map(([name, href]) => html`
        <a key=${name} href=${href} aria-current=${name === page ? "page" : undefined}>${t(`nav.${name}`)}</a>`)}</nav>
      <span class="grow"></span>${tools}
      <${Menu} label=${t("nav.menu")} button=${html`<${Icon} name="user" /><span class="ellipsis">${who?.name ?? ""}</span><${Icon} name="down" />`}>
        <div class="stack"><${Looks} setLanguage=${setLang} />
          <div><button type="button" class="menu-item" onClick=${showKeys}><${Icon} name="keys" />${t("keys.title")}</button>
            <button type="button" class="menu-item" onClick=${signOut}><${Icon} name="door" />${t("nav.sign_out")}</button></div></div></${Menu}></header>
    <main id="main" tabindex="-1" class=${wide ? "main" : "main main-narrow"}>${children}</main></div>`;
