/* What the shim offers. src/lib.rs has the same structures and functions; shim.c checks sizes. */
#ifndef PRECURSOR_DPDK_SHIM_H
#define PRECURSOR_DPDK_SHIM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define PC_API __attribute__((visibility("default")))

/* Offloads that a port can do, or that a caller wants. */
#define PC_RECEIVE_CHECKSUM 1u
#define PC_SEND_CHECKSUM 2u
#define PC_SEGMENTATION 4u

typedef void (*pc_log)(int level, const char *text, size_t length);

struct pc_port_facts {
  uint16_t port;
  uint16_t mtu;
  uint16_t receive_queues_max;
  uint16_t send_queues_max;
  uint32_t interface_index; /* of the kernel's interface below it, or 0 */
  int32_t numa_node;        /* -1: any */
  uint32_t offloads;        /* PC_*: what the port can do */
  uint32_t spreads;         /* 1: it can spread connections over queues by itself */
  uint8_t mac_address[6];
  uint8_t padding[2];
  char name[64];
  char driver[32];
  char kernel_name[16]; /* of the kernel's interface below it, or empty */
  char kernel_driver[32];
};

struct pc_port_options {
  uint16_t port;
  uint16_t queues;
  uint16_t ring_frames;
  uint16_t pending_max; /* frames that a queue holds until a flush */
  uint32_t offloads;    /* PC_*: what is wanted of what the port can do */
  uint16_t vlan;        /* whose frames are wanted, with their tag; 0: those without */
  uint16_t padding;
};

struct pc_port_counters {
  uint64_t received;
  uint64_t sent;
  uint64_t receive_dropped;
  uint64_t send_dropped;
};

struct pc_frame {
  const uint8_t *bytes;
  size_t length;
};

struct pc_offload {
  uint16_t checksum_start; /* 0: none */
  uint16_t checksum_offset;
  uint16_t segment_bytes; /* 0: one frame */
  uint16_t padding;
};

struct pc_port;
struct pc_queue;

PC_API const char *pc_version(void);
PC_API int pc_start(int argc, char **argv, pc_log log);
PC_API void pc_stop(void);
PC_API const char *pc_describe(int error);
PC_API int pc_enter_thread(void);
PC_API void pc_leave_thread(void);
PC_API int pc_probe(const char *device);
PC_API int pc_ring_pair(const char *near, const char *far, uint32_t frames, uint16_t ports[2]);
PC_API int pc_ports(struct pc_port_facts *facts, int facts_max);
PC_API int pc_port_open(const struct pc_port_options *options, struct pc_port **opened);
PC_API void pc_port_close(struct pc_port *port);
PC_API int pc_port_is_gone(const struct pc_port *port);
PC_API int pc_port_link(const struct pc_port *port, uint32_t *megabits);
PC_API void pc_port_counters(const struct pc_port *port, struct pc_port_counters *counters);
PC_API struct pc_queue *pc_queue_open(struct pc_port *port, uint16_t number);
PC_API void pc_queue_close(struct pc_queue *queue);
PC_API unsigned pc_receive(struct pc_queue *queue, struct pc_frame *frames, unsigned frames_max);
PC_API void pc_release(struct pc_queue *queue);
PC_API unsigned pc_send_capacity(const struct pc_queue *queue);
PC_API int pc_send(struct pc_queue *queue, const struct iovec *slices, size_t count,
                   const struct pc_offload *offload);
PC_API unsigned pc_flush(struct pc_queue *queue);
PC_API uint64_t pc_queue_dropped(const struct pc_queue *queue, int sending);

#endif
