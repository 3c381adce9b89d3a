/* An OPC UA server on the open62541 library: open62541-server <port>. Prints `ready`, ends with its input.
 * Variables in namespace 1: Boolean, Int32, Int64, Float, Double (writable), Shown (read only), Kept (history of 250 values). */
#include <open62541/plugin/accesscontrol_default.h>
#include <open62541/plugin/create_certificate.h>
#include <open62541/plugin/historydata/history_data_backend_memory.h>
#include <open62541/plugin/historydata/history_data_gathering_default.h>
#include <open62541/plugin/historydata/history_database_default.h>
#include <open62541/plugin/historydatabase.h>
#include <open62541/plugin/log_stdout.h>
#include <open62541/plugin/pki_default.h>
#include <open62541/server.h>
#include <open62541/server_config_default.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEPT = 250, PAGE = 100 };
/* 2026-11-22 12:00:00 UTC. */
static const UA_Int64 noon = 1795348800;

static UA_NodeId add(UA_Server *server, char *name, int type, void *value, UA_Byte access) {
  UA_VariableAttributes attributes = UA_VariableAttributes_default;
  UA_Variant_setScalar(&attributes.value, value, &UA_TYPES[type]);
  attributes.displayName = UA_LOCALIZEDTEXT("", name);
  attributes.dataType = UA_TYPES[type].typeId;
  attributes.accessLevel = access;
  attributes.historizing = (access & UA_ACCESSLEVELMASK_HISTORYREAD) != 0;
  UA_NodeId id = UA_NODEID_STRING(1, name);
  UA_Server_addVariableNode(server, id, UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
                            UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), UA_QUALIFIEDNAME(1, name),
                            UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes, NULL, NULL);
  return id;
}

/* One value each second from noon on: n / 2; every tenth is uncertain, every fiftieth bad. */
static void keepHistory(UA_Server *server, UA_NodeId id) {
  UA_HistoryDataGathering gathering = UA_HistoryDataGathering_Default(1);
  UA_Server_getConfig(server)->historyDatabase = UA_HistoryDatabase_default(gathering);
  UA_HistorizingNodeIdSettings settings = {0};
  settings.historizingBackend = UA_HistoryDataBackend_Memory(1, KEPT);
  settings.maxHistoryDataResponseSize = PAGE;
  settings.historizingUpdateStrategy = UA_HISTORIZINGUPDATESTRATEGY_USER;
  gathering.registerNodeId(server, gathering.context, &id, settings);
  for (int n = 0; n < KEPT; n += 1) {
    UA_Double value = n / 2.0;
    UA_DataValue kept;
    UA_DataValue_init(&kept);
    UA_Variant_setScalar(&kept.value, &value, &UA_TYPES[UA_TYPES_DOUBLE]);
    kept.hasValue = true;
    kept.hasSourceTimestamp = true;
    kept.sourceTimestamp = UA_DATETIME_UNIX_EPOCH + (noon + n) * UA_DATETIME_SEC;
    kept.hasServerTimestamp = true;
    kept.serverTimestamp = kept.sourceTimestamp;
    kept.hasStatus = n % 10 == 0;
    kept.status = n % 50 == 0 ? UA_STATUSCODE_BADSENSORFAILURE : UA_STATUSCODE_UNCERTAINLASTUSABLEVALUE;
    settings.historizingBackend.serverSetHistoryData(server, settings.historizingBackend.context, NULL, NULL,
                                                     &id, true, &kept);
  }
}

static UA_StatusCode configure(UA_ServerConfig *config, UA_UInt16 port) {
  UA_ByteString key = UA_BYTESTRING_NULL, certificate = UA_BYTESTRING_NULL;
  UA_String subject[] = {UA_STRING_STATIC("CN=open62541 peer")};
  UA_String names[] = {UA_STRING_STATIC("DNS:localhost"), UA_STRING_STATIC("URI:urn:open62541.server.application")};
  UA_UInt16 bits = 2048;
  UA_KeyValueMap *options = UA_KeyValueMap_new();
  UA_KeyValueMap_setScalar(options, UA_QUALIFIEDNAME(0, "key-size-bits"), &bits, &UA_TYPES[UA_TYPES_UINT16]);
  config->logging = UA_Log_Stdout_new(UA_LOGLEVEL_FATAL);
  UA_StatusCode status = UA_CreateCertificate(config->logging, subject, 1, names, 2, UA_CERTIFICATEFORMAT_DER,
                                              options, &key, &certificate);
  if (status != UA_STATUSCODE_GOOD) return status;
  status = UA_ServerConfig_setDefaultWithSecurityPolicies(config, port, &certificate, &key, NULL, 0, NULL, 0, NULL, 0);
  config->securityPolicyNoneDiscoveryOnly = true;
  if (status != UA_STATUSCODE_GOOD) return status;
  char url[40];
  snprintf(url, sizeof url, "opc.tcp://127.0.0.1:%u", port);
  UA_Array_delete(config->serverUrls, config->serverUrlsSize, &UA_TYPES[UA_TYPES_STRING]);
  config->serverUrls = UA_Array_new(1, &UA_TYPES[UA_TYPES_STRING]);
  config->serverUrls[0] = UA_STRING_ALLOC(url);
  config->serverUrlsSize = 1;
  config->secureChannelPKI.clear(&config->secureChannelPKI); /* Every gateway may come in. */
  UA_CertificateVerification_AcceptAll(&config->secureChannelPKI);
  UA_UsernamePasswordLogin people[] = {{UA_STRING_STATIC("parkline"), UA_STRING_STATIC("secret")}};
  config->accessControl.clear(&config->accessControl);
  return UA_AccessControl_default(config, true, NULL, 1, people);
}

int main(int argc, char **argv) {
  UA_ServerConfig config = {0};
  UA_StatusCode status = configure(&config, (UA_UInt16)atoi(argc > 1 ? argv[1] : "4840"));
  if (status != UA_STATUSCODE_GOOD) {
    fprintf(stderr, "no configuration: %s\n", UA_StatusCode_name(status));
    return 1;
  }
  UA_Server *server = UA_Server_newWithConfig(&config);
  UA_Byte open = UA_ACCESSLEVELMASK_READ | UA_ACCESSLEVELMASK_WRITE;
  UA_Boolean yes = true;
  UA_Int32 whole = -5;
  UA_Int64 wide = -1;
  UA_Float single = 230.1f;
  UA_Double twice = 0.1;
  add(server, "Boolean", UA_TYPES_BOOLEAN, &yes, open);
  add(server, "Int32", UA_TYPES_INT32, &whole, open);
  add(server, "Int64", UA_TYPES_INT64, &wide, open);
  add(server, "Float", UA_TYPES_FLOAT, &single, open);
  add(server, "Double", UA_TYPES_DOUBLE, &twice, open);
  add(server, "Shown", UA_TYPES_INT32, &whole, UA_ACCESSLEVELMASK_READ);
  UA_NodeId kept = add(server, "Kept", UA_TYPES_DOUBLE, &twice, UA_ACCESSLEVELMASK_READ | UA_ACCESSLEVELMASK_HISTORYREAD);
  keepHistory(server, kept);
  if (UA_Server_run_startup(server) != UA_STATUSCODE_GOOD) return 1;
  printf("ready\n");
  fflush(stdout);
  for (char byte;;) {
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0) break;
    UA_Server_run_iterate(server, true);
  }
  UA_Server_run_shutdown(server);
  UA_Server_delete(server);
  return 0;
}
