/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for strangers' use of our bits. Reads only. Must never tell the same
 * twice: who flips a rule to and fro does not fill the log.
 */
#include "modules/isolation/collisions.h"

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "modules/isolation/kernel/foreign_read.h"

bool collisions_find_route(const struct guard_rule *rules, size_t n,
	const struct isolation_marks *marks,
	struct isolation_collision *ret_collision)
{
	for (size_t i = 0; i < n; i++) {
		if (guard_rules_ours(&rules[i]) ||
			!(rules[i].mask & marks->packet))
			continue;
		ret_collision->kind = ISOLATION_COLLISION_ROUTE;
		ret_collision->family = rules[i].family;
		ret_collision->number = rules[i].priority;
		return true;
	}
	return false;
}

/* What a rule does to marks, expression by expression. */
struct scan {
	const struct isolation_marks *marks;
	uint32_t changes; /* bits of what is in the register now */
	uint8_t kind;
};

static uint32_t bits(const struct nftnl_expr *e, uint16_t which)
{
	uint32_t length = 0, value = 0;
	const void *data = nftnl_expr_get(e, which, &length);

	if (data && length == sizeof(value))
		memcpy(&value, data, sizeof(value));
	return value;
}

static void written(struct scan *scan, uint32_t ours, uint8_t kind)
{
	if (scan->changes & ours && !scan->kind)
		scan->kind = kind;
	scan->changes = UINT32_MAX;
}

static int scan_expression(struct nftnl_expr *e, void *arg)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	struct scan *scan = arg;
	bool packet = name && !strcmp(name, "meta") &&
		      nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY) ==
			      NFT_META_MARK;
	bool connection = name && !strcmp(name, "ct") &&
			  nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY) ==
				  NFT_CT_MARK;

	if (packet && nftnl_expr_is_set(e, NFTNL_EXPR_META_SREG))
		written(scan, scan->marks->packet, ISOLATION_COLLISION_PACKET);
	else if (connection && nftnl_expr_is_set(e, NFTNL_EXPR_CT_SREG))
		written(scan, scan->marks->connection,
			ISOLATION_COLLISION_CONNECTION);
	else if (packet || connection)
		scan->changes = 0; /* as it is */
	else if (name && !strcmp(name, "bitwise"))
		scan->changes |= ~bits(e, NFTNL_EXPR_BITWISE_MASK) |
				 bits(e, NFTNL_EXPR_BITWISE_XOR);
	else if (name && !strcmp(name, "immediate"))
		scan->changes = UINT32_MAX;
	return 0;
}

bool collisions_find_rule(const struct foreign *foreign,
	const struct isolation_marks *marks,
	struct isolation_collision *ret_collision)
{
	for (size_t i = 0; i < foreign->n_rules; i++) {
		struct nftnl_rule *r = foreign->rules[i];
		struct scan scan = {.marks = marks, .changes = UINT32_MAX};

		nftnl_expr_foreach(r, scan_expression, &scan);
		if (!scan.kind)
			continue;
		ret_collision->kind = scan.kind;
		ret_collision->family = (uint8_t)nftnl_rule_get_u32(
			r, NFTNL_RULE_FAMILY);
		ret_collision->number = nftnl_rule_get_u64(
			r, NFTNL_RULE_HANDLE);
		snprintf(ret_collision->table, sizeof(ret_collision->table),
			"%s", nftnl_rule_get_str(r, NFTNL_RULE_TABLE));
		snprintf(ret_collision->chain, sizeof(ret_collision->chain),
			"%s", nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));
		return true;
	}
	return false;
}

static void look(
	const struct collisions *c, struct isolation_collision *collision)
{
	struct guard_rule *rules = NULL;
	struct foreign foreign;
	size_t n = 0;
	bool found = false;

	if (guard_list(c->guard, &rules, &n) == 0)
		found = collisions_find_route(rules, n, c->marks, collision);
	free(rules);
	if (found || foreign_read(c->nft, &foreign) < 0)
		return;
	(void)collisions_find_rule(&foreign, c->marks, collision);
	foreign_free(&foreign);
}

void collisions_tell(struct collisions *collisions)
{
	static struct isolation_collision told;
	struct isolation_collision now = {0};

	collisions->last_ms = clock_ms();
	look(collisions, &now);
	if (!memcmp(&now, &told, sizeof(now)))
		return;
	told = now;
	worker_send(collisions->worker, ISOLATION_COLLISION, &now, sizeof(now));
}

static void on_timer(struct timer *timer)
{
	collisions_tell(container_of(timer, struct collisions, timer));
}

/* One look is for all that happens until then. */
void collisions_soon(struct collisions *collisions)
{
	int64_t wait_ms = collisions->last_ms + COLLISIONS_GAP_MS - clock_ms();

	if (collisions->timer.slot)
		return;
	collisions->timer.fired = on_timer;
	loop_set_timer(collisions->worker->loop, &collisions->timer,
		wait_ms > COLLISIONS_SETTLE_MS ? wait_ms
					       : COLLISIONS_SETTLE_MS);
}
