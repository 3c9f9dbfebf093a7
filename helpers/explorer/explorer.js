// The explorer: maps side by side, what their networks draw under the pointer, and what one can do with them.
// Python puts network.js, drawing.js, map.js and this file one after the other, and defines CSS.

const NEAREST = 4, SAMPLES = 8, FRAMES = 9, READ = 160;
const REST = 700; // milliseconds of rest before a screen reader hears
const round = z => z.map(v => v.toFixed(2).replace("-", "\u2212")).join(", ");

function element(name, parent, given = {}, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key in made && key !== "list") made[key] = value;
    else made.setAttribute(key, value);
  }
  if (text) made.textContent = text;
  parent?.append(made);
  return made;
}

function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

class Explorer {
  constructor(parent, data, { changed = () => {}, page = false } = {}) {
    Object.assign(this, { data, changed, page, frames: 0, behind: "nothing", link: "picture", lecture: false, timers: {} });
    this.sets = data.sets.map(set => ({ ...set, signs: signsOf(set.names), spaces: set.spaces.map(prepared) }));
    this.root = element("div", parent, { className: "lx" });
    this.root.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own keys
    element("style", this.root, {}, CSS);
    this.build();
    this.watch();
    this.choose(this.sets[0].name);
    if (page) this.fromAddress();
  }

  // ---- what stands on the page, whatever the set

  build() {
    const { root } = this;
    this.lead = element("p", root, { className: "lx-lead" });
    const bar = element("div", root, { className: "lx-bar" });
    if (this.sets.length > 1) {
      this.chooser = this.select(bar, "Images", this.sets.map(set => set.name), name => this.choose(name));
    }
    this.links = this.group(bar, "The maps share", { picture: "the same picture", coordinates: "the same coordinates" }, link => this.setLink(link));
    const label = element("label", bar, {}, "Go to ");
    this.goTo = element("select", label, { className: "lx-goto" });
    this.goTo.onchange = () => this.goTo.value !== "" && this.pick(Number(this.goTo.value), true);
    this.free = this.button(bar, "Free the pointer (Esc)", () => this.pin(false), { hidden: true });
    this.tools(root);
    this.legend = element("ul", root, { className: "lx-legend", ariaLabel: "Signs" });
    this.linkNote = element("p", root, { className: "lx-small lx-link" });
    this.panels = { sample: this.samplePanel(), draw: this.drawPanel(), walk: this.walkPanel() };
    this.tabs = element("div", root, { className: "lx-tabs", role: "group", ariaLabel: "Map to show" });
    this.maps = element("div", root, { className: "lx-maps" });
    this.reads = element("div", root, { className: "lx-reads" });
    this.behindNote = element("p", root, { className: "lx-small lx-behind" });
    const details = element("details", root);
    element("summary", details, {}, "Details, keys, and the maps in words");
    this.about = element("div", details);
    this.live = element("p", root, { className: "lx-hidden", role: "status" });
    root.addEventListener("keydown", event => {
      if (event.key === "Escape" && this.pinned) this.pin(false), event.stopPropagation();
    });
  }

  tools(root) {
    const buttons = element("div", root, { className: "lx-bar lx-buttons" });
    this.behinds = this.group(buttons, "Behind", { nothing: "nothing", pictures: "pictures", regions: "classes", density: "density" }, kind => this.setBehind(kind));
    const tools = element("fieldset", buttons);
    element("legend", tools, { className: "lx-hidden" }, "Tools");
    this.opens = {};
    for (const [name, text] of Object.entries({ sample: "Sample", draw: "Draw", walk: "Walk" }))
      this.opens[name] = this.button(tools, text, () => this.open(name), { ariaExpanded: "false" });
    this.button(tools, "Reset", () => this.reset());
    this.lectureButton = this.button(tools, "Lecture size", () => this.setLecture(!this.lecture), { ariaPressed: "false" });
  }

  button(parent, text, onclick, given = {}) {
    return element("button", parent, { type: "button", onclick, ...given }, text);
  }

  /** Buttons of which one is pressed. Gives a function that presses one. */
  group(parent, title, choices, chosen) {
    const box = element("fieldset", parent);
    element("legend", box, {}, title);
    const made = Object.entries(choices).map(([key, text]) => [key, this.button(box, text, () => chosen(key))]);
    return key => made.forEach(([own, button]) => (button.ariaPressed = String(own === key)));
  }

