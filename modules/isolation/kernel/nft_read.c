/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads elements and counters of our own tables out of the kernel. Must
 * never assume that what it reads is what we wrote: somebody else with our
 * privileges may have changed it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/kernel/nft_dump.h"

/* Calls element() for every element of every message. */
struct reader {
	int (*element)(struct reader *reader, struct nftnl_set_elem *e);
	uint16_t family; /* of the addresses in the keys */
	uint8_t list; /* enum ruleset_list */
	void *rows;
	size_t n, room, most;
};

static int each_element(struct nftnl_set_elem *e, void *arg)
{
	struct reader *reader = arg;

	return reader->element(reader, e);
}

static int read_message(const struct nlmsghdr *m, void *arg)
{
	struct nftnl_set *set = must_have(nftnl_set_alloc());
	int r = 0;

	if (nftnl_set_elems_nlmsg_parse(m, set) < 0)
		r = -EBADMSG;
	else
		r = nftnl_set_elem_foreach(set, each_element, arg);
	nftnl_set_free(set);
	return r;
}

/* No such set is an empty set. */
static int read_set(struct nft *nft, uint16_t family, const char *name,
	struct reader *reader)
{
	char bytes[512] __attribute__((aligned(8)));
	struct nftnl_set *set = must_have(nftnl_set_alloc());
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_GETSETELEM, family, 0, 0);
	int r;

	nftnl_set_set_str(set, NFTNL_SET_TABLE, RULESET_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_elems_nlmsg_build_payload(m, set);
	nftnl_set_free(set);
	r = nft_dump(nft, m, read_message, reader);
	return r == -ENOENT ? 0 : r;
}

static int count_element(struct reader *reader, struct nftnl_set_elem *e)
{
	(void)e;
	reader->n++;
	return 0;
}

int nft_count_elements(
	struct nft *nft, uint16_t family, const char *set, uint32_t *ret_n)
{
	struct reader reader = {.element = count_element};
	int r = read_set(nft, family, set, &reader);

	if (r == 0)
		*ret_n = (uint32_t)reader.n;
	return r;
}

static int pick_counter(struct nftnl_expr *e, void *arg)
{
	struct ruleset_count *count = arg;
	const char *kind = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	if (kind && !strcmp(kind, "counter")) {
		count->packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
		count->bytes = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_BYTES);
	}
	return 0;
}

static void *new_row(struct reader *reader, size_t size)
{
	if (reader->n == reader->most)
		return NULL;
	if (reader->n == reader->room) {
		reader->room = reader->room * 2 + 64;
		reader->rows = must_have(
			realloc(reader->rows, reader->room * size));
	}
	return memset((char *)reader->rows + reader->n++ * size, 0, size);
}

static int tally_element(struct reader *reader, struct nftnl_set_elem *e)
{
	struct ruleset_tally *row = new_row(reader, sizeof(*row));
	uint32_t length = 0;
	const void *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &length);

	if (!row)
		return -ENOSPC;
	if (length < sizeof(row->mac))
		return -EBADMSG;
	memcpy(&row->mac, key, sizeof(row->mac));
	nftnl_set_elem_expr_foreach(e, pick_counter, &row->count);
	return 0;
}

/* Key: MAC (8 bytes), address (4 or 16), protocol (4), port (4). */
static int attempt_element(struct reader *reader, struct nftnl_set_elem *e)
{
	struct ruleset_attempt *row = new_row(reader, sizeof(*row));
	size_t address = reader->family == AF_INET6 ? 16 : 4;
	uint32_t length = 0;
	const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &length);

	if (!row)
		return -ENOSPC;
	if (length != 8 + address + 8)
		return -EBADMSG;
	memcpy(&row->mac, key, sizeof(row->mac));
	row->to.family = reader->family;
	memcpy(row->to.b, key + 8, address);
	row->protocol = key[8 + address];
	row->port = (uint16_t)(key[12 + address] << 8 | key[13 + address]);
	nftnl_set_elem_expr_foreach(e, pick_counter, &row->count);
	return 0;
}

