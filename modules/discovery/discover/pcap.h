/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of captured packets, in the format of libpcap. An own reader: that
 * library opens interfaces, compiles filters and knows a hundred formats,
 * all of which hostile files would reach; what is needed here is two heads
 * of fixed size. Pure.
 */
#ifndef GATEHOUSE_DISCOVERY_DISCOVER_PCAP_H
#define GATEHOUSE_DISCOVERY_DISCOVER_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

#define PCAP_HEAD 24
#define PCAP_RECORD 16
#define PCAP_FRAME_MAX 262144 /* as tcpdump has it */

struct pcap {
	bool little; /* the lowest byte of a number comes first */
	bool nanoseconds;
	uint32_t link; /* 1: Ethernet */
};

struct pcap_record {
	int64_t time; /* wall clock seconds */
	uint32_t size; /* bytes that follow */
	bool cut; /* the frame was longer */
};

/*
 * -EBADMSG: no such file; -EPROTONOSUPPORT: pcapng; -EAFNOSUPPORT: another
 * kind of link than Ethernet, then ret_pcap is set.
 */
_must_check_ int pcap_read_head(
	const uint8_t bytes[static PCAP_HEAD], struct pcap *ret_pcap);
/* -EBADMSG: no frame is that long, so here is no record. */
_must_check_ int pcap_read_record(const struct pcap *pcap,
	const uint8_t bytes[static PCAP_RECORD],
	struct pcap_record *ret_record);

#endif
