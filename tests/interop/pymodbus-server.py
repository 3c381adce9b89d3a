# A Modbus server made of pymodbus: `tcp` listens on loopback and prints its port, `rtu PATH BAUD UNIT` speaks on a serial port
# with no parity (pyserial refuses another on a pseudo terminal) and prints "ready". Registers show 1000 + their address, every third coil is on.
import asyncio
import sys

from pymodbus import FramerType
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer, ModbusTcpServer


def unit():
    registers = ModbusSequentialDataBlock(1, [1000 + n for n in range(300)])
    bits = ModbusSequentialDataBlock(1, [n % 3 == 0 for n in range(100)])
    return ModbusSlaveContext(di=bits, co=bits, hr=registers, ir=registers)


identity = ModbusDeviceIdentification(
    info_name={
        "VendorName": "Pymodbus",
        "ProductCode": "PM",
        "MajorMinorRevision": "3.8",
        "ProductName": "Pymodbus Server",
        "ModelName": "Interop",
    }
)


async def main():
    if sys.argv[1] == "rtu":
        _, _, path, baud, number = sys.argv
        context = ModbusServerContext(slaves={int(number): unit()}, single=False)
        server = ModbusSerialServer(
            context, framer=FramerType.RTU, identity=identity, port=path, baudrate=int(baud), parity="N"
        )
    else:
        context = ModbusServerContext(slaves={5: unit(), 9: unit()}, single=False)
        server = ModbusTcpServer(context, identity=identity, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    print("ready" if sys.argv[1] == "rtu" else server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()


asyncio.run(main())
