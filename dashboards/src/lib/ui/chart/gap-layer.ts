import type uPlot from 'uplot';
import type { Span } from './scale.ts';

/** Diagonal strokes in one colour: stale and simulated stretches carry them everywhere in the portal. */
export function hatch(colour: string, step = 7): CanvasPattern | string {
  const tile = document.createElement('canvas');
  const size = step * devicePixelRatio;
  tile.width = tile.height = size;
  const brush = tile.getContext('2d');
  if (!brush) return colour;
  brush.strokeStyle = colour;
  brush.lineWidth = devicePixelRatio;
  brush.beginPath();
  for (const offset of [-size, 0, size]) {
    brush.moveTo(offset, size);
    brush.lineTo(offset + size, 0);
  }
  brush.stroke();
  return brush.createPattern(tile, 'repeat') ?? colour;
}

export interface GapStyle {
  readonly gap: string;
  readonly label: string;
  readonly ground: string;
  readonly font: string;
}

/** In CSS px: a narrower gap has no room for words. */
const minLabelWidth = 120;

/** Words on a plate of their own, so that the hatch does not run through them. */
function write(brush: CanvasRenderingContext2D, text: string, x: number, y: number, style: GapStyle): void {
  const scale = devicePixelRatio;
  brush.font = style.font.replace(/^\d+/, (size) => String(Number(size) * scale));
  brush.textAlign = 'center';
  brush.textBaseline = 'middle';
  const width = brush.measureText(text).width + 16 * scale;
  brush.fillStyle = style.ground;
  brush.fillRect(x - width / 2, y - 11 * scale, width, 22 * scale);
  brush.fillStyle = style.label;
  brush.fillText(text, x, y);
}

/** Fills the stretches where nothing is known, below the grid and the lines. */
export const gapLayer = (style: GapStyle, text: string, gaps: () => readonly Span[]): uPlot.Plugin => ({
  hooks: {
    drawClear: ({ ctx, bbox: { left, top, width, height }, valToPos }) => {
      ctx.save();
      const pattern = hatch(style.gap);
      for (const { from, to } of gaps()) {
        const start = Math.max(left, valToPos(from / 1_000, 'x', true));
        const end = Math.min(left + width, valToPos(to / 1_000, 'x', true));
        if (end <= start) continue;
        ctx.fillStyle = pattern;
        ctx.fillRect(start, top, end - start, height);
        if (end - start > minLabelWidth * devicePixelRatio) {
          write(ctx, text, (start + end) / 2, top + height / 2, style);
        }
      }
      ctx.restore();
    },
  },
});
