/** A soak's samples as an SVG of panels one below the other, with the moments of cuts as ticks at the foot. Pure. */

export interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

export interface Plot {
  readonly title: string;
  /** Of the samples, from the start. */
  readonly seconds: readonly number[];
  readonly panels: readonly Panel[];
  readonly cutSeconds: readonly number[];
}

const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const width = 860;
const plotWidth = 620;
const panelHeight = 170;
const plotHeight = 110;
const left = 70;
const top = 46;

export function plotSvg({ title, seconds, panels, cutSeconds }: Plot): string {
  const end = Math.max(1, seconds.at(-1) ?? 0);
  const x = (second: number) => round(left + (second / end) * plotWidth);
  const height = top + panels.length * panelHeight + 16;
  const body = panels.map((panel, index) => drawPanel(panel, { seconds, x, y: top + index * panelHeight }));
  const foot = top + panels.length * panelHeight - 20;
  const ticks = cutSeconds.map((second) => `<path d="M${x(second)} ${foot}v8" stroke="#999"/>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${left}" y="20" font-size="14">${escapeXml(title)}</text>`,
    ...body.flat(),
    ...ticks,
    `<text x="${left}" y="${foot + 20}" fill="#666">cuts, 0 to ${round(end)} s</text>`,
    "</svg>\n",
  ].join("\n");
}

interface Place {
  readonly seconds: readonly number[];
  readonly x: (second: number) => number;
  readonly y: number;
}

function drawPanel({ title, unit, lines }: Panel, { seconds, x, y }: Place): string[] {
  const most = niceAbove(Math.max(0, ...lines.flatMap(({ values }) => values)));
  const at = (value: number) => round(y + 16 + plotHeight * (1 - value / most));
  const grid = [0, most / 2, most].map(
    (value) =>
      `<path d="M${left} ${at(value)}h${plotWidth}" stroke="#ddd"/><text x="${left - 6}" y="${at(value) + 4}" text-anchor="end" fill="#666">${round(value)}</text>`,
  );
  const drawn = lines.map(({ name, values }, index) => {
    const colour = colours[index % colours.length];
    const points = values.map((value, place) => `${x(seconds[place] ?? 0)},${at(value)}`).join(" ");
    const key = `<text x="${left + plotWidth + 12}" y="${y + 26 + index * 15}" fill="${colour}">${escapeXml(name)}</text>`;
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5"/>${key}`;
  });
  return [
    `<text x="${left}" y="${y + 8}" font-weight="bold">${escapeXml(`${title} (${unit})`)}</text>`,
    ...grid,
    ...drawn,
  ];
}

/** The next of 1, 2, 5, 10, 20, ... */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
