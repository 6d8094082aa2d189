/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads who is logged in. Reads utmp only; must never count somebody who is
 * still at the password prompt, nor an address that is no host's.
 */
#include "modules/isolation/agent/logins.h"

#include <string.h>
#include <utmpx.h>

static bool mapped(const uint8_t b[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(b, prefix, sizeof(prefix));
}

/* utmp keeps IPv4 in the first word, and zeros behind it. */
static bool read_address(const struct utmpx *entry, struct ip *ret_ip)
{
	static const uint8_t zero[16];
	uint8_t b[16];

	memcpy(b, entry->ut_addr_v6, sizeof(b));
	memset(ret_ip, 0, sizeof(*ret_ip));
	if (!memcmp(b, zero, sizeof(zero)))
		return false;
	if (mapped(b)) {
		ret_ip->family = AF_INET;
		memcpy(ret_ip->b, b + 12, 4);
	} else if (!memcmp(b + 4, zero, 12)) {
		ret_ip->family = AF_INET;
		memcpy(ret_ip->b, b, 4);
	} else {
		ret_ip->family = AF_INET6;
		memcpy(ret_ip->b, b, 16);
	}
	return true;
}

/* Of one host on a network; loopback needs no exception. */
static bool is_host(const struct ip *ip)
{
	static const struct ip loopback6 = {AF_INET6, {[15] = 1}};

	if (ip->family == AF_INET)
		return ip->b[0] != 0 && ip->b[0] != 127 && ip->b[0] < 224;
	return ip->b[0] != 0xff && !ip_equal(ip, &loopback6);
}

size_t logins_add(
	const struct utmpx *entry, struct ip *list, size_t n, size_t most)
{
	struct ip ip;

	if (entry->ut_type != USER_PROCESS || !entry->ut_user[0])
		return n;
	if (n >= most || !read_address(entry, &ip) || !is_host(&ip))
		return n;
	for (size_t i = 0; i < n; i++)
		if (ip_equal(&list[i], &ip))
			return n;
	list[n] = ip;
	return n + 1;
}

size_t logins_read(struct ip *ret_list, size_t most)
{
	const struct utmpx *entry;
	size_t n = 0;

	setutxent();
	while ((entry = getutxent()) != NULL)
		n = logins_add(entry, ret_list, n, most);
	endutxent();
	return n;
}
