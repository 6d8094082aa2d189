/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/packet_maker.h"

#include <stdlib.h>
#include <string.h>

void make_bytes(struct maker *m, const void *bytes, size_t size)
{
	if (size > MAKER_MAX - m->used)
		abort();
	memcpy(m->bytes + m->used, bytes, size);
	m->used += size;
}

void make_text(struct maker *m, const char *text)
{
	make_bytes(m, text, strlen(text));
}

void make_number(struct maker *m, size_t size, uint32_t value)
{
	while (size--) {
		uint8_t byte = (uint8_t)(value >> 8 * size);

		make_bytes(m, &byte, 1);
	}
}

void make_zeros(struct maker *m, size_t size)
{
	while (size--)
		make_number(m, 1, 0);
}

void make_length(struct maker *m, size_t at, size_t size)
{
	size_t end = m->used;

	m->used = at;
	make_number(m, size, (uint32_t)(end - at - size));
	m->used = end;
}

void make_name(struct maker *m, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		make_number(m, 1, (uint32_t)n);
		make_bytes(m, name, n);
		name += n + (name[n] == '.');
	}
	make_number(m, 1, 0);
}

static const uint8_t own[] = {2, 0, 0, 0, 0, 1};

void make_ethernet(struct maker *m, unsigned ethertype)
{
	make_bytes(m, "\xff\xff\xff\xff\xff\xff", 6);
	make_bytes(m, own, sizeof(own));
	make_number(m, 2, ethertype);
}

static size_t make_ip(struct maker *m, bool six, unsigned protocol)
{
	static const uint8_t ip4[] = {10, 0, 0, 2, 10, 0, 0, 1};
	static const uint8_t ip6[32] = {
		0xfe, 0x80, [15] = 2, 0xff, 2, [31] = 1};
	size_t begin = m->used;

	if (six) {
		make_number(m, 4, 0x60000000);
		make_number(m, 2, 0);
		make_number(m, 1, protocol);
		make_number(m, 1, 255);
		make_bytes(m, ip6, sizeof(ip6));
		return begin;
	}
	make_number(m, 4, 0x45000000);
	make_number(m, 4, 0);
	make_number(m, 1, 64);
	make_number(m, 1, protocol);
	make_number(m, 2, 0);
	make_bytes(m, ip4, sizeof(ip4));
	return begin;
}

size_t make_udp(struct maker *m, bool six, unsigned from, unsigned to)
{
	size_t begin = make_ip(m, six, IPPROTO_UDP);

	make_number(m, 2, from);
	make_number(m, 2, to);
	make_number(m, 4, 0);
	return begin;
}

size_t make_tcp(struct maker *m, unsigned from, unsigned to)
{
	size_t begin = make_ip(m, false, IPPROTO_TCP);

	make_number(m, 2, from);
	make_number(m, 2, to);
	make_zeros(m, 8);
	make_number(m, 2, 0x5018);
	make_zeros(m, 6);
	return begin;
}

static void write_at(struct maker *m, size_t at, size_t value)
{
	size_t end = m->used;

	m->used = at;
	make_number(m, 2, (uint32_t)value);
	m->used = end;
}

void make_end(struct maker *m, size_t begin)
{
	bool six = m->bytes[begin] >> 4 == 6;
	size_t head = six ? 40 : 20;
	uint8_t protocol = m->bytes[begin + (six ? 6 : 9)];
	size_t size = m->used - begin;

	write_at(m, begin + (six ? 4 : 2), six ? size - head : size);
	if (protocol == IPPROTO_UDP)
		write_at(m, begin + head + 4, size - head);
}

void make_dhcp4(struct maker *m)
{
	make_number(m, 4, 0x01010600);
	make_zeros(m, 24);
	make_bytes(m, own, sizeof(own));
	make_zeros(m, 10 + 64 + 128);
	make_number(m, 4, 0x63825363);
}

void make_option(struct maker *m, unsigned code, const char *text)
{
	make_number(m, 1, code);
	make_number(m, 1, (uint32_t)strlen(text));
	make_text(m, text);
}

void make_mdns(struct maker *m, unsigned records)
{
	make_number(m, 4, 0x8400);
	make_number(m, 2, 0);
	make_number(m, 2, records);
	make_number(m, 4, 0);
}

size_t make_record(struct maker *m, const char *name, unsigned type)
{
	make_name(m, name);
	make_number(m, 2, type);
	make_number(m, 2, 0x8001);
	make_number(m, 4, 120);
	make_number(m, 2, 0);
	return m->used - 2;
}

struct bytes made(const struct maker *m)
{
	return (struct bytes){m->bytes, m->used};
}

void each_beginning(
	const struct maker *m, void (*decode)(struct bytes beginning))
{
	for (size_t size = 0; size <= m->used; size++) {
		uint8_t *copy = malloc(size ? size : 1);

		if (!copy)
			abort();
		memcpy(copy, m->bytes, size);
		decode((struct bytes){copy, size});
		free(copy);
	}
}
