/* A client in C: what it prints and how it ends is looked at by tests/clients/test_native.py. */
#include <stdio.h>
#include <string.h>

#include "precursor.h"

static int failed(precursor_client *client, const char *what) {
  fprintf(stderr, "%s: %s\n", what, precursor_error(client));
  precursor_close(client);
  return 1;
}

int main(int argc, char **argv) {
  char error[512];
  if (argc != 3) return 2;
  precursor_client *client = strcmp(argv[1], "shm") == 0
                                 ? precursor_connect_shm(argv[2], error, sizeof error)
                                 : precursor_connect_tcp(argv[2], error, sizeof error);
  if (!client) {
    fprintf(stderr, "%s\n", error);
    return 3;
  }
  if (precursor_create_topic(client, "from-c", 1) < 0) return failed(client, "create");
  const uint8_t *value = (const uint8_t *)"hello";
  int64_t offset = precursor_produce(client, "from-c", 0, NULL, 0, value, 5);
  if (offset < 0) return failed(client, "produce");
  precursor_record two[2] = {{0, -1, value, 1, value, 2}, {0, 1700000000000, NULL, 0, NULL, 0}};
  if (precursor_produce_batch(client, "from-c", 0, two, 2) != offset + 1)
    return failed(client, "batch");
  int64_t start, end;
  if (precursor_offsets(client, "from-c", 0, &start, &end) < 0) return failed(client, "offsets");
  int64_t count = precursor_fetch(client, "from-c", 0, offset, 1000);
  if (count < 0) return failed(client, "fetch");
  for (int64_t i = 0; i < count; i++) {
    precursor_record record;
    if (precursor_record_at(client, (size_t)i, &record) < 0) return failed(client, "record");
    printf("%lld key=%.*s value=%.*s\n", (long long)(record.offset - offset),
           (int)record.key_bytes, record.key ? (const char *)record.key : "",
           (int)record.value_bytes, record.value ? (const char *)record.value : "");
  }
  printf("end=%lld next=%lld\n", (long long)(end - offset),
         (long long)(precursor_next_offset(client) - offset));
  if (precursor_produce(client, "absent", 9, NULL, 0, value, 5) != PRECURSOR_REFUSED)
    return failed(client, "a topic that is not there");
  printf("%s\n", precursor_error(client));
  if (precursor_produce(client, NULL, 0, NULL, 0, value, 5) != PRECURSOR_USAGE) return 4;
  precursor_close(client);
  precursor_close(NULL);
  return 0;
}
