/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists what is not ours. Reads only; must never change anything of others.
 */
#include "modules/isolation/kernel/foreign_read.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/foreign_match.h"
#include "modules/isolation/kernel/nft_dump.h"

/* One that is not understood is left out, and what comes out uncertain. */
static int take_chain(const struct nlmsghdr *m, void *arg)
{
	struct foreign *foreign = arg;

	if (foreign_add_chain(foreign, m) < 0)
		foreign->cut = true;
	return 0;
}

static int take_rule(const struct nlmsghdr *m, void *arg)
{
	struct foreign *foreign = arg;

	if (foreign_add_rule(foreign, m) < 0)
		foreign->cut = true;
	return 0;
}

int foreign_read(struct nft *nft, struct foreign *ret_foreign)
{
	char bytes[256] __attribute__((aligned(8)));
	struct foreign foreign = {0};
	int r = nft_dump(nft,
		nftnl_nlmsg_build_hdr(
			bytes, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, 0, 0),
		take_chain, &foreign);

	if (r == 0)
		r = nft_dump(nft,
			nftnl_nlmsg_build_hdr(
				bytes, NFT_MSG_GETRULE, NFPROTO_UNSPEC, 0, 0),
			take_rule, &foreign);
	if (r < 0) {
		foreign_free(&foreign);
		return r;
	}
	*ret_foreign = foreign;
	return 0;
}

struct question {
	const char *name;
	uint32_t key_length;
	bool found;
	int *verdict;
	char *chain;
};

static int take_set(const struct nlmsghdr *m, void *arg)
{
	struct nftnl_set *set = must_have(nftnl_set_alloc());
	struct question *q = arg;

	if (nftnl_set_nlmsg_parse(m, set) >= 0 &&
		nftnl_set_get_str(set, NFTNL_SET_NAME) &&
		!strcmp(nftnl_set_get_str(set, NFTNL_SET_NAME), q->name))
		q->key_length = nftnl_set_get_u32(set, NFTNL_SET_KEY_LEN);
	nftnl_set_free(set);
	return 0;
}

static int read_verdict(struct nftnl_set_elem *e, void *arg)
{
	struct question *q = arg;
	const char *chain;

	q->found = true;
	if (!nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_VERDICT))
		return 0;
	*q->verdict = (int)nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_VERDICT);
	chain = nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_CHAIN)
			? nftnl_set_elem_get_str(e, NFTNL_SET_ELEM_CHAIN)
			: "";
	snprintf(q->chain, FOREIGN_NAME, "%s", chain);
	return 0;
}

static int take_element(const struct nlmsghdr *m, void *arg)
{
	struct nftnl_set *set = must_have(nftnl_set_alloc());

	if (nftnl_set_elems_nlmsg_parse(m, set) >= 0)
		nftnl_set_elem_foreach(set, read_verdict, arg);
	nftnl_set_free(set);
	return 0;
}

static struct nlmsghdr *about(void *bytes, uint16_t type, uint8_t family,
	const char *table, const char *name, const uint8_t *key,
	uint32_t length)
{
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(bytes, type, family, 0, 0);
	struct nftnl_set *set = must_have(nftnl_set_alloc());
	struct nftnl_set_elem *e;

	nftnl_set_set_str(set, NFTNL_SET_TABLE, table);
	if (!key) {
		nftnl_set_nlmsg_build_payload(m, set);
		nftnl_set_free(set);
		return m;
	}
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	e = must_have(nftnl_set_elem_alloc());
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, length);
	nftnl_set_elem_add(set, e);
	nftnl_set_elems_nlmsg_build_payload(m, set);
	nftnl_set_free(set);
	return m;
}

/* Sets of others are few; each is asked for its shape, then for the key. */
static int look_up(void *arg, uint8_t family, const char *table,
	const char *set, const uint8_t *key, const bool *known,
	int *ret_verdict, char *ret_chain)
{
	char bytes[1024] __attribute__((aligned(8)));
	struct question q = {
		.name = set, .verdict = ret_verdict, .chain = ret_chain};
	int r;

	if (!set || !table)
		return -EINVAL;
	r = nft_dump(arg,
		about(bytes, NFT_MSG_GETSET, family, table, NULL, NULL, 0),
		take_set, &q);
	if (r < 0 || !q.key_length || q.key_length > FOREIGN_REGISTERS)
		return r < 0 ? r : -ENOENT;
	for (uint32_t i = 0; i < q.key_length; i++)
		if (!known[i])
			return -ENODATA;
	r = nft_get(arg,
		about(bytes, NFT_MSG_GETSETELEM, family, table, set, key,
			q.key_length),
		take_element, &q);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : q.found;
}

int foreign_ask(struct nft *nft, const struct foreign_flow *flow,
	struct foreign_cause *ret_cause)
{
	struct foreign foreign;
	int r = foreign_read(nft, &foreign);

	if (r < 0)
		return r;
	r = foreign_judge(&foreign, flow, look_up, nft, ret_cause);
	foreign_free(&foreign);
	return r;
}
