import type { OPCUAServer, Subscription } from 'node-opcua-server';
import type { FaultKind } from '../faults.ts';
import type { RequestLog } from '../request-log.ts';
import type { Cell } from './opcua-cell.ts';

export interface ToldDeps {
  readonly bus: string;
  /** By node id as text. */
  readonly cells: ReadonlyMap<string, Cell>;
  /** The fault that last struck a cell. */
  readonly faultOf: (cell: Cell) => FaultKind | undefined;
  readonly log: RequestLog;
  readonly now: () => number;
}

interface NodeIdLike {
  toString(): string;
}

/** The part of a DataValue that the log tells of. */
interface Told {
  readonly value: { readonly value: unknown };
  readonly statusCode: { isGood(): boolean };
  readonly sourceTimestamp: Date | null;
}

interface Message {
  readonly schema: { readonly name: string };
  readonly requestHeader?: { readonly requestHandle: number };
  readonly responseHeader?: { readonly requestHandle: number };
  readonly nodesToRead?: readonly { readonly nodeId: NodeIdLike }[] | null;
  readonly results?: readonly Told[] | null;
  readonly subscriptionId?: number;
  readonly notificationMessage?: {
    readonly notificationData:
      | readonly ({
          readonly monitoredItems?: readonly { readonly clientHandle: number; readonly value: Told }[] | null;
        } | null)[]
      | null;
  };
}

/** Writes down every value the server tells, read or notified, before the message leaves. */
export interface ToldLog {
  /** Hears of a monitored item, so that the notifications of its handle can be told apart. */
  watch(subscription: Subscription, item: { clientHandle: number; nodeId: NodeIdLike }): void;
  /** Listens to the server's requests and responses. */
  attach(server: OPCUAServer): void;
}

export function createToldLog({ bus, cells, faultOf, log, now }: ToldDeps): ToldLog {
  const watched = new Map<number, Map<number, Cell>>(); // Subscription id, client handle.
  const asked = new WeakMap<object, Map<number, Message>>(); // Channel, request handle.

  function write(op: 'read' | 'notify', told: readonly (readonly [Cell | undefined, Told])[]): void {
    const groups = new Map<string, { device: string; t: number; told: [Cell, Told][] }>();
    for (const [cell, value] of told) {
      if (!cell) continue;
      const t = value.sourceTimestamp?.getTime() ?? now();
      const key = `${t} ${cell.device}`;
      const group = groups.get(key) ?? { device: cell.device, t, told: [] };
      groups.set(key, group);
      group.told.push([cell, value]);
    }
    for (const { device, t, told: list } of groups.values()) {
      const shown = list.filter(([cell]) => faultOf(cell)?.kind !== 'refuse');
      const values = Object.fromEntries(
        shown.map(([cell, { value, statusCode }]) => [
          cell.row.quantity,
          statusCode.isGood() ? cell.valueOf(value.value) : null,
        ]),
      );
      const fault = list.map(([cell]) => faultOf(cell)).find((kind) => kind !== undefined);
      log.write({ t, bus, device, op, values, outcome: fault?.kind ?? 'ok' });
    }
  }

  function onRequest(request: Message, channel: object): void {
    if (request.schema.name !== 'ReadRequest') return;
    const open = asked.get(channel) ?? new Map<number, Message>();
    asked.set(channel, open);
    open.set(request.requestHeader!.requestHandle, request);
  }

  function onResponse(response: Message, channel: object): void {
    const { schema, results, subscriptionId = 0, notificationMessage } = response;
    if (schema.name === 'ReadResponse') {
      const handle = response.responseHeader!.requestHandle;
      const nodes = asked.get(channel)?.get(handle)?.nodesToRead ?? [];
      asked.get(channel)?.delete(handle);
      write(
        'read',
        (results ?? []).map((told, index) => [cells.get(String(nodes[index]?.nodeId)), told] as const),
      );
    }
    if (schema.name === 'PublishResponse') {
      const items = (notificationMessage?.notificationData ?? []).flatMap(
        (data) => data?.monitoredItems ?? [],
      );
      const handles = watched.get(subscriptionId);
      write(
        'notify',
        items.map(({ clientHandle, value }) => [handles?.get(clientHandle), value] as const),
      );
    }
  }

  return {
    watch(subscription, { clientHandle, nodeId }) {
      const cell = cells.get(String(nodeId));
      if (!cell) return;
      if (!watched.has(subscription.id)) {
        watched.set(subscription.id, new Map());
        subscription.once('terminated', () => watched.delete(subscription.id));
      }
      watched.get(subscription.id)!.set(clientHandle, cell);
    },
    attach(server) {
      server.on('request', onRequest as never);
      server.on('response', onResponse as never);
    },
  };
}
