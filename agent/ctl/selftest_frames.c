/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of the self-test, byte by byte, and how they are known again.
 * Touches memory only; reads frames of anybody, so no length is believed.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/ctl/selftest.h"

#define MARK "gatehouse self-test "
#define MARK_LENGTH (sizeof(MARK) - 1)

struct frame {
	uint8_t *bytes;
	size_t length;
};

static void put(struct frame *f, const void *bytes, size_t n)
{
	memcpy(f->bytes + f->length, bytes, n);
	f->length += n;
}

static void put8(struct frame *f, unsigned value)
{
	f->bytes[f->length++] = (uint8_t)value;
}

static void put16(struct frame *f, unsigned value)
{
	put8(f, value >> 8);
	put8(f, value & 0xff);
}

static void put_mark(struct frame *f, const struct selftest_probe *p)
{
	put(f, MARK, MARK_LENGTH);
	put8(f, p->number);
}

static uint32_t sum(const uint8_t *bytes, size_t n, uint32_t start)
{
	for (size_t i = 0; i < n; i++)
		start += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return start;
}

static void set_checksum(uint8_t *at, uint32_t value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	value = ~value & 0xffff;
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_link(
	struct frame *f, const struct selftest_probe *p, uint16_t type)
{
	put(f, p->to_mac.b, 6);
	put(f, p->from_mac.b, 6);
	put16(f, type);
}

static void put_arp(struct frame *f, const struct selftest_probe *p)
{
	static const uint8_t nobody[6];

	put_link(f, p, ETH_P_ARP);
	put16(f, 1);
	put16(f, ETH_P_IP);
	put8(f, 6);
	put8(f, 4);
	put16(f, 1);
	put(f, p->from_mac.b, 6);
	put(f, p->from.b, 4);
	put(f, nobody, 6);
	put(f, p->to.b, 4);
	put_mark(f, p); /* where the padding is */
}

/* What is behind the IP header; ret_sum: where its checksum belongs. */
static void put_body(struct frame *f, const struct selftest_probe *p, bool six,
	size_t *ret_sum)
{
	size_t at = f->length;

	switch (p->kind) {
	case SELFTEST_UDP:
		put16(f, p->source_port);
		put16(f, p->port);
		put16(f, 8 + MARK_LENGTH + 1);
		put16(f, 0);
		*ret_sum = at + 6;
		break;
	case SELFTEST_TCP:
		put16(f, p->source_port);
		put16(f, p->port);
		put(f, "\0\0\0\1\0\0\0\0\x50\x02\x20\0\0\0\0\0", 16);
		*ret_sum = at + 16;
		return; /* data in a SYN is odd; its port tells */
	case SELFTEST_ECHO:
		put8(f, six ? 128 : 8);
		put8(f, 0);
		put16(f, 0);
		put16(f, p->source_port);
		put16(f, 1);
		*ret_sum = at + 2;
		break;
	case SELFTEST_ROUTER:
		put(f, "\x86\0\0\0\x40\0\x07\x08\0\0\0\0\0\0\0\0", 16);
		*ret_sum = at + 2;
		break;
	case SELFTEST_ETHERTYPE:
	case SELFTEST_ARP:
		break;
	}
	put_mark(f, p);
}

static uint8_t protocol_of(const struct selftest_probe *p, bool six)
{
	if (p->kind == SELFTEST_UDP)
		return IPPROTO_UDP;
	if (p->kind == SELFTEST_TCP)
		return IPPROTO_TCP;
	return six ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

static void put_ip(struct frame *f, const struct selftest_probe *p)
{
	bool six = p->from.family == AF_INET6;
	size_t ip, body, check = 0, length = six ? 16 : 4;
	uint8_t protocol = protocol_of(p, six);
	uint32_t pseudo;

	put_link(f, p, six ? ETH_P_IPV6 : ETH_P_IP);
	ip = f->length;
	if (six) {
		put(f, "\x60\0\0\0\0\0", 6);
		put8(f, protocol);
		put8(f, 255);
	} else {
		put(f, "\x45\0\0\0\0\0\0\0\x40", 9);
		put8(f, protocol);
		put16(f, 0);
	}
	put(f, p->from.b, length);
	put(f, p->to.b, length);
	body = f->length;
	put_body(f, p, six, &check);
	pseudo = six || protocol != IPPROTO_ICMP
			 ? sum(p->from.b, length, 0) + sum(p->to.b, length, 0) +
				   protocol + (uint32_t)(f->length - body)
			 : 0;
	set_checksum(f->bytes + check,
		sum(f->bytes + body, f->length - body, pseudo));
	f->bytes[ip + (six ? 5 : 3)] = (uint8_t)(f->length - (six ? body : ip));
	if (!six)
		set_checksum(f->bytes + ip + 10, sum(f->bytes + ip, 20, 0));
}

size_t selftest_build(const struct selftest_probe *probe,
	uint8_t frame[static SELFTEST_FRAME])
{
	struct frame f = {.bytes = frame};

	memset(frame, 0, SELFTEST_FRAME);
	if (probe->kind == SELFTEST_ARP) {
		put_arp(&f, probe);
	} else if (probe->kind == SELFTEST_ETHERTYPE) {
		put_link(&f, probe, 0x88b5); /* for experiments */
		put_mark(&f, probe);
	} else {
		put_ip(&f, probe);
	}
	return f.length < 60 ? 60 : f.length;
}

int selftest_find(const uint8_t *frame, size_t size)
{
	const uint8_t *at = size ? memmem(frame, size, MARK, MARK_LENGTH)
				 : NULL;

	if (!at || (size_t)(at - frame) + MARK_LENGTH >= size)
		return -ENOENT;
	return at[MARK_LENGTH];
}

/* Where the body begins and whose it is; 0: neither IPv4 nor IPv6. */
static size_t body_of(const uint8_t *frame, size_t size, uint8_t *ret_protocol)
{
	size_t at = ETH_HLEN;

	if (size >= at + 20 && frame[12] == 8 && frame[13] == 0) {
		*ret_protocol = frame[at + 9];
		return at + 4u * (frame[at] & 15);
	}
	if (size >= at + 40 && frame[12] == 0x86 && frame[13] == 0xdd) {
		*ret_protocol = frame[at + 6];
		return at + 40;
	}
	return 0;
}

bool selftest_answers(
	const struct selftest_probe *probe, const uint8_t *frame, size_t size)
{
	uint8_t protocol = 0;
	size_t body;

	if (size < ETH_HLEN || memcmp(frame, probe->from_mac.b, 6) != 0)
		return false;
	if (probe->kind == SELFTEST_ARP)
		return size >= ETH_HLEN + 28 && frame[12] == 8 &&
		       frame[13] == 6 && frame[21] == 2 &&
		       !memcmp(frame + 28, probe->to.b, 4);
	body = body_of(frame, size, &protocol);
	if (!body || size < body + 14)
		return false;
	if (probe->kind == SELFTEST_ECHO)
		return selftest_find(frame, size) == probe->number &&
		       (frame[body] == 0 || frame[body] == 129);
	/* SYN and ACK to our port. */
	return probe->kind == SELFTEST_TCP && protocol == IPPROTO_TCP &&
	       frame[body + 2] == probe->source_port >> 8 &&
	       frame[body + 3] == (probe->source_port & 0xff) &&
	       (frame[body + 13] & 0x12) == 0x12;
}

bool selftest_held(const struct selftest_probe *probes, size_t n)
{
	bool control = false;

	for (size_t i = 0; i < n; i++) {
		if (probes[i].want == SELFTEST_ANSWER) {
			if (!probes[i].passed)
				return false;
			control = true;
		} else if (probes[i].passed) {
			return false;
		}
	}
	return control;
}
