const names: Readonly<Record<string, string>> = {
  modbus: 'Modbus',
  bacnet: 'BACnet',
  opcua: 'OPC UA',
  mqtt: 'MQTT',
};

/** A protocol as its makers write it; one we do not know stays as it is. */
export const protocolName = (protocol: string): string => names[protocol] ?? protocol;
