"""JavaScript and CSS of the page of a run.

They are strings of a module, and not files, so that a change of them makes the page again, see
:mod:`cellstack.run.sources`.
"""

from cellstack.figures.colors import BLUE, VERMILLION

STYLE = f"""
.tiles {{ display: flex; flex-wrap: wrap; gap: .8rem; margin: .8rem 0; padding: 0;
  list-style: none; }}
.tiles button {{ font: inherit; text-align: left; padding: .5rem 1rem; min-width: 7rem;
  border: 1px solid #888; border-left: .4rem solid #888; border-radius: .3rem; background: #fff;
  cursor: pointer; }}
.tiles button[aria-pressed=true] {{ background: #e8f0f8; border-color: #0b5394; }}
.tiles b {{ display: block; font-size: 1.6rem; line-height: 1.1; }}
.tiles .ok {{ border-left-color: {BLUE}; }}
.tiles .flagged {{ border-left-color: {VERMILLION}; }}
.tiles .failed {{ border-left-color: #000; }}
.controls {{ display: flex; flex-wrap: wrap; gap: .6rem 1.2rem; align-items: end;
  margin: .6rem 0; }}
.controls label, .plot label {{ display: block; font-size: .85rem; color: #444; }}
select, input {{ font: inherit; max-width: 100%; padding: .2rem .3rem; }}
.plots {{ display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }}
.plot select {{ width: 100%; }}
.plot a:hover path {{ stroke-width: 3; }}
.legend path {{ vertical-align: middle; }}
#stacks td, #stacks th {{ vertical-align: top; }}
#stacks th {{ overflow-wrap: break-word; }}
#stacks th button {{ font: inherit; font-weight: bold; padding: 0; border: 0; background: none;
  cursor: pointer; text-align: inherit; }}
#stacks th button::after {{ content: " \\2195"; color: #767676; }}
#stacks th[aria-sort=ascending] button::after {{ content: " \\25B2"; color: #000; }}
#stacks th[aria-sort=descending] button::after {{ content: " \\25BC"; color: #000; }}
main .text {{ text-align: left; }}
main ul.reasons {{ margin: 0; padding-left: 1.1rem; }}
#stacks td.text {{ overflow-wrap: anywhere; }}
#stacks .name {{ min-width: 8rem; font-weight: bold; }}
#stacks th, #stacks td {{ padding: .3rem .5rem; }}
#stacks td.reasons {{ min-width: 15rem; font-size: .9rem; }}
#stacks ul, dialog .reasons {{ margin: 0; padding-left: 1.1rem; }}
#stacks td.picture {{ padding: .2rem .4rem .2rem 0; }}
#stacks td.picture img, #stacks td.picture .none {{ display: block; width: 8.5rem;
  max-width: none; }}
.none {{ color: #666; font-size: .85rem; }}
.state {{ display: inline-block; white-space: nowrap; padding: 0 .45rem; border-radius: .6rem;
  border: 1px solid {BLUE}; color: #00517f; }}
.state.flagged {{ border-color: {VERMILLION}; color: #9c4400; font-weight: bold; }}
.state.failed {{ border-color: #000; background: #000; color: #fff; font-weight: bold; }}
dialog {{ width: min(76rem, 96vw); max-height: 94vh; box-sizing: border-box; padding: 0;
  border: 1px solid #666; border-radius: .4rem; }}
dialog::backdrop {{ background: rgb(0 0 0 / 45%); }}
dialog > nav {{ position: sticky; top: 0; display: flex; gap: .6rem; padding: .5rem 1rem;
  background: #f3f3f3; border-bottom: 1px solid #ccc; }}
dialog > nav button {{ font: inherit; padding: .2rem .8rem; }}
dialog > nav button:last-child {{ margin-left: auto; }}
dialog > div {{ padding: .4rem 1rem 1.5rem; }}
dialog h2 {{ border: 0; margin: .2rem 0; padding: 0; overflow-wrap: anywhere; }}
dialog h3 {{ margin: 1.4rem 0 .3rem; padding-top: .5rem; border-top: 1px solid #ddd; }}
dialog h4 {{ margin: .8rem 0 .2rem; }}
dialog .text {{ text-align: left; overflow-wrap: break-word; }}
.objects {{ display: flex; flex-wrap: wrap; gap: .8rem 1.2rem; margin: .4rem 0; }}
.objects figure {{ width: 13rem; }}
.objects img {{ width: 13rem; image-rendering: pixelated; }}
.figures figure {{ margin: .6rem 0; }}
.profiles {{ display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; margin-top: .6rem; }}
.profiles figure {{ width: min(100%, 26rem); }}
.profiles .keys {{ columns: auto; display: flex; flex-wrap: wrap; gap: 0 1rem; margin: 0; }}
.files {{ columns: 22rem; overflow-wrap: anywhere; }}
[hidden] {{ display: none !important; }}
@media (max-width: 40rem) {{
  body {{ padding: .6rem .8rem 3rem; }}
  dl.facts {{ grid-template-columns: minmax(0, 1fr); }}
  dl.facts dd {{ margin-bottom: .4rem; }}
  #stacks thead {{ position: absolute; left: -999rem; }}
  #stacks table, #stacks tbody, #stacks tr, #stacks td {{ display: block; border: 0; }}
  #stacks tr {{ padding: .6rem 0 .6rem 9.5rem; min-height: 9rem; position: relative;
    border-bottom: 1px solid #888; }}
  #stacks td.picture {{ position: absolute; left: 0; top: .6rem; }}
  #stacks td, #stacks td.reasons {{ padding: .1rem 0; text-align: left; min-width: 0; }}
  #stacks td:empty {{ display: none; }}
  #stacks td[data-name]::before {{ content: attr(data-name) ": "; color: #555;
    font-weight: normal; }}
}}
@media print {{
  .controls {{ display: none; }}
  #stacks th button::after {{ content: "" !important; }}
  .wide {{ overflow: visible; }}
  #stacks th, #stacks td, #stacks td.reasons {{ padding: .15rem .3rem; min-width: 0;
    font-size: 8pt; }}
  #stacks td.picture img, #stacks td.picture .none {{ width: 5rem; }}
  dialog::backdrop {{ display: none; }}
  dialog > nav {{ display: none; }}
  tr, .plot {{ break-inside: avoid; }}
  .state.failed {{ color: #000; background: none; }}
  body:has(dialog[open]) > :not(dialog) {{ display: none; }}
  dialog {{ position: static; width: auto; max-height: none; border: 0; }}
}}
"""

