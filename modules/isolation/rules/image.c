/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of sets as rows of bytes, their difference, and both as netlink
 * messages. Touches memory only. Must never put an element into a message
 * that has no room for it, nor add before all deletions: what one device
 * loses another may get in the same transaction.
 */
#include "modules/isolation/rules/image.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

/* An attribute's length has 16 bits; the list of elements is one. */
#define MESSAGE_FULL 60000

/* Consecutive elements of one set and kind share messages. */
struct writer {
	struct batch *batch;
	const char *who;
	const struct image_set *set;
	uint16_t type;
	struct nlmsghdr *m;
	struct nlattr *list;
	size_t n;
};

static size_t key_size(const struct image_set *set)
{
	return set->interval ? 2u * set->key : set->key;
}

/* What belongs to the key: if it differs, it is another element. */
static size_t value_size(const struct image_set *set)
{
	return set->data + (set->limits ? sizeof(struct image_limit) : 0);
}

size_t image_row(const struct image_set *set)
{
	return key_size(set) + value_size(set) +
	       (set->counts || set->expires ? sizeof(struct image_count) : 0);
}

uint8_t *image_add(struct image_set *set, size_t hint)
{
	size_t row = image_row(set);

	if (set->n == set->room) {
		set->room = set->room ? set->room * 2 : hint < 16 ? 16 : hint;
		set->rows = must_have(realloc(set->rows, set->room * row));
	}
	return memset(set->rows + set->n++ * row, 0, row);
}

void image_free(struct image *image)
{
	for (size_t i = 0; i < image->n; i++)
		free(image->sets[i].rows);
	image->n = 0;
}

static void end_message(struct writer *w)
{
	if (!w->m)
		return;
	mnl_attr_nest_end(w->m, w->list);
	batch_add(w->batch, w->m);
	w->m = NULL;
}