  select(parent, text, names, chosen) {
    const label = element("label", parent, {}, `${text} `), made = element("select", label);
    names.forEach(name => element("option", made, { value: name }, name));
    made.onchange = () => chosen(made.value);
    return made;
  }

  panel(name, title) {
    const panel = element("section", this.root, { className: `lx-panel lx-${name}`, hidden: true, ariaLabel: title });
    const close = this.button(panel, "Close", () => (this.open(name), this.opens[name].focus({ preventScroll: true })));
    close.className = "lx-close";
    return panel;
  }

  // ---- one set of images

  choose(name) {
    const set = this.sets.find(one => one.name === name);
    if (!set || set === this.set) return;
    this.set = set;
    if (this.chooser) this.chooser.value = name;
    const digits = set.names.every(one => /^\d$/.test(one));
    this.noun = digits ? "digit" : "picture";
    this.lead.textContent = `Each ${this.noun} was squeezed into two numbers. Move over a map to see what the network draws there.`;
    this.root.style.setProperty("--maps", set.spaces.length);
    this.active = set.spaces.length - 1;
    this.stop();
    [this.form.height, this.form.width] = set.shape;
    this.clearHand();
    Object.assign(this, { samples: null, walk: null, from: null, to: null, pinned: false });
    this.maps.replaceChildren();
    this.reads.replaceChildren();
    this.tabs.replaceChildren();
    this.views = set.spaces.map((space, k) => this.view(space, k));
    this.fillGoTo();
    this.fillAbout();
    this.setBehind(this.behind, false);
    for (const panel of Object.values(this.panels)) panel.hidden = true;
    for (const button of Object.values(this.opens)) button.ariaExpanded = "false";
    set.sheetImage ??= this.loaded(set);
    this.pick(0, false);
    this.setLink(set.spaces.length > 1 ? this.link : "picture");
    this.dress();
    this.layout();
  }

  loaded(set) {
    const sheet = new Image();
    sheet.onload = () => {
      const [height, width, channels] = set.shape, canvas = newCanvas(sheet.width, sheet.height);
      const pen = canvas.getContext("2d", { willReadFrequently: true });
      pen.drawImage(sheet, 0, 0);
      set.images = set.labels.map((_, k) => {
        const rgba = pen.getImageData((k % set.columns) * width, Math.floor(k / set.columns) * height, width, height).data;
        return Float32Array.from({ length: width * height * channels }, (_, p) => rgba[4 * Math.floor(p / channels) + (p % channels)] / 255);
      });
      this.ask();
    };
    sheet.src = set.sheet;
    return sheet;
  }

  view(space, k) {
    const map = element("section", this.maps, { className: "lx-one" });
    element("h2", map, {}, space.title);
    element("p", map, { className: "lx-small" }, space.sigmas
      ? `Trained to draw each ${this.noun} again from a code with noise, and to keep all codes close to zero.`
      : `Trained only to draw each ${this.noun} again.`);
    const help = `lx-help-${Math.random().toString(36).slice(2)}`;
    const frame = element("div", map, { className: "lx-map", tabindex: 0, role: "application", "aria-describedby": help, "aria-roledescription": "map" });
    const canvas = element("canvas", frame, { "aria-hidden": "true" });
    const chart = new Chart(space, this.set, canvas);
    element("p", map, { id: help, className: "lx-hidden" }, "Arrow keys move, with Shift five times as far; Enter pins, Escape frees, Home goes to the middle.");
    const facts = [`Of places sampled at this map's own mean and width, ${Math.round(100 * space.uncovered)}% have no data near`];
    if (space.sigmas) facts.push("dashed rings: 1, 2, 3 standard deviations of N(0, I); ellipse: the standard deviation that the encoder gives a drawing's code, or a ringed one's where it is larger than the ring");
    if (chart.outside) facts.push(`${chart.outside} of ${space.codes.length} lie outside: arrows at the edge`);
    this.listen(frame, chart, k);
    const tab = this.button(this.tabs, space.title, () => this.show(k));

    const read = element("section", this.reads, { className: "lx-read", ariaLabel: space.title });
    const picture = element("canvas", read, { role: "img" });
    const words = element("div", read, { className: "lx-words" });
    element("p", words, { className: "lx-title" }, space.title);
    const what = element("p", words), warning = element("p", words, { className: "lx-data" });
    element("p", words, { className: "lx-small" }, `Nearest test images on this map`);
    const near = element("div", words, { className: "lx-near" });
    const nearest = Array.from({ length: Math.min(NEAREST, space.codes.length) }, () => {
      const button = this.button(near, "", () => this.pick(Number(button.dataset.index), true));
      return { button, canvas: element("canvas", button, { "aria-hidden": "true" }), name: element("span", button) };
    });
    element("p", words, { className: "lx-small lx-facts" }, facts.join("; "));
    return { space, map, frame, chart, tab, picture, what, warning, nearest };
  }

