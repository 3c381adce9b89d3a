// What a gateway that was taken over may try against the message server, and what comes of it. The list is that of two accounts:
// what a gateway may not do is refused, and what it may do touches nothing but itself. A change of the server's configuration,
// of the permissions or of the server's version that opens any of these turns its row.
import type { MsgHdrs } from '@nats-io/transport-node';
import { checkCommand } from '../../edge/src/downlink/commands.ts';
import { checkReceipt } from '../../edge/src/downlink/receipts.ts';
import { papers } from './nats-papers.ts';
import {
  type Attack,
  ATTACKER,
  type Attempt,
  contents,
  DENIED,
  HELD_STREAM,
  permission,
  settle,
  type Stage,
  UPLINK_STREAM,
  uplinkOf,
  VICTIM,
  withHeaders,
} from './nats-stage.ts';

/** Tries every attack in turn. */
export async function tryAttacks(stage: Stage): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (const { attack, expected, run } of natsAttacks) {
    stage.heard.length = 0;
    attempts.push({ attack, expected, seen: await run(stage) });
  }
  return attempts;
}

const UNTOUCHED = 'no effect';
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Publishes with a reply subject that the attacker chose, and tells whether the streams are as they were. */
async function byReply(
  stage: Stage,
  reply: string,
  over: { headers?: MsgHdrs; subject?: string; body?: string } = {},
) {
  const { subject = uplinkOf(ATTACKER), body = 'x', headers } = over;
  const before = await contents(stage);
  stage.attacker.nats.publish(subject, body, { reply, ...(headers && { headers }) });
  await settle(stage);
  // An uplink of the attacker's own is stored, as it should be: it is taken out before the comparison.
  await stage.manager.streams.purge(UPLINK_STREAM, { filter: uplinkOf(ATTACKER) });
  const after = await contents(stage);
  return after === before ? UNTOUCHED : `${before} -> ${after}`;
}

const viaPubAck = (api: string, headers?: Readonly<Record<string, string>>): Attack => ({
  attack: `receipt of an uplink sent to ${api}${headers ? ', an error' : ''}`,
  expected: UNTOUCHED,
  run: (stage) => byReply(stage, api, headers && { headers: withHeaders(headers) }),
});

const viaResponder = (api: string, body = ''): Attack => ({
  attack: `answer of the cloud sent to ${api}`,
  expected: UNTOUCHED,
  run: (stage) => byReply(stage, api, { subject: `rpc.${ATTACKER}.echo`, body }),
});

const publishTo = (subject: string): Attack => ({
  attack: `publish to ${subject}`,
  expected: DENIED,
  run: (stage) => permission(stage, () => stage.attacker.nats.publish(subject, 'x')),
});

const listenTo = (subject: string, queue?: string): Attack => ({
  attack: `subscribe to ${subject}${queue ? ` in the queue ${queue}` : ''}`,
  expected: DENIED,
  run: (stage) =>
    permission(stage, () => void stage.attacker.nats.subscribe(subject, queue ? { queue } : {})),
});

/** What is delivered to the victim, and what its own verification says of it. */
async function delivered(stage: Stage, subject: string, send: () => void): Promise<string> {
  send();
  await settle(stage);
  const message = stage.heard.find((one) => one.subject === subject);
  if (!message) return 'not delivered';
  const bytes = text(message.text);
  const us = { cloudKey: stage.cloudKey.publicKey, gatewayId: VICTIM };
  const verdicts = subject.endsWith('.rcpt')
    ? checkReceipt(bytes, { ...us, epoch: 'e', lastSeq: 1 })
    : checkCommand(bytes, us);
  return verdicts.ok ? 'believed' : `delivered, not believed: ${verdicts.why}`;
}

const FORGED_COMMAND = JSON.stringify({
  body: JSON.stringify({ id: 'x', gatewayId: VICTIM, pointId: 'p', value: 99 }),
  sig: 'A'.repeat(86),
});

/** What the stream says to an uplink with these headers. */
const refusedHeader = (name: string, headers: Readonly<Record<string, string>>, code: number): Attack => ({
  attack: `uplink with ${name}`,
  expected: `refused (${code})`,
  async run({ attacker }) {
    const reply = await attacker.nats.request(uplinkOf(ATTACKER), 'x', {
      headers: withHeaders(headers),
      timeout: 2_000,
    });
    const { error } = reply.json<{ error?: { err_code: number } }>();
    return error ? `refused (${error.err_code})` : 'stored';
  },
});

