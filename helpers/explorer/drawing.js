// Strokes of a mouse or a finger, brought to MNIST's form: the drawing fitted into 20 of 28 pixels, its centre of mass
// in the middle, lines of the width that MNIST's have, soft at the edge. Strokes are lists of [x, y], y downwards.

const BOX = 20 / 28, WIDTH = 2.6 / 28; // of the picture's side; 2.6 pixels is the usual width of MNIST's lines

/** How bright each pixel is, 0 to 1, with the strokes drawn by lines of `width` pixels; height x width numbers. */
function rasterized(strokes, [height, across], width) {
  const pixels = new Float32Array(height * across);
  for (const stroke of strokes)
    for (let k = 0; k < stroke.length; k++) {
      const [ax, ay] = stroke[Math.max(k - 1, 0)], [bx, by] = stroke[k];
      const dx = bx - ax, dy = by - ay, square = dx * dx + dy * dy, reach = width / 2 + 1;
      const first = value => Math.max(Math.floor(value - reach), 0), last = (value, end) => Math.min(Math.ceil(value + reach), end);
      for (let row = first(Math.min(ay, by)); row < last(Math.max(ay, by), height); row++)
        for (let column = first(Math.min(ax, bx)); column < last(Math.max(ax, bx), across); column++) {
          const x = column + 0.5 - ax, y = row + 0.5 - ay;
          const along = square ? Math.max(0, Math.min(1, (x * dx + y * dy) / square)) : 0;
          const light = width / 2 + 0.5 - Math.hypot(x - along * dx, y - along * dy); // one pixel from full to none
          const at = row * across + column;
          pixels[at] = Math.max(pixels[at], Math.min(1, light));
        }
    }
  return pixels;
}

/** The strokes as a picture of shape [height, width, channels] in MNIST's form; null where nothing is drawn. */
function inForm(strokes, [height, across, channels]) {
  const points = strokes.flat();
  if (!points.length) return null;
  const side = Math.min(height, across), line = WIDTH * side;
  const [low, high] = [Math.min, Math.max].map(pick => [0, 1].map(k => points.reduce((best, point) => pick(best, point[k]), points[0][k])));
  const extent = Math.max(high[0] - low[0], high[1] - low[1], 1e-6);
  const drawing = Math.hypot(high[0] - low[0], high[1] - low[1]) > 4; // a dot stays a dot
  const scale = drawing ? (BOX * side - line) / extent : 1;
  const middle = [across / 2, height / 2];
  const placed = shift => strokes.map(stroke => stroke.map(point => [0, 1].map(k => (point[k] - (low[k] + high[k]) / 2) * scale + middle[k] - shift[k])));
  const first = rasterized(placed([0, 0]), [height, across], line);
  const mass = [0, 0, 0];
  first.forEach((light, k) => {
    mass[0] += light * ((k % across) + 0.5), mass[1] += light * (Math.floor(k / across) + 0.5), mass[2] += light;
  });
  const pixels = rasterized(placed([mass[0] / mass[2] - middle[0], mass[1] / mass[2] - middle[1]]), [height, across], line);
  return channels === 1 ? pixels : Float32Array.from({ length: pixels.length * channels }, (_, k) => pixels[Math.floor(k / channels)]);
}
