/* Made from ffi/client/src/lib.rs; do not edit. */

#ifndef PRECURSOR_H
#define PRECURSOR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// The call itself is wrong: a null pointer, a name that is no UTF-8.
#define PRECURSOR_USAGE -1

// No broker can be reached.
#define PRECURSOR_UNREACHABLE -2

// The connection ended before the answer came: a record may have been appended or not.
#define PRECURSOR_LOST -3

// No answer came in time: as PRECURSOR_LOST.
#define PRECURSOR_TIMED_OUT -4

// The broker refused, and nothing was done; precursor_error names Kafka's error.
#define PRECURSOR_REFUSED -5

// A mistake within the library, or an answer that cannot be read.
#define PRECURSOR_INTERNAL -6

// A client of one broker. Use it from one thread at a time.
typedef struct precursor_client precursor_client;

// A record that was fetched, or one to produce (where `offset` is not looked at). What it points to
// belongs to the client and stays until the next fetch, or to the caller.
typedef struct {
  int64_t offset;
  // Milliseconds since 1970; to produce: -1 is now.
  int64_t timestamp;
  // NULL: no key.
  const uint8_t *key;
  uintptr_t key_bytes;
  // NULL: no value.
  const uint8_t *value;
  uintptr_t value_bytes;
} precursor_record;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The library's version.
const char *precursor_version(void);

// Connects by shared memory to the broker of a data directory on this host. NULL when that fails;
// `error` (of `error_bytes` bytes, may be NULL) then holds a sentence.
//
// # Safety
// `data_dir` is a string; `error` is NULL or has `error_bytes` bytes.
precursor_client *precursor_connect_shm(const char *data_dir, char *error, uintptr_t error_bytes);

// Connects by RDMA to `HOST:PORT`, otherwise as precursor_connect_shm.
//
// # Safety
// As precursor_connect_shm.
precursor_client *precursor_connect_rdma(const char *address, char *error, uintptr_t error_bytes);

// Connects by TCP to `HOST:PORT`, otherwise as precursor_connect_shm.
//
// # Safety
// As precursor_connect_shm.
precursor_client *precursor_connect_tcp(const char *address, char *error, uintptr_t error_bytes);

// Ends the connection and frees the client. NULL is no harm.
//
// # Safety
// `client` is from a connect, and not used any more.
void precursor_close(precursor_client *client);

// Why the last call failed, as a sentence; valid until the next call.
//
// # Safety
// `client` is from a connect.
const char *precursor_error(const precursor_client *client);

// Whether to poll while waiting (1: shortest waits, a whole processor) or to look for a moment and
// then sleep (0, as at first). 0 when that is so.
//
// # Safety
// `client` is from a connect.
int64_t precursor_set_polling(precursor_client *client, int32_t polling);

// Makes a topic; one that is there already is as good. 0 when it is there.
//
// # Safety
// `client` is from a connect, `topic` a string.
int64_t precursor_create_topic(precursor_client *client, const char *topic, int32_t partitions);

// Appends one record and waits until the broker has it; returns its offset. A NULL key is none.
//
// # Safety
// `client` is from a connect, `topic` a string; key and value have as many bytes as said.
int64_t precursor_produce(precursor_client *client,
                          const char *topic,
                          int32_t partition,
                          const uint8_t *key,
                          uintptr_t key_bytes,
                          const uint8_t *value,
                          uintptr_t value_bytes);

// Appends records as one batch and waits until the broker has them; returns the first one's offset.
//
// # Safety
// `client` is from a connect, `topic` a string; there are `count` records, whose keys and values
// have as many bytes as they say.
int64_t precursor_produce_batch(precursor_client *client,
                                const char *topic,
                                int32_t partition,
                                const precursor_record *records,
                                uintptr_t count);

// Reads records from an offset on, and waits up to `wait_ms` for the first. Returns how many came;
// precursor_record_at gives them out, until the next fetch.
//
// # Safety
// `client` is from a connect, `topic` a string.
int64_t precursor_fetch(precursor_client *client,
                        const char *topic,
                        int32_t partition,
                        int64_t offset,
                        uint32_t wait_ms);

// A record of the last fetch, from 0 on. 0 when there is one.
//
// # Safety
// `client` is from a connect, `record` points to room for a record.
int64_t precursor_record_at(precursor_client *client, uintptr_t index, precursor_record *record);

// Where to fetch after the last fetch.
//
// # Safety
// `client` is from a connect.
int64_t precursor_next_offset(const precursor_client *client);

// The first offset of a partition that can be read, and the one behind the last. 0 when they are
// there.
//
// # Safety
// `client` is from a connect, `topic` a string; `start` and `end` point to room for a number each.
int64_t precursor_offsets(precursor_client *client,
                          const char *topic,
                          int32_t partition,
                          int64_t *start,
                          int64_t *end);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PRECURSOR_H */
