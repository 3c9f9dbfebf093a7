// Small networks, as explorer/network.py exports them: the same layers, for one input at a time.

const HALVES = []; // what each of the 65,536 numbers of 16 bits is worth; filled when first needed

function halves() {
  for (let bits = HALVES.length; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024);
    HALVES.push(bits & 32768 ? -size : size);
  }
  return HALVES;
}

/** Numbers that Python packed: {type: "f2" | "f4", data: base64}, or a plain list. */
function unpacked(packed) {
  if (Array.isArray(packed)) return Float32Array.from(packed);
  const bytes = Uint8Array.from(atob(packed.data), letter => letter.charCodeAt(0));
  if (packed.type === "f4") return new Float32Array(bytes.buffer);
  const worth = halves();
  return Float32Array.from(new Uint16Array(bytes.buffer), bits => worth[bits]);
}

const sigmoid = x => 1 / (1 + Math.exp(-x));
const elu = (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x));

function erf(x) { // Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; network.py has it too
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

const ACTIVATIONS = {
  relu: x => Math.max(x, 0),
  sigmoid,
  tanh: Math.tanh,
  elu,
  selu: x => 1.0507009873554805 * elu(x, 1.6732632423543772),
  softplus: x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  leaky_relu: (x, slope) => (x > 0 ? x : slope * x),
  gelu: x => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  silu: x => x * sigmoid(x),
};

/** Zeros before the first of `length` numbers, for padding "same". */
const zerosBefore = (length, size, stride) => Math.max((Math.ceil(length / stride) - 1) * stride + size - length, 0) >> 1;

/** Calls visit(place in the output, place in the input, place in the kernel) for all that meet; channels left out. */
function slide([height, width], [rows, columns], [kernelHeight, kernelWidth], [down, across], top, left, visit) {
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (let a = 0; a < kernelHeight; a++) {
        const y = row * down + a - top;
        if (y < 0 || y >= height) continue;
        for (let b = 0; b < kernelWidth; b++) {
          const x = column * across + b - left;
          if (x >= 0 && x < width) visit(row * columns + column, y * width + x, a * kernelWidth + b);
        }
      }
}

/** How many places a kernel takes in each direction, and the zeros before the first. */
function kernelPlaces([height, width], [a, b], [down, across], same) {
  if (!same) return [[Math.floor((height - a) / down) + 1, Math.floor((width - b) / across) + 1], 0, 0];
  return [[Math.ceil(height / down), Math.ceil(width / across)], zerosBefore(height, a, down), zerosBefore(width, b, across)];
}

const KINDS = {
  dense({ kernel, bias }, x, shape) {
    const inner = shape[shape.length - 1], outer = kernel.length / inner, times = x.length / inner;
    const out = new Float32Array(times * outer);
    for (let n = 0; n < times; n++) {
      if (bias) out.set(bias, n * outer);
      for (let i = 0; i < inner; i++) {
        const value = x[n * inner + i];
        if (value === 0) continue; // half of what a ReLU gives, and most of a digit
        for (let o = 0, k = i * outer, at = n * outer; o < outer; o++) out[at + o] += value * kernel[k + o];
      }
    }
    return [out, [...shape.slice(0, -1), outer]];
  },
  conv({ kernel, bias, size, filters, strides, same }, x, shape) {
    const channels = shape[2], [to, top, left] = kernelPlaces(shape, size, strides, same);
    const out = new Float32Array(to[0] * to[1] * filters);
    if (bias) for (let k = 0; k < out.length; k += filters) out.set(bias, k);
    slide(shape, to, size, strides, top, left, (target, source, cell) => {
      for (let c = 0; c < channels; c++) {
        const value = x[source * channels + c];
        if (value === 0) continue;
        const k = (cell * channels + c) * filters, at = target * filters;
        for (let f = 0; f < filters; f++) out[at + f] += value * kernel[k + f];
      }
    });
    return [out, [...to, filters]];
  },
  // A convolution backwards: each input lays its kernel on the output. "same" cuts the output to input times stride.
  transposed({ kernel, bias, size, filters, strides, same }, x, shape) {
    const channels = shape[2];
    const more = size.map((length, k) => Math.max(length - strides[k], 0));
    const to = [0, 1].map(k => shape[k] * strides[k] + (same ? 0 : more[k]));
    const out = new Float32Array(to[0] * to[1] * filters);
    if (bias) for (let k = 0; k < out.length; k += filters) out.set(bias, k);
    const [top, left] = more.map(length => (same ? length >> 1 : 0));
    slide(to, shape, size, strides, top, left, (source, target, cell) => {
      for (let f = 0; f < filters; f++) {
        let sum = 0;
        for (let c = 0, k = (cell * filters + f) * channels, at = source * channels; c < channels; c++) sum += x[at + c] * kernel[k + c];
        out[target * filters + f] += sum;
      }
    });
    return [out, [...to, filters]];
  },
  reshape: ({ shape }, x) => [x, shape],
  upsample({ size: [a, b] }, x, [height, width, channels]) {
    const to = [height * a, width * b], out = new Float32Array(to[0] * to[1] * channels);
    for (let row = 0; row < to[0]; row++)
      for (let column = 0; column < to[1]; column++) {
        const from = (Math.floor(row / a) * width + Math.floor(column / b)) * channels;
        out.set(x.subarray(from, from + channels), (row * to[1] + column) * channels);
      }
    return [out, [...to, channels]];
  },
  pool({ size, strides, same }, x, shape) {
    const channels = shape[2], [to, top, left] = kernelPlaces(shape, size, strides, same);
    const out = new Float32Array(to[0] * to[1] * channels).fill(-Infinity);
    slide(shape, to, size, strides, top, left, (target, source) => {
      for (let c = 0; c < channels; c++)
        out[target * channels + c] = Math.max(out[target * channels + c], x[source * channels + c]);
    });
    return [out, [...to, channels]];
  },
  affine({ scale, offset }, x, shape) { // one number, or one a channel
    return [x.map((value, k) => value * scale[k % scale.length] + offset[k % offset.length]), shape];
  },
  activation({ name, setting }, x, shape) {
    if (name !== "softmax") return [x.map(value => ACTIVATIONS[name](value, setting)), shape];
    const length = shape[shape.length - 1], out = new Float32Array(x.length);
    for (let at = 0; at < x.length; at += length) {
      const part = x.subarray(at, at + length), largest = Math.max(...part);
      const powers = part.map(value => Math.exp(value - largest)), sum = powers.reduce((a, b) => a + b, 0);
      out.set(powers.map(value => value / sum), at);
    }
    return [out, shape];
  },
};

/** A function of one input (Float32Array of `data.shape`) that gives a list of outputs. */
function network(data) {
  const ready = layers => layers.map(layer => {
    const made = { ...layer };
    for (const name of ["kernel", "bias", "scale", "offset"]) if (layer[name]) made[name] = unpacked(layer[name]);
    return made;
  });
  const run = (layers, state) => layers.reduce(([x, shape], layer) => KINDS[layer.kind](layer, x, shape), state);
  const trunk = ready(data.trunk), heads = data.heads.map(ready);
  return input => {
    const state = run(trunk, [input, data.shape]);
    return heads.map(head => run(head, state)[0]);
  };
}
