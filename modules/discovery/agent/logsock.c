/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binds a group of NFLOG. Runs as root in the agent: speaks to the kernel
 * only, and must never read a packet from the socket that it hands over.
 */
#include "modules/discovery/agent/logsock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#define CONFIG (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG)
#define READS_MAX 64 /* packets may come before the answer does */

/* One request; the answer's error is the same in every byte order. */
struct request {
	struct nlmsghdr head;
	struct nfgenmsg about;
	uint8_t attrs[64];
	size_t used;
};

static void add(
	struct request *request, uint16_t type, const void *data, uint16_t size)
{
	struct nlattr attr = {
		.nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + size)};
	uint8_t *at = request->attrs + request->used;

	memcpy(at, &attr, sizeof(attr));
	memcpy(at + NLA_HDRLEN, data, size);
	request->used += NLA_ALIGN(attr.nla_len);
}

static int read_answer(int fd, uint32_t seq)
{
	uint8_t bytes[8192];

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		struct nlmsghdr m;
		struct nlmsgerr e;

		if (n < 0)
			return -errno;
		if ((size_t)n < sizeof(m) + sizeof(e))
			continue;
		memcpy(&m, bytes, sizeof(m));
		memcpy(&e, bytes + sizeof(m), sizeof(e));
		if (m.nlmsg_type == NLMSG_ERROR && m.nlmsg_seq == seq)
			return e.error;
	}
	return -EIO;
}

/* The kernel has answered when sending returns. */
static int ask(int fd, struct request *request, uint16_t group, uint32_t seq)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	request->head.nlmsg_len = (uint32_t)(NLMSG_HDRLEN +
					     sizeof(request->about) +
					     request->used);
	request->head.nlmsg_type = CONFIG;
	request->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request->head.nlmsg_seq = seq;
	request->about.version = NFNETLINK_V0;
	request->about.res_id = htons(group);
	if (sendto(fd, request, request->head.nlmsg_len, 0,
		    (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return read_answer(fd, seq);
}

static int bind_group(int fd, uint16_t group)
{
	struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	struct request request = {0};

	add(&request, NFULA_CFG_CMD, &bind, sizeof(bind));
	return ask(fd, &request, group, 1);
}

/* Each packet at once, cut, and numbered so that a lost one is noticed. */
static int set_up(int fd, uint16_t group, uint32_t snaplen)
{
	struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(snaplen), .copy_mode = NFULNL_COPY_PACKET};
	uint32_t threshold = htonl(1), timeout = htonl(1);
	uint16_t flags = htons(NFULNL_CFG_F_SEQ);
	struct request request = {0};

	add(&request, NFULA_CFG_MODE, &mode, sizeof(mode));
	add(&request, NFULA_CFG_QTHRESH, &threshold, sizeof(threshold));
	add(&request, NFULA_CFG_TIMEOUT, &timeout, sizeof(timeout));
	add(&request, NFULA_CFG_FLAGS, &flags, sizeof(flags));
	return ask(fd, &request, group, 2);
}

int logsock_open(uint16_t group, uint32_t snaplen, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd = socket(AF_NETLINK,
		SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	int size = LOGSOCK_BUFFER, r;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(
			fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	r = bind_group(fd, group);
	if (r == 0)
		r = set_up(fd, group, snaplen);
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}