SCRIPT = r"""
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
const make = (name, attributes = {}, text = "") => {
  const isSvg = ["svg", "g", "a", "path", "line", "text", "title"].includes(name);
  const node = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
};

// table: search, filters, order
const body = one("#stacks tbody");
const rows = all("tr", body).map((node) => ({node, text: node.textContent.toLowerCase()}));
const search = one("#search");
const filters = all("select[data-filter]");
const shown = one("#shown");

function filterRows() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const {node, text} of rows) {
    const fits = words.every((word) => text.includes(word)) && filters.every((filter) =>
      filter.value === "" || data.filters[filter.dataset.filter][node.dataset.row] ===
      filter.options[filter.selectedIndex].textContent);
    node.hidden = !fits;
    count += fits;
  }
  shown.textContent = `${count} of ${rows.length} rows shown`;
  for (const tile of all(".tiles button"))
    tile.setAttribute("aria-pressed", one("#state").value === tile.dataset.state);
}

// doses such as 0.25 and 0.5 are numbers; other digits are whole numbers
const compareTexts = (a, b) => Number.parseFloat(a) - Number.parseFloat(b) ||
  a.localeCompare(b, "en", {numeric: true});

function sortRows(head) {
  const column = head.cellIndex;
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const each of all("th", head.parentNode)) each.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const key = (node) => {
    const cell = node.cells[column];
    const value = cell.dataset.sort ?? cell.textContent;
    return cell.dataset.sort === undefined ? value : value === "" ? null : Number(value);
  };
  const keyed = rows.map((row) => [key(row.node), row.node]);
  keyed.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "number" ? a - b : compareTexts(a, b);
    return up ? order : -order;
  });
  body.append(...keyed.map(([, node]) => node));
}

search.addEventListener("input", filterRows);
for (const filter of filters) filter.addEventListener("change", filterRows);
for (const head of all("#stacks th"))
  one("button", head)?.addEventListener("click", () => sortRows(head));
for (const tile of all(".tiles button"))
  tile.addEventListener("click", () => {
    const state = one("#state");
    state.value = state.value === tile.dataset.state ? "" : tile.dataset.state;
    filterRows();
    if (state.value) one("#table").scrollIntoView();
  });

// details of a stack
const dialog = one("dialog");
const content = one("dialog > div");
const address = (name) => `#stack-${encodeURIComponent(name)}`;
const visible = () => [...new Set(all("tr", body).filter((node) => !node.hidden)
  .map((node) => Number(node.dataset.stack)))];
let current = -1;

function showStack() {
  const given = location.hash.startsWith("#stack-");
  const name = given ? decodeURIComponent(location.hash.slice(7)) : "";
  current = data.stacks.indexOf(name);
  if (current < 0) { dialog.close(); return; }
  content.replaceChildren(one(`#details-${current}`).content.cloneNode(true));
  one("h2", content).id = "heading";
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  const order = visible();
  const place = order.indexOf(current);
  one("#previous").disabled = place <= 0;
  one("#next").disabled = place < 0 || place === order.length - 1;
}

function step(by) {
  const order = visible();
  const next = order[order.indexOf(current) + by];
  if (next !== undefined) location.replace(address(data.stacks[next]));
}

one("#previous").addEventListener("click", () => step(-1));
one("#next").addEventListener("click", () => step(1));
one("#close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
dialog.addEventListener("close", () => {
  if (location.hash.startsWith("#stack-"))
    history.replaceState(null, "", location.pathname + location.search);
});
window.addEventListener("hashchange", showStack);

// plots
const WIDTH = 340, HEIGHT = 270, LEFT = 66, RIGHT = 8, TOP = 12, BOTTOM = 58;
const SHAPES = {ok: "m-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0", flagged: "m0,-5l5,9h-10z"};
const FILLS = data.colors;
const kindChoice = one("#kind"), groupChoice = one("#group");
const kind = () => kindChoice ? kindChoice.options[kindChoice.selectedIndex].textContent :
  data.kinds[0];

function roundTicks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough * .999);
  const ticks = [];
  const first = Math.ceil(low / size - 1e-9);
  for (let i = first; i * size <= high + size * 1e-9; i++) ticks.push(i * size);
  return ticks;
}

const number = (value) => String(Number(value.toPrecision(4)));

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
}

function groupsOf(points) {
  const column = data.groups[groupChoice.selectedIndex - 1];
  const groups = new Map();
  for (const point of points) {
    const name = column ? column.values[point.row] : "all stacks";
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(point);
  }
  const order = (a, b) => (a[0] === "") - (b[0] === "") || compareTexts(a[0], b[0]);
  return [...groups].sort(order);
}

function drawPlot(figure) {
  const choice = one("select", figure);
  const column = data.columns[Number(choice.value)] ??
    {name: "", unit: "", definition: "", values: []};
  const points = [];
  data.rows.forEach((row, i) => {
    if (row.kind === kind() && (column.values[i] ?? null) !== null)
      points.push({value: column.values[i], row: i, name: data.stacks[row.stack],
        state: row.state});
  });
  const unit = column.unit ? ` (${column.unit})` : "";
  const svg = make("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT,
    role: "img"});
  const groups = groupsOf(points);
  const values = points.map((point) => point.value);
  let low = Math.min(...values), high = Math.max(...values);
  if (!points.length) {
    svg.append(make("text", {x: WIDTH / 2, y: HEIGHT / 2, "text-anchor": "middle"}, "no values"));
    low = 0; high = 1;
  }
  const pad = (high - low || Math.abs(high) || 1) * .06;
  low -= low >= 0 && low < pad * 2 ? low : pad;
  high += pad;
  const y = (value) => HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
  for (const tick of roundTicks(low, high)) {
    svg.append(make("line", {x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick),
      stroke: "#ddd"}));
    svg.append(make("text", {x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end"}, number(tick)));
  }
  const room = (WIDTH - LEFT - RIGHT) / Math.max(1, groups.length);
  const described = [];
  groups.forEach(([name, members], i) => {
    const middle = LEFT + room * (i + .5), reach = Math.min(room * .42, 110);
    const typical = median(members.map((member) => member.value));
    const label = name === "" ? "not given" : name;
    described.push(`${label} ${number(typical)} (n = ${members.length})`);
    // points that would cover each other are placed side by side
    const size = members.length > 60 ? .6 : 1;
    const placed = [];
    for (const member of [...members].sort((a, b) => a.value - b.value)) {
      const at = y(member.value), near = placed.slice(-80);
      let place = 0;
      for (let k = 1; near.some((other) =>
        Math.hypot(other.place - place, other.at - at) < 8 * size) && k < 60; k++)
        place = (k % 2 ? 1 : -1) * Math.ceil(k / 2) * 5 * size;
      placed.push({place, at, member});
    }
    const widest = Math.max(...placed.map((each) => Math.abs(each.place)));
    const squeeze = widest > reach ? reach / widest : 1;
    for (const {place, at, member} of placed) {
      const link = make("a", {href: address(member.name), tabindex: -1});
      const state = member.state === "ok" ? "ok" : "flagged";
      const point = make("path", {d: `M0,0${SHAPES[state]}`, fill: FILLS[state],
        transform: `translate(${(middle + place * squeeze).toFixed(1)} ${at.toFixed(1)}) ` +
          `scale(${size})`, "fill-opacity": .75, stroke: FILLS[state]});
      point.append(make("title", {}, `${member.name}: ${number(member.value)} ${column.unit}`));
      link.append(point);
      svg.append(link);
    }
    svg.append(make("line", {x1: middle - reach, x2: middle + reach, y1: y(typical),
      y2: y(typical), stroke: "#000", "stroke-width": 2}));
    if (groups.length > 24 && i % Math.ceil(groups.length / 24)) return;
    const isTight = room < 62, maximum = isTight ? 14 : Math.floor(room / 7.5);
    const short = label.length > maximum ? `${label.slice(0, maximum - 1)}…` : label;
    const turn = isTight ? {transform: `translate(${middle} ${HEIGHT - BOTTOM + 12}) rotate(-35)`,
      "text-anchor": "end"} : {x: middle, y: HEIGHT - BOTTOM + 18, "text-anchor": "middle"};
    const text = make("text", turn, short);
    text.append(make("title", {}, label));
    svg.append(text);
    if (!isTight) svg.append(make("text", {x: middle, y: HEIGHT - BOTTOM + 35,
      "text-anchor": "middle"}, `n = ${members.length}`));
  });
  const side = make("text", {transform: `translate(14 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`,
    "text-anchor": "middle"}, column.unit);
  svg.append(side);
  const grouped = data.groups[groupChoice.selectedIndex - 1];
  const by = grouped ? ` by ${grouped.name}` : "";
  svg.setAttribute("aria-label", `${column.name}${unit} of ${kind()}${by}; median: ` +
    (described.slice(0, 12).join(", ") || "no values"));
  one(".chart", figure).replaceChildren(svg);
  one("figcaption", figure).textContent = column.definition;
}

const plots = all(".plot");
function choosePlots() {
  const defaults = data.defaults[kind()] ?? [];
  plots.forEach((figure, i) => { one("select", figure).value = String(defaults[i]); });
  plots.forEach(drawPlot);
}
for (const figure of plots) {
  const choice = one("select", figure);
  let part = null;
  data.columns.forEach((column, i) => {
    if (part?.label !== column.table) {
      part = make("optgroup", {label: column.table});
      choice.append(part);
    }
    part.append(make("option", {value: i}, column.unit ? `${column.name} (${column.unit})`
      : column.name));
  });
  choice.addEventListener("change", () => drawPlot(figure));
}
kindChoice?.addEventListener("change", choosePlots);
groupChoice.addEventListener("change", () => plots.forEach(drawPlot));
choosePlots();
filterRows();
showStack();
"""
