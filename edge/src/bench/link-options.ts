import { UsageError } from '../cli/io.ts';
import type { Command } from 'commander';

/** Where a device is, as an installer says it on a command line. */
export interface LinkOptions {
  /** Home of a gateway: the device is one that it knows. */
  readonly home?: string;
  /** Parameters of the driver as JSON; they win over the short forms. */
  readonly connection?: string;
  readonly device?: string;
  readonly tcp?: string;
  readonly rtuOverTcp?: string;
  readonly serial?: string;
  readonly baud?: number;
  readonly parity?: string;
  readonly stopBits?: number;
  readonly unit?: number;
  readonly whoIs?: readonly string[];
  readonly bbmd?: string;
  readonly bind?: string;
  readonly instance?: number;
  readonly endpoint?: string;
  readonly fingerprint?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly namespace?: string;
  readonly root?: string;
  readonly broker?: string;
  readonly topic?: string;
  readonly meter?: string;
  readonly meterType?: string;
  /** ms. */
  readonly timeout?: number;
}

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UsageError(`${text} is not a whole number`);
  return value;
};
const collect = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** The options by which every bench command finds its device; `parkline <command> --help` shows them in groups. */
export function addLinkOptions(command: Command): Command {
  return command
    .optionsGroup('A device that a gateway knows:')
    .option('--home <dir>', "the gateway's home; also PARKLINE_GATEWAY_HOME")
    .optionsGroup('Modbus, DL/T 645, CJ/T 188:')
    .option('--tcp <host[:port]>', 'Modbus TCP, or a meter behind a serial server')
    .option('--rtu-over-tcp <host:port>', 'RTU frames over TCP')
    .option('--serial <path>', 'serial line, /dev/ttyUSB0')
    .option('--baud <n>', 'speed of the line', whole)
    .option('--parity <even|none|odd>', 'parity of the line')
    .option('--stop-bits <1|2>', 'stop bits of the line', whole)
    .option('--unit <n>', 'unit id of the Modbus device', whole)
    .option('--meter <address>', 'address of the DL/T 645 or CJ/T 188 meter')
    .option('--meter-type <hex>', 'CJ/T 188: 10 cold water, 11 hot water, 20 heat, 21 cold, 30 gas')
    .optionsGroup('BACnet/IP:')
    .option('--who-is <host[:port]>', 'where to ask: broadcast address or device; may be repeated', collect)
    .option('--bbmd <host[:port]>', 'register with this BBMD as a foreign device')
    .option('--bind <host[:port]>', 'own address; port 47808 unless named')
    .option('--instance <n>', 'device instance', whole)
    .optionsGroup('OPC UA:')
    .option('--endpoint <url>', 'opc.tcp://host:4840')
    .option('--fingerprint <hex>', "SHA-256 of the server's certificate: whom to trust")
    .option('--user <name>', 'user name; also of an MQTT broker')
    .option('--password-file <file>', 'file with the password, - for standard input')
    .option('--namespace <uri>', 'namespace of the device')
    .option('--root <id>', "the device's node")
    .optionsGroup('MQTT:')
    .option('--broker <url>', 'mqtt://host:1883, to which this command connects as a client')
    .option('--topic <topic>', 'below which topic the device tells')
    .optionsGroup('Any protocol:')
    .option('--connection <json>', 'parameters of the connection, as in gateway.yaml')
    .option('--device <json>', 'parameters of the device, as in gateway.yaml')
    .option('--timeout <ms>', 'how long to wait for an answer', whole)
    .optionsGroup('Options:');
}
