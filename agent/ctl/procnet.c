/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the kernel's own tables as text. Touches memory only; must never
 * take a line for something that it does not wholly understand.
 */
#include "agent/ctl/procnet.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX (1u << 20)
#define TCP_LISTENS 0x0a
#define UDP_OPEN 0x07
#define FDB_ENTRY 16 /* struct __fdb_entry: mac, port, local, age, port high */

int procnet_read(const char *path, char **ret_text)
{
	_cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	char *text;
	ssize_t n;

	if (fd < 0)
		return -errno;
	text = calloc(1, FILE_MAX + 1);
	if (!text)
		return -ENOMEM;
	while (size < FILE_MAX &&
		(n = read(fd, text + size, FILE_MAX - size)) > 0)
		size += (size_t)n;
	*ret_text = text;
	return 0;
}

static const char *next_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? end + 1 : text + strlen(text);
}

/* Words of four bytes, each as this machine has them in memory. */
static bool read_address(const char *hex, bool six, struct ip *ret_ip)
{
	size_t words = six ? 4 : 1;

	memset(ret_ip, 0, sizeof(*ret_ip));
	ret_ip->family = six ? AF_INET6 : AF_INET;
	if (strlen(hex) != words * 8)
		return false;
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		if (sscanf(hex + i * 8, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(ret_ip->b + i * 4, &word, 4);
	}
	return true;
}

static bool read_socket(
	const char *line, bool tcp, bool six, struct procnet_socket *ret_socket)
{
	char local[33], remote[33];
	unsigned port, remote_port, state;
	uint64_t inode;

	memset(ret_socket, 0, sizeof(*ret_socket));
	if (sscanf(line,
		    " %*u: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x "
		    "%*x:%*x %*x:%*x %*x %*u %*u %" SCNu64,
		    local, &port, remote, &remote_port, &state, &inode) != 6 ||
		state != (tcp ? TCP_LISTENS : UDP_OPEN) || port == 0 ||
		!read_address(local, six, &ret_socket->ip))
		return false;
	ret_socket->port = (uint16_t)port;
	ret_socket->tcp = tcp;
	ret_socket->inode = inode;
	return true;
}

size_t procnet_parse_sockets(const char *text, bool tcp, bool six,
	struct procnet_socket *list, size_t n, size_t max)
{
	for (; *text && n < max; text = next_line(text))
		if (read_socket(text, tcp, six, &list[n]))
			n++;
	return n;
}

int procnet_default4(const char *text, char ret_name[static 16])
{
	unsigned best = 0;
	bool found = false;

	for (; *text; text = next_line(text)) {
		unsigned target, flags, metric, mask;
		char name[16];

		if (sscanf(text, "%15s %x %*x %x %*u %*u %u %x", name, &target,
			    &flags, &metric, &mask) != 5 ||
			target || mask || !(flags & RTF_UP) ||
			(flags & RTF_REJECT) || (found && metric >= best))
			continue;
		found = true;
		best = metric;
		memcpy(ret_name, name, sizeof(name));
	}
	return found ? 0 : -ENOENT;
}

int procnet_default6(const char *text, char ret_name[static 16])
{
	unsigned best = 0;
	bool found = false;

	for (; *text; text = next_line(text)) {
		unsigned length, metric, flags;
		char target[33], name[16];

		if (sscanf(text,
			    "%32[0-9a-f] %x %*32[0-9a-f] %*x %*32[0-9a-f] %x "
			    "%*x %*x %x %15s",
			    target, &length, &metric, &flags, name) != 5 ||
			length || strspn(target, "0") != 32 ||
			!(flags & RTF_UP) || (flags & RTF_REJECT) ||
			!strcmp(name, "lo") || (found && metric >= best))
			continue;
		found = true;
		best = metric;
		memset(ret_name, 0, 16);
		memcpy(ret_name, name, strlen(name));
	}
	return found ? 0 : -ENOENT;
}

size_t procnet_parse_fdb(const uint8_t *bytes, size_t size,
	struct procnet_fdb *ret_list, size_t max)
{
	size_t n = 0;

	for (; size >= FDB_ENTRY && n < max;
		bytes += FDB_ENTRY, size -= FDB_ENTRY) {
		if (bytes[7]) /* the bridge's own */
			continue;
		memcpy(ret_list[n].mac.b, bytes, 6);
		ret_list[n++].port = (uint16_t)(bytes[6] | bytes[12] << 8);
	}
	return n;
}

bool procnet_is_private(const struct ip *ip)
{
	const uint8_t *b = ip->b;

	if (ip->family != AF_INET)
		return false;
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
	       (b[0] == 192 && b[1] == 168) ||
	       (b[0] == 100 && (b[1] & 0xc0) == 64);
}