int nft_read_attempts(
	struct nft *nft, struct ruleset_attempt **ret_attempts, size_t *ret_n)
{
	struct reader reader = {.element = attempt_element,
		.family = AF_INET,
		.most = 2 * RULESET_ATTEMPTS_MAX};
	int r = read_set(nft, NFPROTO_INET, "attempts4", &reader);

	reader.family = AF_INET6;
	if (r == 0)
		r = read_set(nft, NFPROTO_INET, "attempts6", &reader);
	if (r < 0) {
		free(reader.rows);
		return r;
	}
	*ret_attempts = reader.rows;
	*ret_n = reader.n;
	return 0;
}

static int by_mac(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

/* The same device may stand in two sets, of both tables for instance. */
static size_t add_up_tallies(struct ruleset_tally *t, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(t, n, sizeof(*t), by_mac);
	for (size_t i = 0; i < n; i++) {
		if (kept && mac_equal(&t[kept - 1].mac, &t[i].mac)) {
			t[kept - 1].count.packets += t[i].count.packets;
			t[kept - 1].count.bytes += t[i].count.bytes;
		} else {
			t[kept++] = t[i];
		}
	}
	return kept;
}

static int read_tallies(struct nft *nft, uint16_t second, const char *set,
	const char *more, struct ruleset_tally **ret_rows, size_t *ret_n)
{
	struct reader reader = {.element = tally_element,
		.most = 2 * ISOLATION_DEVICES_MAX + RULESET_STRANGERS_MAX};
	int r = read_set(nft, NFPROTO_INET, set, &reader);

	if (r == 0)
		r = read_set(nft, second, more, &reader);
	if (r < 0) {
		free(reader.rows);
		return r;
	}
	*ret_n = add_up_tallies(reader.rows, reader.n);
	*ret_rows = reader.rows;
	return 0;
}

int nft_read_tallies(
	struct nft *nft, struct ruleset_tally **ret_tallies, size_t *ret_n)
{
	return read_tallies(
		nft, NFPROTO_INET, "tally", "strangers", ret_tallies, ret_n);
}

/* A set that the bridge table does not have is empty there. */
int nft_read_overs(
	struct nft *nft, struct ruleset_overs ret_overs[static RULESET_OVERS])
{
	int r = 0;

	for (int i = 0; i < RULESET_OVERS && r == 0; i++)
		r = read_tallies(nft, NFPROTO_BRIDGE, ruleset_overs[i],
			ruleset_overs[i], &ret_overs[i].rows, &ret_overs[i].n);
	return r;
}

/* Key: MAC (8 bytes), then an address, or protocol (4) and the rest (4). */
static int spoof_element(struct reader *reader, struct nftnl_set_elem *e)
{
	struct ruleset_spoof *row = new_row(reader, sizeof(*row));
	size_t address = reader->family == AF_INET6 ? 16
			 : reader->family           ? 4
						    : 8;
	uint32_t length = 0;
	const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &length);

	if (!row)
		return -ENOSPC;
	row->list = reader->list;
	if (row->list == RULESET_LIST_SEATS)
		address = sizeof(row->port);
	if (length != 8 + address)
		return -EBADMSG;
	memcpy(&row->mac, key, sizeof(row->mac));
	row->ip.family = reader->family;
	if (row->list == RULESET_LIST_SEATS) {
		memcpy(row->port, key + 8, sizeof(row->port) - 1);
	} else if (reader->family) {
		memcpy(row->ip.b, key + 8, address);
	} else {
		row->protocol = key[8];
		row->what = (uint16_t)(key[12] << 8 | key[13]);
	}
	nftnl_set_elem_expr_foreach(e, pick_counter, &row->count);
	return 0;
}

/* The same claim may stand in both tables. */
static size_t add_up(struct ruleset_spoof *s, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept && !ruleset_spoof_order(&s[kept - 1], &s[i])) {
			s[kept - 1].count.packets += s[i].count.packets;
			s[kept - 1].count.bytes += s[i].count.bytes;
		} else {
			s[kept++] = s[i];
		}
	}
	return kept;
}