  fillGoTo() {
    const { names, labels } = this.set;
    this.goTo.replaceChildren(element("option", null, { value: "" }, `a ${this.noun}`));
    names.forEach((name, label) => {
      const group = element("optgroup", this.goTo, { label: name });
      let number = 0;
      labels.forEach((one, k) => one === label && element("option", group, { value: k }, `${name}, number ${++number}`));
    });
  }

  fillAbout() {
    const { about, set } = this;
    about.replaceChildren();
    const say = text => element("p", about, {}, text);
    say("Over a map: a click or Enter pins the place, Escape frees it; the arrow keys move, with Shift five times as far; Home goes to the middle. With two fingers the page scrolls over a map.");
    for (const space of set.spaces) {
      element("h2", about, {}, space.title);
      if (space.details) say(space.details);
      const number = space.codes.length;
      say(`The map shows the codes of ${number} test images, mean (${round(space.mean)}), standard deviation ${space.scale.toFixed(2)}. "No data near" means: every code is further away than ${(space.reach / space.scale).toFixed(2)} of that standard deviation, the same rule for every map. Of places from a normal cloud with the map's own mean and standard deviation, ${Math.round(100 * space.uncovered)}% have no data near.`);
      const list = element("ul", about);
      set.names.forEach((name, label) => {
        const codes = space.codes.filter((_, k) => set.labels[k] === label);
        if (!codes.length) return;
        const middle = [0, 1].map(k => codes.reduce((sum, code) => sum + code[k], 0) / codes.length);
        element("li", list, {}, `${name}: ${codes.length} images around (${round(middle)})`);
      });
    }
    this.legend.replaceChildren();
    this.legendSigns = set.names.map((name, k) => {
      const item = element("li", this.legend), sign = element("b", item, {}, set.signs[k]);
      item.append(name === set.signs[k] ? "" : ` ${name}`);
      return sign;
    });
    this.legend.hidden = set.names.every((name, k) => name === set.signs[k]); // digits speak for themselves
  }

  // ---- pointer and keys

