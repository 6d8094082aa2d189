/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules, the same on every gateway; what differs lies in the sets of
 * ruleset_sets.c. Touches memory only. Must never drop, reject or redirect
 * anything of an interface outside the devices zones, nor of one that only
 * observes; the one exception is the proxy's own ports.
 *
 * prerouting judges what goes through, at its original destination; forward
 * lets pass only what was judged; input judges what is for the gateway.
 * What was allowed carries the generation in its connection mark, so that
 * a new policy judges every connection again.
 */
#include "modules/isolation/rule.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>

#include "modules/isolation/ruleset_parts.h"

#define NEW NF_CT_STATE_BIT(IP_CT_NEW)
#define ESTABLISHED NF_CT_STATE_BIT(IP_CT_ESTABLISHED)
#define RELATED NF_CT_STATE_BIT(IP_CT_RELATED)
#define INVALID NF_CT_STATE_INVALID_BIT

#define PORT_DNS 53
#define ECHO_RATE 10 /* per second and device, to the gateway */
#define ECHO_BURST 20

/* The two families, so that both get the same rules. */
static const struct family {
	uint8_t nfproto, icmp, echo;
	enum rule_field from, to;
	const char *through, *here; /* chains of known devices */
	const char *name_servers, *admins, *allow, *wide, *attempts, *dialled;
} families[] = {
	{NFPROTO_IPV4, IPPROTO_ICMP, 8, RULE_IP_FROM, RULE_IP_TO, "through4",
		"here4", "name_servers4", "admins4", "allow4", "wide4",
		"attempts4", "dialled4"},
	{NFPROTO_IPV6, IPPROTO_ICMPV6, 128, RULE_IP6_FROM, RULE_IP6_TO,
		"through6", "here6", "name_servers6", "admins6", "allow6",
		"wide6", "attempts6", "dialled6"},
};

/* Later packets of what this generation allowed. */
static void pass_judged(
	struct ruleset *rs, const char *chain, uint8_t generation)
{
	rule_begin(rs, chain);
	rule_ct_state(rs, NEW | ESTABLISHED);
	rule_ct_judged(rs, generation);
	rule_accept(rs);
	/* Errors about it; not what a helper let in on its account. */
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		rule_begin(rs, chain);
		rule_protocol(rs, families[i].icmp);
		rule_ct_state(rs, RELATED);
		rule_ct_judged(rs, generation);
		rule_accept(rs);
	}
}

static void pass_replies(struct ruleset *rs, const char *chain)
{
	rule_begin(rs, chain);
	rule_ct_state(rs, ESTABLISHED | RELATED);
	rule_ct_direction(rs, true);
	rule_accept(rs);
}

static void add_prerouting(struct ruleset *rs, uint8_t generation)
{
	const char *chain = "prerouting";

	rule_begin(rs, chain);
	rule_not_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_accept(rs);
	pass_judged(rs, chain, generation);
	pass_replies(rs, chain);
	/* For the gateway itself: the input chain judges. */
	rule_begin(rs, chain);
	rule_in(rs, "here", RULE_ADDRESS_TYPE, RULE_END);
	rule_accept(rs);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		rule_begin(rs, chain);
		rule_family(rs, families[i].nfproto);
		rule_in(rs, "known", RULE_SOURCE_MAC, RULE_END);
		rule_goto(rs, families[i].through);
	}
	rule_begin(rs, chain);
	rule_goto(rs, "quarantined");
}

/* Port 53 leads to the name servers and nowhere else. */
static void add_dns(
	struct ruleset *rs, const char *chain, const struct family *f)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_TCP};

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		rule_begin(rs, chain);
		rule_protocol(rs, protocols[i]);
		rule_port(rs, PORT_DNS);
		rule_in(rs, f->name_servers, f->to, RULE_END);
		rule_goto(rs, "allowed");
		rule_begin(rs, chain);
		rule_protocol(rs, protocols[i]);
		rule_port(rs, PORT_DNS);
		rule_goto(rs, "denied");
	}
}

static void allow_listed(
	struct ruleset *rs, const char *chain, const struct family *f)
{
	rule_begin(rs, chain);
	rule_in(rs, f->allow, RULE_SOURCE_MAC, f->to, RULE_PROTOCOL, RULE_PORT,
		RULE_END);
	rule_goto(rs, "allowed");
	rule_begin(rs, chain);
	rule_in(rs, f->wide, RULE_SOURCE_MAC, f->to, RULE_PROTOCOL, RULE_PORT,
		RULE_END);
	rule_goto(rs, "allowed");
}

