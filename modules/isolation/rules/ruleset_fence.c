/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our own workers, fenced by their user: where they may open connections to.
 * Touches memory only; must never fence anybody but those users.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/rules/ruleset_parts.h"

#define ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)

/* Our workers, the ports they may go to, and where devices sent them. */
static void add_fences(struct ruleset *rs, const struct policy *policy)
{
	static const struct set_shape users = {.name = "fenced",
		.key_type = NFT_TYPE_UID,
		.key_length = 4,
		.host_order = true};
	static const struct set_shape ports = {.name = "fence_ports",
		.key_type = CONCAT2(NFT_TYPE_UID, NFT_TYPE_SERVICE),
		.key_length = 8};
	const struct isolation_fence *last = NULL;
	struct set_filler filler;

	set_begin(&filler, rs, &users, policy->fences.n);
	policy_each(struct isolation_fence, f, &policy->fences) {
		if (!last || last->uid != f->uid)
			set_put(&filler, &f->uid);
		last = f;
	}
	set_end(&filler);
	last = NULL;
	set_begin(&filler, rs, &ports, policy->fences.n);
	policy_each(struct isolation_fence, f, &policy->fences) {
		uint16_t wire = htons(f->port);
		struct set_key key = {0};

		if (last && last->uid == f->uid && last->port == f->port)
			continue; /* only the local port differs */
		last = f;
		set_key_add(&key, &f->uid, sizeof(f->uid));
		set_key_add(&key, &wire, sizeof(wire));
		set_put(&filler, key.bytes);
	}
	set_end(&filler);
}

static void add_dialled(struct ruleset *rs, const char *name, uint16_t family)
{
	struct set_shape shape = set_shape_addresses(name, family);
	struct set_filler filler;

	shape.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT;
	shape.size = RULESET_DIALLED_MAX;
	shape.keep_ms = RULESET_DIALLED_MS;
	set_begin(&filler, rs, &shape, 0);
	set_end(&filler);
}

void ruleset_add_fence_sets(struct ruleset *rs, const struct policy *policy)
{
	add_fences(rs, policy);
	add_dialled(rs, "dialled4", AF_INET);
	add_dialled(rs, "dialled6", AF_INET6);
}

/*
 * A worker gone bad reaches nothing that a device would not have reached.
 * What cannot be remembered in "dialled" is refused here: full means closed.
 */
void ruleset_add_fence(struct ruleset *rs)
{
	ruleset_add_no_redirects(rs);
	rule_begin(rs, "output");
	rule_in(rs, "fenced", RULE_USER, RULE_END);
	rule_goto(rs, "fence");

	/* Answers to devices, and connections that were let out once. */
	rule_begin(rs, "fence");
	rule_ct_state(rs, ESTABLISHED);
	rule_accept(rs);
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		rule_begin(rs, "fence");
		rule_family(rs, rules_families[i].nfproto);
		rule_protocol(rs, IPPROTO_TCP);
		rule_in(rs, "fence_ports", RULE_USER, RULE_PORT, RULE_END);
		rule_in(rs, rules_families[i].dialled, rules_families[i].to,
			RULE_END);
		rule_accept(rs);
	}
	rule_begin(rs, "fence");
	rule_count(rs, "fenced");
	rule_end(rs);
	rule_begin(rs, "fence");
	rule_reject_tcp(rs);
	rule_begin(rs, "fence");
	rule_drop(rs);
}
