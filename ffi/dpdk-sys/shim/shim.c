/*
 * DPDK in few calls: the environment, ports, queues. What DPDK has as static inlines is compiled
 * here, against the headers of the libdpdk that this object is linked with; what crosses the border
 * is in shim.h. Decides nothing: options come in, facts go out.
 *
 * A port belongs to whoever opened it; a queue to one thread at a time.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <rte_tcp.h>
#include <rte_version.h>

_Static_assert(sizeof(struct pc_port_facts) == 176, "as src/lib.rs has it");
_Static_assert(sizeof(struct pc_port_options) == 16, "as src/lib.rs has it");
_Static_assert(sizeof(struct pc_offload) == 8, "as src/lib.rs has it");

#define BURST_MAX 64
#define CACHE_BUFFERS 128
/* Ethernet with one VLAN tag. */
#define HEADER_BYTES 18
/* Buffers of a queue beyond its rings, where the device cuts frames of 64 KiB. */
#define SEGMENTATION_BUFFERS 4096
#define SEND_CHECKSUMS (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
#define RECEIVE_CHECKSUMS (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_IPV4_CKSUM)
#define SPREADING (RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_IP)

struct pc_port {
  uint16_t number;
  uint16_t queues;
  uint16_t pending_max;
  uint16_t mtu;
  uint32_t offloads;
  int gone;
  unsigned interface; /* of the kernel, below a virtual device; 0: none */
  struct rte_device *device;
  int is_virtual;
  struct rte_mempool **pools;
};

struct pc_queue {
  struct pc_port *port;
  struct rte_mempool *pool;
  uint16_t number;
  uint16_t pending_max;
  uint16_t pending_first;
  uint16_t pending_end;
  uint16_t received;
  uint64_t receive_dropped;
  uint64_t send_dropped;
  struct rte_mbuf *frames[BURST_MAX];
  uint8_t flat[1 << 16]; /* a frame that came in pieces */
  struct rte_mbuf *pending[];
};

/* ---- the environment ---- */

static pc_log log_sink;

static ssize_t write_log(void *cookie, const char *text, size_t length) {
  if (log_sink != NULL)
    log_sink(rte_log_cur_msg_loglevel(), text, length);
  return (ssize_t)length;
}

const char *pc_version(void) { return rte_version(); }

const char *pc_describe(int error) { return rte_strerror(error < 0 ? -error : error); }

int pc_start(int argc, char **argv, pc_log log) {
  cookie_io_functions_t functions = {.write = write_log};
  FILE *stream = fopencookie(NULL, "w", functions);
  log_sink = log;
  if (stream != NULL) {
    setvbuf(stream, NULL, _IOLBF, 512);
    rte_openlog_stream(stream);
  }
  return rte_eal_init(argc, argv) < 0 ? -(rte_errno != 0 ? rte_errno : EINVAL) : 0;
}

void pc_stop(void) { rte_eal_cleanup(); }

/* A thread with a number of its own has its own cache of buffers. */
int pc_enter_thread(void) { return rte_lcore_id() != LCORE_ID_ANY ? 0 : rte_thread_register(); }

void pc_leave_thread(void) { rte_thread_unregister(); }

/* ---- devices ---- */

int pc_probe(const char *device) { return rte_dev_probe(device); }

static int find_ring_driver(struct dl_phdr_info *info, size_t size, void *found) {
  if (strstr(info->dlpi_name, "librte_net_ring.so") == NULL)
    return 0;
  *(void **)found = dlopen(info->dlpi_name, RTLD_NOW | RTLD_NOLOAD);
  return 1;
}

typedef int (*from_rings)(const char *, struct rte_ring *const[], unsigned,
                          struct rte_ring *const[], unsigned, unsigned);

