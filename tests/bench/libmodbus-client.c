// Polls a block of holding registers with libmodbus, one request in flight, and decodes every pair of them as a float32.
//   libmodbus-client PORT REGISTERS
// For each line "COUNT" on standard input: COUNT polls, then one line "SECONDS CPU_SECONDS".
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double clock_of(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    int registers = atoi(argv[2]);
    uint16_t words[125];
    volatile float sum = 0;
    modbus_t *line = modbus_new_tcp("127.0.0.1", atoi(argv[1]));
    modbus_set_slave(line, 1);
    if (modbus_connect(line) == -1)
        return 1;
    for (int count; scanf("%d", &count) == 1;) {
        double began = clock_of(CLOCK_MONOTONIC), cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < count; i++) {
            if (modbus_read_registers(line, 600, registers, words) != registers)
                return 1;
            for (int at = 0; at + 1 < registers; at += 2)
                sum += modbus_get_float_abcd(words + at);
        }
        printf("%.6f %.6f\n", clock_of(CLOCK_MONOTONIC) - began, clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu);
        fflush(stdout);
    }
    return 0;
}
