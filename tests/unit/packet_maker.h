/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes packets piece by piece, for tests of decoders. */
#ifndef GATEHOUSE_TESTS_PACKET_MAKER_H
#define GATEHOUSE_TESTS_PACKET_MAKER_H

#include "agent/lib/net.h"
#include "modules/discovery/decode/bytes.h"

#define MAKER_MAX 4096

struct maker {
	uint8_t bytes[MAKER_MAX];
	size_t used;
};

void make_bytes(struct maker *m, const void *bytes, size_t size);
void make_text(struct maker *m, const char *text); /* without its NUL */
/* A number of so many bytes, the highest first. */
void make_number(struct maker *m, size_t size, uint32_t value);
void make_zeros(struct maker *m, size_t size);
/* Writes the number of bytes since then over what stands there. */
void make_length(struct maker *m, size_t at, size_t size);
/* Labels of a dotted name, and the root's. */
void make_name(struct maker *m, const char *name);

/* From 02:00:00:00:00:01 to everybody. */
void make_ethernet(struct maker *m, unsigned ethertype);
/*
 * IPv4 from 10.0.0.2 to 10.0.0.1 (IPv6: fe80::2 to ff02::1), then UDP or TCP.
 * Returns what make_end() wants.
 */
size_t make_udp(struct maker *m, bool six, unsigned from, unsigned to);
size_t make_tcp(struct maker *m, unsigned from, unsigned to);
void make_end(struct maker *m, size_t begin);
/* The fixed part of a request of DHCP by 02:00:00:00:00:01, with its magic. */
void make_dhcp4(struct maker *m);
void make_option(struct maker *m, unsigned code, const char *text);
/* A header of mDNS: an answer with so many records. */
void make_mdns(struct maker *m, unsigned records);
/* Name, type, class, TTL; the length is to be set with make_length(). */
size_t make_record(struct maker *m, const char *name, unsigned type);

struct bytes made(const struct maker *m);

/*
 * Hands every beginning of it to the decoder, from an allocation of exactly
 * that size.
 */
void each_beginning(
	const struct maker *m, void (*decode)(struct bytes beginning));

#endif
