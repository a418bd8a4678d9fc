// What the model looked at: dark where covering the picture changed nothing, lit where the answer rests on it.
// Told apart by brightness alone, so by everyone. Knows nothing of the service.

const DARK = [8, 11, 15];
const LIT = [255, 250, 220];
const DARKEST = 0.85;
const BRIGHTEST = 0.1; // little: the colours under the light stay what they are

/** Draws a grid of falls, number[rows][columns], over a whole canvas. */
export function draw(canvas, grid) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const strengths = smooth(grid.map((row) => row.map((fall) => Math.max(fall, 0))), canvas.width, canvas.height);
  const highest = strengths.reduce((one, other) => Math.max(one, other), 1e-9);
  strengths.forEach((strength, at) => image.data.set(shade(strength / highest), at * 4));
  context.putImageData(image, 0, 0);
}

/** One pixel, RGBA: the light over the dark. */
function shade(strength) {
  const light = BRIGHTEST * strength ** 2;
  const dark = DARKEST * (1 - strength) * (1 - light);
  const alpha = light + dark;
  const mixed = LIT.map((lit, channel) => (lit * light + DARK[channel] * dark) / Math.max(alpha, 1e-6));
  return [...mixed, alpha * 255];
}

/** The grid at every pixel, by cubic B-splines: smooth, and never higher than the grid is. */
function smooth(grid, width, height) {
  const across = grid.map((row) => line(row, width));
  const down = Array.from({ length: width }, (_, x) => line(across.map((row) => row[x]), height));
  const pixels = new Float32Array(width * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) pixels[y * width + x] = down[x][y];
  return pixels;
}

function line(values, length) {
  const value = (at) => values[Math.min(Math.max(at, 0), values.length - 1)];
  return Array.from({ length }, (_, pixel) => {
    const position = ((pixel + 0.5) * values.length) / length - 0.5;
    const at = Math.floor(position);
    const t = position - at;
    const weights = [(1 - t) ** 3, 3 * t ** 3 - 6 * t ** 2 + 4, -3 * t ** 3 + 3 * t ** 2 + 3 * t + 1, t ** 3];
    return weights.reduce((sum, weight, step) => sum + (weight / 6) * value(at - 1 + step), 0);
  });
}
