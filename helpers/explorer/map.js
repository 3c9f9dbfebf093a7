// One map: the plane of codes with its axes, what lies behind the codes, and the marks on it.

// Each at least 4.5:1 against white, and against the dark page; a sign goes with each.
const ON_LIGHT = ["#1f4fbf", "#b02a1a", "#1b6e2c", "#7a3fb0", "#805300", "#006a78", "#ad1f75", "#4d5560", "#536300", "#101010"];
const ON_DARK = ["#8ab4ff", "#ff9a8c", "#7ddb8c", "#cfa6ff", "#e6b35c", "#5fd6e0", "#ff94d0", "#b8c0cc", "#c5d44a", "#ffffff"];

const rgbOf = colour => colour.startsWith("#") ? [1, 3, 5].map(k => parseInt(colour.slice(k, k + 2), 16)) : colour.match(/[\d.]+/g).slice(0, 3).map(Number);

function luminance(colour) { // as WCAG 2 has it
  const [r, g, b] = rgbOf(colour).map(v => v / 255).map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** Ten colours to be read on `back`; where one cannot be, `text` takes its place: the sign still tells the class. */
function readable(back, text) {
  return (luminance(back) > 0.3 ? ON_LIGHT : ON_DARK).map(colour => (contrast(colour, back) >= 4.5 ? colour : text));
}

/** A letter or digit for each name: the name itself where it is one, else the first of its letters that is free. */
function signsOf(names) {
  const taken = new Set();
  return names.map((name, k) => {
    const letters = [...name.toUpperCase(), ..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"].filter(one => /[\p{L}\p{N}]/u.test(one));
    const sign = letters.find(one => !taken.has(one)) ?? String(k);
    taken.add(sign);
    return sign;
  });
}

const LETTERS = "abcdefgh"; // of the eight samples: numbers would look like digits
const GRID = 20; // cells a side: of the pictures behind, and of the slider
const FINE = 32; // of the regions, DENSE of the density
const DENSE = 64;
const LEFT = 36, BELOW = 24, AROUND = 14; // room for the axes' numbers, and for a cross at the edge

/** Pixels of a picture [height, width, channels], 0 to 1, on a canvas of that size. */
function paint(canvas, pixels, [height, width, channels]) {
  if (canvas.width !== width || canvas.height !== height) (canvas.width = width), (canvas.height = height);
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height);
  for (let k = 0; k < width * height; k++) {
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = Math.round(255 * pixels[k * channels + (channels === 3 ? c : 0)]); // clamped by the array
    image.data[4 * k + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
}

// ---- what lies behind the codes: generators, so that the page stays alive; each gives the canvas to show

function newCanvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

function* pictures(space, set) {
  const [height, width] = set.shape, canvas = newCanvas(GRID * width, GRID * height), one = newCanvas(width, height);
  for (let k = 0; k < GRID * GRID; k++) {
    paint(one, space.decode(space.cell(k)), set.shape);
    canvas.getContext("2d").drawImage(one, (k % GRID) * width, Math.floor(k / GRID) * height);
    yield canvas;
  }
}

/** The class whose images the decoded picture is most like, pixel by pixel; pale where a second class is as near. */
function* regions(space, set, theme) {
  const canvas = newCanvas(FINE, FINE), pen = canvas.getContext("2d"), cell = pen.createImageData(1, 1);
  for (let k = 0; k < FINE * FINE; k++) {
    const decoded = space.decode(space.cell(k, FINE)), best = new Map();
    set.images.forEach((image, n) => {
      const limit = best.get(set.labels[n]) ?? Infinity;
      let sum = 0;
      for (let p = 0; p < image.length && sum < limit; ) for (const end = Math.min(p + 64, image.length); p < end; p++) sum += (image[p] - decoded[p]) ** 2;
      if (sum < limit) best.set(set.labels[n], sum);
    });
    const [[label, first], [, second] = [0, Infinity]] = [...best].sort((a, b) => a[1] - b[1]);
    const clear = Math.min(1, 2.5 * (1 - first / second));
    cell.data.set([...rgbOf(theme.colours[label % 10]), 150 * clear]);
    pen.putImageData(cell, k % FINE, Math.floor(k / FINE));
    yield canvas;
  }
}

function* density(space, set, theme) {
  const canvas = newCanvas(DENSE, DENSE), pen = canvas.getContext("2d"), image = pen.createImageData(DENSE, DENSE);
  const found = [], width = 0.3 * space.scale;
  for (let k = 0; k < DENSE * DENSE; k++) {
    const [x, y] = space.cell(k, DENSE);
    let sum = 0, nearest = Infinity;
    for (const [a, b] of space.codes) {
      const square = (a - x) ** 2 + (b - y) ** 2;
      sum += Math.exp(-square / (2 * width * width));
      nearest = Math.min(nearest, square);
    }
    found.push(nearest > space.reach ** 2 ? 0 : sum);
  }
  const most = Math.max(...found), colour = rgbOf(theme.colours[0]);
  found.forEach((sum, k) => image.data.set([...colour, sum ? 40 + 130 * Math.sqrt(sum / most) : 0], 4 * k));
  pen.putImageData(image, 0, 0);
  yield canvas;
}

const BEHIND = { pictures, regions, density };

/** A space's data with what the page computes from it: encode, decode, nearest, cell. */
function prepared(data) {
  let decoder = null, encoder = null; // unpacked when first asked for
  return {
    ...data,
    decode: z => (decoder ??= network(data.decoder))(Float32Array.from(z))[0],
    encode(pixels) {
      const [code, logVariance] = (encoder ??= network(data.encoder))(pixels);
      return { code: [...code], sigma: logVariance ? [...logVariance].map(v => Math.exp(v / 2)) : null };
    },
    /** The test images nearest to z: [{index, distance}], nearest first. */
    nearest([x, y], count) {
      const all = data.codes.map(([a, b], index) => ({ index, distance: Math.hypot(a - x, b - y) }));
      return all.sort((a, b) => a.distance - b.distance).slice(0, count);
    },
    /** The middle of a cell of the grid over the map, line by line from the upper left. */
    cell(k, cells = GRID) {
      const step = (2 * data.half) / cells;
      return [data.centre[0] - data.half + ((k % cells) + 0.5) * step, data.centre[1] + data.half - (Math.floor(k / cells) + 0.5) * step];
    },
    cellAt(z) {
      const [column, row] = [z[0] - data.centre[0], data.centre[1] - z[1]].map(v => Math.floor(((v + data.half) / (2 * data.half)) * GRID));
      return [column, row].every(v => v >= 0 && v < GRID) ? row * GRID + column : null;
    },
  };
}

class Chart {
  constructor(space, set, canvas) {
    Object.assign(this, { space, set, canvas, layers: {} });
    this.outside = space.codes.filter(code => !this.holds(code)).length;
  }

  holds([x, y]) {
    const { centre, half } = this.space;
    return Math.abs(x - centre[0]) <= half && Math.abs(y - centre[1]) <= half;
  }

  /** Width in CSS pixels; the plot is square. True where anything changed: the canvas is then empty. */
  resize(width, theme, lecture) {
    if (width === this.width && theme === this.theme && lecture === this.lecture) return false;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    Object.assign(this, { theme, lecture, side: width - LEFT - AROUND, height: width - LEFT + BELOW, width, ratio });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${this.height}px` });
    this.still = null;
    return true;
  }

  pixel([x, y]) {
    const { centre, half } = this.space;
    return [LEFT + ((x - centre[0]) / half + 1) * this.side / 2, AROUND + (1 - (y - centre[1]) / half) * this.side / 2];
  }

  /** The place under a point of the canvas, kept inside the frame. */
  place(left, top) {
    const { centre, half } = this.space, clip = v => Math.max(-1, Math.min(1, v));
    return [centre[0] + half * clip((2 * (left - LEFT)) / this.side - 1), centre[1] + half * clip(1 - (2 * (top - AROUND)) / this.side)];
  }

  /** The index of the code whose sign is under the pointer, or null. */
  under(left, top) {
    const [{ index }] = this.space.nearest(this.place(left, top), 1), [x, y] = this.pixel(this.space.codes[index]);
    return Math.hypot(x - left, y - top) < 9 ? index : null;
  }

  /** Work on what lies behind for some milliseconds. True while there is more to do. */
  prepare(kind, milliseconds) {
    if (!BEHIND[kind]) return false;
    const key = kind === "pictures" ? kind : kind + this.theme.back;
    const layer = (this.layers[key] ??= { work: BEHIND[kind](this.space, this.set, this.theme), done: false });
    const end = performance.now() + milliseconds;
    while (!layer.done && performance.now() < end) {
      const { value, done } = layer.work.next();
      layer.canvas = value ?? layer.canvas;
      layer.done = done;
    }
    this.layer = layer;
    return !layer.done;
  }

  draw(kind, marks) {
    const pen = this.canvas.getContext("2d");
    if (this.still?.kind !== kind || !this.still.done) this.drawStill(kind);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.still, 0, 0);
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.drawMarks(pen, marks);
  }

  // ---- what stays: what lies behind, axes, rings, signs

  drawStill(kind) {
    const layer = BEHIND[kind] ? this.layer : null;
    this.still = Object.assign(newCanvas(this.canvas.width, this.canvas.height), { kind, done: !BEHIND[kind] || layer?.done });
    const pen = this.still.getContext("2d"), { theme, side } = this;
    pen.scale(this.ratio, this.ratio);
    pen.fillStyle = theme.back;
    pen.fillRect(0, 0, this.width, this.height);
    if (layer?.canvas) {
      pen.globalAlpha = kind === "pictures" ? 0.5 : 1; // dimmed: the signs stand before them
      pen.imageSmoothingEnabled = kind !== "pictures";
      pen.drawImage(layer.canvas, LEFT, AROUND, side, side);
      pen.globalAlpha = 1;
    }
    pen.strokeStyle = theme.text;
    pen.strokeRect(LEFT + 0.5, AROUND + 0.5, side - 1, side - 1);
    this.drawAxes(pen);
    if (this.space.sigmas) this.drawRings(pen);
    this.signs(pen, this.space.codes.keys(), kind);
  }

  signs(pen, numbers, kind) {
    pen.font = `bold ${this.lecture ? 18 : 12}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    for (const k of numbers) {
      const code = this.space.codes[k];
      if (this.holds(code)) this.sign(pen, k, this.pixel(code), kind);
      else this.signAtTheEdge(pen, k, code, kind);
    }
  }

  sign(pen, k, [x, y], kind) {
    const label = this.set.labels[k];
    if (kind !== "nothing") { // a rim, so that the sign can be read on any picture
      pen.strokeStyle = this.theme.back;
      pen.lineWidth = 4;
      pen.strokeText(this.set.signs[label], x, y);
    }
    pen.fillStyle = this.theme.colours[label % 10];
    pen.fillText(this.set.signs[label], x, y);
  }

  signAtTheEdge(pen, k, code, kind) {
    const { angle, x, y } = this.edge(code), inward = this.lecture ? 22 : 16;
    this.arrow(pen, x, y, angle, 6, this.theme.colours[this.set.labels[k] % 10]);
    this.sign(pen, k, [x - inward * Math.cos(angle), y - inward * Math.sin(angle)], kind);
  }

  /** Where a place outside leaves the frame, and in which direction. */
  edge(code) {
    const [x, y] = this.pixel(code), clip = (v, low) => Math.max(low, Math.min(low + this.side, v));
    const at = { x: clip(x, LEFT), y: clip(y, AROUND) };
    return { ...at, angle: Math.atan2(y - at.y, x - at.x) };
  }

  arrow(pen, x, y, angle, size, colour) {
    pen.fillStyle = colour;
    pen.beginPath();
    for (const [turn, length] of [[0, size], [2.3, size], [-2.3, size]])
      pen.lineTo(x + length * Math.cos(angle + turn), y + length * Math.sin(angle + turn));
    pen.fill();
  }

  drawAxes(pen) {
    const { centre, half } = this.space, { theme, side } = this;
    const rough = half / 2.5, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find(factor => factor * power >= rough * 0.99);
    pen.font = `${this.lecture ? 15 : 12}px system-ui, sans-serif`;
    pen.fillStyle = theme.text;
    for (const axis of [0, 1])
      for (let k = Math.ceil((centre[axis] - half) / step); k * step <= centre[axis] + half; k++) {
        const value = k * step, [x, y] = this.pixel(axis ? [centre[0], value] : [value, centre[1]]);
        pen.strokeStyle = theme.text;
        pen.globalAlpha = k === 0 ? 0.55 : 0.18;
        pen.lineWidth = 1;
        pen.beginPath();
        if (axis) pen.moveTo(LEFT, y), pen.lineTo(LEFT + side, y);
        else pen.moveTo(x, AROUND), pen.lineTo(x, AROUND + side);
        pen.stroke();
        pen.globalAlpha = 1;
        pen.textAlign = axis ? "right" : "center";
        pen.textBaseline = axis ? "middle" : "top";
        if (axis ? y < AROUND + 16 : x > LEFT + side - 44) continue; // the axis's name stands there
        const text = String(Number(value.toPrecision(6))).replace("-", "\u2212");
        pen.fillText(text, axis ? LEFT - 4 : x, axis ? y : AROUND + side + 4);
      }
    pen.textAlign = "right";
    pen.textBaseline = "top";
    pen.fillText("z[0]", LEFT + side, AROUND + side + 4);
    pen.fillText("z[1]", LEFT - 4, AROUND - 2);
  }

  drawRings(pen) {
    pen.save();
    pen.beginPath();
    pen.rect(LEFT, AROUND, this.side, this.side);
    pen.clip();
    pen.strokeStyle = pen.fillStyle = this.theme.text;
    pen.setLineDash([5, 5]);
    const [x, y] = this.pixel([0, 0]);
    for (const ring of [1, 2, 3]) {
      pen.beginPath();
      pen.arc(x, y, (ring * this.side) / 2 / this.space.half, 0, 7);
      pen.globalAlpha = 0.5;
      pen.stroke();
    }
    pen.restore();
  }

  // ---- what moves

  /** Strokes a path twice, so that it is seen on any background. */
  twice(pen, trace, width = 2) {
    for (const [line, colour] of [[width + 4, this.theme.back], [width, this.theme.text]]) {
      pen.lineWidth = line;
      pen.strokeStyle = colour;
      pen.beginPath();
      trace();
      pen.stroke();
    }
  }

  drawMarks(pen, { place, pinned, ringed, ellipse, samples, walk, hand }) {
    pen.save();
    pen.beginPath();
    pen.rect(LEFT, AROUND, this.side, this.side);
    pen.clip();
    if (walk) this.twice(pen, () => walk.forEach(z => pen.lineTo(...this.pixel(z))));
    pen.restore();
    samples?.forEach((z, k) => this.tag(pen, z, LETTERS[k]));
    const radius = this.lecture ? 16 : 12;
    if (ringed !== null) { // no neighbour shows inside the ring
      const [x, y] = this.inside(this.space.codes[ringed]);
      pen.fillStyle = this.theme.back;
      pen.beginPath();
      pen.arc(x, y, radius, 0, 7);
      pen.fill();
      this.signs(pen, [ringed], "nothing");
      this.twice(pen, () => pen.arc(x, y, radius, 0, 7), 3);
    }
    if (ellipse && this.holds(ellipse.code)) {
      const [x, y] = this.pixel(ellipse.code), size = ellipse.sigma.map(s => Math.max(2, (s * this.side) / 2 / this.space.half));
      if (ringed === null || Math.max(...size) > radius) // over a sign a smaller one looks like another sign
        this.twice(pen, () => pen.ellipse(x, y, size[0], size[1], 0, 0, 7), 1.5);
    }
    if (hand) {
      const [x, y] = this.inside(hand);
      this.twice(pen, () => [[0, -13], [13, 0], [0, 13], [-13, 0], [0, -13]].forEach(([a, b]) => pen.lineTo(x + a, y + b)), 3);
    }
    const marked = [ringed === null ? null : this.space.codes[ringed], hand, ...(samples ?? [])]; // the cross leaves them free
    if (marked.some(z => z?.every((v, axis) => v === place[axis]))) this.cross(pen, this.inside(place), pinned, this.lecture ? 17 : 13);
    else if (this.holds(place)) this.cross(pen, this.pixel(place), pinned);
    else {
      const { x, y, angle } = this.edge(place);
      this.arrow(pen, x, y, angle, 14, this.theme.back);
      this.arrow(pen, x, y, angle, 11, this.theme.text);
    }
  }

  inside(code) {
    if (this.holds(code)) return this.pixel(code);
    const { x, y, angle } = this.edge(code), inward = this.lecture ? 22 : 16;
    return [x - inward * Math.cos(angle), y - inward * Math.sin(angle)];
  }

  /** gap: how far from the place the four lines begin. */
  cross(pen, [x, y], pinned, gap = 4) {
    this.twice(pen, () => {
      for (const [a, b] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) pen.moveTo(x + gap * a, y + gap * b), pen.lineTo(x + (gap + 9) * a, y + (gap + 9) * b);
    }, pinned ? 4 : 2);
  }

  tag(pen, z, text) {
    const [x, y] = this.inside(z);
    pen.beginPath();
    pen.arc(x, y, 10, 0, 7);
    pen.fillStyle = this.theme.text;
    pen.fill();
    pen.strokeStyle = pen.fillStyle = this.theme.back;
    pen.lineWidth = 2;
    pen.stroke();
    pen.font = "bold 13px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(text, x, y + 0.5);
  }
}
