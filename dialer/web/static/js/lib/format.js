// Figures, money, days and spans of time as people of the chosen language write them. Times come as epoch seconds or as
// ISO 8601 texts; a zone is an IANA name, without one it is the browser's.

import { lang } from "./i18n.js";

const LOCALE = { id: "id-ID", en: "en-GB" };
const made = new Map();
let ahead = 0; // seconds that the server's clock is ahead of ours

function tool(kind, options) {
  const key = kind.name + lang() + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new kind(LOCALE[lang()], options));
  return made.get(key);
}

/** Tell what the server's clock shows (epoch seconds), so that "since" does not depend on this machine's clock. */
export function serverSays(at) {
  const off = at - Date.now() / 1000;
  // a message takes its time: believe the least delay, and a clock that was set
  if (off > ahead || Math.abs(off - ahead) > 2 || ahead === 0) ahead = off;
}

/** Now by the server's clock, epoch seconds. */
export const now = () => Date.now() / 1000 + ahead;

const DASH = "–";

/** 12.345 */
export const count = (n) => (n === null || n === undefined || Number.isNaN(n) ? DASH : tool(Intl.NumberFormat, { maximumFractionDigits: 0 }).format(n));

/** 1,5 */
export const decimal = (n, digits = 1) =>
  n === null || n === undefined || Number.isNaN(n) ? DASH : tool(Intl.NumberFormat, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);

/** 0.031 -> 3,1 % */
export const percent = (share, digits = 1) =>
  share === null || share === undefined || Number.isNaN(share)
    ? DASH
    : tool(Intl.NumberFormat, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(share);

/** An integer of the currency's smallest written unit: rupiah, cents elsewhere. */
export function money(amount, currency = "IDR") {
  if (amount === null || amount === undefined) return DASH;
  if (currency === "IDR") return tool(Intl.NumberFormat, { style: "currency", currency, currencyDisplay: "narrowSymbol", maximumFractionDigits: 0, minimumFractionDigits: 0 }).format(amount);
  const form = tool(Intl.NumberFormat, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return form.format(amount / 10 ** form.resolvedOptions().maximumFractionDigits);
}

/** Epoch seconds of either form; null where there is none. */
export function seconds(when) {
  if (when === null || when === undefined || when === "" || when === 0) return null;
  const found = typeof when === "number" ? when : Date.parse(when) / 1000;
  return Number.isFinite(found) ? found : null;
}

const at = (when, options) => {
  const found = seconds(when);
  return found === null ? DASH : tool(Intl.DateTimeFormat, options).format(new Date(found * 1000));
};

/** 22 Nov 2026; for a plain day ("2026-11-22") whatever the zone. */
export const day = (when, zone) =>
  /^\d{4}-\d\d-\d\d$/.test(when)
    ? at(when + "T00:00:00Z", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" })
    : at(when, { day: "numeric", month: "short", year: "numeric", timeZone: zone || undefined });

/** 14.05 */
export const time = (when, zone) => at(when, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone || undefined });

/** 14.05.09 */
export const timeExact = (when, zone) =>
  at(when, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: zone || undefined });

/** 22 Nov, 14.05 and, where a zone is given, its letters: WIB, WITA, WIT. */
export function moment(when, zone) {
  const shown = at(when, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone || undefined });
  return zone && shown !== DASH ? `${shown} ${zoneName(zone)}` : shown;
}

const ZONES = { "Asia/Jakarta": "WIB", "Asia/Pontianak": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT", UTC: "UTC" };

/** WIB, WITA, WIT, else the IANA name. */
export const zoneName = (zone) => ZONES[zone] ?? zone;

/** 75 -> 1:15; 3700 -> 1:01:40. Never below nought. */
export function clock(span) {
  if (span === null || span === undefined || Number.isNaN(span)) return DASH;
  const whole = Math.max(0, Math.floor(span));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

const UNITS = { id: { d: "hari", h: "jam", m: "mnt", s: "dtk" }, en: { d: "d", h: "h", m: "min", s: "s" } };

/** 75 -> 1 mnt; 3700 -> 1 jam 1 mnt; 90000 -> 1 hari 1 jam. */
export function span(length) {
  if (length === null || length === undefined || Number.isNaN(length)) return DASH;
  const whole = Math.max(0, Math.round(length));
  const unit = UNITS[lang()];
  if (whole < 60) return `${whole} ${unit.s}`;
  if (whole < 3600) return `${Math.floor(whole / 60)} ${unit.m}`;
  const [big, small] = whole < 86400 ? [3600, 60] : [86400, 3600];
  const names = whole < 86400 ? [unit.h, unit.m] : [unit.d, unit.h];
  const rest = Math.floor((whole % big) / small);
  return `${Math.floor(whole / big)} ${names[0]}` + (rest ? ` ${rest} ${names[1]}` : "");
}

/** +6281234567890 -> +62 812-3456-7890; a masked one keeps its bullets. */
export function phone(e164) {
  const found = /^\+62([\d•*]{3})([\d•*]{3,4})([\d•*]{3,})$/.exec(e164 || "");
  return found ? `+62 ${found[1]}-${found[2]}-${found[3]}` : e164 || DASH;
}

/** 1.234.567 bytes -> 1,2 MB */
export function bytes(n) {
  if (n === null || n === undefined) return DASH;
  return n < 1e3 ? `${count(n)} B` : n < 1e6 ? `${decimal(n / 1e3)} kB` : `${decimal(n / 1e6)} MB`;
}