/* Two ports that see each other's frames, without a device. EAL has loaded the driver itself. */
int pc_ring_pair(const char *near, const char *far, uint32_t frames, uint16_t ports[2]) {
  void *driver = NULL;
  dl_iterate_phdr(find_ring_driver, &driver);
  from_rings make = driver == NULL ? NULL : (from_rings)dlsym(driver, "rte_eth_from_rings");
  if (make == NULL)
    return -ENOENT;
  unsigned flags = RING_F_SP_ENQ | RING_F_SC_DEQ;
  struct rte_ring *out[] = {rte_ring_create(near, frames, SOCKET_ID_ANY, flags)};
  struct rte_ring *back[] = {rte_ring_create(far, frames, SOCKET_ID_ANY, flags)};
  if (out[0] == NULL || back[0] == NULL)
    return -ENOMEM;
  int first = make(near, back, 1, out, 1, 0), second = make(far, out, 1, back, 1, 0);
  if (first < 0 || second < 0)
    return -(rte_errno != 0 ? rte_errno : EINVAL);
  ports[0] = (uint16_t)first;
  ports[1] = (uint16_t)second;
  return 0;
}

/* In the network namespace of this thread. */
static void ask_kernel(unsigned interface, struct pc_port_facts *port) {
  struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
  struct ifreq request = {.ifr_data = (void *)&driver};
  if (interface == 0 || if_indextoname(interface, request.ifr_name) == NULL)
    return;
  snprintf(port->kernel_name, sizeof(port->kernel_name), "%s", request.ifr_name);
  int socket_number = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_number < 0)
    return;
  if (ioctl(socket_number, SIOCETHTOOL, &request) == 0)
    snprintf(port->kernel_driver, sizeof(port->kernel_driver), "%.31s", driver.driver);
  close(socket_number);
}

static uint32_t offloads_of(const struct rte_eth_dev_info *info) {
  uint32_t offloads = 0;
  if ((info->rx_offload_capa & RECEIVE_CHECKSUMS) == RECEIVE_CHECKSUMS)
    offloads |= PC_RECEIVE_CHECKSUM;
  if ((info->tx_offload_capa & SEND_CHECKSUMS) == SEND_CHECKSUMS)
    offloads |= PC_SEND_CHECKSUM;
  uint64_t cutting = SEND_CHECKSUMS | RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  if ((info->tx_offload_capa & cutting) == cutting)
    offloads |= PC_SEGMENTATION;
  return offloads;
}

int pc_ports(struct pc_port_facts *facts, int facts_max) {
  int count = 0;
  uint16_t number;
  RTE_ETH_FOREACH_DEV(number) {
    struct rte_eth_dev_info info;
    struct rte_ether_addr mac;
    struct pc_port_facts *port = &facts[count];
    if (count == facts_max)
      break;
    memset(port, 0, sizeof(*port));
    if (rte_eth_dev_info_get(number, &info) != 0 || rte_eth_macaddr_get(number, &mac) != 0)
      continue;
    port->port = number;
    if (rte_eth_dev_get_mtu(number, &port->mtu) != 0)
      port->mtu = RTE_ETHER_MTU;
    port->receive_queues_max = info.max_rx_queues;
    port->send_queues_max = info.max_tx_queues;
    port->interface_index = info.if_index;
    port->numa_node = rte_eth_dev_socket_id(number);
    port->offloads = offloads_of(&info);
    port->spreads = (info.flow_type_rss_offloads & SPREADING) != 0;
    memcpy(port->mac_address, mac.addr_bytes, 6);
    char name[RTE_ETH_NAME_MAX_LEN] = "";
    rte_eth_dev_get_name_by_port(number, name);
    snprintf(port->name, sizeof(port->name), "%.63s", name);
    snprintf(port->driver, sizeof(port->driver), "%s", info.driver_name);
    ask_kernel(info.if_index, port);
    count++;
  }
  return count;
}

/* ---- ports ---- */

static int on_removal(uint16_t number, enum rte_eth_event_type event, void *port, void *unused) {
  __atomic_store_n(&((struct pc_port *)port)->gone, 1, __ATOMIC_RELEASE);
  return 0;
}

/*
 * As rte_pktmbuf_pool_create. Buffers of a virtual device may lie across pages: its driver copies,
 * and that of AF_XDP reckons with buffers that follow each other without a gap (one that it believes
 * to be beyond its memory is lost by the kernel, silently).
 */
