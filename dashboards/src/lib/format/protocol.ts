const names: Readonly<Record<string, string>> = {
  modbus: 'Modbus',
  bacnet: 'BACnet',
  opcua: 'OPC UA',
  mqtt: 'MQTT',
  dlt645: 'DL/T 645',
  cjt188: 'CJ/T 188',
};

/** A protocol as its makers write it; one we do not know stays as it is. */
export const protocolName = (protocol: string): string => names[protocol] ?? protocol;
