"""JavaScript and CSS of the page to explore a stack.

They are strings of a module, and not files, so that a change of them makes the page again, see
:mod:`cellstack.run.sources`.
"""

from cellstack.figures.colors import COLORS

STYLE = """
#controls { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap;
  gap: .3rem 1.4rem; align-items: center; padding: .5rem 0; background: #fff;
  border-bottom: 1px solid #ccc; }
#controls label { white-space: nowrap; }
#controls input[type=range] { width: 11rem; vertical-align: middle; }
#controls output { display: inline-block; min-width: 9.5rem; font-variant-numeric: tabular-nums; }
#controls output[for=zoom] { min-width: 2.5rem; }
#pointed { max-width: none; margin: .4rem 0; min-height: 1.5em; overflow-wrap: anywhere; }
#panels { display: grid; gap: 1rem 1.2rem; align-items: start;
  grid-template-columns: repeat(var(--columns, 2), minmax(0, 1fr)); }
#panels label { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr) 6rem; gap: .5rem;
  align-items: center; margin: .1rem 0; }
#panels select { font: inherit; width: 100%; grid-column: 2 / -1; }
#panels output { font-variant-numeric: tabular-nums; font-size: .9rem; }
.views { overflow: auto; max-height: 85vh; margin-top: .4rem; background: #eee; }
.views canvas { display: block; cursor: crosshair; }
.value { min-height: 1.4em; overflow-wrap: anywhere; }
[hidden] { display: none !important; }
@media (max-width: 40rem) { #panels { grid-template-columns: minmax(0, 1fr); } }
@media print { #controls, #pointed { display: none; } .views { max-height: none; } }
"""