static struct rte_mempool *make_pool(const char *name, unsigned buffers, unsigned room, int node,
                                     int is_virtual) {
  struct rte_pktmbuf_pool_private private = {.mbuf_data_room_size = (uint16_t)room};
  unsigned flags = is_virtual ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0;
  struct rte_mempool *pool =
      rte_mempool_create_empty(name, buffers, (unsigned)sizeof(struct rte_mbuf) + room,
                               CACHE_BUFFERS, sizeof(private), node, flags);
  if (pool == NULL)
    return NULL;
  int result = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
  if (result == 0) {
    rte_pktmbuf_pool_init(pool, &private);
    result = rte_mempool_populate_default(pool);
  }
  if (result < 0) {
    rte_mempool_free(pool);
    rte_errno = -result;
    return NULL;
  }
  rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
  return pool;
}

static int make_pools(struct pc_port *port, const struct pc_port_options *options, int node) {
  unsigned buffers = 2u * options->ring_frames + options->pending_max;
  buffers += BURST_MAX + 2 * CACHE_BUFFERS;
  if (port->offloads & PC_SEGMENTATION)
    buffers += SEGMENTATION_BUFFERS;
  unsigned room = RTE_PKTMBUF_HEADROOM + RTE_ALIGN(port->mtu + HEADER_BYTES, 64);
  if (room < RTE_MBUF_DEFAULT_BUF_SIZE)
    room = RTE_MBUF_DEFAULT_BUF_SIZE;
  port->pools = calloc(port->queues, sizeof(*port->pools));
  if (port->pools == NULL)
    return -ENOMEM;
  for (uint16_t queue = 0; queue < port->queues; queue++) {
    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof(name), "precursor_%u_%u", port->number, queue);
    port->pools[queue] = make_pool(name, buffers, room, node, port->is_virtual);
    if (port->pools[queue] == NULL)
      return -(rte_errno != 0 ? rte_errno : ENOMEM);
  }
  return 0;
}

/* A virtual function hears of a VLAN only after it asked for it; a card that does not filter hears all. */
static int filters(const struct pc_port_options *options, const struct rte_eth_dev_info *info) {
  return options->vlan != 0 && (info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_VLAN_FILTER) != 0;
}

