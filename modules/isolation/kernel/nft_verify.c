/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares what is in force with what was built: how many chains, rules and
 * elements. Reads only; must never take the kernel's acknowledgement for it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/kernel/nft_dump.h"

#define SET_COUNT 20 /* NFTA_SET_COUNT, since Linux 6.16 */

static int count_row(const struct nlmsghdr *m, void *arg)
{
	(void)m;
	++*(uint32_t *)arg;
	return 0;
}

static int count_rules(struct nft *nft, uint16_t family, uint32_t *ret_n)
{
	char bytes[512] __attribute__((aligned(8)));
	struct nftnl_rule *r = must_have(nftnl_rule_alloc());
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_GETRULE, family, 0, 0);

	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, RULESET_TABLE);
	nftnl_rule_nlmsg_build_payload(m, r);
	nftnl_rule_free(r);
	*ret_n = 0;
	return nft_dump(nft, m, count_row, ret_n);
}

static int count_chain(const struct nlmsghdr *m, void *arg)
{
	struct nftnl_chain *c = must_have(nftnl_chain_alloc());
	const char *table = NULL;

	if (nftnl_chain_nlmsg_parse(m, c) >= 0)
		table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
	if (table && !strcmp(table, RULESET_TABLE))
		++*(uint32_t *)arg;
	nftnl_chain_free(c);
	return 0;
}

static int count_chains(struct nft *nft, uint16_t family, uint32_t *ret_n)
{
	char bytes[512] __attribute__((aligned(8)));
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_GETCHAIN, family, 0, 0);

	*ret_n = 0;
	return nft_dump(nft, m, count_chain, ret_n);
}

static int differs(char *reason, const char *what, const char *name,
	uint32_t wanted, uint32_t found)
{
	snprintf(reason, POLICY_REASON,
		"the rules were loaded but are not in force as built: "
		"%u %s%s%s instead of %u",
		found, what, name[0] ? " in " : "", name, wanted);
	return -EIO;
}

static int verify_table(struct nft *nft, const struct ruleset *ruleset,
	uint16_t family, char *reason)
{
	const enum ruleset_table table = ruleset_table_of(family);
	char name[RULESET_NAME];
	uint32_t n;
	int r = count_chains(nft, family, &n);

	snprintf(
		name, sizeof(name), "the %s table", ruleset_tables[table].name);
	if (r == 0 && n != ruleset->chains[table])
		return differs(
			reason, "chains", name, ruleset->chains[table], n);
	if (r == 0)
		r = count_rules(nft, family, &n);
	if (r == 0 && n != ruleset->rules[table])
		return differs(reason, "rules", name, ruleset->rules[table], n);
	return r;
}

/* What the kernel says of all sets of a table at once. */
struct counted {
	const struct ruleset *ruleset;
	uint16_t family;
	uint32_t n[RULESET_SETS_MAX];
	bool known[RULESET_SETS_MAX];
};

static void note_count(struct counted *c, const char *name, uint32_t n)
{
	for (size_t i = 0; i < c->ruleset->n_sets; i++)
		if (c->ruleset->sets[i].family == c->family &&
			!strcmp(c->ruleset->sets[i].name, name)) {
			c->n[i] = n;
			c->known[i] = true;
		}
}

static int count_set(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a, *name = NULL, *count = NULL;

	mnl_attr_for_each(a, m, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == NFTA_SET_NAME)
			name = a;
		else if (mnl_attr_get_type(a) == SET_COUNT)
			count = a;
	}
	if (name && mnl_attr_validate(name, MNL_TYPE_NUL_STRING) == 0 &&
		count && mnl_attr_get_payload_len(count) == 4)
		note_count(arg, mnl_attr_get_str(name),
			ntohl(mnl_attr_get_u32(count)));
	return 0;
}

static int count_sets(struct nft *nft, struct counted *c)
{
	char bytes[512] __attribute__((aligned(8)));
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_GETSET, c->family, 0, 0);

	mnl_attr_put_strz(m, NFTA_SET_TABLE, RULESET_TABLE);
	return nft_dump(nft, m, count_set, c);
}

/* Kernels that do not say how many have to list them all. */
static int verify_sets(struct nft *nft, const struct ruleset *ruleset,
	uint16_t family, char *reason)
{
	struct counted c = {.ruleset = ruleset, .family = family};
	int r = count_sets(nft, &c);

	for (size_t i = 0; i < ruleset->n_sets && r == 0; i++) {
		const struct ruleset_set *set = &ruleset->sets[i];

		if (set->changing || set->family != family)
			continue;
		if (!c.known[i])
			r = nft_count_elements(nft, family, set->name, &c.n[i]);
		if (r == 0 && c.n[i] != set->elements)
			return differs(reason, "elements", set->name,
				set->elements, c.n[i]);
	}
	return r;
}

int nft_verify(struct nft *nft, const struct ruleset *ruleset, char *ret_reason)
{
	int r = 0;

	ret_reason[0] = 0;
	for (int i = 0; i < RULESET_TABLES && r == 0; i++) {
		uint16_t family = ruleset_tables[i].family;

		if (!ruleset->chains[i])
			continue; /* not on this kernel */
		r = verify_table(nft, ruleset, family, ret_reason);
		if (r == 0)
			r = verify_sets(nft, ruleset, family, ret_reason);
	}
	if (r < 0 && !ret_reason[0])
		snprintf(ret_reason, POLICY_REASON,
			"the rules could not be read back: %s", strerror(-r));
	return r;
}
