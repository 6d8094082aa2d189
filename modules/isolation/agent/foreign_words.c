/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another firewall's drop, as a sentence for the owner. Pure. */
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <string.h>

#include "modules/isolation/agent/because.h"
#include "modules/isolation/foreign.h"

static const char *family(uint8_t number)
{
	if (number == NFPROTO_INET)
		return "inet";
	return number == NFPROTO_IPV6 ? "ip6" : "ip";
}

void because_foreign(
	const struct isolation_foreign *foreign, char *ret_text, size_t size)
{
	const char *verb = foreign->what == FOREIGN_REJECT ? "rejects"
							   : "drops";
	char rule[48] = "its policy";
	int table = (int)strnlen(foreign->table, sizeof(foreign->table));
	int chain = (int)strnlen(foreign->chain, sizeof(foreign->chain));

	ret_text[0] = 0;
	if (!foreign->what)
		return;
	if (foreign->handle)
		snprintf(rule, sizeof(rule), "the rule with handle %llu",
			(unsigned long long)foreign->handle);
	snprintf(ret_text, size,
		"another firewall %s%s it: table %s %.*s, chain %.*s, %s; see "
		"nft -a list chain %s %.*s %.*s",
		foreign->certain ? "" : "perhaps ", verb,
		family(foreign->family), table, foreign->table, chain,
		foreign->chain, rule, family(foreign->family), table,
		foreign->table, chain, foreign->chain);
}