static int configure(struct pc_port *port, struct rte_eth_dev_info *info, int filters_vlan) {
  struct rte_eth_conf configuration = {0};
  if (filters_vlan)
    configuration.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
  if (port->offloads & PC_RECEIVE_CHECKSUM)
    configuration.rxmode.offloads |= RECEIVE_CHECKSUMS;
  if (port->offloads & PC_SEND_CHECKSUM)
    configuration.txmode.offloads |= SEND_CHECKSUMS;
  if (port->offloads & PC_SEGMENTATION)
    configuration.txmode.offloads |= RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  uint64_t spreading = info->flow_type_rss_offloads & SPREADING;
  if (port->queues > 1 && spreading != 0) {
    configuration.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    configuration.rx_adv_conf.rss_conf.rss_hf = spreading;
  }
  configuration.intr_conf.rmv = (*info->dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
  return rte_eth_dev_configure(port->number, port->queues, port->queues, &configuration);
}

static int set_up_queues(struct pc_port *port, struct rte_eth_dev_info *info, uint16_t frames,
                         unsigned node) {
  uint16_t receive = frames, send = frames;
  int result = rte_eth_dev_adjust_nb_rx_tx_desc(port->number, &receive, &send);
  for (uint16_t queue = 0; result == 0 && queue < port->queues; queue++) {
    struct rte_eth_rxconf receiving = info->default_rxconf;
    struct rte_eth_txconf sending = info->default_txconf;
    receiving.offloads = 0;
    sending.offloads = 0;
    result = rte_eth_rx_queue_setup(port->number, queue, receive, node, &receiving,
                                    port->pools[queue]);
    if (result == 0)
      result = rte_eth_tx_queue_setup(port->number, queue, send, node, &sending);
  }
  return result;
}

static void free_port(struct pc_port *port) {
  for (uint16_t queue = 0; port->pools != NULL && queue < port->queues; queue++)
    rte_mempool_free(port->pools[queue]);
  free(port->pools);
  free(port);
}

int pc_port_open(const struct pc_port_options *options, struct pc_port **opened) {
  struct rte_eth_dev_info info;
  struct pc_port *port = calloc(1, sizeof(*port));
  if (port == NULL)
    return -ENOMEM;
  port->number = options->port;
  port->queues = options->queues;
  port->pending_max = options->pending_max;
  int result = rte_eth_dev_info_get(port->number, &info);
  if (result == 0)
    result = rte_eth_dev_get_mtu(port->number, &port->mtu);
  if (result != 0) {
    free(port);
    return result;
  }
  port->device = info.device;
  if (port->device != NULL)
    port->is_virtual = strcmp(rte_bus_name(rte_dev_bus(port->device)), "vdev") == 0;
  port->interface = port->is_virtual ? info.if_index : 0;
  port->offloads = options->offloads & offloads_of(&info);
  int node = rte_eth_dev_socket_id(port->number);
  result = make_pools(port, options, node);
  if (result == 0)
    result = configure(port, &info, filters(options, &info));
  if (result == 0)
    result = set_up_queues(port, &info, options->ring_frames, (unsigned)node);
  if (result == 0)
    result = rte_eth_dev_start(port->number);
  if (result == 0 && filters(options, &info))
    result = rte_eth_dev_vlan_filter(port->number, options->vlan, 1);
  if (result != 0) {
    rte_eth_dev_close(port->number);
    free_port(port);
    return result;
  }
  /* Neighbour discovery comes by multicast; a port that cannot filter needs no telling. */
  rte_eth_allmulticast_enable(port->number);
  rte_eth_dev_callback_register(port->number, RTE_ETH_EVENT_INTR_RMV, on_removal, port);
  *opened = port;
  return 0;
}

void pc_port_close(struct pc_port *port) {
  rte_eth_dev_callback_unregister(port->number, RTE_ETH_EVENT_INTR_RMV, on_removal, port);
  rte_eth_dev_stop(port->number);
  rte_eth_dev_close(port->number);
  /* What only we could have made goes with us. */
  if (port->is_virtual)
    rte_dev_remove(port->device);
  free_port(port);
}

/* A virtual device does not hear that the kernel's interface below it goes. */
int pc_port_is_gone(const struct pc_port *port) {
  char name[IF_NAMESIZE];
  if (__atomic_load_n(&port->gone, __ATOMIC_ACQUIRE))
    return 1;
  return port->interface != 0 && if_indextoname(port->interface, name) == NULL && errno == ENXIO;
}

int pc_port_link(const struct pc_port *port, uint32_t *megabits) {
  struct rte_eth_link link = {0};
  if (rte_eth_link_get_nowait(port->number, &link) != 0)
    return 0;
  *megabits = link.link_speed;
  return link.link_status == RTE_ETH_LINK_UP;
}

void pc_port_counters(const struct pc_port *port, struct pc_port_counters *counters) {
  struct rte_eth_stats stats = {0};
  rte_eth_stats_get(port->number, &stats);
  counters->received = stats.ipackets;
  counters->sent = stats.opackets;
  counters->receive_dropped = stats.imissed + stats.ierrors + stats.rx_nombuf;
  counters->send_dropped = stats.oerrors;
}

/* ---- queues ---- */

struct pc_queue *pc_queue_open(struct pc_port *port, uint16_t number) {
  size_t bytes = sizeof(struct pc_queue) + port->pending_max * sizeof(struct rte_mbuf *);
  struct pc_queue *queue = calloc(1, bytes);
  if (queue == NULL)
    return NULL;
  queue->port = port;
  queue->pool = port->pools[number];
  queue->number = number;
  queue->pending_max = port->pending_max;
  return queue;
}

void pc_queue_close(struct pc_queue *queue) {
  pc_release(queue);
  unsigned left = queue->pending_end - queue->pending_first;
  if (left > 0)
    rte_pktmbuf_free_bulk(&queue->pending[queue->pending_first], left);
  free(queue);
}

/* The sum over TCP in a frame whose device did not say; 1 where it is right or there is none. */
static int checksum_is_right(const uint8_t *bytes, size_t length) {
  uint16_t type = 0;
  size_t at = 12;
  if (length < 14)
    return 1;
  memcpy(&type, bytes + at, 2);
  if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN) && length >= 18) {
    at += 4;
    memcpy(&type, bytes + at, 2);
  }
  at += 2;
  if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4) && length >= at + sizeof(struct rte_ipv4_hdr)) {
    const struct rte_ipv4_hdr *ip = (const void *)(bytes + at);
    size_t header = rte_ipv4_hdr_len(ip), total = rte_be_to_cpu_16(ip->total_length);
    int whole = header >= sizeof(*ip) && total >= header && length - at >= total;
    int first = (ip->fragment_offset & RTE_BE16(0x3fff)) == 0;
    if (!whole || !first || ip->next_proto_id != IPPROTO_TCP)
      return 1;
    return rte_ipv4_udptcp_cksum_verify(ip, bytes + at + header) == 0;
  }
  if (type == RTE_BE16(RTE_ETHER_TYPE_IPV6) && length >= at + sizeof(struct rte_ipv6_hdr)) {
    const struct rte_ipv6_hdr *ip = (const void *)(bytes + at);
    size_t payload = rte_be_to_cpu_16(ip->payload_len);
    if (length - at - sizeof(*ip) < payload || ip->proto != IPPROTO_TCP)
      return 1;
    return rte_ipv6_udptcp_cksum_verify(ip, bytes + at + sizeof(*ip)) == 0;
  }
  return 1;
}

