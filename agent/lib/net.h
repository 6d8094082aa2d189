/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Link and network addresses as fixed-size values. */
#ifndef GATEHOUSE_NET_H
#define GATEHOUSE_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "agent/lib/cleanup.h"

struct mac {
	uint8_t b[6];
};

/* An IPv4 or IPv6 address in network order; family is AF_INET or AF_INET6. */
struct ip {
	uint16_t family;
	uint8_t b[16]; /* IPv4 uses the first four, the rest is zero */
};

#define MAC_TEXT 18
#define IP_TEXT 46

/* "aa:bb:cc:dd:ee:ff" (or with dashes), unicast and not zero; -EINVAL. */
_must_check_ int mac_parse(const char *text, struct mac *ret_mac);
const char *mac_format(const struct mac *mac, char text[static MAC_TEXT]);
bool mac_equal(const struct mac *a, const struct mac *b);
bool mac_is_zero(const struct mac *mac);
/* For tables in memory; who chooses MACs can make them meet. */
uint32_t mac_hash(const struct mac *mac);

/* A literal address, no zone and no prefix; -EINVAL. */
_must_check_ int ip_parse(const char *text, struct ip *ret_ip);
/* Address or address/length; host bits must be zero. -EINVAL. */
_must_check_ int ip_parse_prefix(
	const char *text, struct ip *ret_ip, uint8_t *ret_length);
const char *ip_format(const struct ip *ip, char text[static IP_TEXT]);
bool ip_equal(const struct ip *a, const struct ip *b);
/* 169.254.0.0/16 or fe80::/10. */
bool ip_is_link_local(const struct ip *ip);
/* 32 or 128. */
uint8_t ip_bits(const struct ip *ip);

/* IPv4-mapped IPv6 addresses come back as IPv4. -EAFNOSUPPORT. */
_must_check_ int ip_from_sockaddr(
	const struct sockaddr *sa, struct ip *ret_ip, uint16_t *ret_port);
socklen_t ip_to_sockaddr(
	const struct ip *ip, uint16_t port, struct sockaddr_storage *ret_sa);

#endif
