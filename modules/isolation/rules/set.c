/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets and their elements as netlink messages. Touches memory only; must
 * never trust libnftnl to notice that a message is full: elements are split
 * over as many messages as they need.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/rules/set.h"

#define TYPE_INET_SERVICE 13

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

void set_key_add_service(struct set_key *key, uint8_t protocol, uint16_t port)
{
	uint16_t wire = htons(port);

	set_key_add(key, &protocol, sizeof(protocol));
	set_key_add(key, &wire, sizeof(wire));
}

static struct nftnl_set *new_set(
	const struct set_filler *filler, const char *name)
{
	struct nftnl_set *set = must_have(nftnl_set_alloc());

	nftnl_set_set_str(set, NFTNL_SET_TABLE, RULESET_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, filler->rs->family);
	return set;
}

static void describe(struct nftnl_set *set, const struct set_shape *shape,
	size_t n, uint32_t id)
{
	bool changing = shape->flags & NFT_SET_EVAL;

	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, shape->key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, shape->key_length);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, shape->flags);
	if (shape->flags & NFT_SET_MAP) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, TYPE_INET_SERVICE);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, shape->data_length);
	}
	if (shape->flags & NFT_SET_TIMEOUT)
		nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT,
			shape->keep_ms ? shape->keep_ms : RULESET_REMEMBER_MS);
	if (shape->fields[0])
		nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT, shape->fields,
			(uint32_t)strnlen((const char *)shape->fields,
				sizeof(shape->fields)));
	else if (changing)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, shape->size);
	else
		nftnl_set_set_u32(
			set, NFTNL_SET_DESC_SIZE, n ? (uint32_t)n : 1);
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
	struct nftnl_set *set;
	struct nlmsghdr *m;

	*filler = (struct set_filler){.rs = rs, .shape = shape};
	set = new_set(filler, shape->name);
	describe(set, shape, n, ++rs->set_id);
	remark_order(set, shape->host_order);
	m = batch_message(&rs->batch, NFT_MSG_NEWSET, rs->family, NLM_F_CREATE,
		"the set %s", shape->name);
	nftnl_set_nlmsg_build_payload(m, set);
	batch_add(&rs->batch, m);
	nftnl_set_free(set);
	filler->set = new_set(filler, shape->name);
}

struct nftnl_set_elem *set_put(struct set_filler *filler, const void *key)
{
	struct nftnl_set_elem *e = must_have(nftnl_set_elem_alloc());

	nftnl_set_elem_set(
		e, NFTNL_SET_ELEM_KEY, key, filler->shape->key_length);
	nftnl_set_elem_add(filler->set, e);
	filler->elements++;
	return e;
}

void set_put_range(
	struct set_filler *filler, const void *first, const void *last)
{
	nftnl_set_elem_set(set_put(filler, first), NFTNL_SET_ELEM_KEY_END, last,
		filler->shape->key_length);
}

void set_put_port(struct set_filler *filler, const void *key, uint16_t port)
{
	uint16_t wire = htons(port);

	nftnl_set_elem_set(
		set_put(filler, key), NFTNL_SET_ELEM_DATA, &wire, sizeof(wire));
}

void set_put_counter(struct set_filler *filler, const void *key,
	const struct ruleset_count *count, uint64_t timeout_ms)
{
	struct nftnl_expr *e = must_have(nftnl_expr_alloc("counter"));
	struct nftnl_set_elem *elem = set_put(filler, key);

	nftnl_expr_set_u64(e, NFTNL_EXPR_CTR_PACKETS, count->packets);
	nftnl_expr_set_u64(e, NFTNL_EXPR_CTR_BYTES, count->bytes);
	nftnl_set_elem_add_expr(elem, e);
	if (timeout_ms)
		nftnl_set_elem_set_u64(
			elem, NFTNL_SET_ELEM_TIMEOUT, timeout_ms);
}

static void send_elements(struct set_filler *filler)
{
	struct nftnl_set_elems_iter *iter = must_have(
		nftnl_set_elems_iter_create(filler->set));
	int more = 1;

	while (more > 0) {
		struct nlmsghdr *m = batch_message(&filler->rs->batch,
			NFT_MSG_NEWSETELEM, filler->rs->family, NLM_F_CREATE,
			"elements of the set %s", filler->shape->name);

		more = nftnl_set_elems_nlmsg_build_payload_iter(m, iter);
		batch_add(&filler->rs->batch, m);
	}
	nftnl_set_elems_iter_destroy(iter);
}

void set_end(struct set_filler *filler)
{
	struct ruleset *rs = filler->rs;
	struct ruleset_set *note = &rs->sets[rs->n_sets++];

	if (filler->elements)
		send_elements(filler);
	nftnl_set_free(filler->set);
	filler->set = NULL;
	snprintf(note->name, sizeof(note->name), "%s", filler->shape->name);
	note->family = rs->family;
	note->elements = filler->elements;
	note->changing = filler->shape->flags & NFT_SET_EVAL;
}
