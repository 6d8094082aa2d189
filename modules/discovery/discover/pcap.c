/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the heads of a capture file and of its records: bytes of unknown
 * origin. Touches memory only; must never let a size through that the
 * reader has no room for.
 */
#include "modules/discovery/discover/pcap.h"

#include <errno.h>

#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO 0xa1b23c4du
#define MAGIC_NG 0x0a0d0d0au /* the same from both ends */
#define FORMAT_MAJOR 2
#define LINK_ETHERNET 1
#define LINK_MASK 0x0fffffffu /* above: length of the frames' checksums */

static uint32_t read32(const uint8_t *at, bool little)
{
	return little ? (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 |
				(uint32_t)at[1] << 8 | at[0]
		      : (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
				(uint32_t)at[2] << 8 | at[3];
}

static bool is_magic(uint32_t number)
{
	return number == MAGIC_MICRO || number == MAGIC_NANO;
}

int pcap_read_head(const uint8_t bytes[static PCAP_HEAD], struct pcap *ret_pcap)
{
	struct pcap pcap = {0};
	uint32_t version;

	if (read32(bytes, false) == MAGIC_NG)
		return -EPROTONOSUPPORT;
	pcap.little = is_magic(read32(bytes, true));
	if (!is_magic(read32(bytes, pcap.little)))
		return -EBADMSG;
	pcap.nanoseconds = read32(bytes, pcap.little) == MAGIC_NANO;
	version = read32(bytes + 4, pcap.little);
	if ((pcap.little ? version & 0xffff : version >> 16) != FORMAT_MAJOR)
		return -EBADMSG;
	pcap.link = read32(bytes + 20, pcap.little) & LINK_MASK;
	*ret_pcap = pcap;
	return pcap.link == LINK_ETHERNET ? 0 : -EAFNOSUPPORT;
}

int pcap_read_record(const struct pcap *pcap,
	const uint8_t bytes[static PCAP_RECORD], struct pcap_record *ret_record)
{
	struct pcap_record record = {
		.time = read32(bytes, pcap->little),
		.size = read32(bytes + 8, pcap->little),
	};
	uint32_t part = read32(bytes + 4, pcap->little);

	if (record.size > PCAP_FRAME_MAX ||
		part >= (pcap->nanoseconds ? 1000000000u : 1000000u))
		return -EBADMSG;
	record.cut = read32(bytes + 12, pcap->little) > record.size;
	*ret_record = record;
	return 0;
}
