/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens a packet socket for the worker. Runs as root in the agent; the filter
 * is on and locked before the socket belongs to an interface, so that no
 * frame ever comes through without it. Must never read from the socket.
 */
#include "modules/discovery/agent/earsock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>

#include "modules/discovery/decode/lldp.h"

#define FRAME_MOST 0x40000 /* bytes; no frame has more */
#define TYPE_AT 12
#define IP_AT 14
#define IP6_LOAD_AT (IP_AT + 40)
#define FRAGMENT 0x3fff
#define MDNS 5353
#define SSDP 1900
#define DHCP 67
#define DHCP6 547
#define ND_FIRST 133
#define ND_LAST 136

/* What it is about; each test that fails lets the frame go. */
#define LOAD(size, at) BPF_STMT(BPF_LD | (size) | BPF_ABS, (at))
#define LOAD_BEHIND(at) BPF_STMT(BPF_LD | BPF_H | BPF_IND, (at))
#define NEEDS(test, value) BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), 1, 0), GO
#define SKIP_UNLESS(value, n) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))
#define GO_IF(test, value) BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), 0, 1), GO
#define TAKE_IF(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), TAKE
#define TAKE BPF_STMT(BPF_RET | BPF_K, FRAME_MOST)
#define GO BPF_STMT(BPF_RET | BPF_K, 0)

static struct sock_filter program[] = {
	/* To another card, or sent by this host. */
	LOAD(BPF_B, SKF_AD_OFF + SKF_AD_PKTTYPE),
	GO_IF(BPF_JGE, PACKET_OTHERHOST),
	LOAD(BPF_B, SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT),
	GO_IF(BPF_JGT, 0),
	LOAD(BPF_H, TYPE_AT),
	TAKE_IF(ETH_P_ARP),
	TAKE_IF(LLDP_ETHERTYPE),
	SKIP_UNLESS(ETH_P_IP, 16),
	LOAD(BPF_B, IP_AT + 9),
	NEEDS(BPF_JEQ, IPPROTO_UDP),
	LOAD(BPF_H, IP_AT + 6),
	GO_IF(BPF_JSET, FRAGMENT),
	BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, IP_AT),
	LOAD_BEHIND(IP_AT),
	TAKE_IF(MDNS),
	LOAD_BEHIND(IP_AT + 2),
	TAKE_IF(DHCP),
	TAKE_IF(SSDP),
	GO,
	NEEDS(BPF_JEQ, ETH_P_IPV6),
	LOAD(BPF_B, IP_AT + 6),
	SKIP_UNLESS(IPPROTO_ICMPV6, 6),
	LOAD(BPF_B, IP6_LOAD_AT),
	NEEDS(BPF_JGE, ND_FIRST),
	GO_IF(BPF_JGT, ND_LAST),
	TAKE,
	NEEDS(BPF_JEQ, IPPROTO_UDP),
	LOAD(BPF_H, IP6_LOAD_AT),
	TAKE_IF(MDNS),
	LOAD(BPF_H, IP6_LOAD_AT + 2),
	TAKE_IF(DHCP6),
	TAKE_IF(SSDP),
	GO,
};

static int set(int fd, int level, int name, const void *value, socklen_t size)
{
	return setsockopt(fd, level, name, value, size) < 0 ? -errno : 0;
}

/* The card lets these in; nobody is told that we listen. */
static void join(int fd, uint32_t index)
{
	static const uint8_t groups[][6] = {
		{0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb}, /* mDNS */
		{0x33, 0x33, 0x00, 0x00, 0x00, 0xfb},
		{0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa}, /* SSDP */
		{0x33, 0x33, 0x00, 0x00, 0x00, 0x0c},
		{0x33, 0x33, 0x00, 0x01, 0x00, 0x02}, /* DHCPv6 */
		{0x33, 0x33, 0x00, 0x00, 0x00, 0x02}, /* routers */
		{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e}, /* LLDP */
	};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		struct packet_mreq group = {.mr_ifindex = (int)index,
			.mr_type = PACKET_MR_MULTICAST,
			.mr_alen = sizeof(groups[i])};

		memcpy(group.mr_address, groups[i], sizeof(groups[i]));
		/* Without it less is heard. */
		(void)set(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group,
			sizeof(group));
	}
}

int earsock_open(uint32_t index, int *ret_fd)
{
	/* Protocol 0: deaf, until it is bound. */
	_cleanup_(cleanup_close) int fd = socket(
		AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const struct sock_fprog filter = {ARRAY_SIZE(program), program};
	struct sockaddr_ll here = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)index};
	int size = EARSOCK_BUFFER, yes = 1, r;

	if (fd < 0)
		return -errno;
	r = set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
	if (r == 0)
		r = set(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof(yes));
	if (r == 0)
		r = set(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (r == 0 && bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0)
		r = -errno;
	if (r < 0)
		return r;
	join(fd, index);
	*ret_fd = steal_fd(&fd);
	return 0;
}
