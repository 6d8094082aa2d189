/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes from outside: ports of devices that are published, and packets
 * that come in by an uplink in the name of somebody inside. Touches memory
 * only; must never drop anything of an uplink that only observes, nor what
 * goes to the owner's own zones because of whom it goes to.
 */
#include <arpa/inet.h>
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/rules/boxes.h"
#include "modules/isolation/rules/ruleset_parts.h"

#define ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)

static const struct names {
	const char *published, *observed, *enforced;
} names[RULES_FAMILIES] = {
	{"published4", "observed_at4", "enforced_at4"},
	{"published6", "observed_at6", "enforced_at6"},
};

/* Those that nobody named. */
static void put_found(
	struct set_filler *filler, const struct ruleset_input *input)
{
	policy_each(struct isolation_outside, o, &input->policy->outsides)
		for (size_t i = 0; i < input->topology->n_uplinks; i++)
			if (o->mode == RECORD_MODE_ENFORCE)
				set_put(filler, input->topology->uplinks[i]);
}

/* An uplink that enforces; and all that is not outside. */
static void add_interfaces(
	struct ruleset *rs, const struct ruleset_input *input, bool uplinks)
{
	const struct policy *policy = input->policy;
	const struct set_shape shape = set_shape_interfaces(
		uplinks ? "uplinks" : "inside_if");
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->zones.n);
	policy_each(struct isolation_zone, z, &policy->zones) {
		bool uplink = z->role == ISOLATION_ROLE_UPLINK;

		if (uplink == uplinks &&
			(!uplink || z->mode == RECORD_MODE_ENFORCE))
			set_put(&filler, z->interface);
	}
	if (uplinks)
		put_found(&filler, input);
	set_end(&filler);
}

/* Pinned addresses of devices with a mode of their own. */
static void add_places(struct ruleset *rs, const struct policy *policy,
	const char *name, uint16_t family, uint8_t mode)
{
	const struct set_shape shape = set_shape_addresses(name, family);
	struct set_filler filler;

	set_begin(&filler, rs, &shape, policy->pins.n);
	policy_each(struct isolation_pin, p, &policy->pins)
		if (p->ip.family == family &&
			policy_device(policy, p->device)->mode == mode)
			set_put(&filler, p->ip.b);
	set_end(&filler);
}

static void put_boxes(
	struct set_filler *filler, const struct boxes *boxes, size_t address)
{
	const size_t lengths[BOXES_SIDES] = {
		[BOXES_ADDRESS] = address,
		[BOXES_PROTOCOL] = 1,
		[BOXES_PORT] = 2,
	};

	for (size_t i = 0; i < boxes->n; i++) {
		struct set_key first = {0}, last = {0};

		for (int s = 0; s < BOXES_SIDES; s++) {
			size_t n = lengths[s];

			set_key_add(&first,
				boxes->box[i].side[s].first + 16 - n, n);
			set_key_add(
				&last, boxes->box[i].side[s].last + 16 - n, n);
		}
		set_put_range(filler, first.bytes, last.bytes);
	}
}

/* The lines of one device, which lie side by side; how many. */
static int add_device(struct set_filler *filler, const struct isolation_pass *p,
	const struct isolation_pass *end, uint16_t family, size_t *ret_n)
{
	struct boxes boxes = {0};
	size_t n = 0;
	int r = 0;

	for (; p + n < end && p[n].device == p->device; n++) {
		const struct isolation_allow line = {.to = p[n].to,
			.length = (uint8_t)ip_bits(&p[n].to),
			.protocol = p[n].protocol,
			.first = p[n].first,
			.last = p[n].last};

		if (r == 0 && line.to.family == family)
			r = rules_add_allow_boxes(
				&boxes, &line, BOXES_MAX - filler->elements);
	}
	if (r == 0)
		put_boxes(filler, &boxes, family == AF_INET6 ? 16 : 4);
	boxes_free(&boxes);
	*ret_n = n;
	return r;
}