const API = '$JS.API';
export const natsAttacks: readonly Attack[] = [
  // The receipt of a stored uplink goes where the sender says, and no permission looks at that.
  ...[UPLINK_STREAM, HELD_STREAM].flatMap((stream) =>
    ['PURGE', 'MSG.DELETE', 'DELETE', 'UPDATE'].map((verb) => viaPubAck(`${API}.STREAM.${verb}.${stream}`)),
  ),
  ...['DELETE', 'CREATE', 'PAUSE', 'RESET'].map((verb) =>
    viaPubAck(`${API}.CONSUMER.${verb}.${UPLINK_STREAM}.ingest`),
  ),
  viaPubAck(`${API}.STREAM.PURGE.${UPLINK_STREAM}`, { 'Nats-Expected-Stream': 'NONE' }),
  viaPubAck(uplinkOf(VICTIM)),
  viaPubAck('held.forged'),
  ...[UPLINK_STREAM, HELD_STREAM].flatMap((stream) =>
    ['PURGE', 'DELETE'].map((verb) => viaResponder(`${API}.STREAM.${verb}.${stream}`)),
  ),
  viaResponder(`${API}.STREAM.MSG.DELETE.${UPLINK_STREAM}`, '{"seq":1}'),
  viaResponder(uplinkOf(VICTIM), 'forged'),
  // What the two accounts do not keep away: words of the attacker on the subjects of another gateway.
  {
    attack: `answer of the cloud, in the attacker's words, sent to cmd.${VICTIM}.do`,
    expected: 'delivered, not believed: signature',
    run: (stage) =>
      delivered(stage, `cmd.${VICTIM}.do`, () =>
        stage.attacker.nats.publish(`rpc.${ATTACKER}.echo`, FORGED_COMMAND, { reply: `cmd.${VICTIM}.do` }),
      ),
  },
  {
    attack: `answer of the cloud, in the attacker's words, sent to cmd.${VICTIM}.rcpt`,
    expected: 'delivered, not believed: signature',
    run: (stage) =>
      delivered(stage, `cmd.${VICTIM}.rcpt`, () =>
        stage.attacker.nats.publish(`rpc.${ATTACKER}.echo`, FORGED_COMMAND, { reply: `cmd.${VICTIM}.rcpt` }),
      ),
  },
  {
    attack: `receipt of an uplink sent to cmd.${VICTIM}.do`,
    expected: 'delivered, not believed: unreadable',
    run: (stage) =>
      delivered(stage, `cmd.${VICTIM}.do`, () =>
        stage.attacker.nats.publish(uplinkOf(ATTACKER), 'x', { reply: `cmd.${VICTIM}.do` }),
      ),
  },
  {
    attack: "receipt of an uplink sent to the victim's inbox",
    expected: 'delivered, not believed: unreadable',
    run: (stage) =>
      delivered(stage, `_INBOX.${VICTIM}.guess`, () =>
        stage.attacker.nats.publish(uplinkOf(ATTACKER), 'x', { reply: `_INBOX.${VICTIM}.guess` }),
      ),
  },
  {
    attack: "message id of the victim's next uplink, known to the attacker",
    expected: 'the victim is told "duplicate": ids must not be guessed',
    run: async ({ attacker, victim }) => {
      const headers = withHeaders({ 'Nats-Msg-Id': 'stolen-1001' });
      await attacker.nats.request(uplinkOf(ATTACKER), 'x', { headers, timeout: 2_000 });
      const reply = await victim.nats.request(uplinkOf(VICTIM), 'real', { headers, timeout: 2_000 });
      return reply.json<{ duplicate?: boolean }>().duplicate
        ? 'the victim is told "duplicate": ids must not be guessed'
        : 'stored';
    },
  },
  {
    attack: "message id of the victim's next uplink, guessed from all but its secret",
    expected: "the victim's uplink is stored",
    run: async ({ attacker, victim, messageId }) => {
      const guesses = ['1002', 'epoch|1002', `${VICTIM}-1002`, `${VICTIM}|epoch|1002`];
      for (const guess of guesses)
        await attacker.nats.request(uplinkOf(ATTACKER), 'x', {
          headers: withHeaders({ 'Nats-Msg-Id': guess }),
          timeout: 2_000,
        });
      const headers = withHeaders({ 'Nats-Msg-Id': messageId(1002) });
      const reply = await victim.nats.request(uplinkOf(VICTIM), 'real', { headers, timeout: 2_000 });
      const { duplicate, seq } = reply.json<{ duplicate?: boolean; seq?: number }>();
      return seq !== undefined && !duplicate ? "the victim's uplink is stored" : reply.string();
    },
  },
  refusedHeader('a roll-up', { 'Nats-Rollup': 'all' }, 10_111),
  refusedHeader('a time to live', { 'Nats-TTL': '1s' }, 10_166),
  refusedHeader('a counter', { 'Nats-Incr': '+1' }, 10_168),
  refusedHeader(
    'a schedule',
    { 'Nats-Schedule': '@at 2030-01-01T00:00:00Z', 'Nats-Schedule-Target': 'up.x.b' },
    10_188,
  ),
  refusedHeader('an atomic batch', { 'Nats-Batch-Id': 'b', 'Nats-Batch-Sequence': '1' }, 10_174),
  {
    attack: "the stream's last sequence, asked for by a wrong expectation",
    expected: 'told: it counts messages of the park and says no more',
    run: async ({ attacker }) => {
      const headers = withHeaders({ 'Nats-Expected-Last-Sequence': '99999' });
      const reply = await attacker.nats.request(uplinkOf(ATTACKER), 'x', { headers, timeout: 2_000 });
      return /wrong last sequence: \d+/.test(reply.string())
        ? 'told: it counts messages of the park and says no more'
        : reply.string();
    },
  },
  ...[
    ['the own inbox', `_INBOX.${ATTACKER}.trace`],
    ["the victim's inbox", `_INBOX.${VICTIM}.trace`],
  ].map(([where = '', subject = '']): Attack => ({
    attack: `trace of a message sent to ${where}`,
    expected: 'nothing sent',
    run: async (stage) => {
      let traces = 0;
      const own = stage.attacker.nats.subscribe(`_INBOX.${ATTACKER}.trace`, {
        callback: () => void (traces += 1),
      });
      const headers = withHeaders({ 'Nats-Trace-Dest': subject });
      stage.attacker.nats.publish(uplinkOf(ATTACKER), 'x', { headers });
      await settle(stage);
      own.unsubscribe();
      const sent = traces + stage.heard.length;
      return sent === 0 ? 'nothing sent' : `${sent} traces`;
    },
  })),
  ...[
    uplinkOf(VICTIM),
    `rpc.${VICTIM}.rcpt`,
    `cmd.${VICTIM}.do`,
    `cmd.${ATTACKER}.do`,
    `_INBOX.${VICTIM}.x`,
  ].map(publishTo),
  ...['live.x', 'held.one', 'server.state', '_R_.x', `$JS.ACK.${UPLINK_STREAM}.ingest.1.1.1.1.1`].map(
    publishTo,
  ),
  ...['INFO', 'NAMES', 'PURGE', 'DELETE', 'UPDATE', 'MSG.GET', 'MSG.DELETE'].map((verb) =>
    publishTo(`${API}.STREAM.${verb}${verb === 'NAMES' ? '' : `.${UPLINK_STREAM}`}`),
  ),
  ...[
    `DIRECT.GET.${UPLINK_STREAM}`,
    `CONSUMER.CREATE.${UPLINK_STREAM}`,
    `CONSUMER.MSG.NEXT.${UPLINK_STREAM}.ingest`,
    'INFO',
  ].map((api) => publishTo(`${API}.${api}`)),
  ...[
    '$SYS.REQ.SERVER.PING',
    '$SYS.REQ.SERVER.PING.VARZ',
    '$SYS.REQ.ACCOUNT.PING.CONNZ',
    '$SYS.REQ.USER.INFO.x',
  ].map(publishTo),
  ...[
    '>',
    'up.>',
    `up.${ATTACKER}.>`,
    'cmd.*.do',
    `cmd.${VICTIM}.>`,
    `_INBOX.${VICTIM}.>`,
    '_INBOX.>',
    'rpc.>',
    'live.>',
  ].map((subject) => listenTo(subject)),
  ...['$SYS.>', '$JS.>', `${API}.>`, '_R_.>'].map((subject) => listenTo(subject)),
  listenTo(`cmd.${VICTIM}.do`, 'ingest'),
  ...papers,
];
