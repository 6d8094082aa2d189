/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What some files of /proc and /sys say about the network. All but reading is pure. */
#ifndef GATEHOUSE_CTL_PROCNET_H
#define GATEHOUSE_CTL_PROCNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/net.h"

#define PROCNET_SOCKETS_MAX 1024
#define PROCNET_FDB_MAX 8192

/* A whole file of /proc or /sys, to be freed; at most 1 MB of it. -errno. */
_must_check_ int procnet_read(const char *path, char **ret_text);

/* A socket that takes what comes from outside. */
struct procnet_socket {
	struct ip ip; /* all zero: any */
	uint16_t port;
	bool tcp;
	uint64_t inode;
	char program[16]; /* empty: not found */
};

/*
 * Text of /proc/net/{tcp,tcp6,udp,udp6}: adds what listens, leaving out what
 * is connected and what is malformed. The new number of sockets, at most max.
 */
size_t procnet_parse_sockets(const char *text, bool tcp, bool six,
	struct procnet_socket *list, size_t n, size_t max);
/* Text of /proc/net/route: the interface of the best default route. -ENOENT. */
_must_check_ int procnet_default4(const char *text, char ret_name[static 16]);
/* The same of /proc/net/ipv6_route. */
_must_check_ int procnet_default6(const char *text, char ret_name[static 16]);

/* Who is behind a port of a bridge. */
struct procnet_fdb {
	struct mac mac;
	uint16_t port;
};

/*
 * Bytes of /sys/class/net/BRIDGE/brforward; the bridge's own addresses are
 * left out. How many were written.
 */
size_t procnet_parse_fdb(const uint8_t *bytes, size_t size,
	struct procnet_fdb *ret_list, size_t max);
/* An address that is not one of the world's: RFC 1918 and shared space. */
bool procnet_is_private(const struct ip *ip);

#endif