/* A card, or the owner of a virtual function, may take a frame's VLAN tag off and lay it beside the
 * frame: the stack reads frames as they were on the wire. 0: the frame has its tag, if it ever had one. */
static int retag(struct rte_mbuf *frame) {
  if (likely((frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) == 0))
    return 0;
  return rte_vlan_insert(&frame);
}

/* Up to 64 frames; they are the caller's until pc_release. */
unsigned pc_receive(struct pc_queue *queue, struct pc_frame *frames, unsigned frames_max) {
  uint16_t most = frames_max > BURST_MAX ? BURST_MAX : (uint16_t)frames_max;
  uint16_t count = rte_eth_rx_burst(queue->port->number, queue->number, queue->frames, most);
  int checks = (queue->port->offloads & PC_RECEIVE_CHECKSUM) != 0;
  unsigned kept = 0;
  queue->received = count;
  for (uint16_t at = 0; at < count; at++) {
    struct rte_mbuf *frame = queue->frames[at];
    if (at + 1 < count)
      rte_prefetch0(rte_pktmbuf_mtod(queue->frames[at + 1], void *));
    if (unlikely(retag(frame) != 0)) {
      queue->receive_dropped++;
      continue;
    }
    const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
    size_t length = rte_pktmbuf_pkt_len(frame);
    if (unlikely(frame->nb_segs > 1)) {
      /* The pools' buffers hold a frame of the MTU, so there is at most one such at a time. */
      if (length > sizeof(queue->flat) || kept > 0) {
        queue->receive_dropped++;
        continue;
      }
      bytes = rte_pktmbuf_read(frame, 0, (uint32_t)length, queue->flat);
    }
    if (checks) {
      uint64_t sum = frame->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
      if (sum == RTE_MBUF_F_RX_L4_CKSUM_BAD ||
          (sum != RTE_MBUF_F_RX_L4_CKSUM_GOOD && !checksum_is_right(bytes, length))) {
        queue->receive_dropped++;
        continue;
      }
    }
    frames[kept].bytes = bytes;
    frames[kept].length = length;
    kept++;
  }
  return kept;
}

void pc_release(struct pc_queue *queue) {
  if (queue->received > 0)
    rte_pktmbuf_free_bulk(queue->frames, queue->received);
  queue->received = 0;
}

unsigned pc_send_capacity(const struct pc_queue *queue) {
  return queue->pending_max - (queue->pending_end - queue->pending_first);
}

