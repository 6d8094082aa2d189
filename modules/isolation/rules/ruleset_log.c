/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A few of the packets that were denied are shown to whoever reads the group
 * of NFLOG. Touches memory only; must never log more of one device than its
 * share, nor let one device take all of the shares: who finds its limiter
 * full is counted all the same, and not logged.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/rules/ruleset_parts.h"

/* Who logs, and of what one device has how much. */
static const struct log {
	uint16_t family;
	const char *chain, *limiter, *prefix;
	uint32_t rate, burst; /* of one device, a second */
} logs[] = {
	{NFPROTO_INET, "count_denied", "log_known", ISOLATION_LOG_DENIED,
		RULESET_LOG_RATE, RULESET_LOG_BURST},
	{NFPROTO_INET, "quarantined", "log_strangers",
		ISOLATION_LOG_QUARANTINED, RULESET_LOG_RATE, RULESET_LOG_BURST},
	{NFPROTO_BRIDGE, "kept_apart", "log_bridged", ISOLATION_LOG_BRIDGED,
		RULESET_LOG_BRIDGED_RATE, RULESET_LOG_BRIDGED_BURST},
	/* With the limiter of the one before. */
	{NFPROTO_BRIDGE, "between_ports", "log_bridged", ISOLATION_LOG_BRIDGED,
		RULESET_LOG_BRIDGED_RATE, RULESET_LOG_BRIDGED_BURST},
};

/* There, filled or not, also while nobody logs: rules are constant. */
void ruleset_add_log_sets(struct ruleset *rs)
{
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		struct set_shape shape = {.name = logs[i].limiter,
			.key_type = NFT_TYPE_ETHER,
			.key_length = sizeof(struct mac),
			.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT,
			.size = RULESET_LOG_DEVICES_MAX,
			.keep_ms = RULESET_LOG_KEEP_MS};
		struct set_filler filler;

		if (logs[i].family != rs->family ||
			(i && strcmp(logs[i].limiter, logs[i - 1].limiter) ==
					0))
			continue;
		set_begin(&filler, rs, &shape, 0);
		set_end(&filler);
	}
}

static void finish(struct ruleset *rs, const struct log *log)
{
	rule_limit(rs, log->limiter, log->rate, 1, log->burst, RULE_SOURCE_MAC,
		RULE_END);
	rule_limit_all(rs, RULESET_LOG_RATE_ALL, RULESET_LOG_BURST_ALL);
	rule_log(rs, rs->log_group, RULESET_LOG_SNAPLEN, log->prefix);
	rule_end(rs);
}

/*
 * On a bridge only what was meant for a neighbour, or asks for one: all that
 * is said to everybody comes by here, too.
 */
static void add_bridged(struct ruleset *rs, const struct log *log)
{
	const uint16_t arp = htons(ETH_P_ARP);
	const uint8_t solicitation = 135;

	rule_begin(rs, log->chain);
	rule_to_other(rs);
	finish(rs, log);
	rule_begin(rs, log->chain);
	rule_is(rs, RULE_ETHERTYPE, &arp, sizeof(arp));
	rule_not_in(rs, "gateway4", RULE_ARP_TO, RULE_END);
	finish(rs, log);
	rule_begin(rs, log->chain);
	rule_protocol(rs, IPPROTO_ICMPV6);
	rule_is(rs, RULE_ICMP_TYPE, &solicitation, sizeof(solicitation));
	rule_not_in(rs, "gateway6", RULE_ND_TARGET, RULE_END);
	finish(rs, log);
}

void rules_add_log(struct ruleset *rs, const char *chain)
{
	for (size_t i = 0; rs->logs && i < ARRAY_SIZE(logs); i++) {
		const struct log *log = &logs[i];

		if (log->family != rs->family || strcmp(log->chain, chain) != 0)
			continue;
		if (log->family == NFPROTO_BRIDGE) {
			add_bridged(rs, log);
			continue;
		}
		rule_begin(rs, chain);
		finish(rs, log);
	}
}
