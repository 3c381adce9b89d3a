/** How a number lies in a telegram. */
export interface Format {
  /** Bytes of one number. */
  readonly bytes: number;
  /** Digits behind the point. */
  readonly decimals: number;
  /** The highest bit says minus. */
  readonly isSigned: boolean;
}

/** A data item of the standard's tables: what it is and how it is written. */
export interface Item {
  readonly name: string;
  /** As the standard has it: 'kWh', 'V', ''. */
  readonly unit: string;
  /** 'XXXXXX.XX'; a minus before it where the highest bit is the sign. 'bits' for a status word. */
  readonly format: string;
}

interface Family extends Item {
  /** DI3 DI2 DI1 DI0 as a pattern. */
  readonly id: RegExp;
}

const energy = (di2: string, name: string, unit: string, sign = ''): Family => ({
  id: new RegExp(`^00${di2}([0-3][0-9A-F]|FF)(0[0-9A-C]|FF)$`),
  ...{ name, unit, format: `${sign}XXXXXX.XX` },
});
const variable = (di2: string, name: string, unit: string, format: string): Family => ({
  id: new RegExp(`^02${di2}(0[0-3]|FF)00$`),
  ...{ name, unit, format },
});
const special = (di0: string, name: string, unit: string, format: string): Family => ({
  id: new RegExp(`^028000${di0}$`),
  ...{ name, unit, format },
});

/** DL/T 645-2007 annex A, tables A.1 (energy), A.3 (variables) and A.5 (status words); demand, events and freezes are left out. */
const families: readonly Family[] = [
  energy('00', 'combined active energy', 'kWh', '-'),
  energy('01', 'forward active energy', 'kWh'),
  energy('02', 'reverse active energy', 'kWh'),
  energy('03', 'combined reactive energy 1', 'kvarh', '-'),
  energy('04', 'combined reactive energy 2', 'kvarh', '-'),
  energy('05', 'reactive energy, quadrant I', 'kvarh'),
  energy('06', 'reactive energy, quadrant II', 'kvarh'),
  energy('07', 'reactive energy, quadrant III', 'kvarh'),
  energy('08', 'reactive energy, quadrant IV', 'kvarh'),
  energy('09', 'forward apparent energy', 'kVAh'),
  energy('0A', 'reverse apparent energy', 'kVAh'),
  energy('15', 'forward active energy, phase A', 'kWh'),
  energy('16', 'reverse active energy, phase A', 'kWh'),
  energy('29', 'forward active energy, phase B', 'kWh'),
  energy('2A', 'reverse active energy, phase B', 'kWh'),
  energy('3D', 'forward active energy, phase C', 'kWh'),
  energy('3E', 'reverse active energy, phase C', 'kWh'),
  variable('01', 'voltage', 'V', 'XXX.X'),
  variable('02', 'current', 'A', '-XXX.XXX'),
  variable('03', 'active power', 'kW', '-XX.XXXX'),
  variable('04', 'reactive power', 'kvar', '-XX.XXXX'),
  variable('05', 'apparent power', 'kVA', '-XX.XXXX'),
  variable('06', 'power factor', '', '-X.XXX'),
  variable('07', 'phase angle', '°', 'XXX.X'),
  variable('08', 'voltage distortion', '%', 'XX.XX'),
  variable('09', 'current distortion', '%', 'XX.XX'),
  special('01', 'neutral current', 'A', '-XXX.XXX'),
  special('02', 'grid frequency', 'Hz', 'XX.XX'),
  special('03', 'active power, mean of one minute', 'kW', '-XX.XXXX'),
  special('04', 'active demand', 'kW', '-XX.XXXX'),
  special('05', 'reactive demand', 'kvar', '-XX.XXXX'),
  special('06', 'apparent demand', 'kVA', '-XX.XXXX'),
  special('07', 'temperature in the meter', '°C', '-XXX.X'),
  special('08', 'clock battery', 'V', 'XX.XX'),
  special('09', 'reading battery', 'V', 'XX.XX'),
  special('0A', 'battery time', 'min', 'XXXXXXXX'),
  { id: /^0400050[1-7]$/, name: 'status word', unit: '', format: 'bits' },
];

/** What the standard says of an identifier; undefined for one that these tables leave out. */
export function itemOf(id: string): Item | undefined {
  const family = families.find((each) => each.id.test(id));
  return family && { name: family.name + partOf(id), unit: family.unit, format: family.format };
}

function partOf(id: string): string {
  const [di3, di1, di0] = [id.slice(0, 2), id.slice(4, 6), Number.parseInt(id.slice(6), 16)];
  if (di3 === '02' && di1 !== '00') return di1 === 'FF' ? ', all' : `, phase ${'ABC'[Number(di1) - 1]}`;
  if (di3 !== '00') return '';
  const rate = di1 === 'FF' ? ', total and rates' : di1 === '00' ? '' : `, rate ${Number.parseInt(di1, 16)}`;
  return di0 === 0 ? rate : `${rate}, ${di0 === 255 ? 'all settlement days' : `${di0} settlement days ago`}`;
}

/** 'XXX.X' to bytes and decimals; undefined when it is none. The digits must fill whole bytes and be exact in a double. */
export function parseFormat(text: string): Format | undefined {
  const [, sign, whole, fraction = ''] = /^(-?)(X+)(?:\.(X+))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const digits = whole.length + fraction.length;
  if (digits % 2 !== 0 || digits > 14) return undefined;
  return { bytes: digits / 2, decimals: fraction.length, isSigned: sign === '-' };
}

/** What most meters show, in the order of the standard: what a search through an unknown meter asks for. */
export const usualItems: readonly string[] = [
  ...['00010000', '00010100', '00010200', '00010300', '00010400', '00020000', '00030000', '00040000'],
  ...['02010100', '02010200', '02010300', '02020100', '02020200', '02020300'],
  ...['02030000', '02030100', '02030200', '02030300', '02040000', '02060000', '02060100'],
  ...['02060200', '02060300', '02800002', '02800007', '04000503'],
];