/* Copies the slices behind each other into one buffer, or a chain of them where they are many. */
static struct rte_mbuf *gather(struct pc_queue *queue, const struct iovec *slices, size_t count) {
  struct rte_mbuf *first = rte_pktmbuf_alloc(queue->pool), *last = first;
  if (first == NULL)
    return NULL;
  for (size_t at = 0; at < count; at++) {
    const uint8_t *from = slices[at].iov_base;
    size_t left = slices[at].iov_len;
    while (left > 0) {
      size_t room = rte_pktmbuf_tailroom(last);
      if (room == 0) {
        struct rte_mbuf *next = rte_pktmbuf_alloc(queue->pool);
        if (next == NULL) {
          rte_pktmbuf_free(first);
          return NULL;
        }
        last->next = next;
        last = next;
        first->nb_segs++;
        room = rte_pktmbuf_tailroom(last);
      }
      size_t part = left < room ? left : room;
      rte_memcpy(rte_pktmbuf_mtod_offset(last, uint8_t *, last->data_len), from, part);
      last->data_len += (uint16_t)part;
      first->pkt_len += (uint32_t)part;
      from += part;
      left -= part;
    }
  }
  return first;
}

/* What the device needs to insert the checksum and to cut the frame. Headers lie in one piece. */
static void ask_device(struct rte_mbuf *frame, const struct pc_offload *offload) {
  uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);
  uint16_t type;
  size_t at = 12;
  memcpy(&type, bytes + at, 2);
  if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN)) {
    at += 4;
    memcpy(&type, bytes + at, 2);
  }
  at += 2;
  struct rte_tcp_hdr *tcp = (void *)(bytes + offload->checksum_start);
  frame->l2_len = at;
  frame->l3_len = offload->checksum_start - at;
  frame->l4_len = (tcp->data_off >> 4) * 4;
  frame->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
  if (offload->segment_bytes > 0) {
    frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
    frame->tso_segsz = offload->segment_bytes;
  }
  if (type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
    struct rte_ipv4_hdr *ip = (void *)(bytes + at);
    frame->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
    ip->hdr_checksum = 0;
    tcp->cksum = rte_ipv4_phdr_cksum(ip, frame->ol_flags);
  } else {
    frame->ol_flags |= RTE_MBUF_F_TX_IPV6;
    tcp->cksum = rte_ipv6_phdr_cksum((const void *)(bytes + at), frame->ol_flags);
  }
}

/* 1 where the frame was taken. */
int pc_send(struct pc_queue *queue, const struct iovec *slices, size_t count,
            const struct pc_offload *offload) {
  if (queue->pending_end == queue->pending_max && queue->pending_first > 0) {
    unsigned left = queue->pending_end - queue->pending_first;
    memmove(queue->pending, &queue->pending[queue->pending_first], left * sizeof(void *));
    queue->pending_first = 0;
    queue->pending_end = (uint16_t)left;
  }
  if (queue->pending_end == queue->pending_max)
    return 0;
  struct rte_mbuf *frame = gather(queue, slices, count);
  if (frame == NULL)
    return 0;
  if (offload != NULL && offload->checksum_start > 0)
    ask_device(frame, offload);
  queue->pending[queue->pending_end++] = frame;
  return 1;
}

/* Frames that left. What the device has no room for waits for the next flush. */
unsigned pc_flush(struct pc_queue *queue) {
  unsigned total = 0;
  while (queue->pending_first < queue->pending_end) {
    struct rte_mbuf **frames = &queue->pending[queue->pending_first];
    uint16_t count = queue->pending_end - queue->pending_first;
    if (count > BURST_MAX)
      count = BURST_MAX;
    uint16_t ready = count;
    if (queue->port->offloads & PC_SEND_CHECKSUM)
      ready = rte_eth_tx_prepare(queue->port->number, queue->number, frames, count);
    uint16_t sent = rte_eth_tx_burst(queue->port->number, queue->number, frames, ready);
    queue->pending_first += sent;
    total += sent;
    if (sent == ready && ready < count) {
      /* The driver cannot send this one, whatever it was. */
      rte_pktmbuf_free(queue->pending[queue->pending_first++]);
      queue->send_dropped++;
    } else if (sent < ready) {
      break;
    }
  }
  if (queue->pending_first == queue->pending_end) {
    queue->pending_first = 0;
    queue->pending_end = 0;
  }
  return total;
}

uint64_t pc_queue_dropped(const struct pc_queue *queue, int sending) {
  return sending ? queue->send_dropped : queue->receive_dropped;
}