static int add_published(struct ruleset *rs, const struct policy *policy,
	const char *name, uint16_t family)
{
	const struct isolation_pass *p = policy->publishes.items;
	const struct isolation_pass *end = p ? p + policy->publishes.n : p;
	bool six = family == AF_INET6;
	const struct set_shape shape = {.name = name,
		.key_type = CONCAT3(six ? NFT_TYPE_IP6 : NFT_TYPE_IP,
			NFT_TYPE_PROTOCOL, NFT_TYPE_SERVICE),
		.key_length = six ? 24 : 12,
		.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
		.fields = {six ? 16 : 4, 1, 2}};
	struct set_filler filler;
	size_t n = 0;
	int r = 0;

	set_begin(&filler, rs, &shape, 0);
	for (; p < end && r == 0; p += n)
		r = add_device(&filler, p, end, family, &n);
	set_end(&filler);
	return r;
}

int ruleset_add_outside_sets(
	struct ruleset *rs, const struct ruleset_input *input, char *ret_reason)
{
	const struct policy *policy = input->policy;
	static const uint16_t families[] = {AF_INET, AF_INET6};
	int r = 0;

	add_interfaces(rs, input, true);
	add_interfaces(rs, input, false);
	for (size_t i = 0; i < RULES_FAMILIES && r == 0; i++) {
		add_places(rs, policy, names[i].observed, families[i],
			RECORD_MODE_OBSERVE);
		add_places(rs, policy, names[i].enforced, families[i],
			RECORD_MODE_ENFORCE);
		r = add_published(rs, policy, names[i].published, families[i]);
	}
	if (r < 0)
		snprintf(ret_reason, POLICY_REASON,
			"too many publish lines: more than %d", BOXES_MAX);
	return r;
}

void rules_pass_published(struct ruleset *rs, const char *chain)
{
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		const struct rules_family *f = &rules_families[i];

		rule_begin(rs, chain);
		rule_family(rs, f->nfproto);
		rule_in(rs, names[i].published, f->to, RULE_PROTOCOL, RULE_PORT,
			RULE_END);
		rule_goto(rs, "granted");
	}
}

/* The source port stands where ICMP has its type. */
void rules_pass_answers(struct ruleset *rs, const char *chain)
{
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		const struct rules_family *f = &rules_families[i];

		rule_begin(rs, chain);
		rule_ct_state(rs, ESTABLISHED);
		rule_ct_direction(rs, true);
		rule_family(rs, f->nfproto);
		rule_in(rs, names[i].published, f->from, RULE_PROTOCOL,
			RULE_ICMP, RULE_END);
		rule_accept(rs);
	}
}

void rules_drop_unpublished(struct ruleset *rs, const char *chain)
{
	for (size_t i = 0; i < RULES_FAMILIES; i++) {
		const struct rules_family *f = &rules_families[i];

		rule_begin(rs, chain);
		rule_family(rs, f->nfproto);
		rule_in(rs, names[i].observed, f->to, RULE_END);
		rule_accept(rs);
		rule_begin(rs, chain);
		rule_family(rs, f->nfproto);
		rule_in(rs, names[i].enforced, f->to, RULE_END);
		rule_drop(rs);
	}
	rule_begin(rs, chain);
	rule_in(rs, "enforce_if", RULE_OIF, RULE_END);
	rule_drop(rs);
}

/*
 * Answers come first and are asked nothing else. Addresses of the link are
 * on each link, so they say nothing.
 */
void ruleset_add_elsewhere(struct ruleset *rs)
{
	const uint32_t local = RTN_LOCAL;
	const char *chain = "elsewhere";

	rule_begin(rs, chain);
	rule_ct_state(rs, ESTABLISHED);
	rule_ct_direction(rs, true);
	rule_accept(rs);
	rule_begin(rs, chain);
	rule_not_in(rs, "uplinks", RULE_IIF, RULE_END);
	rule_accept(rs);
	rule_begin(rs, chain);
	rule_family(rs, NFPROTO_IPV6);
	rule_link_local(rs, RULE_IP6_FROM, true);
	rule_accept(rs);
	rule_begin(rs, chain);
	rule_in(rs, "inside_if", RULE_ROUTE_SOURCE, RULE_END);
	rule_count(rs, "spoofed");
	rule_drop(rs);
	rule_begin(rs, chain);
	rule_is(rs, RULE_SOURCE_TYPE, &local, sizeof(local));
	rule_count(rs, "spoofed");
	rule_drop(rs);
	rule_begin(rs, chain);
	rule_accept(rs);
}
