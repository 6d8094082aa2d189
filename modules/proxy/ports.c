/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets for redirected connections. They take connections of both families
 * on any address, because a redirect goes to whichever address the interface
 * has; the rules and the worker refuse whoever dials them directly.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/lib/net.h"
#include "modules/proxy/ports.h"

static int bind_both(int fd, uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_ANY_INIT};
	int off = 0;

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
		bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	return 0;
}

static int bind_ipv4(int fd, uint16_t port)
{
	struct sockaddr_in any = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_ANY)};

	return bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ? -errno : 0;
}

/* -EAFNOSUPPORT when the kernel has not got the family. */
static int open_family(int family, uint16_t port, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd = socket(
		family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	r = family == AF_INET6 ? bind_both(fd, port) : bind_ipv4(fd, port);
	if (r == 0 && listen(fd, PORTS_BACKLOG) < 0)
		r = -errno;
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

/* A bound socket without listen() answers every SYN with a reset. */
int ports_deaf(struct ports *ports, uint16_t *ret_port)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct sockaddr_storage sa;
	socklen_t size = sizeof(sa);
	struct ip any;
	int r = -EAFNOSUPPORT;

	if (ports->deaf == 0) {
		fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0)
			r = bind_both(fd, 0);
		if (fd < 0) {
			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
			r = fd < 0 ? -errno : bind_ipv4(fd, 0);
		}
		if (r < 0)
			return r;
		if (getsockname(fd, (struct sockaddr *)&sa, &size) < 0)
			return -errno;
		r = ip_from_sockaddr(
			(struct sockaddr *)&sa, &any, &ports->deaf);
		if (r < 0)
			return r;
		steal_fd(&fd); /* as long as the agent lives */
	}
	*ret_port = ports->deaf;
	return 0;
}

bool ports_is_open(const struct ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->n; i++)
		if (ports->open[i].port == port)
			return true;
	return false;
}

int ports_open(struct ports *ports, uint16_t port, int *ret_fd)
{
	int fd, r;

	for (size_t i = 0; i < ports->n; i++)
		if (ports->open[i].port == port) {
			*ret_fd = ports->open[i].fd;
			return 0;
		}
	if (ports->n == ARRAY_SIZE(ports->open))
		return -ENFILE;
	r = open_family(AF_INET6, port, &fd);
	if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
		r = open_family(AF_INET, port, &fd);
	if (r < 0)
		return r;
	ports->open[ports->n].port = port;
	ports->open[ports->n].in_force = false;
	ports->open[ports->n++].fd = fd;
	*ret_fd = fd;
	return 0;
}

static bool is_among(uint16_t port, uint16_t first, size_t n)
{
	return port >= first && (size_t)(port - first) < n;
}

void ports_begin(struct ports *ports, uint16_t first, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < ports->n; i++) {
		if (ports->open[i].in_force ||
			is_among(ports->open[i].port, first, n))
			ports->open[kept++] = ports->open[i];
		else
			close(ports->open[i].fd);
	}
	ports->n = kept;
}

void ports_keep(struct ports *ports, uint16_t first, size_t n)
{
	for (size_t i = 0; i < ports->n; i++)
		ports->open[i].in_force = is_among(
			ports->open[i].port, first, n);
	ports_begin(ports, first, n);
}
