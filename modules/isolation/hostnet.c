/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and writes settings of the network, and the entries by which this
 * host answers neighbour discovery for others. May touch settings that
 * ledger.h lists and proxy entries only; must never follow a link.
 */
#include "modules/isolation/hostnet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/isolation/ledger.h"

static int open_setting(const char *path, int flags)
{
	char full[LEDGER_PATH + 16];
	int fd;

	if (!ledger_is_setting(path))
		return -EINVAL;
	snprintf(full, sizeof(full), "/proc/sys/net/%s", path);
	fd = open(full, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int hostnet_read(const char *path, int32_t *ret_value)
{
	_cleanup_(cleanup_close) int fd = open_setting(path, O_RDONLY);
	char text[16] = "", *end;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	long value;

	if (fd < 0)
		return fd;
	if (n <= 0)
		return n < 0 ? -errno : -EIO;
	value = strtol(text, &end, 10);
	if (end == text || value < 0 || value > INT32_MAX)
		return -ERANGE;
	*ret_value = (int32_t)value;
	return 0;
}

int hostnet_write(const char *path, int32_t value)
{
	_cleanup_(cleanup_close) int fd = open_setting(path, O_WRONLY);
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", value);

	if (fd < 0)
		return fd;
	return write(fd, text, (size_t)n) == n ? 0 : -errno;
}

struct wish {
	struct nlmsghdr head;
	struct ndmsg neighbour;
	struct rtattr attribute;
	uint8_t address[16];
};

static int open_netlink(void)
{
	const struct timeval patience = {.tv_sec = 2};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			sizeof(patience));
	return fd < 0 ? -errno : fd;
}

/* An acknowledgement, or the entry that was asked for. */
static int ask(struct wish *wish)
{
	_cleanup_(cleanup_close) int fd = open_netlink();
	union {
		struct nlmsghdr head;
		char bytes[8192];
	} answer;
	const struct nlmsgerr *error = NLMSG_DATA(&answer.head);
	ssize_t n;

	if (fd < 0)
		return fd;
	if (send(fd, wish, sizeof(*wish), 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if (n < (ssize_t)sizeof(answer.head))
		return -EIO;
	if (answer.head.nlmsg_type == RTM_NEWNEIGH)
		return 0;
	if (answer.head.nlmsg_type != NLMSG_ERROR ||
		n < (ssize_t)NLMSG_LENGTH(sizeof(*error)))
		return -EIO;
	return error->error;
}

static int proxy(
	uint16_t type, uint16_t flags, int32_t index, const struct ip *ip)
{
	struct wish wish = {
		.head = {.nlmsg_len = sizeof(wish),
			.nlmsg_type = type,
			.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
			.nlmsg_seq = 1},
		.neighbour = {.ndm_family = AF_INET6,
			.ndm_ifindex = index,
			.ndm_flags = NTF_PROXY},
		.attribute = {RTA_LENGTH(sizeof(wish.address)), NDA_DST},
	};

	if (ip->family != AF_INET6 || index <= 0)
		return -EINVAL;
	if (type != RTM_GETNEIGH)
		wish.neighbour.ndm_state = NUD_PERMANENT;
	memcpy(wish.address, ip->b, sizeof(wish.address));
	return ask(&wish);
}

int hostnet_proxies(int32_t index, const struct ip *ip)
{
	int r = proxy(RTM_GETNEIGH, 0, index, ip);

	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int hostnet_proxy(int32_t index, const struct ip *ip)
{
	return proxy(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
		index, ip);
}

int hostnet_unproxy(int32_t index, const struct ip *ip)
{
	return proxy(RTM_DELNEIGH, NLM_F_ACK, index, ip);
}