static void add_through(struct ruleset *rs, const struct family *f)
{
	const char *chain = f->through;

	add_dns(rs, chain, f);
	allow_listed(rs, chain, f);
	rule_begin(rs, chain);
	rule_in(rs, "allow_anywhere", RULE_SOURCE_MAC, RULE_PROTOCOL, RULE_PORT,
		RULE_END);
	rule_goto(rs, "allowed");
	rule_begin(rs, chain);
	rule_in(rs, "wide_anywhere", RULE_SOURCE_MAC, RULE_PROTOCOL, RULE_PORT,
		RULE_END);
	rule_goto(rs, "allowed");
	rule_begin(rs, chain);
	rule_goto(rs, "denied");
}

static void add_allowed(struct ruleset *rs, uint8_t generation)
{
	rule_begin(rs, "allowed");
	rule_ct_judge(rs, generation);
	rule_accept(rs);
}

/* Ports that are for TLS only: matches if the device has this one so. */
static void upgraded(struct ruleset *rs, const char *chain, bool own)
{
	rule_begin(rs, chain);
	rule_protocol(rs, IPPROTO_TCP);
	if (!own)
		rule_in(rs, "enforce_if", RULE_IIF, RULE_END);
	rule_map(rs, own ? "redirect_own" : "redirect_zone", RULE_SOURCE_MAC,
		RULE_PORT, RULE_END);
}

/* Connections to an address outside that were judged and allowed. */
static void add_redirect(struct ruleset *rs, uint8_t generation)
{
	rule_begin(rs, "redirect");
	rule_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_ct_judged(rs, generation);
	rule_goto(rs, "upgrade");
	for (int own = 0; own < 2; own++) {
		for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
			const struct family *f = &families[i];

			upgraded(rs, "upgrade", own);
			rule_family(rs, f->nfproto);
			rule_remember(rs, f->dialled, f->to, RULE_END);
			rule_end(rs);
		}
		upgraded(rs, "upgrade", own);
		rule_count(rs, "redirected");
		rule_redirect(rs);
	}
}

/*
 * A worker gone bad reaches nothing that a device would not have reached.
 * What cannot be remembered in "dialled" is refused here: full means closed.
 */
static void add_fence(struct ruleset *rs)
{
	rule_begin(rs, "output");
	rule_in(rs, "fenced", RULE_USER, RULE_END);
	rule_goto(rs, "fence");

	/* Answers to devices, and connections that were let out once. */
	rule_begin(rs, "fence");
	rule_ct_state(rs, ESTABLISHED);
	rule_accept(rs);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		rule_begin(rs, "fence");
		rule_family(rs, families[i].nfproto);
		rule_protocol(rs, IPPROTO_TCP);
		rule_in(rs, "fence_ports", RULE_USER, RULE_PORT, RULE_END);
		rule_in(rs, families[i].dialled, families[i].to, RULE_END);
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

static void add_forward(struct ruleset *rs, uint8_t generation)
{
	rule_begin(rs, "forward");
	rule_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_goto(rs, "from_devices");
	rule_begin(rs, "forward");
	rule_in(rs, "devices_if", RULE_OIF, RULE_END);
	rule_goto(rs, "to_devices");

	rule_begin(rs, "from_devices");
	rule_in(rs, "devices_if", RULE_OIF, RULE_END);
	rule_goto(rs, "between");
	/* Answers to the owner, also right after a reload. */
	rule_begin(rs, "from_devices");
	rule_ct_state(rs, ESTABLISHED | RELATED);
	rule_ct_direction(rs, true);
	rule_in(rs, "owner_if", RULE_OIF, RULE_END);
	rule_accept(rs);
	for (int own = 0; own < 2; own++) {
		upgraded(rs, "from_devices", own);
		rule_goto(rs, "denied");
	}
	pass_judged(rs, "from_devices", generation);
	rule_begin(rs, "from_devices");
	rule_goto(rs, "not_allowed");

	/* Between devices: counted here only if it was not before. */
	rule_begin(rs, "between");
	rule_ct_judged(rs, generation);
	rule_goto(rs, "denied");
	rule_begin(rs, "between");
	rule_goto(rs, "not_allowed");
}

static void add_to_devices(struct ruleset *rs)
{
	const char *chain = "to_devices";

	pass_replies(rs, chain);
	rule_begin(rs, chain);
	rule_in(rs, "owner_if", RULE_IIF, RULE_END);
	rule_goto(rs, "allowed");
	rule_begin(rs, chain);
	rule_count(rs, "denied");
	rule_end(rs);
	rule_begin(rs, chain);
	rule_in(rs, "enforce_if", RULE_OIF, RULE_END);
	rule_drop(rs);
}

/* The proxy's ports lead in by a redirect only; they are ours anywhere. */
static void guard_proxy(struct ruleset *rs)
{
	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_TCP);
	rule_in(rs, "proxy_ports", RULE_PORT, RULE_END);
	rule_ct_direction(rs, false);
	rule_ct_redirected(rs, false);
	rule_goto(rs, "proxy_refused");
	rule_begin(rs, "proxy_refused");
	rule_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_count(rs, "denied");
	rule_drop(rs);
	rule_begin(rs, "proxy_refused");
	rule_drop(rs);
}

