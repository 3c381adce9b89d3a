import type { Bus, EquipmentDetail } from '@parkline/contract';
import { isUnprotected } from '#lib/buses/security.ts';

/** Protocols that a bus can speak, as the drivers call them. */
export const busProtocols = ['modbus', 'bacnet', 'opcua', 'mqtt', 'dlt645', 'cjt188'] as const;
export type BusProtocol = (typeof busProtocols)[number];

/** Everything of a bus is text while it is typed, by parameter of its driver. */
export type BusText = Readonly<Record<string, string>>;
type Params = Bus['params'];

type NetworkLabel = 'host' | 'port' | 'ownHost' | 'ownPort' | 'whoIs' | 'bbmd';
type LineLabel = 'transport' | 'path' | 'baudRate' | 'parity';
type ServerLabel = 'endpointUrl' | 'securityPolicy' | 'securityMode' | 'serverFingerprint' | 'user';
type BrokerLabel = 'mode' | 'url' | 'clientId' | 'username' | 'caFile';
type OptionWord =
  'tcp' | 'rtu-over-tcp' | 'rtu' | 'tcp-line' | 'serial' | 'broker' | 'client' | 'even' | 'odd' | 'none';

export interface BusField {
  /** The driver's parameter. */
  readonly name: string;
  /** Words under `bus.field`. */
  readonly label: NetworkLabel | LineLabel | ServerLabel | BrokerLabel;
  readonly hint?: 'whoIsHint' | 'fingerprintHint' | 'userHint';
  readonly required?: boolean;
  /** A choice; with `word` of `bus.option`, or the value itself. The first is what is usual. */
  readonly options?: readonly { readonly value: string; readonly word?: OptionWord }[];
  /** A whole number, or places on the network like `10.0.0.255:47808`. */
  readonly as?: 'number' | 'places' | 'place';
  readonly placeholder?: string;
  /** What a bus that is to be begins with. */
  readonly usual?: string;
}

const choice = (...values: readonly OptionWord[]): NonNullable<BusField['options']> =>
  values.map((value) => ({ value, word: value }));
const host: BusField = { name: 'host', label: 'host', required: true, placeholder: '10.0.0.20' };
const port = (usual: string): BusField => ({
  ...{ name: 'port', label: 'port', as: 'number' },
  ...{ placeholder: usual, usual },
});
const serial: readonly BusField[] = [
  { name: 'path', label: 'path', required: true, placeholder: '/dev/ttyUSB0' },
  { name: 'baudRate', label: 'baudRate', as: 'number' },
  { name: 'parity', label: 'parity', options: choice('even', 'none', 'odd') },
];
const meterLine = (text: BusText): readonly BusField[] => [
  {
    ...{ name: 'transport', label: 'transport' },
    options: [{ value: 'tcp', word: 'tcp-line' }, ...choice('serial')],
  },
  ...(text['transport'] === 'serial' ? serial : [host, { ...port('8899'), required: true }]),
];

const fields: Readonly<Record<BusProtocol, (text: BusText) => readonly BusField[]>> = {
  modbus: (text) => [
    { name: 'transport', label: 'transport', options: choice('tcp', 'rtu-over-tcp', 'rtu') },
    ...(text['transport'] === 'rtu' ? serial : [host, port('502')]),
  ],
  bacnet: () => [
    {
      ...{ name: 'whoIs', label: 'whoIs', hint: 'whoIsHint', as: 'places' },
      placeholder: '10.0.0.255:47808',
    },
    { name: 'bbmd', label: 'bbmd', as: 'place' },
    { name: 'host', label: 'ownHost', placeholder: '0.0.0.0' },
    { ...port('47808'), label: 'ownPort' },
  ],
  opcua: () => [
    {
      ...{ name: 'endpointUrl', label: 'endpointUrl', required: true },
      placeholder: 'opc.tcp://10.0.0.30:4840',
    },
    { name: 'serverFingerprint', label: 'serverFingerprint', hint: 'fingerprintHint' },
    {
      ...{ name: 'securityPolicy', label: 'securityPolicy' },
      options: ['Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss'].map((value) => ({
        value,
      })),
    },
    {
      ...{ name: 'securityMode', label: 'securityMode' },
      options: ['SignAndEncrypt', 'Sign'].map((value) => ({ value })),
    },
    { name: 'user', label: 'user', hint: 'userHint' },
  ],
  mqtt: (text) => [
    { name: 'mode', label: 'mode', options: choice('broker', 'client') },
    ...(text['mode'] === 'client'
      ? ([
          { name: 'url', label: 'url', required: true, placeholder: 'mqtts://10.0.0.40:8883' },
          { name: 'clientId', label: 'clientId', required: true },
          { name: 'username', label: 'username', hint: 'userHint' },
          { name: 'caFile', label: 'caFile' },
        ] as const)
      : [{ ...host, label: 'ownHost' as const }, port('1883')]),
  ],
  dlt645: meterLine,
  cjt188: meterLine,
};

const isKnown = (protocol: string): protocol is BusProtocol => Object.hasOwn(fields, protocol);

/** What is asked of a bus; of a protocol that we do not know nothing. What is chosen in `text` decides what else there is. Pure. */
export function fieldsOf(protocol: string, text: BusText): readonly BusField[] {
  if (!isKnown(protocol)) return [];
  return fields[protocol](text).map((field) => {
    const chosen = text[field.name];
    // What was set elsewhere (no security, say) is shown as it is.
    return field.options && chosen && !field.options.some(({ value }) => value === chosen)
      ? { ...field, options: [...field.options, { value: chosen }] }
      : field;
  });
}

