/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the messages of NFLOG apart. Touches memory only; must never look
 * behind the size it was given, whatever lengths the message says.
 */
#include "modules/discovery/nflog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <string.h>

#include "modules/isolation/isolation_proto.h"

#define PACKET (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET)

static const char *const prefixes[] = {
	[DISCOVERY_REASON_DENIED] = ISOLATION_LOG_DENIED,
	[DISCOVERY_REASON_QUARANTINED] = ISOLATION_LOG_QUARANTINED,
	[DISCOVERY_REASON_BRIDGED] = ISOLATION_LOG_BRIDGED,
};

static bool is_prefix(const uint8_t *text, size_t length, const char *prefix)
{
	return length > strlen(prefix) &&
	       !memcmp(text, prefix, strlen(prefix) + 1);
}

static uint8_t reason_of(const uint8_t *text, size_t length)
{
	for (size_t i = 1; i < ARRAY_SIZE(prefixes); i++)
		if (is_prefix(text, length, prefixes[i]))
			return (uint8_t)i;
	return 0;
}

static void take_mac(
	struct nflog_record *record, const uint8_t *at, size_t length)
{
	struct nfulnl_msg_packet_hw hw;

	if (length < sizeof(hw))
		return;
	memcpy(&hw, at, sizeof(hw));
	if (ntohs(hw.hw_addrlen) == sizeof(record->mac))
		memcpy(&record->mac, hw.hw_addr, sizeof(record->mac));
}

static void take(struct nflog_record *record, uint16_t type, const uint8_t *at,
	size_t length)
{
	struct nfulnl_msg_packet_hdr head;
	uint32_t number;

	switch (type) {
	case NFULA_PACKET_HDR:
		if (length < sizeof(head))
			return;
		memcpy(&head, at, sizeof(head));
		record->ethertype = ntohs(head.hw_protocol);
		break;
	case NFULA_HWADDR:
		take_mac(record, at, length);
		break;
	case NFULA_IFINDEX_INDEV:
		if (length < sizeof(number))
			return;
		memcpy(&number, at, sizeof(number));
		record->index = ntohl(number);
		break;
	case NFULA_PREFIX:
		record->heard = is_prefix(at, length, ISOLATION_LOG_HEARD);
		record->reason = reason_of(at, length);
		break;
	case NFULA_SEQ:
		if (length < sizeof(number))
			return;
		memcpy(&number, at, sizeof(number));
		record->seq = ntohl(number);
		record->counted = true;
		break;
	case NFULA_PAYLOAD:
		record->payload = at;
		record->length = length;
		break;
	}
}

static int take_all(struct nflog_record *record, const uint8_t *at, size_t left)
{
	while (left >= NLA_HDRLEN) {
		struct nlattr attr;
		size_t step;

		memcpy(&attr, at, sizeof(attr));
		if (attr.nla_len < NLA_HDRLEN || attr.nla_len > left)
			return -EBADMSG;
		take(record, attr.nla_type & NLA_TYPE_MASK, at + NLA_HDRLEN,
			attr.nla_len - (size_t)NLA_HDRLEN);
		step = NLA_ALIGN(attr.nla_len);
		if (step > left)
			step = left;
		at += step;
		left -= step;
	}
	return 0;
}

int nflog_next(const void *bytes, size_t size, size_t *offset,
	struct nflog_record *ret_record)
{
	const size_t fixed = NLMSG_HDRLEN +
			     NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const uint8_t *all = bytes;
	struct nlmsghdr m;

	for (; *offset < size; *offset += NLMSG_ALIGN(m.nlmsg_len)) {
		const uint8_t *at = all + *offset;
		struct nflog_record record = {0};
		size_t left = size - *offset;
		int r;

		if (left < sizeof(m))
			return -EBADMSG;
		memcpy(&m, at, sizeof(m));
		if (m.nlmsg_len < sizeof(m) || m.nlmsg_len > left)
			return -EBADMSG;
		if (m.nlmsg_type != PACKET)
			continue;
		if (m.nlmsg_len < fixed)
			return -EBADMSG;
		r = take_all(&record, at + fixed, m.nlmsg_len - fixed);
		if (r < 0)
			return r;
		*offset += NLMSG_ALIGN(m.nlmsg_len);
		*ret_record = record;
		return 1;
	}
	return 0;
}