/* What every host on a link must be able to say to its gateway. */
static void pass_housekeeping(struct ruleset *rs)
{
	const uint8_t hops = 255;

	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_ICMPV6);
	rule_in(rs, "icmp6_neighbours", RULE_ICMP_TYPE, RULE_END);
	rule_is(rs, RULE_HOP_LIMIT, &hops, sizeof(hops));
	rule_accept(rs);
	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_ICMPV6);
	rule_in(rs, "icmp6_groups", RULE_ICMP_TYPE, RULE_END);
	rule_accept(rs);
	rule_begin(rs, "input");
	rule_protocol(rs, IPPROTO_IGMP);
	rule_accept(rs);
	/* DHCP, also for strangers. */
	rule_begin(rs, "input");
	rule_family(rs, NFPROTO_IPV4);
	rule_protocol(rs, IPPROTO_UDP);
	rule_ports(rs, 68, 67);
	rule_accept(rs);
	rule_begin(rs, "input");
	rule_family(rs, NFPROTO_IPV6);
	rule_protocol(rs, IPPROTO_UDP);
	rule_ports(rs, 546, 547);
	rule_accept(rs);
}

/* Broadcasts and group addresses that nobody here waits for. */
static void pass_by_noise(struct ruleset *rs, const char *chain)
{
	rule_begin(rs, chain);
	rule_not_to_host(rs);
	rule_goto(rs, "noise");
}

static void add_input(struct ruleset *rs, uint8_t generation)
{
	const char *chain = "input";

	guard_proxy(rs);
	rule_begin(rs, chain);
	rule_not_in(rs, "devices_if", RULE_IIF, RULE_END);
	rule_accept(rs);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		rule_begin(rs, chain);
		rule_family(rs, families[i].nfproto);
		rule_in(rs, families[i].admins, families[i].from, RULE_END);
		rule_accept(rs);
	}
	pass_replies(rs, chain);
	pass_judged(rs, chain, generation);
	pass_housekeeping(rs);
	rule_begin(rs, chain);
	rule_protocol(rs, IPPROTO_TCP);
	rule_in(rs, "proxy_ports", RULE_PORT, RULE_END);
	rule_ct_redirected(rs, true);
	rule_accept(rs);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		rule_begin(rs, chain);
		rule_family(rs, families[i].nfproto);
		rule_in(rs, "known", RULE_SOURCE_MAC, RULE_END);
		rule_goto(rs, families[i].here);
	}
	pass_by_noise(rs, chain);
	rule_begin(rs, chain);
	rule_goto(rs, "quarantined");
}

static void add_here(struct ruleset *rs, const struct family *f)
{
	const char *chain = f->here;

	rule_begin(rs, chain);
	rule_protocol(rs, f->icmp);
	rule_is(rs, RULE_ICMP_TYPE, &f->echo, sizeof(f->echo));
	rule_limit(rs, "echo_limit", ECHO_RATE, 1, ECHO_BURST, RULE_SOURCE_MAC,
		RULE_END);
	rule_accept(rs);
	pass_by_noise(rs, chain);
	add_dns(rs, chain, f);
	for (int own = 0; own < 2; own++) {
		upgraded(rs, chain, own);
		rule_goto(rs, "denied");
	}
	/* "any" means the world outside, not the gateway. */
	allow_listed(rs, chain, f);
	rule_begin(rs, chain);
	rule_goto(rs, "denied");
}

/* One line of the list of attempts. */
static void itemise(struct ruleset *rs, const struct family *f,
	uint8_t protocol, enum rule_field port)
{
	/* Known already: counting it costs nobody a place. */
	rule_begin(rs, "itemise");
	rule_family(rs, f->nfproto);
	if (protocol)
		rule_protocol(rs, protocol);
	rule_in(rs, f->attempts, RULE_SOURCE_MAC, f->to, RULE_PROTOCOL, port,
		RULE_END);
	rule_return(rs);
	rule_begin(rs, "itemise");
	rule_family(rs, f->nfproto);
	if (protocol)
		rule_protocol(rs, protocol);
	rule_limit(rs, "attempt_limit", RULESET_NEW_ATTEMPTS, 3600,
		RULESET_NEW_BURST, RULE_SOURCE_MAC, RULE_END);
	rule_remember(rs, f->attempts, RULE_SOURCE_MAC, f->to, RULE_PROTOCOL,
		port, RULE_END);
	rule_return(rs);
	if (protocol) {
		rule_begin(rs, "itemise");
		rule_family(rs, f->nfproto);
		rule_protocol(rs, protocol);
		rule_return(rs);
	}
}

