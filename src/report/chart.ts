/**
 * A chart of bars as inline SVG: stacked, with axes, a grid and a legend.
 *
 * Pure.  Colours and the size of letters are the page's (its style sheet), which leaves out every second label (`spare`) where there is no room;
 * numbers are whole.
 */
import { escaped } from './escape.ts';

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

const WIDTH = 720;
const HEIGHT = 240;
const LEFT = 52;
/** Half a label hangs over. */
const RIGHT = 26;
const TOP = 12;
const BOTTOM = 36;
/** Of a bar's place, what is left free. */
const GAP = 0.25;
const MOST_LABELS = 12;

/** The next number that is 1, 2 or 5 times a power of ten. */
function nice(number: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 1)));
  return ([1, 2, 5, 10].find(factor => factor * power >= number) ?? 10) * power;
}

/** Where the lines of the grid are, from 0; the last is the top. */
export function ticksOf(most: number): number[] {
  const step = Math.max(1, nice(most / 4));
  const count = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/**
 * @param labels below the bars, one for each
 * @param series at most two, from the bottom up
 */
export function barChart(
  title: string,
  labels: readonly string[],
  series: readonly Series[],
): string {
  const sums = labels.map((_, at) =>
    series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0),
  );
  const ticks = ticksOf(Math.max(0, ...sums));
  const top = ticks.at(-1) ?? 1;
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, labels.length);
  const grid = ticks
    .map(
      tick =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(tick))}" y2="${round(y(tick))}"/>` +
        `<text class="tick" x="${LEFT - 8}" y="${round(y(tick) + 4)}" text-anchor="end">${short(tick)}</text>`,
    )
    .join('');
  const bars = labels.map((label, at) => barsAt(label, at)).join('');
  const every = Math.ceil(labels.length / MOST_LABELS);
  const names = labels
    .map((label, at) =>
      at % every === 0
        ? `<text class="tick${at % (2 * every) === 0 ? '' : ' spare'}" x="${round(LEFT + (at + 0.5) * step)}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(label)}</text>`
        : '',
    )
    .join('');

  function barsAt(label: string, at: number): string {
    let below = 0;
    return series
      .map(({ name, values }, index) => {
        const value = values[at] ?? 0;
        const [from, to] = [y(below + value), y(below)];
        below += value;
        if (value === 0) return '';
        return (
          `<rect class="series${index + 1}" x="${round(LEFT + (at + GAP / 2) * step)}" y="${round(from)}" ` +
          `width="${round(step * (1 - GAP))}" height="${round(to - from)}"><title>${escaped(label)}: ${value} ${escaped(name)}</title></rect>`
        );
      })
      .join('');
  }

  const legend = series
    .map(({ name }, index) => `<span><i class="series${index + 1}"></i>${escaped(name)}</span>`)
    .join('');
  return (
    `<figure><figcaption>${escaped(title)}</figcaption><p class="legend">${legend}</p>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${grid}${bars}${names}</svg></figure>`
  );
}

const round = (number: number): number => Math.round(number * 10) / 10;

function short(number: number): string {
  if (number >= 1e6) return `${round(number / 1e6)}M`;
  return number >= 1e4 ? `${round(number / 1e3)}k` : String(number);
}
