import type { Address, ReadFunction } from './address.ts';

/** One request: a range of registers (coils) and which points lie in it. */
export interface Block {
  readonly fc: ReadFunction;
  readonly start: number;
  readonly count: number;
  /** Positions in the list that was planned. */
  readonly points: readonly number[];
}

/** A range the device refused: no block may cover it again. */
export interface Range {
  readonly fc: ReadFunction;
  readonly start: number;
  readonly count: number;
}

export interface PlanLimits {
  /** Registers nobody asked for that may be read along, to save a request. */
  readonly gapRegisters: number;
  /** Registers in one request; the protocol allows 125. */
  readonly maxRegisters: number;
  readonly refused: readonly Range[];
}

/** Modbus application protocol, clauses 6.1 to 6.4. */
export const MAX_REGISTERS = 125;
export const MAX_COILS = 2_000;
const COILS_PER_REGISTER = 16;

/** As few requests as the limits allow, in order of address. A number is never cut in two. */
export function planBlocks(addresses: readonly Address[], limits: PlanLimits): Block[] {
  const order = addresses.map((_, index) => index).sort((a, b) => compare(addresses[a]!, addresses[b]!));
  const blocks: Block[] = [];
  for (const index of order) {
    const address = addresses[index]!;
    const last = blocks.at(-1);
    const joined = last && join(last, address, index);
    if (joined && mayRead(joined, last, address, limits)) blocks[blocks.length - 1] = joined;
    else blocks.push({ fc: address.fc, start: address.start, count: address.count, points: [index] });
  }
  return blocks;
}

function compare(a: Address, b: Address): number {
  return a.fc - b.fc || a.start - b.start || a.count - b.count;
}

function join(block: Block, address: Address, index: number): Block {
  const end = Math.max(block.start + block.count, address.start + address.count);
  return { fc: block.fc, start: block.start, count: end - block.start, points: [...block.points, index] };
}

function mayRead(
  joined: Block,
  before: Block,
  address: Address,
  { gapRegisters, maxRegisters, refused }: PlanLimits,
): boolean {
  if (before.fc !== address.fc) return false;
  const isCoils = address.fc <= 2;
  const gap = address.start - (before.start + before.count);
  if (gap > (isCoils ? gapRegisters * COILS_PER_REGISTER : gapRegisters)) return false;
  if (joined.count > (isCoils ? MAX_COILS : Math.min(maxRegisters, MAX_REGISTERS))) return false;
  // Growing is what may be wrong: a lone point that was refused shares its range with no other.
  return joined.count === before.count || !refused.some((range) => covers(joined, range));
}

function covers(block: Block, range: Range): boolean {
  return (
    block.fc === range.fc &&
    block.start <= range.start &&
    block.start + block.count >= range.start + range.count
  );
}

/**
 * Two halves of a refused block, cut at its widest gap (an unlisted register there is the likeliest reason), else in the middle.
 * @returns undefined for a block that cannot be cut: one point, or points that share the same registers.
 */
export function splitBlock(block: Block, addresses: readonly Address[]): [Block, Block] | undefined {
  const { points } = block;
  let end = 0;
  let best: { at: number; gap: number; off: number } | undefined;
  points.forEach((point, at) => {
    const { start, count } = addresses[point]!;
    if (at > 0 && start >= end) {
      const found = { at, gap: start - end, off: Math.abs(at - points.length / 2) };
      if (!best || found.gap > best.gap || (found.gap === best.gap && found.off < best.off)) best = found;
    }
    end = Math.max(end, start + count);
  });
  if (!best) return undefined;
  return [
    blockOf(block.fc, points.slice(0, best.at), addresses),
    blockOf(block.fc, points.slice(best.at), addresses),
  ];
}

function blockOf(fc: ReadFunction, points: readonly number[], addresses: readonly Address[]): Block {
  const start = Math.min(...points.map((point) => addresses[point]!.start));
  const end = Math.max(...points.map((point) => addresses[point]!.start + addresses[point]!.count));
  return { fc, start, count: end - start, points };
}
