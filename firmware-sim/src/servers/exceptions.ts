/** Modbus application protocol, clause 7. */
export const exceptions = { function: 1, address: 2, value: 3, failure: 4, gatewayTarget: 0x0b } as const;
