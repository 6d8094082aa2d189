/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the datagram in a packet: hostile bytes. Touches memory only; must
 * never take more for the datagram than the packet holds.
 */
#include "modules/discovery/datagram.h"

#include <errno.h>
#include <string.h>

#define IP4_HEAD 20
#define IP4_FRAGMENT 0x3fff /* offset, and more to come */
#define IP6_HEAD 40
#define UDP_HEAD 8

static size_t be16(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

/* Options and extension headers are for others. */
static int find4(const uint8_t *p, size_t size, struct datagram *d)
{
	if (size < IP4_HEAD || p[0] != 0x45 || p[9] != IPPROTO_UDP ||
		(be16(p + 6) & IP4_FRAGMENT))
		return -EBADMSG;
	d->from.family = d->to.family = AF_INET;
	memcpy(d->from.b, p + 12, 4);
	memcpy(d->to.b, p + 16, 4);
	return IP4_HEAD;
}

static int find6(const uint8_t *p, size_t size, struct datagram *d)
{
	if (size < IP6_HEAD || p[0] >> 4 != 6 || p[6] != IPPROTO_UDP)
		return -EBADMSG;
	d->from.family = d->to.family = AF_INET6;
	memcpy(d->from.b, p + 8, 16);
	memcpy(d->to.b, p + 24, 16);
	return IP6_HEAD;
}

int datagram_decode(
	const uint8_t *bytes, size_t size, struct datagram *ret_datagram)
{
	struct datagram d = {0};
	const uint8_t *udp;
	size_t length;
	int head;

	if (!size)
		return -EBADMSG;
	head = bytes[0] >> 4 == 4 ? find4(bytes, size, &d)
				  : find6(bytes, size, &d);
	if (head < 0 || size - (size_t)head < UDP_HEAD)
		return -EBADMSG;
	udp = bytes + head;
	length = be16(udp + 4);
	if (length < UDP_HEAD || length > size - (size_t)head)
		return -EBADMSG;
	d.from_port = (uint16_t)be16(udp);
	d.to_port = (uint16_t)be16(udp + 2);
	d.bytes = udp + UDP_HEAD;
	d.size = length - UDP_HEAD;
	*ret_datagram = d;
	return 0;
}

/* 255.255.255.255 too; of a subnet's own broadcast nobody here knows. */
bool datagram_to_many(const struct datagram *datagram)
{
	if (datagram->to.family == AF_INET6)
		return datagram->to.b[0] == 0xff;
	return datagram->to.b[0] >= 224;
}