int nft_read_spoofs(
	struct nft *nft, struct ruleset_spoof **ret_spoofs, size_t *ret_n)
{
	static const struct {
		const char *name;
		uint16_t family;
		uint8_t list;
	} sets[] = {{"spoofs4", AF_INET, RULESET_LIST_CLAIMS},
		{"spoofs6", AF_INET6, RULESET_LIST_CLAIMS},
		{"unbound4", AF_INET, RULESET_LIST_UNBOUND},
		{"unbound6", AF_INET6, RULESET_LIST_UNBOUND},
		{"spoof_kinds", 0, RULESET_LIST_CLAIMS},
		{"spoof_seats", 0, RULESET_LIST_SEATS}};
	struct reader reader = {.element = spoof_element,
		.most = 2 * ARRAY_SIZE(sets) * RULESET_SPOOFS_MAX};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sets) && r == 0; i++) {
		reader.family = sets[i].family;
		reader.list = sets[i].list;
		r = read_set(nft, NFPROTO_BRIDGE, sets[i].name, &reader);
		if (r == 0)
			r = read_set(nft, NFPROTO_INET, sets[i].name, &reader);
	}
	if (r < 0) {
		free(reader.rows);
		return r;
	}
	if (reader.n)
		qsort(reader.rows, reader.n, sizeof(struct ruleset_spoof),
			ruleset_spoof_order);
	*ret_spoofs = reader.rows;
	*ret_n = add_up(reader.rows, reader.n);
	return 0;
}

static int generation_element(struct reader *reader, struct nftnl_set_elem *e)
{
	uint32_t length = 0, value;
	const void *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &length);

	if (length != sizeof(value))
		return -EBADMSG;
	memcpy(&value, key, sizeof(value));
	reader->n = value;
	return 0;
}

int nft_read_generation(struct nft *nft, uint8_t *ret_generation)
{
	struct reader reader = {.element = generation_element};
	int r = read_set(nft, NFPROTO_INET, "generation", &reader);

	if (r == 0)
		*ret_generation = (uint8_t)reader.n;
	return r;
}

static int read_counter(const struct nlmsghdr *m, void *arg)
{
	struct ruleset_count *counters = arg;
	struct nftnl_obj *o = must_have(nftnl_obj_alloc());
	const char *table = NULL, *name = NULL;

	if (nftnl_obj_nlmsg_parse(m, o) >= 0 &&
		nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER) {
		table = nftnl_obj_get_str(o, NFTNL_OBJ_TABLE);
		name = nftnl_obj_get_str(o, NFTNL_OBJ_NAME);
	}
	if (table && name && !strcmp(table, RULESET_TABLE))
		for (int c = 0; c < RULESET_COUNTERS; c++)
			if (!strcmp(name, ruleset_counters[c])) {
				counters[c].packets += nftnl_obj_get_u64(
					o, NFTNL_OBJ_CTR_PKTS);
				counters[c].bytes += nftnl_obj_get_u64(
					o, NFTNL_OBJ_CTR_BYTES);
			}
	nftnl_obj_free(o);
	return 0;
}

static int read_counters(
	struct nft *nft, uint16_t family, struct ruleset_count *counters)
{
	char bytes[512] __attribute__((aligned(8)));
	struct nftnl_obj *o = must_have(nftnl_obj_alloc());
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_GETOBJ, family, 0, 0);
	int r;

	nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, RULESET_TABLE);
	nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nftnl_obj_nlmsg_build_payload(m, o);
	nftnl_obj_free(o);
	r = nft_dump(nft, m, read_counter, counters);
	return r == -ENOENT ? 0 : r;
}

int nft_read_counters(struct nft *nft,
	struct ruleset_count ret_counters[static RULESET_COUNTERS])
{
	int r;

	memset(ret_counters, 0, RULESET_COUNTERS * sizeof(*ret_counters));
	r = read_counters(nft, NFPROTO_INET, ret_counters);
	if (r == 0)
		r = read_counters(nft, NFPROTO_BRIDGE, ret_counters);
	return r;
}
