/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the kernel's NAT for the destination a device dialled. What was never
 * redirected has none: connection tracking then answers with our own address,
 * and without tracking it does not answer at all.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "modules/proxy/origin.h"

#define ORIGINAL_DST 80 /* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST */

static bool is_remote4(const uint8_t b[4])
{
	return b[0] != 0 && b[0] != 127 && b[0] < 224;
}

static bool is_remote6(const uint8_t b[16])
{
	static const uint8_t zero[12];
	bool link_local = b[0] == 0xfe && (b[1] & 0xc0) == 0x80;

	/* ::, ::1 and the old IPv4-compatible block; mapped comes as IPv4. */
	return memcmp(b, zero, sizeof(zero)) != 0 && b[0] != 0xff &&
	       !link_local;
}

bool origin_is_remote(const struct ip *ip)
{
	return ip->family == AF_INET ? is_remote4(ip->b) : is_remote6(ip->b);
}

static int ask_nat(
	int fd, uint16_t family, struct ip *ret_ip, uint16_t *ret_port)
{
	struct sockaddr_storage sa = {0};
	socklen_t size = sizeof(sa);

	if (getsockopt(fd, family == AF_INET ? SOL_IP : SOL_IPV6, ORIGINAL_DST,
		    &sa, &size) < 0)
		return -ENOENT;
	return ip_from_sockaddr((struct sockaddr *)&sa, ret_ip, ret_port);
}

int origin_find(int fd, struct ip *ret_ip, uint16_t *ret_port)
{
	struct sockaddr_storage sa = {0};
	socklen_t size = sizeof(sa);
	struct ip own, target;
	uint16_t own_port, port;
	int r;

	if (getsockname(fd, (struct sockaddr *)&sa, &size) < 0)
		return -errno;
	r = ip_from_sockaddr((struct sockaddr *)&sa, &own, &own_port);
	if (r == 0)
		r = ask_nat(fd, own.family, &target, &port);
	if (r < 0)
		return r;
	if (ip_equal(&own, &target))
		return port == own_port ? -ENOENT : -EADDRNOTAVAIL;
	if (!origin_is_remote(&target))
		return -EADDRNOTAVAIL;
	*ret_ip = target;
	*ret_port = port;
	return 0;
}