static void begin_message(
	struct writer *w, const struct image_set *set, uint16_t type)
{
	w->set = set;
	w->type = type;
	w->m = batch_message(w->batch, type, set->family,
		type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0,
		"elements of the set %s%s%s", set->name,
		w->who[0] ? " for " : "", w->who);
	mnl_attr_put_strz(w->m, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
	mnl_attr_put_strz(w->m, NFTA_SET_ELEM_LIST_SET, set->name);
	w->list = mnl_attr_nest_start(w->m, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void put_value(
	struct nlmsghdr *m, uint16_t type, const void *value, size_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(m, type);

	mnl_attr_put(m, NFTA_DATA_VALUE, length, value);
	mnl_attr_nest_end(m, nest);
}

static void put_count(
	struct nlmsghdr *m, const struct image_set *set, const uint8_t *at)
{
	struct nlattr *nest, *data;
	struct image_count c;

	memcpy(&c, at, sizeof(c));
	if (c.timeout_ms)
		mnl_attr_put_u64(
			m, NFTA_SET_ELEM_TIMEOUT, htobe64(c.timeout_ms));
	if (!set->counts)
		return;
	nest = mnl_attr_nest_start(m, NFTA_SET_ELEM_EXPR);
	mnl_attr_put_strz(m, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(m, NFTA_EXPR_DATA);
	mnl_attr_put_u64(m, NFTA_COUNTER_BYTES, htobe64(c.count.bytes));
	mnl_attr_put_u64(m, NFTA_COUNTER_PACKETS, htobe64(c.count.packets));
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, nest);
}

static void put_limit(struct nlmsghdr *m, const uint8_t *at)
{
	struct nlattr *nest, *data;
	struct image_limit l;

	memcpy(&l, at, sizeof(l));
	if (!l.rate)
		return;
	nest = mnl_attr_nest_start(m, NFTA_SET_ELEM_EXPR);
	mnl_attr_put_strz(m, NFTA_EXPR_NAME, "limit");
	data = mnl_attr_nest_start(m, NFTA_EXPR_DATA);
	mnl_attr_put_u64(m, NFTA_LIMIT_RATE, htobe64(l.rate));
	mnl_attr_put_u64(m, NFTA_LIMIT_UNIT, htobe64(l.seconds));
	mnl_attr_put_u32(m, NFTA_LIMIT_BURST, htonl(l.burst));
	mnl_attr_put_u32(m, NFTA_LIMIT_TYPE,
		htonl(l.bytes ? NFT_LIMIT_PKT_BYTES : NFT_LIMIT_PKTS));
	mnl_attr_nest_end(m, data);
	mnl_attr_nest_end(m, nest);
}

static void put_row(struct nlmsghdr *m, const struct image_set *set,
	const uint8_t *row, bool whole)
{
	struct nlattr *nest = mnl_attr_nest_start(m, NFTA_LIST_ELEM);

	put_value(m, NFTA_SET_ELEM_KEY, row, set->key);
	if (set->interval)
		put_value(m, NFTA_SET_ELEM_KEY_END, row + set->key, set->key);
	row += key_size(set);
	if (whole && set->data)
		put_value(m, NFTA_SET_ELEM_DATA, row, set->data);
	if (whole && set->limits)
		put_limit(m, row + set->data);
	if (whole && (set->counts || set->expires))
		put_count(m, set, row + value_size(set));
	mnl_attr_nest_end(m, nest);
}

static void write_row_as(struct writer *w, const struct image_set *set,
	uint16_t type, const uint8_t *row)
{
	if (w->m && (w->set != set || w->type != type ||
			    (char *)mnl_nlmsg_get_payload_tail(w->m) -
					    (char *)w->list >
				    MESSAGE_FULL))
		end_message(w);
	if (!w->m)
		begin_message(w, set, type);
	put_row(w->m, set, row, type == NFT_MSG_NEWSETELEM);
	w->n++;
}

static void write_row(
	const struct image_set *set, bool add, const uint8_t *row, void *arg)
{
	write_row_as(
		arg, set, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, row);
}

/* A transaction is whole or not at all: one of each set says enough. */
static void ask_row(
	const struct image_set *set, bool add, const uint8_t *row, void *arg)
{
	const struct writer *w = arg;

	if (add && w->set != set)
		write_row_as(arg, set, NFT_MSG_GETSETELEM, row);
}

void image_write(const struct image_set *set, bool add, const char *who,
	struct batch *batch)
{
	struct writer w = {.batch = batch, .who = who};
	size_t row = image_row(set);

	for (size_t i = 0; i < set->n; i++)
		write_row(set, add, set->rows + i * row, &w);
	end_message(&w);
}

static int by_bytes(const void *a, const void *b, void *length)
{
	return memcmp(a, b, *(const size_t *)length);
}

static void sort_rows(struct image_set *set)
{
	size_t key = key_size(set);

	if (set->n)
		qsort_r(set->rows, set->n, image_row(set), by_bytes, &key);
}

/* One direction of the difference between two sorted sets. */
static void compare_sets(const struct image_set *from,
	const struct image_set *to, bool add, image_differs differs, void *arg)
{
	size_t key = key_size(to), size = image_row(to);
	const uint8_t *a = from->rows, *b = to->rows;
	size_t i = 0, j = 0;

	while (i < from->n || j < to->n) {
		int order = i == from->n ? 1
			    : j == to->n ? -1
					 : memcmp(a, b, key);
		bool same = order == 0 &&
			    !memcmp(a + key, b + key, value_size(to));

		if (add && order >= 0 && !same)
			differs(to, true, b, arg);
		if (!add && order <= 0 && !same)
			differs(from, false, a, arg);
		if (order <= 0) {
			a += size;
			i++;
		}
		if (order >= 0) {
			b += size;
			j++;
		}
	}
}

static void compare(
	struct image *from, struct image *to, image_differs differs, void *arg)
{
	for (int add = 0; add < 2; add++)
		for (size_t i = 0; i < to->n; i++)
			if (!to->sets[i].changing)
				compare_sets(&from->sets[i], &to->sets[i], add,
					differs, arg);
}

void image_compare(
	struct image *from, struct image *to, image_differs differs, void *arg)
{
	assert(from->n == to->n);
	for (size_t i = 0; i < to->n; i++) {
		assert(!strcmp(from->sets[i].name, to->sets[i].name));
		/* An empty set may not know yet that its elements count. */
		from->sets[i].counts |= to->sets[i].counts;
		to->sets[i].counts |= from->sets[i].counts;
		sort_rows(&from->sets[i]);
		sort_rows(&to->sets[i]);
	}
	compare(from, to, differs, arg);
}

size_t image_update(struct image *from, struct image *to, const char *who,
	struct batch *batch)
{
	struct writer w = {.batch = batch, .who = who};

	image_compare(from, to, write_row, &w);
	end_message(&w);
	return w.n;
}

void image_ask(struct image *from, struct image *to, struct batch *batch)
{
	struct writer w = {.batch = batch, .who = ""};

	compare(from, to, ask_row, &w);
	end_message(&w);
}
