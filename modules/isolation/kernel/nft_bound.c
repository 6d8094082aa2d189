/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads out of the kernel whose addresses are and where MACs are, so that a
 * new load goes on with it. Must never believe that the sets agree with each
 * other: an address gets one holder.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/kernel/nft_dump.h"

#define MAC_KEY 8 /* a MAC in a key, with what pads it */

struct rows {
	uint16_t family; /* of the addresses */
	bool bridge, leased;
	void *rows;
	size_t n, room, most;
	int (*element)(struct rows *rows, const uint8_t *key, uint32_t length,
		uint64_t rest_ms);
};

static void *new_row(struct rows *rows, size_t size)
{
	if (rows->n == rows->most)
		return NULL;
	if (rows->n == rows->room) {
		rows->room = rows->room * 2 + 64;
		rows->rows = must_have(realloc(rows->rows, rows->room * size));
	}
	return memset((char *)rows->rows + rows->n++ * size, 0, size);
}

static int bound_element(struct rows *rows, const uint8_t *key, uint32_t length,
	uint64_t rest_ms)
{
	size_t address = rows->family == AF_INET ? 4 : 16;
	struct ruleset_bound *b = new_row(rows, sizeof(*b));

	if (!b)
		return -ENOSPC;
	if (length != MAC_KEY + address)
		return -EBADMSG;
	b->ip.family = rows->family;
	memcpy(b->ip.b, key, address);
	memcpy(&b->mac, key + address, sizeof(b->mac));
	b->bridge = rows->bridge;
	b->leased = rows->leased;
	b->rest_ms = rest_ms;
	return 0;
}

static int seat_element(struct rows *rows, const uint8_t *key, uint32_t length,
	uint64_t rest_ms)
{
	struct ruleset_seat *s = new_row(rows, sizeof(*s));

	if (!s)
		return -ENOSPC;
	if (length != MAC_KEY + sizeof(s->port))
		return -EBADMSG;
	memcpy(&s->mac, key, sizeof(s->mac));
	memcpy(s->port, key + MAC_KEY, sizeof(s->port) - 1);
	s->rest_ms = rest_ms;
	return 0;
}

static int each_element(struct nftnl_set_elem *e, void *arg)
{
	struct rows *rows = arg;
	uint64_t rest_ms = 0;
	uint32_t length = 0;
	const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &length);

	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPIRATION))
		rest_ms = nftnl_set_elem_get_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	return rest_ms && key ? rows->element(rows, key, length, rest_ms) : 0;
}

static int read_message(const struct nlmsghdr *m, void *arg)
{
	struct nftnl_set *set = must_have(nftnl_set_alloc());
	int r = -EBADMSG;

	if (nftnl_set_elems_nlmsg_parse(m, set) >= 0)
		r = nftnl_set_elem_foreach(set, each_element, arg);
	nftnl_set_free(set);
	return r;
}

/* No such set is an empty set. */
static int read_set(
	struct nft *nft, uint16_t table, const char *name, struct rows *rows)
{
	char bytes[512] __attribute__((aligned(8)));
	struct nftnl_set *set = must_have(nftnl_set_alloc());
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_GETSETELEM, table, 0, 0);
	int r;

	rows->bridge = table == NFPROTO_BRIDGE;
	nftnl_set_set_str(set, NFTNL_SET_TABLE, RULESET_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_elems_nlmsg_build_payload(m, set);
	nftnl_set_free(set);
	r = nft_dump(nft, m, read_message, rows);
	return r == -ENOENT ? 0 : r;
}

static int read_all_bound(struct nft *nft, struct rows *rows)
{
	static const struct {
		const char *name;
		uint16_t family;
		bool leased;
	} sets[] = {{"bound4", AF_INET, false}, {"leased4", AF_INET, true},
		{"bound6", AF_INET6, false}};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sets) && r == 0; i++) {
		rows->family = sets[i].family;
		rows->leased = sets[i].leased;
		r = read_set(nft, NFPROTO_BRIDGE, sets[i].name, rows);
		if (r == 0)
			r = read_set(nft, NFPROTO_INET, sets[i].name, rows);
	}
	return r;
}

int nft_read_bound(
	struct nft *nft, struct ruleset_bound **ret_bound, size_t *ret_n)
{
	struct rows rows = {.element = bound_element,
		.most = 8 * (size_t)RULESET_BOUND_MAX};
	int r = read_all_bound(nft, &rows);

	if (r < 0) {
		free(rows.rows);
		return r;
	}
	*ret_bound = rows.rows;
	*ret_n = ruleset_settle_bound(rows.rows, rows.n);
	return 0;
}

int nft_read_seats(
	struct nft *nft, struct ruleset_seat **ret_seats, size_t *ret_n)
{
	struct rows rows = {
		.element = seat_element, .most = 2 * RULESET_SEATS_MAX};
	int r = read_set(nft, NFPROTO_BRIDGE, "seats", &rows);

	if (r < 0) {
		free(rows.rows);
		return r;
	}
	*ret_seats = rows.rows;
	*ret_n = ruleset_settle_seats(rows.rows, rows.n);
	return 0;
}
