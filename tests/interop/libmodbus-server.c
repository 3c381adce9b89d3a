// A Modbus server made of libmodbus, to test against: coils, contacts and registers that show known values and take writes.
//   libmodbus-server tcp DELAY_MS           listens on loopback, prints its port; each answer takes DELAY_MS
//   libmodbus-server rtu PATH BAUD UNIT     speaks on a serial port with even parity, prints "ready"
#include <errno.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static modbus_mapping_t *map;
static int delay_ms;

static void fill(void)
{
    map = modbus_mapping_new(200, 200, 1000, 1000);
    for (int i = 0; i < 1000; i++) {
        map->tab_registers[i] = i;
        map->tab_input_registers[i] = 10000 + i;
    }
    for (int i = 0; i < 200; i++) {
        map->tab_bits[i] = i % 3 == 0;
        map->tab_input_bits[i] = i % 5 == 0;
    }
    modbus_set_float_abcd(230.1f, map->tab_registers + 500);
    modbus_set_float_cdab(230.1f, map->tab_registers + 502);
    modbus_set_float_badc(230.1f, map->tab_registers + 504);
    modbus_set_float_dcba(230.1f, map->tab_registers + 506);
    for (int i = 0; i < 60; i++) // A meter's readings: 7.1, 44.37, 81.64 ...
        modbus_set_float_abcd((710 + 3727 * i) / 100.0f, map->tab_registers + 600 + 2 * i);
}

static void serve(modbus_t *line)
{
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
        int length = modbus_receive(line, query);
        if (length == -1 && errno != EMBBADCRC && errno != EMBBADDATA)
            return;
        if (length <= 0)
            continue;
        if (delay_ms > 0)
            usleep(delay_ms * 1000);
        if (modbus_reply(line, query, length, map) == -1)
            return;
    }
}

static void *serve_socket(void *socket)
{
    modbus_t *line = modbus_new_tcp(NULL, 0);
    modbus_set_socket(line, (int) (intptr_t) socket);
    serve(line);
    modbus_close(line);
    modbus_free(line);
    return NULL;
}

static void *end_with_parent(void *unused)
{
    while (getchar() != EOF)
        ;
    exit(0);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    fill();
    pthread_create(&thread, NULL, end_with_parent, NULL);
    if (argc == 5 && strcmp(argv[1], "rtu") == 0) {
        modbus_t *line = modbus_new_rtu(argv[2], atoi(argv[3]), 'E', 8, 1);
        modbus_set_slave(line, atoi(argv[4]));
        if (modbus_connect(line) == -1)
            return 1;
        puts("ready");
        fflush(stdout);
        for (;;)
            serve(line);
    }
    if (argc != 3)
        return 2;
    delay_ms = atoi(argv[2]);
    modbus_t *door = modbus_new_tcp("127.0.0.1", 0);
    int listening = modbus_tcp_listen(door, 64);
    struct sockaddr_in place;
    socklen_t size = sizeof place;
    getsockname(listening, (struct sockaddr *) &place, &size);
    printf("%d\n", ntohs(place.sin_port));
    fflush(stdout);
    for (int socket; (socket = modbus_tcp_accept(door, &listening)) != -1;)
        pthread_create(&thread, NULL, serve_socket, (void *) (intptr_t) socket);
    return 1;
}
