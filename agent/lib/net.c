/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Link and network addresses: text to bytes and back. Pure. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/net.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int mac_parse(const char *text, struct mac *ret_mac)
{
	static const struct mac zero;
	struct mac mac;
	char separator = 0;

	if (strlen(text) != MAC_TEXT - 1)
		return -EINVAL;
	separator = text[2];
	if (separator != ':' && separator != '-')
		return -EINVAL;
	for (size_t i = 0; i < 6; i++) {
		int high = hex_digit(text[3 * i]);
		int low = hex_digit(text[3 * i + 1]);

		if (high < 0 || low < 0 ||
			(i < 5 && text[3 * i + 2] != separator))
			return -EINVAL;
		mac.b[i] = (uint8_t)(high << 4 | low);
	}
	if ((mac.b[0] & 1) || mac_equal(&mac, &zero))
		return -EINVAL;
	*ret_mac = mac;
	return 0;
}

const char *mac_format(const struct mac *mac, char text[static MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac->b[0],
		mac->b[1], mac->b[2], mac->b[3], mac->b[4], mac->b[5]);
	return text;
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool mac_is_zero(const struct mac *mac)
{
	static const struct mac zero;

	return mac_equal(mac, &zero);
}

uint32_t mac_hash(const struct mac *mac)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < sizeof(mac->b); i++)
		hash = (hash ^ mac->b[i]) * 16777619u;
	return hash ^ hash >> 16;
}

int ip_parse(const char *text, struct ip *ret_ip)
{
	struct ip ip = {.family = AF_INET};

	if (inet_pton(AF_INET, text, ip.b) != 1) {
		ip.family = AF_INET6;
		if (inet_pton(AF_INET6, text, ip.b) != 1)
			return -EINVAL;
	}
	*ret_ip = ip;
	return 0;
}

static bool host_bits_zero(const struct ip *ip, unsigned length)
{
	for (unsigned bit = length; bit < ip_bits(ip); bit++) {
		if (ip->b[bit / 8] & (0x80 >> bit % 8))
			return false;
	}
	return true;
}

int ip_parse_prefix(const char *text, struct ip *ret_ip, uint8_t *ret_length)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT];
	unsigned length = 0;
	struct ip ip;

	if (!slash) {
		if (ip_parse(text, &ip) < 0)
			return -EINVAL;
		*ret_ip = ip;
		*ret_length = ip_bits(&ip);
		return 0;
	}
	if ((size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, slash - text);
	address[slash - text] = 0;
	if (ip_parse(address, &ip) < 0 || !slash[1] || strlen(slash + 1) > 3)
		return -EINVAL;
	for (const char *p = slash + 1; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		length = length * 10 + (*p - '0');
	}
	if (length > ip_bits(&ip) || !host_bits_zero(&ip, length))
		return -EINVAL;
	*ret_ip = ip;
	*ret_length = (uint8_t)length;
	return 0;
}

const char *ip_format(const struct ip *ip, char text[static IP_TEXT])
{
	if (!inet_ntop(ip->family, ip->b, text, IP_TEXT))
		snprintf(text, IP_TEXT, "any");
	return text;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family &&
	       memcmp(a->b, b->b, ip_bits(a) / 8) == 0;
}

bool ip_is_link_local(const struct ip *ip)
{
	if (ip->family == AF_INET)
		return ip->b[0] == 169 && ip->b[1] == 254;
	return ip->b[0] == 0xfe && (ip->b[1] & 0xc0) == 0x80;
}

uint8_t ip_bits(const struct ip *ip)
{
	return ip->family == AF_INET6 ? 128 : 32;
}

int ip_from_sockaddr(
	const struct sockaddr *sa, struct ip *ret_ip, uint16_t *ret_port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	struct ip ip = {.family = AF_INET};

	if (sa->sa_family == AF_INET) {
		memcpy(ip.b, &in->sin_addr, 4);
		*ret_port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			memcpy(ip.b, in6->sin6_addr.s6_addr + 12, 4);
		} else {
			ip.family = AF_INET6;
			memcpy(ip.b, &in6->sin6_addr, 16);
		}
		*ret_port = ntohs(in6->sin6_port);
	} else {
		return -EAFNOSUPPORT;
	}
	*ret_ip = ip;
	return 0;
}

socklen_t ip_to_sockaddr(
	const struct ip *ip, uint16_t port, struct sockaddr_storage *ret_sa)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret_sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_sa;

	memset(ret_sa, 0, sizeof(*ret_sa));
	if (ip->family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, ip->b, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, ip->b, 16);
	return sizeof(*in6);
}
