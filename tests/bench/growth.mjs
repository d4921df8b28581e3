/** How cost grows with size: a picture, and the exponent that says whether it is linear. */

/** @typedef {{ axis: string, size: number, cost: number }} Point */

/** What is measured along each axis, its unit, and why it grows as it does. */
export const AXES = {
  layers: { title: "one estimate by layers", unit: "µs", why: "the graph of every layer is built and its buffers are placed" },
  tensors: { title: "one estimate by tensors", unit: "µs", why: "the same models: tensors come with layers" },
  devices: { title: "one estimate by GPUs", unit: "µs", why: "the graph is as large; each split adds copies and a buffer" },
  points: { title: "one point of a sweep by points", unit: "ns", why: "what points share is computed once, so a point gets cheaper until only its own work is left" },
};

/**
 * The exponent b of cost = a * size^b by least squares on logarithms: 1 is linear, 0 constant.
 * @param {Point[]} points
 */
export function exponent(points) {
  const xs = points.map(({ size }) => Math.log(size));
  const ys = points.map(({ cost }) => Math.log(cost));
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(xs), mean(ys)];
  const covariance = xs.reduce((sum, x, at) => sum + (x - x0) * (ys[at] - y0), 0);
  return covariance / xs.reduce((sum, x) => sum + (x - x0) ** 2, 0);
}

/**
 * One panel for each axis, both scales logarithmic: what is linear rises like the dashed line.
 * @param {{ wasm: Point[], native: Point[] }} growth
 * @returns {string} SVG
 */
export function growthPicture({ wasm, native }) {
  const size = { width: 300, height: 220, left: 46, right: 12, top: 30, bottom: 34 };
  const colours = { wasm: "#0b57d0", native: "#b3541e" };
  const panels = Object.entries(AXES).map(([axis, { title, unit }], at) => {
    const lines = { wasm: wasm.filter((point) => point.axis === axis), native: native.filter((point) => point.axis === axis) };
    const all = [...lines.wasm, ...lines.native];
    const range = (/** @type {number[]} */ values) => [Math.min(...values), Math.max(...values)];
    const [x0, x1] = range(all.map((point) => point.size));
    // At least one decade, so that a flat line looks flat.
    const [least, most] = range(all.map((point) => point.cost));
    const [y0, y1] = most / least < 10 ? [least / Math.sqrt((10 * least) / most), most * Math.sqrt((10 * least) / most)] : [least, most];
    const share = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) => Math.log(value / low) / Math.log(high / low);
    const x = (/** @type {number} */ value) => size.left + share(value, x0, x1) * (size.width - size.left - size.right);
    const y = (/** @type {number} */ value) => size.height - size.bottom - share(value, y0, y1) * (size.height - size.top - size.bottom);
    const path = (/** @type {[number, number][]} */ points) => points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(" ");
    const label = (/** @type {number} */ value) => Number(value.toPrecision(2)).toLocaleString("en-US");
    const marks = Object.entries(lines).map(([side, points]) => {
      const colour = colours[/** @type {keyof typeof colours} */ (side)];
      const dots = points.map((point) => `<circle cx="${x(point.size).toFixed(1)}" cy="${y(point.cost).toFixed(1)}" r="3" fill="${colour}"/>`);
      return `<polyline points="${path(points.map((point) => [x(point.size), y(point.cost)]))}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join("")}`;
    });
    // Linear growth from the first point, as far as the panel goes.
    const first = lines.wasm[0];
    const end = Math.min(x1, (first.size * y1) / first.cost);
    const linear = `<polyline points="${path([[x(first.size), y(first.cost)], [x(end), y((first.cost * end) / first.size)]])}" fill="none" stroke="#777" stroke-dasharray="4 4"/>`;
    const sizes = [...new Set(all.map((point) => point.size))];
    const ticks = sizes.map((value) => `<text x="${x(value).toFixed(1)}" y="${size.height - size.bottom + 14}" text-anchor="middle">${value % 1000 === 0 ? `${value / 1000}k` : value.toLocaleString("en-US")}</text>`);
    const costs = [y0, Math.sqrt(y0 * y1), y1].map((value) => `<text x="${size.left - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${label(value)}</text>`);
    const frame = `<path d="M${size.left} ${size.top}V${size.height - size.bottom}H${size.width - size.right}" fill="none" stroke="#777"/>`;
    return `<g transform="translate(${(at % 2) * size.width} ${Math.floor(at / 2) * size.height + 24})"><text x="${size.left}" y="18" font-weight="bold">${title}, ${unit}</text>${frame}${linear}${marks.join("")}${ticks.join("")}${costs.join("")}</g>`;
  });
  const legend = `<text x="46" y="16"><tspan fill="${colours.wasm}">● WebAssembly</tspan> <tspan dx="12" fill="${colours.native}">● native</tspan> <tspan dx="12" fill="#777">– – linear growth; both scales logarithmic</tspan></text>`;
  const [width, height] = [2 * size.width, 2 * size.height + 24];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11" role="img" aria-label="Cost by size"><rect width="100%" height="100%" fill="#fff"/>${legend}${panels.join("")}</svg>\n`;
}
