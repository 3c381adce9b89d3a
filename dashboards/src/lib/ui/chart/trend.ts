import type uPlot from 'uplot';
import { formatNumber, formatUnit } from '../../format/number.ts';
import { formatTime } from '../../format/time.ts';
import { gapLayer, hatch } from './gap-layer.ts';
import { niceTicks, type Span } from './scale.ts';

/** A drawn chart. The caller destroys it. */
export interface Trend {
  show(data: uPlot.AlignedData, window: Span, gaps: readonly Span[]): void;
  resize(width: number, height: number): void;
  /** Puts the cross hair on a column; undefined takes it away. */
  look(index: number | undefined): void;
  destroy(): void;
}

export interface TrendOptions {
  readonly width: number;
  readonly height: number;
  readonly language: string;
  readonly timezone: string;
  readonly unit: string;
  /** Written into a gap that is wide enough. */
  readonly gapText: string;
  onlook(index: number | undefined): void;
}

type Colours = ReturnType<typeof coloursOf>;

function coloursOf(element: Element) {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    line: token('--accent'),
    area: token('--accent-soft'),
    grid: token('--line'),
    label: token('--quiet'),
    gap: token('--stale-hatch'),
    ground: token('--surface'),
    font: `12px ${style.fontFamily}`,
  };
}

function axes(options: TrendOptions, colours: Colours): uPlot.Axis[] {
  const common = { stroke: colours.label, font: colours.font, ticks: { show: false } };
  return [
    {
      ...common,
      grid: { show: false },
      size: 28,
      space: 64,
      values: (_chart, at) =>
        at.map((seconds) => formatTime(seconds * 1_000, 'time', options.language, options.timezone)),
    },
    {
      ...common,
      // Room for the longest label, at about 7 px a digit.
      size: (_chart, labels) => 16 + 7 * Math.max(3, ...(labels ?? []).map(({ length }) => length)),
      grid: { stroke: colours.grid, width: 1 },
      splits: (_chart, _axis, min, max) => niceTicks(min, max).filter((tick) => tick >= min && tick <= max),
      values: (_chart, at) => {
        const decimals = at.some((tick) => tick % 1)
          ? Math.abs((at[1] ?? 1) - (at[0] ?? 0)) < 0.1
            ? 2
            : 1
          : 0;
        return at.map((tick) => formatNumber(tick, decimals, options.language));
      },
    },
  ];
}

/** Room above and below the line, in round numbers; a load that is near zero keeps zero in sight. */
function valueRange(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const low = min >= 0 && min < max * 0.6 ? 0 : min;
  const ticks = niceTicks(low, max);
  return [ticks[0]!, ticks.at(-1)!];
}

function chartOptions(
  Plot: typeof uPlot,
  options: TrendOptions,
  colours: Colours,
  gaps: () => readonly Span[],
): uPlot.Options {
  // A gateway reports a change when it happens: between two reports the value stood still.
  const paths = Plot.paths.stepped?.({ align: 1 });
  const series = {
    label: formatUnit(options.unit),
    stroke: colours.line,
    width: 1.75,
    points: { show: false },
    ...(paths && { paths }),
  };
  return {
    width: options.width,
    height: options.height,
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: true, range: (chart) => windows.get(chart) ?? [0, 1] },
      y: { range: (_chart, min, max) => valueRange(min, max) },
    },
    axes: axes(options, colours),
    series: [
      {},
      { ...series, fill: (chart) => (chart.scales['y']?.min === 0 ? colours.area : 'transparent') },
      { ...series, dash: [5, 4], fill: () => hatch(colours.line, 9) as string },
    ],
    plugins: [gapLayer(colours, options.gapText, gaps)],
    hooks: { setCursor: [(chart) => options.onlook(chart.cursor.idx ?? undefined)] },
  };
}

/** The time axis follows the clock, not the data. In s. */
const windows = new WeakMap<uPlot, [number, number]>();

/** Loads the chart library and draws into `place`. */
export async function drawTrend(place: HTMLElement, options: TrendOptions): Promise<Trend> {
  const [{ default: Plot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]);
  let gaps: readonly Span[] = [];
  const chart = new Plot(
    chartOptions(Plot, options, coloursOf(place), () => gaps),
    [[], [], []],
    place,
  );
  return {
    show(data, window, newGaps) {
      gaps = newGaps;
      windows.set(chart, [window.from / 1_000, window.to / 1_000]);
      chart.setData(data);
    },
    resize: (width, height) => {
      if (width > 0 && width !== chart.width) chart.setSize({ width, height });
    },
    look(index) {
      if (index === undefined) return chart.setCursor({ left: -10, top: -10 });
      const value = chart.data[0][index];
      if (value !== undefined) chart.setCursor({ left: chart.valToPos(value, 'x'), top: 0 });
    },
    destroy: () => chart.destroy(),
  };
}