interface Place {
  readonly host: string;
  readonly port?: number;
}

const placeText = ({ host: name, port: at }: Place): string => (at === undefined ? name : `${name}:${at}`);

/** `10.0.0.255:47808; 10.0.1.7`; undefined where that is not what it says. Pure. */
export function placesOf(text: string): Place[] | undefined {
  const found = text
    .split(/[;；,，\s]+/)
    .filter(Boolean)
    .map((one) => /^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\])(?::(\d{1,5}))?$/.exec(one));
  if (found.some((one) => one === null)) return undefined;
  return found.map((one) => ({ host: one![1]!, ...(one![2] !== undefined && { port: Number(one![2]) }) }));
}

const asText = (value: unknown): string =>
  Array.isArray(value)
    ? (value as Place[]).map(placeText).join('; ')
    : typeof value === 'object' && value !== null
      ? placeText(value as Place)
      : value === undefined || value === null
        ? ''
        : String(value);

/** A form for the parameters; choices begin with what is usual. Pure. */
export function textOf(protocol: string, params: Params): BusText {
  const given = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, asText(value)]));
  const usual = fieldsOf(protocol, given).map(({ name, options }) => [name, options?.[0]?.value ?? '']);
  return { ...Object.fromEntries(usual), ...given };
}

/** The form of a bus that is to be: where a protocol has a usual port, it stands there. Pure. */
export function freshText(protocol: string): BusText {
  const text = textOf(protocol, {});
  const usual = fieldsOf(protocol, text).flatMap(({ name, usual: value }) => (value ? [[name, value]] : []));
  return { ...text, ...Object.fromEntries(usual) };
}

/** Fields that are missing or are not written as they should be. Pure. */
export const wrongIn = (protocol: string, text: BusText): ReadonlyMap<string, 'needed' | 'places'> =>
  new Map(
    fieldsOf(protocol, text).flatMap(({ name, required, as }): [string, 'needed' | 'places'][] => {
      const value = (text[name] ?? '').trim();
      // Without a network and without a BBMD nobody can be asked who is there.
      if (value === '') return required || (name === 'whoIs' && !text['bbmd']) ? [[name, 'needed']] : [];
      const isPlaces = as === 'places' || as === 'place';
      const isWrong = isPlaces && placesOf(value) === undefined;
      return isWrong || (as === 'place' && placesOf(value)?.length !== 1) ? [[name, 'places']] : [];
    }),
  );

/** What the driver gets: what is typed, beside what this form does not know. A waiver goes with what it was for. Pure. */
export function paramsOf(protocol: string, text: BusText, before: Params): Params {
  const shown = fieldsOf(protocol, text);
  const typed = shown.flatMap(({ name, as }): [string, unknown][] => {
    const value = (text[name] ?? '').trim();
    if (value === '') return [];
    if (as === 'number') return [[name, Number(value)]];
    if (as === 'places') return [[name, placesOf(value)]];
    return [[name, as === 'place' ? { ...placeBefore(before[name]), ...placesOf(value)?.[0] } : value]];
  });
  const { waiveSecurity, ...params }: Params = {
    ...furtherOf(protocol, before),
    ...Object.fromEntries(typed),
  };
  return waiveSecurity !== undefined && isUnprotected({ protocol, params })
    ? { ...params, waiveSecurity }
    : params;
}

/** How long a registration lives stays as it is when the place changes. */
const placeBefore = (before: unknown): object =>
  typeof before === 'object' && before !== null ? { ...before } : {};

/** Parameters that the form neither shows nor touches, whatever is chosen in it. Pure. */
export function furtherOf(protocol: string, params: Params): Params {
  const ways = ['tcp', 'rtu', 'serial'].flatMap((transport) =>
    ['broker', 'client'].flatMap((mode) => fieldsOf(protocol, { transport, mode })),
  );
  const shown = new Set(ways.map(({ name }) => name));
  return Object.fromEntries(Object.entries(params).filter(([name]) => !shown.has(name)));
}

/** Whether who speaks there logs in with a password. Pure. */
export const takesPassword = ({ protocol, params }: Pick<Bus, 'protocol' | 'params'>): boolean =>
  protocol === 'opcua' || (protocol === 'mqtt' && params['mode'] === 'client');

/** Where a bus is, in one line. Pure. */
export function whereOf({ params }: Pick<Bus, 'params'>): string {
  const { endpointUrl, url, path, whoIs, bbmd, host: name, port: at } = params;
  const place =
    name === undefined ? '' : placeText({ host: String(name), ...(at ? { port: Number(at) } : {}) });
  return [endpointUrl, url, path, whoIs, bbmd].map(asText).find((one) => one !== '') ?? place;
}

/** A bus that devices name and nobody described. */
export interface MissingBus {
  readonly gatewayId: string;
  readonly key: string;
  readonly protocol: string;
}

/** How many devices hang on which bus of which gateway. Pure. */
export function usersOf(
  devices: readonly EquipmentDetail[],
): ReadonlyMap<string, MissingBus & { count: number }> {
  const used = new Map<string, MissingBus & { count: number }>();
  for (const { gatewayId, bus: key, protocol, retiredAt } of devices) {
    if (retiredAt !== null) continue;
    const name = `${gatewayId} ${key}`;
    used.set(name, { gatewayId, key, protocol, count: (used.get(name)?.count ?? 0) + 1 });
  }
  return used;
}
