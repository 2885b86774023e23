// The API from a page: JSON in and out, the CSRF token on every change, problems (RFC 9457) as `Problem`s, and an
// idempotency key on every POST, so that one that is sent twice is done once.

import { lang } from "./i18n.js";

export const BASE = "/api/v1";
let csrf = null;

/** What the API said no with: `kind` is a stable word, `more` the whole body. `status` 0: it could not be reached. */
export class Problem extends Error {
  constructor(status, kind, detail = "", more = {}, retryAfter = null) {
    super(detail || kind);
    Object.assign(this, { status, kind, detail, more, retryAfter });
  }
}

/** A key for one wish of a person; use the same one when it is sent again. */
export const newKey = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

/** The token that changes need; lib/session.js has it from the API. */
export function useCsrf(token) {
  csrf = token;
}

const CHANGES = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/**
 * Ask the API; gives the decoded answer (null for none).
 *   body: plain object, File or Blob; query: {name: value}, empty ones left out; key: idempotency key;
 *   limit: seconds after which it counts as out of reach; signal: AbortSignal.
 */
export async function ask(method, path, { body, query, key, limit = 15, signal, headers = {} } = {}) {
  const address = BASE + path + queryOf(query);
  const sent = { Accept: "application/json", "Accept-Language": lang(), ...headers };
  if (CHANGES.has(method)) {
    if (csrf) sent["X-CSRF-Token"] = csrf;
    if (method === "POST") sent["Idempotency-Key"] = key ?? newKey();
  }
  const raw = body instanceof Blob;
  if (body !== undefined && !raw) sent["Content-Type"] = "application/json";
  const ends = AbortSignal.timeout(limit * 1000);
  let answer;
  try {
    answer = await fetch(address, {
      method,
      headers: sent,
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, ends]) : ends,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "unreachable");
  }
  const type = answer.headers.get("Content-Type") ?? "";
  const found = answer.status === 204 ? null : type.includes("json") ? await answer.json().catch(() => null) : await answer.text();
  if (answer.ok) return found;
  throw problemOf(answer.status, found, answer.headers.get("Retry-After"));
}

export function problemOf(status, found, retryAfter = null) {
  const told = found && typeof found === "object" ? found : {};
  const after = told.retry_after_s ?? (retryAfter ? Number(retryAfter) : null);
  return new Problem(status, told.kind ?? "", told.detail ?? "", told, after);
}

export const get = (path, query, more = {}) => ask("GET", path, { ...more, query });
export const post = (path, body, more = {}) => ask("POST", path, { ...more, body });
export const put = (path, body, more = {}) => ask("PUT", path, { ...more, body });
export const patch = (path, body, more = {}) => ask("PATCH", path, { ...more, body });
export const del = (path, more = {}) => ask("DELETE", path, more);

export function queryOf(query) {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length ? "?" + new URLSearchParams(pairs) : "";
}

/** Send a file; `heard(share)` hears 0..1. fetch() cannot tell how much has left, so this is the older way. */
export function upload(path, file, { query, key, heard = () => {}, type = "application/octet-stream", signal, headers = {} } = {}) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", BASE + path + queryOf(query));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", type);
    request.setRequestHeader("Idempotency-Key", key ?? newKey());
    if (csrf) request.setRequestHeader("X-CSRF-Token", csrf);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && heard(event.loaded / event.total);
    request.onerror = () => failed(new Problem(0, "unreachable"));
    request.onabort = () => failed(new DOMException("", "AbortError"));
    request.onload = () => {
      let found = null;
      try {
        found = JSON.parse(request.responseText);
      } catch {
        // a problem without words
      }
      if (request.status >= 200 && request.status < 300) done(found);
      else failed(problemOf(request.status, found, request.getResponseHeader("Retry-After")));
    };
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
