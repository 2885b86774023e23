// The API as its own document says it: nothing here is written by hand, nothing is loaded from elsewhere.

import { get } from "./lib/api.js";
import { words } from "./lib/i18n.js";
import { Frame, session } from "./lib/session.js";
import { Badge, Field, Table, Trouble, html, mount, useAsked, useMemo, useState } from "./lib/ui.js";
import en from "./i18n/docs.en.js";
import id from "./i18n/docs.id.js";

const t = words({ id, en });
const TONES = { get: "busy", post: "good", put: "warn", patch: "warn", delete: "bad" };
const DEEP = 4;

const nameOf = (ref) => ref.split("/").at(-1);

/** A schema as a short text: names, forms, what may be left out. */
function drawn(schema, all, depth = 0) {
  if (!schema) return "–";
  if (schema.$ref) return depth < DEEP && all[nameOf(schema.$ref)] ? drawn(all[nameOf(schema.$ref)], all, depth) : nameOf(schema.$ref);
  if (schema.anyOf) return schema.anyOf.map((one) => drawn(one, all, depth)).join(" | ");
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `[${drawn(schema.items, all, depth)}]`;
  if (schema.type === "object" && schema.properties) {
    const pad = "  ".repeat(depth + 1);
    const needed = new Set(schema.required ?? []);
    const rows = Object.entries(schema.properties).map(([name, one]) => `${pad}${name}${needed.has(name) ? "" : "?"}: ${drawn(one, all, depth + 1)}`);
    return `{\n${rows.join("\n")}\n${"  ".repeat(depth)}}`;
  }
  if (schema.type === "object") return schema.additionalProperties ? `{…: ${drawn(schema.additionalProperties, all, depth + 1)}}` : "{…}";
  const limits = [schema.format, schema.pattern && `/${schema.pattern}/`, schema.minimum !== undefined && `≥ ${schema.minimum}`, schema.maximum !== undefined && `≤ ${schema.maximum}`, schema.maxLength !== undefined && t("letters", { n: schema.maxLength })];
  return [schema.type ?? "any", ...limits.filter(Boolean)].join(", ");
}

const schemaOf = (part) => Object.values(part?.content ?? {})[0]?.schema;

function App({ who }) {
  const [found, problem, again] = useAsked(() => get("/openapi.json"), []);
  const [text, set] = useState("");
  document.title = t("title");
  const groups = useMemo(() => {
    const tags = new Map((found?.tags ?? []).map((tag) => [tag.name, []]));
    for (const [path, methods] of Object.entries(found?.paths ?? {})) {
      for (const [method, operation] of Object.entries(methods)) tags.get(operation.tags[0])?.push({ path, method, ...operation });
    }
    return tags;
  }, [found]);
  const seeks = text.trim().toLowerCase();
  const fits = (one) => !seeks || `${one.method} ${one.path} ${one.summary}`.toLowerCase().includes(seeks);
  const shown = [...groups].map(([tag, ones]) => [tag, ones.filter(fits)]).filter(([, ones]) => ones.length);
  const all = found?.components.schemas ?? {};
  return html`<${Frame} who=${who} page="docs">
    <div class="head"><h1>${t("heading")}</h1><span class="grow"></span><a class="button" href="/api/v1/openapi.json" download>${t("download")}</a></div>
    <${Trouble} problem=${problem} again=${again} />
    ${found && html`<div class="docs"><nav class="docs-index card" aria-label=${t("heading")}><${Field} label=${t("search")} kind="search" value=${text} onValue=${set} />
        ${shown.map(([tag, ones]) => html`<h3 key=${tag}>${tag}</h3>${ones.map((one) => html`<a key=${one.operationId} href=${`#${one.operationId}`} title=${one.summary}>${one.summary}</a>`)}`)}</nav>
      <div class="stack"><p class="measure soft">${found.info.description}</p>${shown.map(([tag, ones]) => html`<section class="card stack-s" key=${tag}><h2>${tag}</h2>${ones.map((one) => html`<${Operation} key=${one.operationId} one=${one} all=${all} />`)}</section>`)}</div></div>`}
  </${Frame}>`;
}

function Operation({ one, all }) {
  const [open, set] = useState(location.hash === `#${one.operationId}`);
  const body = schemaOf(one.requestBody);
  const good = Object.entries(one.responses).find(([status]) => status.startsWith("2"));
  const bad = Object.entries(one.responses).filter(([status]) => !status.startsWith("2"));
  const parameters = (one.parameters ?? []).filter((parameter) => parameter.in !== "header");
  return html`<details class="op" id=${one.operationId} open=${open} onToggle=${(event) => set(event.currentTarget.open)}>
    <summary><span class=${`method tone-${TONES[one.method]}`}>${one.method.toUpperCase()}</span><span class="path wrap-any">${one.path.replace("/api/v1", "")}</span><span class="small soft grow">${one.summary}</span></summary>
    ${open && html`<div class="inside">${one.description && html`<p>${one.description}</p>`}
      <p class="row small">${one["x-right"] ? html`<span class="soft">${t("right")}</span><${Badge} icon="lock">${one["x-right"]}</${Badge}>` : html`<span class="soft">${t("right.none")}</span>`}</p>
      ${parameters.length > 0 && html`<${Table} dense label=${t("parameters")} rows=${parameters} id=${(row) => row.name} columns=${[
        { key: "name", name: t("parameters"), show: (row) => html`<code>${row.name}</code>${row.required ? " *" : ""}` }, { key: "in", name: t("place") },
        { key: "schema", name: t("form"), show: (row) => html`<code class="wrap-any">${drawn(row.schema, all)}</code>` }]} />`}
      ${body && html`<h4>${t("takes")}</h4><pre class="schema" tabindex="0">${drawn(body, all)}</pre>`}
      ${good && html`<h4>${t("gives")} ${good[0]}</h4><pre class="schema" tabindex="0">${drawn(schemaOf(good[1]), all)}</pre>`}
      <p class="small soft">${t("refusals")} ${bad.map(([status]) => status).join(", ")}</p></div>`}</details>`;
}

const who = await session();
mount(() => html`<${App} who=${who} />`);
