// Charts over the shift: the pacing series as far as it has gone, and each board as it comes. Drawn by uPlot on a canvas;
// the last figure is also said in words.

import uPlot from "../vendor/uplot.js";
import { get } from "./lib/api.js";
import { decimal, percent, time } from "./lib/format.js";
import { html, useEffect, useRef, useState } from "./lib/ui.js";
import { t } from "./board-words.js";

const HOURS = 8;
const POINTS = 240;
const EACH_S = 5; // between two points that live boards add
const MOST = 2000;

const share = (row) => (row.live > 0 ? row.abandoned / row.live : null);
/** name -> {columns: [label, class, value of a row], form}; a row: the pacer's numbers */
const CHARTS = [
  { name: "load", form: (n) => decimal(n, 0), columns: [["working", "c1", (row) => row.working], ["in_flight", "c2", (row) => row.in_flight]] },
  { name: "abandon", form: (n) => percent(n), columns: [["share", "c1", share], ["limit", "limit", (row) => row.limit]] },
  { name: "answer", form: (n) => percent(n, 0), columns: [["rate", "c4", (row) => row.answer_rate]] },
];

/** The rows of a campaign's shift; grows with each board. */
function useShift(campaign, board) {
  const [rows, set] = useState([]);
  const limit = board?.abandon_rate_max;
  useEffect(() => {
    let here = true;
    set([]);
    if (!campaign) return undefined;
    get(`/campaigns/${campaign}/pacing`, { hours: HOURS, points: POINTS }).then((found) => {
      const past = found.at.map((at, n) => ({ at, ...Object.fromEntries(Object.entries(found.numbers).map(([name, column]) => [name, column[n]])) }));
      if (here) set((now) => [...past, ...now.filter((row) => !past.length || row.at > past.at(-1).at)]);
    }, () => {});
    return () => void (here = false);
  }, [campaign]);
  useEffect(() => {
    if (!board?.numbers || board.campaign !== campaign) return;
    set((now) => (now.length && board.at - now.at(-1).at < EACH_S ? now : [...now, { at: board.at, ...board.numbers }].slice(-MOST)));
  }, [board?.at]);
  return rows.map((row) => ({ ...row, limit }));
}

const colour = (element, name) => {
  const probe = document.createElement("span");
  probe.className = name;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};

function Chart({ chart, rows }) {
  const box = useRef();
  const plot = useRef(null);
  const data = [rows.map((row) => row.at), ...chart.columns.map(([, , value]) => rows.map((row) => value(row) ?? null))];
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    const make = () => {
      plot.current?.destroy();
      const element = box.current;
      const [width, height] = [element.clientWidth, element.clientHeight];
      if (!width || !height) return;
      const ink = colour(element, "soft");
      const grid = getComputedStyle(element.parentElement).borderTopColor;
      const font = `11px ${getComputedStyle(element).fontFamily}`;
      const axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 3 } };
      plot.current = new uPlot({
        width, height, legend: { show: false }, cursor: { y: false, points: { size: 5 } }, padding: [6, 14, 0, 0],
        scales: { y: { range: (_, low, high) => [0, Math.max(high ?? 0, chart.name === "load" ? 1 : 0.01) * 1.08] } },
        axes: [
          { ...axis, size: 20, gap: 2, space: 60, values: (_, at) => at.map((one) => time(one)) },
          { ...axis, size: 38, gap: 2, space: 24, values: (_, at) => at.map((one) => chart.form(one)) },
        ],
        series: [{}, ...chart.columns.map(([, look]) => ({
          stroke: colour(element, look), width: look === "limit" ? 1.5 : 1.5, dash: look === "limit" ? [5, 4] : undefined, points: { show: false }, spanGaps: look === "limit",
        }))],
      }, latest.current, element);
    };
    make();
    const sized = new ResizeObserver(() => {
      const [width, height] = [box.current.clientWidth, box.current.clientHeight];
      if (plot.current && width && height) plot.current.setSize({ width, height });
      else make();
    });
    sized.observe(box.current);
    addEventListener("santun-theme", make);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    return () => {
      sized.disconnect();
      removeEventListener("santun-theme", make);
      scheme.removeEventListener("change", make);
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data), [rows.length, rows.at(-1)?.at]);
  const last = rows.at(-1);
  const name = t("chart." + chart.name);
  const label = last ? t("chart.label", { name, from: time(rows[0].at), to: time(last.at), value: chart.form(chart.columns[0][2](last)) }) : name;
  return html`<section class="panel"><header><h2>${name}</h2><span class="grow"></span>
    <span class="legend">${chart.columns.map(([word, look]) => html`<span key=${word} class=${look}><i></i>${t("chart." + word)}</span>`)}</span></header>
    <div class="chart" ref=${box} role="img" aria-label=${label}></div></section>`;
}

/** All charts of a campaign. */
export function Charts({ campaign, board }) {
  const rows = useShift(campaign, board);
  return html`<div class="board-charts">${CHARTS.map((chart) => html`<${Chart} key=${chart.name} chart=${chart} rows=${rows} />`)}</div>`;
}
