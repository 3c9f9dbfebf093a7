// The map of a 2-D latent space that one walks over: one file for the widget in a notebook and for the page of its own.
// The decoder runs here, in the browser, so what follows the pointer needs no kernel.

// ---- data: base64 to numbers

function bytes(base64) {
  const text = atob(base64);
  const out = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) out[k] = text.charCodeAt(k);
  return out;
}

/** float16 numbers (IEEE 754 half, little endian) as a Float32Array. */
function halves(base64) {
  const raw = new Uint16Array(bytes(base64).buffer);
  const out = new Float32Array(raw.length);
  for (let k = 0; k < raw.length; k++) {
    const sign = raw[k] & 0x8000 ? -1 : 1, exponent = (raw[k] >> 10) & 31, fraction = raw[k] & 1023;
    out[k] = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return out;
}

// ---- the decoder: dense, reshape, transposed convolution; images are (height, width, channels) in one array

const ACTIVATIONS = {
  linear: v => v,
  relu: v => (v > 0 ? v : 0),
  sigmoid: v => 1 / (1 + Math.exp(-v)),
  silu: v => v / (1 + Math.exp(-v)),
};

function activate(values, name) {
  const f = ACTIVATIONS[name];
  if (name !== "linear") for (let k = 0; k < values.length; k++) values[k] = f(values[k]);
  return values;
}

function dense(x, layer) {
  const out = Float32Array.from(layer.bias), n = out.length;
  for (let i = 0; i < x.length; i++) {
    const v = x[i], row = i * n;
    if (v !== 0) for (let o = 0; o < n; o++) out[o] += v * layer.kernel[row + o];
  }
  return activate(out, layer.activation);
}

/** Keras's Conv2DTranspose with padding "same"; kernel: (size, size, inputs, outputs). */
function transposedConvolution(x, layer, [height, width, inputs]) {
  const { size, stride, outputs, kernel, bias } = layer;
  const before = Math.floor(Math.max(size - stride, 0) / 2), H = height * stride, W = width * stride;
  const out = new Float32Array(H * W * outputs);
  for (let k = 0; k < H * W; k++) out.set(bias, k * outputs);
  for (let i = 0; i < height; i++)
    for (let j = 0; j < width; j++)
      for (let c = 0; c < inputs; c++) {
        const v = x[(i * width + j) * inputs + c];
        if (v === 0) continue; // about half of them, after a ReLU
        for (let a = 0; a < size; a++) {
          const y = i * stride + a - before;
          if (y < 0 || y >= H) continue;
          for (let b = 0; b < size; b++) {
            const z = j * stride + b - before;
            if (z < 0 || z >= W) continue;
            const to = (y * W + z) * outputs, from = ((a * size + b) * inputs + c) * outputs;
            for (let o = 0; o < outputs; o++) out[to + o] += v * kernel[from + o];
          }
        }
      }
  return [activate(out, layer.activation), [H, W, outputs]];
}

/** A function that decodes z, two numbers, to {pixels: Float32Array in [0, 1], shape: [height, width, channels]}. */
export function decoder(layers) {
  const ready = layers.map(layer => ({
    ...layer,
    kernel: layer.kernel && halves(layer.kernel),
    bias: layer.bias && halves(layer.bias),
  }));
  return z => {
    let x = Float32Array.from(z), shape = [x.length];
    for (const layer of ready) {
      if (layer.kind === "dense") x = dense(x, layer);
      else if (layer.kind === "reshape") shape = layer.shape;
      else [x, shape] = transposedConvolution(x, layer, shape);
    }
    return { pixels: x, shape };
  };
}

// ---- the map

const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#7F3C8D", "#8C613C", "#6E6E6E"];
const NEIGHBOURS = 15, SHOWN = 4;

/** The nearest test codes to z: [{index, distance}], nearest first. */
function nearest(codes, z, count) {
  const best = [];
  for (let k = 0; k < codes.length / 2; k++) {
    const distance = Math.hypot(codes[2 * k] - z[0], codes[2 * k + 1] - z[1]);
    if (best.length < count || distance < best[best.length - 1].distance) {
      let place = best.length;
      while (place > 0 && best[place - 1].distance > distance) place--;
      best.splice(place, 0, { index: k, distance });
      if (best.length > count) best.pop();
    }
  }
  return best;
}

/** What a person is told of z: nearest class, how sure, and whether any data lies near. */
function readout(space, names, z) {
  const near = nearest(space.codes, z, NEIGHBOURS);
  const votes = new Map();
  for (const { index } of near) votes.set(space.labels[index], (votes.get(space.labels[index]) || 0) + 1);
  const [label, count] = [...votes].sort((one, other) => other[1] - one[1])[0];
  return { near, label, name: names[label], share: count / near.length, off: near[0].distance > space.reach };
}

function element(tag, parent, options = {}) {
  const made = document.createElement(tag);
  Object.assign(made, options);
  if (options.style) made.style.cssText = options.style;
  parent.append(made);
  return made;
}

class Space {
  constructor(parent, data, names, moved) {
    this.names = names;
    this.decode = decoder(data.layers);
    this.codes = halves(data.codes);
    this.labels = bytes(data.labels);
    this.reach = data.reach;
    this.extent = data.extent; // z goes from -extent to extent both ways
    this.side = 380;
    const box = element("section", parent, { style: "margin: 0 24px 16px 0; width: 380px" });
    element("h3", box, { textContent: data.title, style: "margin: 0 0 6px; font: 600 16px sans-serif" });
    this.map = element("canvas", box, { width: this.side * 2, height: this.side * 2, tabIndex: 0 });
    this.map.style.cssText = `width: ${this.side}px; height: ${this.side}px; touch-action: none; cursor: crosshair; border: 1px solid #999; background: #fff`;
    this.map.setAttribute("role", "application");
    this.map.setAttribute("aria-label", `${data.title}: map of codes; drag, or move with the arrow keys`);
    const row = element("div", box, { style: "display: flex; gap: 12px; margin-top: 8px" });
    this.picture = element("canvas", row, { style: "width: 168px; height: 168px; image-rendering: pixelated; border: 1px solid #999" });
    this.picture.setAttribute("role", "img");
    // contain: what is written here at every move must not have the whole notebook laid out anew
    const side = element("div", row, { style: "font: 14px/1.45 sans-serif; width: 200px; height: 168px; contain: strict" });
    this.text = element("div", side, { className: "readout" });
    this.text.setAttribute("role", "status");
    this.thumbs = element("div", side, { style: "display: flex; gap: 4px; margin-top: 6px" });
    this.small = Array.from({ length: SHOWN }, () => {
      const one = element("figure", this.thumbs, { style: "margin: 0; text-align: center; font-size: 11px" });
      const canvas = element("canvas", one, { width: 28, height: 28, style: "width: 42px; height: 42px; image-rendering: pixelated" });
      return [canvas, element("figcaption", one)];
    });
    this.background = this.drawPoints();
    this.listen(moved);
  }

  listen(moved) {
    const place = event => {
      const frame = this.map.getBoundingClientRect();
      const u = (event.clientX - frame.left) / frame.width, v = (event.clientY - frame.top) / frame.height;
      const clip = value => Math.max(-this.extent, Math.min(this.extent, value));
      moved([clip((2 * u - 1) * this.extent), clip((1 - 2 * v) * this.extent)]);
    };
    this.map.addEventListener("pointerdown", event => {
      this.map.setPointerCapture(event.pointerId);
      this.map.focus();
      place(event);
    });
    this.map.addEventListener("pointermove", event => {
      if (event.buttons || event.pointerType === "mouse") place(event);
    });
    const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    this.map.addEventListener("keydown", event => {
      const step = keys[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation(); // else JupyterLab would scroll
      moved(step.map((s, k) => Math.max(-this.extent, Math.min(this.extent, this.z[k] + (s * this.extent * (event.shiftKey ? 5 : 1)) / 50))));
    });
  }

  pixel([x, y]) {
    const side = this.map.width;
    return [((x / this.extent + 1) / 2) * side, ((1 - y / this.extent) / 2) * side];
  }

  drawPoints() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = this.map.width;
    const pen = canvas.getContext("2d");
    pen.font = "bold 17px sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let k = 0; k < this.labels.length; k++) {
      pen.fillStyle = COLOURS[this.labels[k] % COLOURS.length];
      pen.globalAlpha = 0.75;
      pen.fillText(String(this.labels[k]), ...this.pixel([this.codes[2 * k], this.codes[2 * k + 1]])); // a sign, not a colour alone
    }
    return canvas;
  }

  draw(z, images) {
    this.z = z;
    const pen = this.map.getContext("2d");
    pen.clearRect(0, 0, this.map.width, this.map.height);
    pen.drawImage(this.background, 0, 0);
    const [x, y] = this.pixel(z);
    for (const [width, colour] of [[7, "#fff"], [3, "#000"]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.beginPath();
      pen.arc(x, y, 15, 0, 7);
      pen.moveTo(x - 26, y), pen.lineTo(x + 26, y), pen.moveTo(x, y - 26), pen.lineTo(x, y + 26);
      pen.stroke();
    }
    const { pixels, shape } = this.decode(z);
    paint(this.picture, pixels, shape);
    const { near, name, share, off } = readout(this, this.names, z);
    const words = `z = (${z.map(v => v.toFixed(2)).join(", ")}): ${name}, ${Math.round(100 * share)} % of the ${NEIGHBOURS} nearest${off ? "; off the map, no data lies nearby" : ""}`;
    this.text.textContent = words;
    this.picture.setAttribute("aria-label", `decoded picture at ${words}`);
    this.small.forEach(([canvas, caption], k) => {
      if (images) canvas.getContext("2d").drawImage(images, 28 * near[k].index, 0, 28, 28, 0, 0, 28, 28);
      caption.textContent = near[k].distance.toFixed(2);
    });
  }
}

function paint(canvas, pixels, [height, width, channels]) {
  if (canvas.width !== width) (canvas.width = width), (canvas.height = height);
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height);
  for (let k = 0; k < width * height; k++) {
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = Math.round(255 * pixels[k * channels + (channels === 3 ? c : 0)]);
    image.data[4 * k + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
}

/** Build the explorer inside `parent`. Gives {move(z), element}; `changed(z)` hears of every move that a person makes. */
export function mount(parent, data, changed = () => {}) {
  const root = element("div", parent, { className: "latent-explorer", style: "display: flex; flex-wrap: wrap; color: #111; background: #fff" });
  let z = data.z, waiting = false, frames = 0;
  const draw = () => {
    waiting = false;
    for (const space of spaces) space.draw(z, space.images);
    root.dataset.frames = ++frames;
    root.dataset.z = z.join(" ");
  };
  const move = (to, told = false) => {
    z = to;
    if (!told) changed(z);
    if (!waiting) (waiting = true), requestAnimationFrame(draw);
  };
  const spaces = data.spaces.map(space => new Space(root, space, data.names, to => move(to)));
  spaces.forEach((space, k) => {
    const sheet = new Image();
    sheet.onload = () => ((space.images = sheet), move(z, true));
    sheet.src = data.sheets[data.spaces[k].sheet];
  });
  move(z, true);
  return { move: to => move(to, true), element: root };
}

// ---- anywidget

export default {
  render({ model, el }) {
    let rest = null;
    const explorer = mount(el, model.get("data"), z => {
      model.set("z", z);
      clearTimeout(rest); // the kernel hears of it once the pointer rests: its answers would hold up the map
      rest = setTimeout(() => model.save_changes(), 100);
    });
    model.on("change:z", () => explorer.move(model.get("z")));
  },
};
