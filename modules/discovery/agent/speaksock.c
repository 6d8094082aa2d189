/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens the sockets from which is reflected. Runs as root in the agent; must
 * never hand over one that hears anything: its filter drops everything and
 * cannot be taken off.
 */
#include "modules/discovery/agent/speaksock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define HOPS_MDNS 255 /* as RFC 6762 says */
#define HOPS_SSDP 2 /* as UPnP says */

static int set(int fd, int level, int option, const void *value, size_t size)
{
	return setsockopt(fd, level, option, value, (socklen_t)size) < 0
		       ? -errno
		       : 0;
}

static int set_int(int fd, int level, int option, int value)
{
	return set(fd, level, option, &value, sizeof(value));
}

static int make_deaf(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {1, &nothing};
	int r = set(
		fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));

	return r < 0 ? r : set_int(fd, SOL_SOCKET, SO_LOCK_FILTER, 1);
}

static int set_up4(int fd, const struct discovery_channel *c, uint32_t index)
{
	bool mdns = c->protocol == DISCOVERY_PROTOCOL_MDNS;
	struct ip_mreqn group = {.imr_ifindex = (int)index};
	struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_port = htons(c->own_port)};
	int r;

	if (c->protocol == DISCOVERY_PROTOCOL_UDP) {
		r = set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
	} else {
		inet_pton(AF_INET, mdns ? "224.0.0.251" : "239.255.255.250",
			&group.imr_multiaddr);
		r = set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group,
			sizeof(group));
	}
	if (r == 0)
		r = set(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group));
	if (r == 0)
		r = set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	if (r == 0)
		r = set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL,
			mdns ? HOPS_MDNS : HOPS_SSDP);
	if (r == 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		r = -errno;
	return r;
}

static int set_up6(int fd, const struct discovery_channel *c, uint32_t index)
{
	bool mdns = c->protocol == DISCOVERY_PROTOCOL_MDNS;
	struct ipv6_mreq group = {.ipv6mr_interface = index};
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6, .sin6_port = htons(c->own_port)};
	int r = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);

	inet_pton(AF_INET6, mdns ? "ff02::fb" : "ff02::c",
		&group.ipv6mr_multiaddr);
	if (r == 0)
		r = set(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group,
			sizeof(group));
	if (r == 0)
		r = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)index);
	if (r == 0)
		r = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
	if (r == 0)
		r = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS,
			mdns ? HOPS_MDNS : HOPS_SSDP);
	if (r == 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		r = -errno;
	return r;
}

int speaksock_open(const struct discovery_channel *channel,
	const char *interface, uint32_t index, bool six, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r;

	if (six && channel->protocol == DISCOVERY_PROTOCOL_UDP)
		return -EAFNOSUPPORT;
	fd = socket(six ? AF_INET6 : AF_INET,
		SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = make_deaf(fd);
	if (r == 0)
		r = set(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
			strnlen(interface, IFNAMSIZ - 1));
	/* Others on this machine may speak there, too. */
	if (r == 0)
		r = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0)
		r = six ? set_up6(fd, channel, index)
			: set_up4(fd, channel, index);
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}
