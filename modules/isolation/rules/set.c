/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets in the making: filled, then either loaded by messages or kept in an
 * image. Touches memory only; must never make a set so tight that the next
 * device has no place in it.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/rules/set.h"

#define TYPE_INET_SERVICE 13
#define SET_ROOM 64

/* How nft numbers byte orders; without it, it lists names as "". */
enum udata_order {
	UDATA_HOST = 1,
	UDATA_NETWORK = 2
};

void set_key_add(struct set_key *key, const void *field, size_t length)
{
	memcpy(key->bytes + key->length, field, length);
	key->length += (length + 3) & ~(size_t)3;
}

void set_key_add_ip(struct set_key *key, const struct ip *ip)
{
	set_key_add(key, ip->b, ip_bits(ip) / 8);
}

struct set_shape set_shape_interfaces(const char *name)
{
	return (struct set_shape){.name = name,
		.key_type = NFT_TYPE_IFNAME,
		.key_length = 16,
		.host_order = true};
}

struct set_shape set_shape_addresses(const char *name, uint16_t family)
{
	bool six = family == AF_INET6;

	return (struct set_shape){.name = name,
		.key_type = six ? NFT_TYPE_IP6 : NFT_TYPE_IP,
		.key_length = six ? 16 : 4};
}

struct set_shape set_shape_ways(const char *name, uint16_t family)
{
	bool six = family == AF_INET6;

	return (struct set_shape){.name = name,
		.key_type = six ? MAC_IP6_PORT : MAC_IP_PORT,
		.key_length = six ? 32 : 20};
}

void set_key_add_service(struct set_key *key, uint8_t protocol, uint16_t port)
{
	uint16_t wire = htons(port);

	set_key_add(key, &protocol, sizeof(protocol));
	set_key_add(key, &wire, sizeof(wire));
}

/*
 * Room to add devices one by one; then the next load makes more. The kernel
 * takes it all at once: eight bytes for 4/3 of it, rounded up to a power of 2.
 */
static uint32_t room_for(size_t n)
{
	return (uint32_t)(n + n / 8 + SET_ROOM);
}

static void describe(struct nftnl_set *set, const struct set_shape *shape,
	size_t n, uint32_t id)
{
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, shape->key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, shape->key_length);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, shape->flags);
	if (shape->flags & NFT_SET_MAP) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE,
			shape->data_length == sizeof(struct mac)
				? NFT_TYPE_ETHER
				: TYPE_INET_SERVICE);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, shape->data_length);
	}
	if (shape->flags & NFT_SET_TIMEOUT)
		nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT,
			shape->keep_ms ? shape->keep_ms : RULESET_REMEMBER_MS);
	if (shape->fields[0])
		nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT, shape->fields,
			(uint32_t)strnlen((const char *)shape->fields,
				sizeof(shape->fields)));
	else
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE,
			shape->size ? shape->size : room_for(n));
}

static void remark_order(struct nftnl_set *set, bool host_order)
{
	struct nftnl_udata_buf *udata = must_have(
		nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN));

	nftnl_udata_put_u32(udata, NFTNL_UDATA_SET_KEYBYTEORDER,
		host_order ? UDATA_HOST : UDATA_NETWORK);
	nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(udata),
		nftnl_udata_buf_len(udata));
	nftnl_udata_buf_free(udata);
}

void set_begin(struct set_filler *filler, struct ruleset *rs,
	const struct set_shape *shape, size_t n)
{
	struct image_set *set = &filler->set;

	*filler = (struct set_filler){.rs = rs, .shape = shape, .expected = n};
	memcpy(set->name, shape->name,
		strnlen(shape->name, sizeof(set->name) - 1));
	set->family = rs->family;
	set->key = (uint16_t)shape->key_length;
	set->data = (uint16_t)shape->data_length;
	set->interval = shape->fields[0] != 0;
	set->changing = shape->flags & (NFT_SET_EVAL | NFT_SET_TIMEOUT);
	set->limits = shape->limits;
}

static uint8_t *put(struct set_filler *filler, const void *key)
{
	uint8_t *row = image_add(&filler->set, filler->expected);

	memcpy(row, key, filler->shape->key_length);
	filler->elements++;
	return row;
}

void set_put(struct set_filler *filler, const void *key)
{
	(void)put(filler, key);
}

void set_put_range(
	struct set_filler *filler, const void *first, const void *last)
{
	size_t length = filler->shape->key_length;

	memcpy(put(filler, first) + length, last, length);
}

void set_put_port(struct set_filler *filler, const void *key, uint16_t port)
{
	uint16_t wire = htons(port);

	memcpy(put(filler, key) + filler->shape->key_length, &wire,
		sizeof(wire));
}

void set_put_mac(
	struct set_filler *filler, const void *key, const struct mac *mac)
{
	memcpy(put(filler, key) + filler->shape->key_length, mac, sizeof(*mac));
}

void set_put_counter(struct set_filler *filler, const void *key,
	const struct ruleset_count *count, uint64_t timeout_ms)
{
	struct image_count c = {*count, timeout_ms};
	struct image_set *set = &filler->set;
	uint8_t *row;

	assert(set->counts || !set->n);
	set->counts = true;
	row = put(filler, key);
	memcpy(row + image_row(set) - sizeof(c), &c, sizeof(c));
}

void set_put_limit(struct set_filler *filler, const void *key,
	const struct image_limit *limit)
{
	struct image_set *set = &filler->set;
	uint8_t *row;

	assert(set->limits);
	row = put(filler, key);
	memcpy(row + set->key + set->data, limit, sizeof(*limit));
}

void set_put_for(
	struct set_filler *filler, const void *key, uint64_t timeout_ms)
{
	struct image_count c = {.timeout_ms = timeout_ms};
	struct image_set *set = &filler->set;
	uint8_t *row;

	assert(set->expires || !set->n);
	set->expires = true;
	row = put(filler, key);
	memcpy(row + image_row(set) - sizeof(c), &c, sizeof(c));
}

static void announce(const struct set_filler *filler)
{
	struct ruleset *rs = filler->rs;
	const struct set_shape *shape = filler->shape;
	struct nftnl_set *set = must_have(nftnl_set_alloc());
	struct nlmsghdr *m;

	nftnl_set_set_str(set, NFTNL_SET_TABLE, RULESET_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, shape->name);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, rs->family);
	describe(set, shape, filler->elements, ++rs->set_id);
	remark_order(set, shape->host_order);
	m = batch_message(&rs->batch, NFT_MSG_NEWSET, rs->family, NLM_F_CREATE,
		"the set %s", shape->name);
	nftnl_set_nlmsg_build_payload(m, set);
	batch_add(&rs->batch, m);
	nftnl_set_free(set);
}

static void note_set(const struct set_filler *filler)
{
	struct ruleset *rs = filler->rs;
	struct ruleset_set *note = &rs->sets[rs->n_sets++];

	assert(rs->n_sets <= RULESET_SETS_MAX);
	snprintf(note->name, sizeof(note->name), "%s", filler->shape->name);
	note->family = rs->family;
	note->elements = filler->elements;
	note->changing = filler->set.changing;
	note->interval = filler->set.interval;
}

void set_end(struct set_filler *filler)
{
	struct image *image = filler->rs->image;

	if (image) {
		assert(image->n < RULESET_SETS_MAX);
		image->sets[image->n++] = filler->set;
	} else {
		announce(filler);
		image_write(&filler->set, true, "", &filler->rs->batch);
		free(filler->set.rows);
		note_set(filler);
	}
	filler->set.rows = NULL;
}