  listen(frame, chart, k) {
    let down = null;
    const at = event => {
      const box = frame.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    frame.addEventListener("pointerdown", event => {
      if (event.button !== 0 || !event.isPrimary) return (down = null);
      down = at(event);
      if (event.pointerType === "mouse") frame.setPointerCapture(event.pointerId);
      frame.focus({ preventScroll: true });
      this.touched();
      const index = chart.under(...down);
      if (index !== null && this.link === "picture") this.pick(index, true, k);
      else this.look(k, chart.place(...down)), this.pin(true);
    });
    frame.addEventListener("pointermove", event => {
      if (!event.isPrimary) return;
      if (down && event.buttons & 1) {
        if (Math.hypot(...at(event).map((v, axis) => v - down[axis])) > 3 || down.moved) {
          down.moved = true; // a shaky click stays a click
          this.look(k, chart.place(...at(event)));
        }
      } else if (event.pointerType === "mouse" && !event.buttons && !this.pinned) {
        this.touched();
        this.look(k, chart.place(...at(event)));
      }
    });
    for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, () => (down = null));
    const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    frame.addEventListener("keydown", event => {
      const step = keys[event.key], { centre, half } = chart.space;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (step) {
        const to = this.places[k].map((v, axis) => v + (step[axis] * half * (event.shiftKey ? 5 : 1)) / 50);
        this.touched();
        this.look(k, to.map((v, axis) => Math.max(centre[axis] - half, Math.min(centre[axis] + half, v))));
      } else if (event.key === "Home") this.touched(), this.look(k, this.middle(chart.space));
      else if (event.key === "Enter" || event.key === " ") this.pin(!this.pinned);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  middle = space => (space.sigmas ? [0, 0] : [...space.centre]);

  /** A person takes over: what moves by itself stops, and a drawing's codes are left. */
  touched() {
    this.stop();
    this.hand = null;
  }

  stop() {
    clearInterval(this.timers.play);
    this.timers.play = null;
    if (this.walkPlay) this.walkPlay.textContent = "Play";
  }

  pin(pinned) {
    this.pinned = pinned;
    this.free.hidden = !pinned;
    this.ask();
    if (this.page && pinned) this.toAddress();
  }

  // ---- where one looks

  /** Look at the place z of map k; the other maps follow, by the picture nearest to it or by the coordinates. */
  look(k, z) {
    this.active = k;
    const { spaces } = this.set;
    const near = spaces[k].nearest(z, 1)[0].index;
    if (this.link === "picture") {
      this.ringed = near;
      this.places = spaces.map((space, other) => (other === k ? z : [...space.codes[near]]));
    } else {
      this.ringed = null;
      this.places = spaces.map(() => z);
    }
    this.ask();
  }

  /** Go to a test image: its code on every map, or, where the coordinates are shared, its code on map k. */
  pick(index, pinned, k = this.active) {
    this.touched();
    if (this.link === "coordinates") this.look(k, [...this.set.spaces[k].codes[index]]);
    this.ringed = index;
    if (this.link === "picture") this.places = this.set.spaces.map(space => [...space.codes[index]]);
    this.active = k;
    this.pin(pinned);
  }

  setLink(link) {
    const changes = link !== this.link;
    this.link = link;
    this.links(link);
    const several = this.set.spaces.length > 1;
    this.linkNote.textContent = link === "picture"
      ? `A ring marks a chosen ${this.noun}${several ? " on all maps, each with its own scale" : ""}; the cross is where the network is asked.`
      : "The cross is at the same two numbers on all maps, each with its own axes; an arrow at the edge: it lies outside.";
    if (changes) this.touched(), this.look(this.active, this.places[this.active]);
  }

  setBehind(kind, redraw = true) {
    this.behind = kind;
    this.behinds(kind);
    this.behindNote.textContent = {
      nothing: "",
      pictures: `Behind the codes: what the network draws at ${GRID} \u00d7 ${GRID} places, dimmed. It draws something everywhere, whether data is near or not.`,
      regions: "Behind the codes: the class whose test images the drawn picture is most like, pixel by pixel. Faint: it is not like any one class more than another.",
      density: "Behind the codes: the stronger the colour, the more codes. Empty: no data near.",
    }[kind];
    if (redraw) this.ask();
  }

  setLecture(lecture) {
    this.lecture = lecture;
    this.root.classList.toggle("lx-lecture", lecture);
    this.lectureButton.ariaPressed = String(lecture);
    this.layout();
  }

  reset() {
    this.stop();
    this.clearHand();
    Object.assign(this, { samples: null, walk: null, from: null, to: null });
    for (const [name, panel] of Object.entries(this.panels)) (panel.hidden = true), (this.opens[name].ariaExpanded = "false");
    this.active = this.set.spaces.length - 1;
    this.setBehind("nothing", false);
    this.setLecture(false);
    this.link = "picture";
    this.setLink("picture");
    this.pick(0, false);
    if (this.page) history.replaceState(null, "", location.pathname + location.search);
  }

  show(k) {
    this.active = k;
    this.layout();
  }

  // ---- tools

  open(name) {
    const opened = this.panels[name].hidden;
    for (const [one, panel] of Object.entries(this.panels)) {
      panel.hidden = !(opened && one === name);
      this.opens[one].ariaExpanded = String(!panel.hidden);
    }
    this.stop();
    if (!opened && name === "draw") this.clearHand();
    Object.assign(this, { samples: null, walk: null });
    if (opened && name === "sample") this.sample();
    if (opened && name === "walk") this.showWalk(); // from a drawing, if there is one
    if (opened && name === "draw") {
      this.setLink("picture");
      if (this.strokes.length) this.drew();
    }
    if (opened) this.panels[name].scrollIntoView({ block: "nearest" });
    this.ask();
  }

  samplePanel() {
    const panel = this.panel("sample", "Sample");
    this.sampleNote = element("p", panel);
    this.sampleRows = element("div", panel, { className: "lx-rows" });
    this.button(panel, "Eight new ones", () => this.sample());
    return panel;
  }

  /** Eight codes from N(0, I), decoded by every network, and visited one after the other. */
  sample() {
    this.touched();
    const noise = Array.from({ length: SAMPLES }, () => [normal(), normal()]), { spaces } = this.set;
    const literal = this.link === "coordinates";
    this.samples = spaces.map(space => noise.map(e => (literal || space.sigmas ? e : e.map((v, axis) => space.mean[axis] + space.scale * v))));
    this.sampleNote.textContent = literal
      ? "Eight pairs of numbers from N(0, I), the same for all networks. A network whose codes were never asked to follow N(0, I) is met at an arbitrary place. \u26a0: no data near."
      : "Eight pairs of numbers from N(0, I). A network that was not trained for N(0, I) gets them stretched to the mean and the standard deviation of its own codes. \u26a0: no data near.";
    this.sampleRows.replaceChildren();
    spaces.forEach((space, k) => {
      const strip = this.strip(this.sampleRows, space);
      this.samples[k].forEach((z, n) => this.still(strip, space, z, `sample ${LETTERS[n]}`, LETTERS[n], () => this.visit(n)));
    });
    this.play(n => this.visit(n), SAMPLES, 700);
  }

  strip(rows, space) {
    const row = element("div", rows);
    element("p", row, { className: "lx-title" }, space.title);
    return element("div", row, { className: "lx-strip" });
  }

  /** A button with what a network draws at z; a sign where no data is near. */
  still(strip, space, z, name, short, go) {
    const far = space.nearest(z, 1)[0].distance > space.reach, words = `${name}, ${space.title}${far ? ", no data near" : ""}`;
    const button = this.button(strip, "", () => (this.stop(), go()), { ariaLabel: words, title: words });
    paint(element("canvas", button, { "aria-hidden": "true" }), space.decode(z), this.set.shape);
    element("span", button, {}, far ? `${short} \u26a0` : short);
  }

  visit(n) {
    this.places = this.samples.map(row => row[n]);
    this.ringed = null;
    this.pin(true);
  }

  /** Calls step(0), step(1), ... in time; only the first where the person wants no motion. */
  play(step, times, pause) {
    step(0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    let n = 1;
    this.timers.play = setInterval(() => (n < times ? step(n++) : this.stop()), pause);
  }

  drawPanel() {
    const panel = this.panel("draw", "Draw");
    this.drawNote = element("p", panel, {}, "Draw with the mouse or a finger. Your drawing lands on the maps at once.");
    const pads = element("div", panel, { className: "lx-pads" });
    this.pad = element("canvas", pads, { className: "lx-pad", width: 448, height: 448, role: "img", ariaLabel: "Drawing area, for mouse or finger" });
    const side = element("div", pads);
    element("p", side, { className: "lx-small" }, "what the network sees");
    this.form = element("canvas", side, { className: "lx-form", role: "img", ariaLabel: "your drawing, as the network sees it" });
    element("p", side);
    this.button(side, "Clear", () => (this.clearHand(), this.ask()));
    this.rebuilt = element("div", pads, { className: "lx-pads" });
    this.strokes = [];
    let current = null;
    const point = event => {
      const box = this.pad.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    this.pad.addEventListener("pointerdown", event => {
      if (event.button !== 0 || !event.isPrimary) return;
      event.preventDefault();
      this.stop();
      this.pad.setPointerCapture(event.pointerId);
      this.strokes.push((current = [point(event)]));
      this.drew();
    });
    this.pad.addEventListener("pointermove", event => {
      if (!current || !event.isPrimary) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) current.push(point(one));
      this.drew();
    });
    for (const name of ["pointerup", "pointercancel"]) this.pad.addEventListener(name, () => (current = null));
    return panel;
  }

  drew() {
    this.handWaits = true; // brought to form and encoded once a frame
    this.ask();
  }

  encodeHand() {
    this.handWaits = false;
    const started = performance.now(), pixels = inForm(this.strokes, this.set.shape);
    const codes = this.set.spaces.map(space => space.encode(pixels));
    this.hand = codes;
    this.places = codes.map(({ code }) => code);
    this.ringed = null;
    this.pinned = true;
    this.free.hidden = false;
    paint(this.form, pixels, this.set.shape);
    this.rebuilt.replaceChildren();
    this.set.spaces.forEach((space, k) => {
      const side = element("div", this.rebuilt);
      element("p", side, { className: "lx-small" }, `rebuilt: ${space.title}`);
      paint(element("canvas", side, { className: "lx-form", "aria-hidden": "true" }), space.decode(codes[k].code), this.set.shape);
    });
    this.root.dataset.encoded = performance.now() - started;
    const pen = this.pad.getContext("2d"), factor = this.pad.width / this.pad.clientWidth;
    pen.setTransform(factor, 0, 0, factor, 0, 0);
    pen.clearRect(0, 0, this.pad.width, this.pad.height);
    Object.assign(pen, { strokeStyle: "#fff", lineWidth: 18, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.strokes) {
      pen.beginPath();
      stroke.forEach(point => pen.lineTo(...point));
      pen.lineTo(...stroke[stroke.length - 1]); // a dot is a stroke too
      pen.stroke();
    }
  }

  clearHand() {
    this.strokes.length = 0;
    this.rebuilt.replaceChildren();
    this.hand = null;
    this.handWaits = false;
    this.pad.getContext("2d").clearRect(0, 0, 1e4, 1e4);
    this.form.getContext("2d").clearRect(0, 0, 1e4, 1e4);
  }

  walkPanel() {
    const panel = this.panel("walk", "Walk");
    this.walkNote = element("p", panel);
    const bar = element("div", panel, { className: "lx-bar" });
    this.button(bar, "Start here", () => ((this.from = this.places.map(z => [...z])), this.showWalk()));
    this.button(bar, "End here", () => ((this.to = this.places.map(z => [...z])), this.showWalk()));
    this.walkPlay = this.button(bar, "Play", () => {
      if (this.timers.play) return this.stop();
      this.play(n => this.step(n / 40), 41, 60);
      if (this.timers.play) this.walkPlay.textContent = "Stop";
    });
    const label = element("label", bar, {}, "Step ");
    this.walkSlider = element("input", label, { type: "range", min: 0, max: 1, step: 0.025, value: 0 });
    this.walkSlider.oninput = () => (this.stop(), this.step(Number(this.walkSlider.value)));
    this.walkRows = element("div", panel, { className: "lx-rows" });
    return panel;
  }

  between(k, share) {
    return this.from[k].map((v, axis) => (1 - share) * v + share * this.to[k][axis]);
  }

  step(share) {
    this.walkSlider.value = share;
    this.hand = null;
    this.places = this.set.spaces.map((_, k) => this.between(k, share));
    this.ringed = null;
    this.pin(true);
  }

  showWalk() {
    const ready = this.from && this.to;
    this.walkNote.textContent = ready
      ? "The straight line between the two places on each map; the pictures are what lies on it. \u26a0: no data near."
      : this.from
        ? `It starts where the crosses were. Choose another place or ${this.noun} and press \u201cEnd here\u201d.`
        : `Choose a place or a ${this.noun} and press \u201cStart here\u201d; choose another and press \u201cEnd here\u201d.`;
    this.walkPlay.disabled = this.walkSlider.disabled = !ready;
    this.walkRows.replaceChildren();
    this.walk = ready ? this.set.spaces.map((_, k) => [this.from[k], this.to[k]]) : null;
    if (!ready) return this.ask();
    this.set.spaces.forEach((space, k) => {
      const strip = this.strip(this.walkRows, space);
      for (let n = 0; n < FRAMES; n++) {
        const share = n / (FRAMES - 1);
        this.still(strip, space, this.between(k, share), `step ${n + 1} of ${FRAMES}`, "", () => this.step(share));
      }
    });
    this.step(0);
  }

  // ---- size and colours

  watch() {
    const dress = () => this.dress();
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", dress);
    const attributes = { attributes: true, attributeFilter: ["data-jp-theme-light", "theme", "class"] };
    this.themes = new MutationObserver(dress);
    for (const one of [document.body, document.documentElement]) this.themes.observe(one, attributes);
    this.sizes = new ResizeObserver(dress); // also when the page takes it in, or shows it again
    this.sizes.observe(this.root);
  }

  dress() {
    const jupyter = document.body.getAttribute("data-jp-theme-light"), colab = document.documentElement.getAttribute("theme");
    const dark = jupyter ? jupyter === "false" : colab ? colab === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    this.root.classList.toggle("lx-dark", dark);
    const { backgroundColor: back, color: text } = getComputedStyle(this.root);
    if (!back) return; // not yet in the page
    if (this.theme?.back !== back || this.theme.text !== text) this.theme = { back, text, colours: readable(back, text) };
    this.layout();
  }

  layout() {
    clearTimeout(this.timers.hidden);
    if (!this.theme || this.root.clientWidth < 160) { // not shown: JupyterLab hides its page while it changes its theme
      if (this.root.isConnected) this.timers.hidden = setTimeout(() => this.layout(), 200);
      return;
    }
    const all = this.root.clientWidth, narrow = all < 640;
    this.root.classList.toggle("lx-narrow", narrow);
    this.views.forEach((view, k) => {
      view.map.classList.toggle("lx-shown", k === this.active);
      view.tab.ariaPressed = String(k === this.active);
      view.tab.hidden = this.views.length < 2;
    });
    const count = narrow ? 1 : this.views.length;
    const padding = narrow ? 0 : 16, width = Math.floor((all - padding - 16 * (count - 1)) / count);
    const limit = this.lecture ? 900 : Math.max(320, Math.min(600, innerHeight - 445)); // with the pictures below in sight
    const changed = this.views.map(({ chart }) => chart.resize(Math.min(width, limit), this.theme, this.lecture));
    this.legendSigns.forEach((sign, k) => (sign.style.color = this.theme.colours[k % 10]));
    if (changed.includes(true)) this.draw(); // at once: an empty map would flicker
    else this.ask();
  }

  // ---- a frame

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => ((this.asked = false), this.draw()));
  }

  draw() {
    if (!this.theme || !this.places) return;
    if (this.handWaits && this.strokes.length) this.encodeHand();
    const shown = this.views.filter(view => view.frame.offsetWidth);
    let more = false;
    if (this.set.images) for (const { chart } of shown) more = chart.prepare(this.behind, 10 / shown.length) || more;
    this.views.forEach((view, k) => this.drawView(view, k));
    Object.assign(this.root.dataset, {
      frames: ++this.frames, z: this.places[this.active].join(" "), map: this.active, pinned: this.pinned, link: this.link,
      ringed: this.ringed ?? "", set: this.set.name, behind: more ? "working" : this.behind,
      places: JSON.stringify(this.places),
    });
    this.goTo.value = this.ringed !== null && this.pinned ? this.ringed : "";
    clearTimeout(this.timers.rest);
    this.timers.rest = setTimeout(() => this.changed(this.place()), 100);
    if (!this.speechIs(this.sentence())) clearTimeout(this.timers.speech), (this.timers.speech = setTimeout(() => this.speak(), REST));
    if (more) this.ask();
  }

  drawView({ space, chart, frame, picture, what, warning, nearest, map }, k) {
    const place = this.places[k], near = space.nearest(place, NEAREST), { ringed, hand } = this;
    const ellipse = hand?.[k].sigma ? hand[k] : ringed !== null && space.sigmas ? { code: space.codes[ringed], sigma: space.sigmas[ringed] } : null;
    if (frame.offsetWidth)
      chart.draw(this.behind, { place, pinned: this.pinned, ringed, ellipse, samples: this.samples?.[k], walk: this.walk?.[k], hand: hand?.[k].code });
    paint(picture, space.decode(place), this.set.shape);
    const far = near[0].distance > space.reach;
    what.textContent = `${this.what(k)} at (${round(place)})`;
    warning.textContent = far ? "\u26a0 No data near" : "Some test images are near";
    warning.classList.toggle("lx-warning", far);
    picture.setAttribute("aria-label", `${this.what(k)} at ${round(place)}`);
    frame.setAttribute("aria-label", `Map of ${space.title}, at ${round(place)}${this.pinned ? ", pinned" : ""}`);
    nearest.forEach(({ button, canvas, name }, n) => {
      const { index } = near[n], label = this.set.names[this.set.labels[index]];
      button.classList.toggle("lx-ringed", index === ringed);
      if (button.dataset.index === String(index) && canvas.dataset.drawn === this.set.name) return;
      button.dataset.index = index;
      name.textContent = label;
      button.setAttribute("aria-label", `Test image ${index + 1}: ${label}`);
      this.thumbnail(canvas, index);
    });
  }

  /** What is shown of map k, in words. */
  what(k) {
    if (this.hand) return "Your drawing, rebuilt from its code";
    if (this.ringed === null) return "Drawn from the place";
    const name = this.set.names[this.set.labels[this.ringed]], code = this.set.spaces[k].codes[this.ringed];
    return this.places[k].every((v, axis) => v === code[axis]) ? `The ringed ${name}, rebuilt from its code` : "Drawn from the place";
  }

  thumbnail(canvas, index) {
    if (!this.set.images) return;
    paint(canvas, this.set.images[index], this.set.shape);
    canvas.dataset.drawn = this.set.name;
  }

  // ---- for ears

  sentence() {
    return this.set.spaces.map((space, k) => {
      const near = space.nearest(this.places[k], NEAREST);
      const names = near.map(({ index }) => this.set.names[this.set.labels[index]]).join(", ");
      const warning = near[0].distance > space.reach ? "No data near. " : "";
      return `${warning}${space.title}: ${this.what(k)} at ${round(this.places[k])}. Nearest: ${names}.`;
    }).sort((a, b) => b.startsWith("No data") - a.startsWith("No data")).join(" ");
  }

  speechIs(sentence) {
    const same = sentence === this.said;
    this.said = sentence;
    return same;
  }

  speak() {
    this.live.textContent = this.said;
  }

  // ---- where one is, for others

  place() {
    const { set, active, link } = this;
    return { set: set.name, map: active, z: this.places[active].map(Number), link };
  }

  /** Go to a place: {set, map, z, link, cell}, each of which may be left out. */
  go({ set, map, z, link, cell }) {
    if (set) this.choose(set);
    if (link === "picture" || link === "coordinates") this.setLink(link);
    if (Number.isInteger(map) && map >= 0 && map < this.views.length) this.active = map;
    if (Number.isInteger(cell)) z = this.set.spaces[this.active].cell(cell);
    if (Array.isArray(z) && z.length === 2 && z.every(Number.isFinite)) this.touched(), this.look(this.active, z);
    this.layout();
  }

  toAddress() {
    const { set, map, z, link } = this.place();
    const words = new URLSearchParams({ z: z.map(v => Number(v.toFixed(3))).join(","), map, link, ...(this.sets.length > 1 && { set }) });
    history.replaceState(null, "", `#${words.toString().replaceAll("%2C", ",")}`);
  }

  fromAddress() {
    const words = new URLSearchParams(location.hash.slice(1));
    if (!words.has("z")) return;
    const map = words.has("map") ? Number(words.get("map")) : undefined;
    this.go({ set: words.get("set"), link: words.get("link"), map, z: words.get("z").split(",").map(Number) });
    this.pin(true);
  }

  remove() {
    this.stop();
    this.themes.disconnect();
    this.sizes.disconnect();
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
  }
}

/** Build the explorer inside `parent`. */
function mount(parent, data, options) {
  return new Explorer(parent, data, options);
}

// ---- anywidget

export default {
  async render({ model, el }) {
    const sliders = []; // z[0], z[1], cell: of the notebook; driven without asking the kernel
    let following = false; // a slider's view rounds what it is given to its steps, and tells that as a move
    const explorer = mount(el, model.get("data"), {
      changed(place) {
        model.set("place", place);
        model.save_changes();
        follow(true);
      },
    });
    const follow = save => {
      if (!sliders.length) return;
      const { centre, half } = explorer.set.spaces[explorer.active], z = explorer.places[explorer.active];
      following = true;
      z.forEach((value, k) => {
        const [min, max] = [Math.min(centre[k] - half, value), Math.max(centre[k] + half, value)];
        sliders[k].set({ min, max, step: half / 100, value });
      });
      sliders[2].set({ value: explorer.set.spaces[explorer.active].cellAt(z) ?? sliders[2].get("value") });
      following = false;
      if (save) for (const slider of sliders) slider.save_changes();
    };
    model.on("change:place", () => {
      const place = model.get("place");
      if (JSON.stringify(place) !== JSON.stringify(explorer.place())) explorer.go(place);
    });
    const listening = [];
    const names = model.get("sliders");
    for (const name of names) sliders.push(await model.widget_manager.get_model(name.slice("IPY_MODEL_".length)));
    sliders.forEach((slider, k) => {
      const heard = (_, value) => {
        if (following) return;
        explorer.go(k === 2 ? { cell: value } : { z: sliders.slice(0, 2).map(one => one.get("value")) });
      };
      slider.on("change:value", heard);
      listening.push(() => slider.off("change:value", heard));
    });
    follow(false);
    return () => (listening.forEach(stop => stop()), explorer.remove());
  },
};

export { Explorer, mount, contrast, inForm, network, prepared, readable, signsOf };