static void add_itemise(struct ruleset *rs)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const struct family *f = &families[i];

		itemise(rs, f, IPPROTO_TCP, RULE_PORT);
		itemise(rs, f, IPPROTO_UDP, RULE_PORT);
		itemise(rs, f, f->icmp, RULE_ICMP);
		itemise(rs, f, 0, RULE_NOTHING);
	}
}

/* Counts and lists; the last rule decides what becomes of it. */
static void add_denied(struct ruleset *rs)
{
	rule_begin(rs, "denied");
	rule_count(rs, "denied");
	rule_end(rs);
	rule_begin(rs, "denied");
	rule_in(rs, "tally", RULE_SOURCE_MAC, RULE_END);
	rule_end(rs);
	rule_begin(rs, "denied");
	rule_ct_state(rs, NEW);
	rule_jump(rs, "itemise");
	rule_begin(rs, "denied");
	rule_ct_state(rs, INVALID);
	rule_goto(rs, "silently");
	rule_begin(rs, "denied");
	rule_goto(rs, "with_answer");

	rule_begin(rs, "quarantined");
	rule_count(rs, "quarantined");
	rule_end(rs);
	rule_begin(rs, "quarantined");
	rule_remember(rs, "strangers", RULE_SOURCE_MAC, RULE_END);
	rule_end(rs);
	rule_begin(rs, "quarantined");
	rule_ct_state(rs, NEW);
	rule_jump(rs, "itemise");
	rule_begin(rs, "quarantined");
	rule_goto(rs, "silently");

	rule_begin(rs, "noise");
	rule_count(rs, "noise");
	rule_goto(rs, "silently");
}

/* A device's own mode goes before its zone's. */
static void by_mode(struct ruleset *rs, const char *chain, const char *then)
{
	rule_begin(rs, chain);
	rule_in(rs, "observed", RULE_SOURCE_MAC, RULE_END);
	rule_accept(rs);
	rule_begin(rs, chain);
	rule_in(rs, "enforced", RULE_SOURCE_MAC, RULE_END);
	rule_goto(rs, then);
	rule_begin(rs, chain);
	rule_in(rs, "enforce_if", RULE_IIF, RULE_END);
	rule_goto(rs, then);
	rule_begin(rs, chain);
	rule_accept(rs);
}

static void add_verdicts(struct ruleset *rs)
{
	by_mode(rs, "silently", "refused");
	rule_begin(rs, "refused");
	rule_drop(rs);
	by_mode(rs, "with_answer", "answered");
	rule_begin(rs, "answered");
	rule_reject_tcp(rs);
	rule_begin(rs, "answered");
	rule_reject(rs);
	/* Was counted in prerouting if it is only observed. */
	by_mode(rs, "not_allowed", "denied");
}

void ruleset_add_inet_rules(struct ruleset *rs, uint8_t generation)
{
	add_verdicts(rs);
	add_itemise(rs);
	add_denied(rs);
	add_allowed(rs, generation);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		add_through(rs, &families[i]);
		add_here(rs, &families[i]);
	}
	add_prerouting(rs, generation);
	add_redirect(rs, generation);
	add_fence(rs);
	add_forward(rs, generation);
	add_to_devices(rs);
	add_input(rs, generation);
}

/*
 * Between two ports of one bridge, below the sight of the rules above.
 * Rejecting is not possible on every kernel, so it is dropped.
 */
void ruleset_add_bridge_rules(struct ruleset *rs)
{
	rule_begin(rs, "forward");
	rule_in(rs, "ports", RULE_IIF, RULE_END);
	rule_goto(rs, "between_ports");
	rule_begin(rs, "forward");
	rule_in(rs, "ports", RULE_OIF, RULE_END);
	rule_goto(rs, "between_ports");

	rule_begin(rs, "between_ports");
	rule_count(rs, "bridged");
	rule_end(rs);
	rule_begin(rs, "between_ports");
	rule_in(rs, "enforced", RULE_SOURCE_MAC, RULE_END);
	rule_drop(rs);
	rule_begin(rs, "between_ports");
	rule_in(rs, "enforced", RULE_TARGET_MAC, RULE_END);
	rule_drop(rs);
	rule_begin(rs, "between_ports");
	rule_in(rs, "observed", RULE_SOURCE_MAC, RULE_END);
	rule_in(rs, "observed", RULE_TARGET_MAC, RULE_END);
	rule_accept(rs);
	rule_begin(rs, "between_ports");
	rule_in(rs, "ports_enforce", RULE_IIF, RULE_END);
	rule_drop(rs);
	rule_begin(rs, "between_ports");
	rule_in(rs, "ports_enforce", RULE_OIF, RULE_END);
	rule_drop(rs);
}