SCRIPT = (
    f"""
"use strict";
const COLORS = {list(COLORS)};
"""
    + r"""
const data = JSON.parse(document.getElementById("data").textContent);
const one = (selector, from = document) => from.querySelector(selector);
const make = (name, attributes = {}, text = "") => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
};
const AXES = ["z", "y", "x"];
const GAP = 6; // pixels between views
const SHAPE = data.shape;
const SIZE = SHAPE.map((_, axis) => data.spacing[axis] * data.steps[axis]); // of a pixel in um
const position = (axis, index) =>
  (data.first[axis] + index * data.steps[axis]) * data.spacing[axis];
const planeNumber = (index) => data.first[0] + index * data.steps[0];
const at = SHAPE.map((size) => size >> 1);
const sides = one("#sides"), linked = one("#linked"), zoom = one("#zoom");
const sliders = AXES.map((axis) => one(`#${axis}`));
const short = (value) => String(Number(value.toPrecision(4)));

// layers are decoded when they are first shown
const decoded = new Map();

function decode(number) {
  if (!decoded.has(number)) decoded.set(number, decodeLayer(data.layers[number]));
  return decoded.get(number);
}

async function decodeLayer(layer) {
  const isGrey = layer.kind === "grey";
  const values = isGrey ? new Uint8Array(SHAPE[0] * SHAPE[1] * SHAPE[2])
    : new Uint32Array(SHAPE[0] * SHAPE[1] * SHAPE[2]);
  const images = await Promise.all(layer.planes.map(async (plane) => {
    const image = new Image();
    image.src = `data:image/${isGrey ? "jpeg" : "png"};base64,${plane}`;
    await image.decode();
    return image;
  }));
  const [width, height] = [images[0].naturalWidth, images[0].naturalHeight];
  const canvas = make("canvas", {width, height});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  images.forEach((image, i) => {
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, width, height).data;
    for (let row = 0, k = 0; row < height; row++) {
      let index = ((layer.start[0] + i) * SHAPE[1] + layer.start[1] + row) * SHAPE[2] +
        layer.start[2];
      for (let column = 0; column < width; column++, k += 4, index++)
        values[index] = isGrey ? pixels[k] : pixels[k] | pixels[k + 1] << 8 | pixels[k + 2] << 16;
    }
  });
  const end = [layer.start[0] + images.length, layer.start[1] + height, layer.start[2] + width];
  return {layer, values, end};
}

const covers = (shown, place) =>
  place.every((index, axis) => index >= shown.layer.start[axis] && index < shown.end[axis]);

// the three views: the axis along which a section is taken, those down and across
const VIEWS = [{name: "xy", along: 0, down: 1, across: 2}, {name: "yz", along: 2, down: 1,
  across: 0}, {name: "xz", along: 1, down: 0, across: 2}];
const STRIDE = [SHAPE[1] * SHAPE[2], SHAPE[2], 1];

function section(values, view) {
  const rows = SHAPE[view.down], columns = SHAPE[view.across];
  const found = new values.constructor(rows * columns);
  const start = at[view.along] * STRIDE[view.along];
  for (let row = 0, k = 0; row < rows; row++) {
    let index = start + row * STRIDE[view.down];
    for (let column = 0; column < columns; column++, k++, index += STRIDE[view.across])
      found[k] = values[index];
  }
  return found;
}

class Panel {
  constructor(number) {
    this.number = number;
    this.node = make("figure", {"aria-label": `panel ${number + 1}`});
    this.image = this.choice("image", (layer) => layer.kind === "grey", false);
    this.outlines = this.choice("outlines", (layer) => layer.kind === "labels", true);
    this.low = this.slider("black");
    this.high = this.slider("white");
    this.canvas = make("canvas", {role: "img"});
    this.scroller = make("div", {class: "views"});
    this.scroller.append(this.canvas);
    this.value = make("figcaption", {class: "value"});
    this.node.append(this.value, this.scroller);
    this.buffer = make("canvas");
    this.image.addEventListener("change", () => this.load());
    this.outlines.addEventListener("change", () => this.load());
    this.canvas.addEventListener("mousemove", (event) => point(this.place(event)));
    this.canvas.addEventListener("mouseleave", () => point(null));
    this.canvas.addEventListener("click", (event) => moveTo(this.place(event)));
    this.scroller.addEventListener("scroll", () => {
      for (const {scroller} of panels) {
        scroller.scrollLeft = this.scroller.scrollLeft;
        scroller.scrollTop = this.scroller.scrollTop;
      }
    });
  }

  choice(name, isListed, withNone) {
    const select = make("select", {name});
    if (withNone) select.append(make("option", {value: ""}, "none"));
    const groups = new Map();
    data.layers.forEach((layer, i) => {
      if (!isListed(layer)) return;
      if (!groups.has(layer.group)) groups.set(layer.group, make("optgroup", {label: layer.group}));
      groups.get(layer.group).append(make("option", {value: i}, layer.title));
    });
    select.append(...groups.values());
    const label = make("label", {}, name);
    label.append(select);
    this.node.append(label);
    return select;
  }

  slider(name) {
    const input = make("input", {type: "range", min: 0, max: 255, name});
    const label = make("label", {}, name);
    label.append(input, make("output"));
    this.node.append(label);
    input.addEventListener("input", () => { limitsChanged(this); });
    return input;
  }

  select(group, title, outlines) {
    const find = (kind, wanted, name) => data.layers.findIndex((layer) =>
      layer.kind === kind && layer.group === wanted && layer.title === name);
    const image = find("grey", group, title);
    if (image >= 0) this.image.value = image;
    const drawn = find("labels", ...outlines);
    if (drawn >= 0) this.outlines.value = drawn;
  }

  async load() {
    this.wanted = `${this.image.value} ${this.outlines.value}`;
    const wanted = this.wanted;
    this.node.setAttribute("aria-busy", "true");
    const loaded = await Promise.all([decode(Number(this.image.value)),
      this.outlines.value === "" ? null : decode(Number(this.outlines.value))]);
    if (wanted !== this.wanted) return; // another one has been chosen since
    if (this.shown !== loaded[0]) {
      const {layer} = loaded[0];
      [this.low.value, this.high.value] = layer.limits;
    }
    [this.shown, this.labels] = loaded;
    this.node.removeAttribute("aria-busy");
    const {layer: {start}, end} = this.shown;
    if (!covers(this.shown, at))
      moveTo(at.map((index, axis) => Math.min(Math.max(index, start[axis]), end[axis] - 1)));
    limitsChanged(this);
  }

  toValue(level) {
    const {low, high} = this.shown.layer;
    return low + level / 255 * (high - low);
  }

  limits() {
    return [this.low, this.high].map((input) => this.toValue(Number(input.value)));
  }

  setLimits(values) {
    const {low, high} = this.shown.layer;
    [this.low, this.high].forEach((input, i) => {
      input.value = Math.round((values[i] - low) / (high - low) * 255);
    });
  }

  // places of the views on the canvas in pixels, with the scale in pixels per um
  layout() {
    const [depth, height, width] = SHAPE.map((size, axis) => size * SIZE[axis]);
    const room = this.scroller.clientWidth - (sides.checked ? GAP : 0);
    const scale = room * Number(zoom.value) / (width + (sides.checked ? depth : 0));
    const views = VIEWS.slice(0, sides.checked ? 3 : 1).map((view) => ({...view,
      left: view.name === "yz" ? width * scale + GAP : 0,
      top: view.name === "xz" ? height * scale + GAP : 0,
      width: SHAPE[view.across] * SIZE[view.across] * scale,
      height: SHAPE[view.down] * SIZE[view.down] * scale}));
    return {scale, views, width: (width + (sides.checked ? depth : 0)) * scale +
      (sides.checked ? GAP : 0), height: (height + (sides.checked ? depth : 0)) * scale +
      (sides.checked ? GAP : 0)};
  }

  draw() {
    if (!this.shown) return;
    const {scale, views, width, height} = this.layout();
    this.canvas.width = Math.round(width);
    this.canvas.height = Math.round(height);
    const context = this.canvas.getContext("2d");
    const low = Number(this.low.value), high = Number(this.high.value);
    const table = Uint8ClampedArray.from({length: 256}, (_, level) =>
      high > low ? (level - low) * 255 / (high - low) : level >= high ? 255 : 0);
    for (const view of views) {
      this.drawImage(context, view, table);
      if (this.labels) this.drawOutlines(context, view);
      if (sides.checked) this.drawCross(context, view);
    }
    drawScaleBar(context, views[0], scale);
    [this.low, this.high].forEach((input) => {
      one("output", input.parentNode).textContent = short(this.toValue(Number(input.value)));
    });
    const {layer} = this.shown;
    this.canvas.setAttribute("aria-label", `${layer.group}, ${layer.title}, plane ${at[0]}`);
    const [first, last] = [layer.start[0], this.shown.end[0] - 1].map(planeNumber);
    this.value.textContent = this.shown.end[0] - layer.start[0] === SHAPE[0] ? "" :
      `computed for planes ${first} to ${last}`;
  }

  drawImage(context, view, table) {
    const rows = SHAPE[view.down], columns = SHAPE[view.across];
    this.buffer.width = columns;
    this.buffer.height = rows;
    const inner = this.buffer.getContext("2d");
    const picture = inner.createImageData(columns, rows);
    const pixels = new Uint32Array(picture.data.buffer);
    const grey = section(this.shown.values, view);
    for (let i = 0; i < grey.length; i++) pixels[i] = table[grey[i]] * 0x010101 | 0xff000000;
    inner.putImageData(picture, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.buffer, view.left, view.top, view.width, view.height);
  }

  drawOutlines(context, view) {
    const rows = SHAPE[view.down], columns = SHAPE[view.across];
    const labels = section(this.labels.values, view);
    const across = view.width / columns, down = view.height / rows;
    const paths = COLORS.map(() => new Path2D());
    const of = (label) => paths[(label - 1) % paths.length];
    // lines lie within the pixels of the object, so that two that touch are both seen
    const inset = Math.min(.8, across / 4, down / 4);
    for (let row = 0, k = 0; row < rows; row++)
      for (let column = 0; column < columns; column++, k++) {
        const label = labels[k];
        if (!label) continue;
        const left = view.left + column * across, top = view.top + row * down;
        const right = left + across, bottom = top + down;
        const line = (x1, y1, x2, y2) => { of(label).moveTo(x1, y1); of(label).lineTo(x2, y2); };
        if (column > 0 && labels[k - 1] !== label) line(left + inset, top, left + inset, bottom);
        if (column < columns - 1 && labels[k + 1] !== label)
          line(right - inset, top, right - inset, bottom);
        if (row > 0 && labels[k - columns] !== label) line(left, top + inset, right, top + inset);
        if (row < rows - 1 && labels[k + columns] !== label)
          line(left, bottom - inset, right, bottom - inset);
      }
    context.lineWidth = 1.5;
    paths.forEach((path, i) => {
      context.strokeStyle = COLORS[i];
      context.stroke(path);
    });
  }

  drawCross(context, view) {
    const x = view.left + (at[view.across] + .5) * view.width / SHAPE[view.across];
    const y = view.top + (at[view.down] + .5) * view.height / SHAPE[view.down];
    context.strokeStyle = "rgb(255 255 255 / 55%)";
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, view.top); context.lineTo(x, view.top + view.height);
    context.moveTo(view.left, y); context.lineTo(view.left + view.width, y);
    context.stroke();
  }

  // index along z, y, x below the pointer, or null between the views
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    for (const view of this.layout().views) {
      const across = Math.floor((x - view.left) / view.width * SHAPE[view.across]);
      const down = Math.floor((y - view.top) / view.height * SHAPE[view.down]);
      if (across < 0 || across >= SHAPE[view.across] || down < 0 || down >= SHAPE[view.down])
        continue;
      const place = [...at];
      place[view.across] = across;
      place[view.down] = down;
      return place;
    }
    return null;
  }

  describe(place) {
    if (!this.shown || !covers(this.shown, place)) return "";
    const index = place.reduce((sum, each, axis) => sum + each * STRIDE[axis], 0);
    const level = this.shown.values[index];
    const value = `${level === 255 ? "at least " : ""}${short(this.toValue(level))}`;
    if (!this.labels) return value;
    const label = this.labels.values[index], {layer} = this.labels;
    const text = data.objects[`${layer.group}/${layer.title}`]?.[label];
    return `${value}; ${label ? `label ${label}` : "background"}${text ? `: ${text}` : ""}`;
  }
}

function drawScaleBar(context, view, scale) {
  const limit = view.width / scale / 4;
  const power = 10 ** Math.floor(Math.log10(limit));
  const length = [5, 2, 1].map((each) => each * power).find((each) => each <= limit) ?? power;
  const right = view.left + view.width - 10, bottom = view.top + view.height - 10;
  context.lineWidth = 3;
  context.font = "13px system-ui, sans-serif";
  context.textAlign = "center";
  context.fillStyle = "rgb(0 0 0 / 60%)";
  const width = Math.max(length * scale, 40) + 12;
  context.fillRect(right - length * scale / 2 - width / 2, bottom - 26, width, 32);
  context.strokeStyle = context.fillStyle = "#fff";
  context.beginPath();
  context.moveTo(right - length * scale, bottom);
  context.lineTo(right, bottom);
  context.stroke();
  context.fillText(`${short(length)} µm`, right - length * scale / 2, bottom - 9);
}

const panels = [];

function limitsChanged(panel) {
  if (linked.checked) {
    const first = panels[0];
    for (const each of panels.slice(1))
      if (each.shown && first.shown && each !== first) each.setLimits(first.limits());
    if (panel !== first) { panel.draw(); return; }
    drawAll();
  } else panel.draw();
}

function drawAll() {
  sliders.forEach((slider, axis) => {
    slider.value = at[axis];
    one(`output[for=${AXES[axis]}]`).textContent = axis ?
      `${position(axis, at[axis]).toFixed(2)} µm` :
      `plane ${planeNumber(at[axis])}, ${position(axis, at[axis]).toFixed(2)} µm`;
  });
  one("output[for=zoom]").textContent = `${zoom.value} ×`;
  for (const panel of panels) panel.draw();
}

function moveTo(place) {
  if (!place) return;
  place.forEach((index, axis) => { at[axis] = index; });
  drawAll();
}

function point(place) {
  const where = place?.map((index, axis) => `${AXES[axis]} ${position(axis, index).toFixed(2)}`);
  one("#pointed").textContent = where ? `${where.join(", ")} µm — ` +
    panels.map((panel) => panel.describe(place)).map((text, i) => `panel ${i + 1}: ${text || "–"}`)
      .join(" · ") : "\u00a0";
}

function showPanels() {
  const count = Number(one("#count").value);
  one("#panels").style.setProperty("--columns", count === 4 ? 2 : count);
  while (panels.length > count) panels.pop().node.remove();
  while (panels.length < count) {
    const panel = new Panel(panels.length);
    panels.push(panel);
    one("#panels").append(panel.node);
    const group = data.layers[0].group;
    const [kind, title] = group === "nuclei" ? ["nuclei", "denoised"] : ["cells",
      "membrane_smooth"];
    if (panel.number % 2) panel.select(group, title, [kind, "segmentation"]);
    panel.load();
  }
  drawAll();
}

sliders.forEach((slider, axis) => {
  slider.max = SHAPE[axis] - 1;
  slider.addEventListener("input", () => { at[axis] = Number(slider.value); drawAll(); });
});
function showSides() {
  for (const label of document.querySelectorAll("#controls .sides")) label.hidden = !sides.checked;
  drawAll();
}
sides.addEventListener("change", showSides);
zoom.addEventListener("input", drawAll);
linked.addEventListener("change", () => limitsChanged(panels[0]));
one("#count").addEventListener("change", showPanels);
addEventListener("resize", drawAll);
showSides();
showPanels();
"""
)
