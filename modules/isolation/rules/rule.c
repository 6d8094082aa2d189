/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns matches and verdicts into libnftnl expressions. Touches memory only;
 * must never leave a rule half built: the verdict always comes last.
 */
#include "modules/isolation/rules/rule.h"

#include <arpa/inet.h>
#include <assert.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "modules/isolation/marks.h"

#define FIRST_REGISTER NFT_REG32_00
#define CONNTRACK_OFFLOAD (1u << 14) /* IPS_OFFLOAD */
#define CONNTRACK_DST_NAT (1u << 5) /* IPS_DST_NAT */

/* Where a field comes from. */
struct source {
	const char *kind;
	uint32_t base; /* of the payload; or the key of meta */
	uint32_t offset, length; /* offset: of fib the flags */
};

static const struct source sources[] = {
	[RULE_SOURCE_MAC] = {"payload", NFT_PAYLOAD_LL_HEADER, 6, 6},
	[RULE_TARGET_MAC] = {"payload", NFT_PAYLOAD_LL_HEADER, 0, 6},
	[RULE_IP_FROM] = {"payload", NFT_PAYLOAD_NETWORK_HEADER, 12, 4},
	[RULE_IP_TO] = {"payload", NFT_PAYLOAD_NETWORK_HEADER, 16, 4},
	[RULE_IP6_FROM] = {"payload", NFT_PAYLOAD_NETWORK_HEADER, 8, 16},
	[RULE_IP6_TO] = {"payload", NFT_PAYLOAD_NETWORK_HEADER, 24, 16},
	[RULE_PROTOCOL] = {"meta", NFT_META_L4PROTO, 0, 1},
	[RULE_PORT] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2},
	[RULE_ICMP] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2},
	[RULE_ICMP_TYPE] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1},
	[RULE_RA_LIFETIME] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 6, 2},
	[RULE_NOTHING] = {"immediate", 0, 0, 4},
	[RULE_IIF] = {"meta", NFT_META_IIFNAME, 0, 16},
	[RULE_OIF] = {"meta", NFT_META_OIFNAME, 0, 16},
	[RULE_IIF_INDEX] = {"meta", NFT_META_IIF, 0, 4},
	[RULE_BRIDGE] = {"meta", NFT_META_BRI_IIFNAME, 0, 16},
	[RULE_ADDRESS_TYPE] = {"fib", NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR,
		4},
	[RULE_ROUTE_OUT] = {"fib", NFT_FIB_RESULT_OIFNAME, NFTA_FIB_F_DADDR,
		16},
	[RULE_ROUTE_SOURCE] = {"fib", NFT_FIB_RESULT_OIFNAME, NFTA_FIB_F_SADDR,
		16},
	[RULE_SOURCE_TYPE] = {"fib", NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_SADDR,
		4},
	[RULE_LINK_TYPE] = {"meta", NFT_META_IIFTYPE, 0, 2},
	/* With the mark: the routing guard asks for it (guard.h). */
	[RULE_ROUTE_BACK] = {"fib", NFT_FIB_RESULT_OIF,
		NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_MARK, 4},
	[RULE_USER] = {"meta", NFT_META_SKUID, 0, 4},
	[RULE_ETHERTYPE] = {"meta", NFT_META_PROTOCOL, 0, 2},
	[RULE_ARP_MAC] = {"payload", NFT_PAYLOAD_NETWORK_HEADER, 8, 6},
	[RULE_ARP_FROM] = {"payload", NFT_PAYLOAD_NETWORK_HEADER, 14, 4},
	[RULE_ARP_TO] = {"payload", NFT_PAYLOAD_NETWORK_HEADER, 24, 4},
	[RULE_ND_TARGET] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 8, 16},
	[RULE_HOP_LIMIT] = {"payload", NFT_PAYLOAD_NETWORK_HEADER, 7, 1},
	/* Behind the UDP header of 8 bytes. */
	[RULE_DHCP_REPLY] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 8, 3},
	[RULE_DHCP_ADDRESS] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 24, 4},
	[RULE_DHCP_PLACE] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 24, 12},
	[RULE_DHCP_MAC] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 36, 6},
	[RULE_DHCP_KIND] = {"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 244, 7},
};

static struct nftnl_expr *add(struct ruleset *rs, const char *kind)
{
	struct nftnl_expr *e = must_have(nftnl_expr_alloc(kind));

	nftnl_rule_add_expr(rs->rule, e);
	return e;
}

static void load_payload(
	struct ruleset *rs, const struct source *from, uint32_t reg)
{
	struct nftnl_expr *e = add(rs, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, from->base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, from->offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, from->length);
}

static void load_meta(struct ruleset *rs, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = add(rs, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

static void load_ct(struct ruleset *rs, uint32_t key)
{
	struct nftnl_expr *e = add(rs, "ct");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, FIRST_REGISTER);
}

static void load_fib(
	struct ruleset *rs, const struct source *from, uint32_t reg)
{
	struct nftnl_expr *e = add(rs, "fib");

	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, from->base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, from->offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, reg);
}

static void load_zero(struct ruleset *rs, uint32_t reg)
{
	struct nftnl_expr *e = add(rs, "immediate");
	const uint32_t zero = 0;

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, &zero, sizeof(zero));
}

uint32_t rule_load(struct ruleset *rs, enum rule_field field, uint32_t reg)
{
	const struct source *from = &sources[field];

	if (from->kind[0] == 'p')
		load_payload(rs, from, reg);
	else if (from->kind[0] == 'm')
		load_meta(rs, from->base, reg);
	else if (from->kind[0] == 'f')
		load_fib(rs, from, reg);
	else
		load_zero(rs, reg);
	return reg + (from->length + 3) / 4;
}

static void load_key(struct ruleset *rs, va_list fields)
{
	uint32_t reg = FIRST_REGISTER;
	enum rule_field field;

	while ((field = va_arg(fields, enum rule_field)) != RULE_END)
		reg = rule_load(rs, field, reg);
}

static void compare(
	struct ruleset *rs, uint32_t op, const void *data, uint32_t length)
{
	struct nftnl_expr *e = add(rs, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, FIRST_REGISTER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, length);
}

static void mask(struct ruleset *rs, uint32_t and, uint32_t xor)
{
	struct nftnl_expr *e = add(rs, "bitwise");

	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, FIRST_REGISTER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, FIRST_REGISTER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(and));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &and, sizeof(and));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &xor, sizeof(xor));
}

static struct nftnl_expr *lookup(
	struct ruleset *rs, const char *set, uint32_t flags)
{
	struct nftnl_expr *e = add(rs, "lookup");

	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, FIRST_REGISTER);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	if (flags)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, flags);
	return e;
}

void rule_begin(struct ruleset *rs, const char *chain)
{
	assert(!rs->rule);
	rs->chain = chain;
	rs->rule = must_have(nftnl_rule_alloc());
	nftnl_rule_set_u32(rs->rule, NFTNL_RULE_FAMILY, rs->family);
	nftnl_rule_set_str(rs->rule, NFTNL_RULE_TABLE, RULESET_TABLE);
	nftnl_rule_set_str(rs->rule, NFTNL_RULE_CHAIN, chain);
}

void rule_end(struct ruleset *rs)
{
	uint32_t *count = &rs->rules[ruleset_table_of(rs->family)];
	struct nlmsghdr *m = batch_message(&rs->batch, NFT_MSG_NEWRULE,
		rs->family, NLM_F_CREATE | NLM_F_APPEND, "rule %u (chain %s)",
		++*count, rs->chain);

	nftnl_rule_nlmsg_build_payload(m, rs->rule);
	batch_add(&rs->batch, m);
	nftnl_rule_free(rs->rule);
	rs->rule = NULL;
}

static void verdict(struct ruleset *rs, int code, const char *chain)
{
	struct nftnl_expr *e = add(rs, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
	rule_end(rs);
}

void rule_accept(struct ruleset *rs)
{
	verdict(rs, NF_ACCEPT, NULL);
}

void rule_drop(struct ruleset *rs)
{
	verdict(rs, NF_DROP, NULL);
}

void rule_return(struct ruleset *rs)
{
	verdict(rs, NFT_RETURN, NULL);
}

void rule_goto(struct ruleset *rs, const char *chain)
{
	verdict(rs, NFT_GOTO, chain);
}

void rule_jump(struct ruleset *rs, const char *chain)
{
	verdict(rs, NFT_JUMP, chain);
}

void rule_reject_tcp(struct ruleset *rs)
{
	struct nftnl_expr *e;

	rule_protocol(rs, IPPROTO_TCP);
	e = add(rs, "reject");
	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, 0);
	rule_end(rs);
}

void rule_reject(struct ruleset *rs)
{
	struct nftnl_expr *e = add(rs, "reject");

	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	nftnl_expr_set_u8(
		e, NFTNL_EXPR_REJECT_CODE, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
	rule_end(rs);
}

void rule_redirect(struct ruleset *rs)
{
	struct nftnl_expr *e = add(rs, "redir");

	nftnl_expr_set_u32(e, NFTNL_EXPR_REDIR_REG_PROTO_MIN, FIRST_REGISTER);
	nftnl_expr_set_u32(
		e, NFTNL_EXPR_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	rule_end(rs);
}

void rule_in(struct ruleset *rs, const char *set, ...)
{
	va_list fields;

	va_start(fields, set);
	load_key(rs, fields);
	va_end(fields);
	lookup(rs, set, 0);
}

void rule_not_in(struct ruleset *rs, const char *set, ...)
{
	va_list fields;

	va_start(fields, set);
	load_key(rs, fields);
	va_end(fields);
	lookup(rs, set, NFT_LOOKUP_F_INV);
}

void rule_nor_in(struct ruleset *rs, const char *set)
{
	lookup(rs, set, NFT_LOOKUP_F_INV);
}

void rule_map(struct ruleset *rs, const char *map, ...)
{
	va_list fields;

	va_start(fields, map);
	load_key(rs, fields);
	va_end(fields);
	nftnl_expr_set_u32(
		lookup(rs, map, 0), NFTNL_EXPR_LOOKUP_DREG, FIRST_REGISTER);
}

static struct nftnl_expr *update(struct ruleset *rs, const char *set)
{
	struct nftnl_expr *e = add(rs, "dynset");

	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, FIRST_REGISTER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set);
	return e;
}

void rule_remember(struct ruleset *rs, const char *set, ...)
{
	struct nftnl_expr *counter = must_have(nftnl_expr_alloc("counter"));
	va_list fields;

	va_start(fields, set);
	load_key(rs, fields);
	va_end(fields);
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, 0);
	nftnl_expr_set(update(rs, set), NFTNL_EXPR_DYNSET_EXPR, counter, 0);
}

void rule_limit(struct ruleset *rs, const char *set, uint64_t rate,
	uint64_t per_seconds, uint32_t burst, ...)
{
	struct nftnl_expr *limit = must_have(nftnl_expr_alloc("limit"));
	va_list fields;

	va_start(fields, burst);
	load_key(rs, fields);
	va_end(fields);
	nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_RATE, rate);
	nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_UNIT, per_seconds);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_BURST, burst);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_FLAGS, 0);
	nftnl_expr_set(update(rs, set), NFTNL_EXPR_DYNSET_EXPR, limit, 0);
}

/* Its elements go when the last connection has gone, not by time. */
void rule_connections(struct ruleset *rs, const char *set, uint32_t most, ...)
{
	struct nftnl_expr *count = must_have(nftnl_expr_alloc("connlimit"));
	struct nftnl_expr *e;
	va_list fields;

	va_start(fields, most);
	load_key(rs, fields);
	va_end(fields);
	nftnl_expr_set_u32(count, NFTNL_EXPR_CONNLIMIT_COUNT, most);
	e = update(rs, set);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_ADD);
	nftnl_expr_set(e, NFTNL_EXPR_DYNSET_EXPR, count, 0);
}

void rule_limit_all(struct ruleset *rs, uint64_t rate, uint32_t burst)
{
	struct nftnl_expr *e = add(rs, "limit");

	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, rate);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, burst);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, 0);
}

void rule_is(struct ruleset *rs, enum rule_field field, const void *bytes,
	uint32_t length)
{
	(void)rule_load(rs, field, FIRST_REGISTER);
	compare(rs, NFT_CMP_EQ, bytes, length);
}

void rule_is_not(struct ruleset *rs, enum rule_field field, const void *bytes,
	uint32_t length)
{
	(void)rule_load(rs, field, FIRST_REGISTER);
	compare(rs, NFT_CMP_NEQ, bytes, length);
}

void rule_protocol(struct ruleset *rs, uint8_t protocol)
{
	rule_is(rs, RULE_PROTOCOL, &protocol, sizeof(protocol));
}

void rule_family(struct ruleset *rs, uint8_t nfproto)
{
	load_meta(rs, NFT_META_NFPROTO, FIRST_REGISTER);
	compare(rs, NFT_CMP_EQ, &nfproto, sizeof(nfproto));
}

void rule_port(struct ruleset *rs, uint16_t port)
{
	uint16_t wire = htons(port);

	rule_is(rs, RULE_PORT, &wire, sizeof(wire));
}

void rule_ports(struct ruleset *rs, uint16_t from, uint16_t to)
{
	static const struct source both = {
		"payload", NFT_PAYLOAD_TRANSPORT_HEADER, 0, 4};
	uint16_t wire[2] = {htons(from), htons(to)};

	load_payload(rs, &both, FIRST_REGISTER);
	compare(rs, NFT_CMP_EQ, wire, sizeof(wire));
}

static void any_bit(struct ruleset *rs, uint32_t bits, bool set)
{
	const uint32_t none = 0;

	mask(rs, bits, 0);
	compare(rs, set ? NFT_CMP_NEQ : NFT_CMP_EQ, &none, sizeof(none));
}

void rule_link_local(struct ruleset *rs, enum rule_field field, bool yes)
{
	const uint32_t net = htonl(0xfe800000);
	struct source first = sources[field];

	first.length = sizeof(net);
	load_payload(rs, &first, FIRST_REGISTER);
	mask(rs, htonl(0xffc00000), 0);
	compare(rs, yes ? NFT_CMP_EQ : NFT_CMP_NEQ, &net, sizeof(net));
}

void rule_ct_state(struct ruleset *rs, uint32_t states)
{
	load_ct(rs, NFT_CT_STATE);
	any_bit(rs, states, true);
}

void rule_ct_direction(struct ruleset *rs, bool reply)
{
	const uint8_t direction = reply;

	load_ct(rs, NFT_CT_DIRECTION);
	compare(rs, NFT_CMP_EQ, &direction, sizeof(direction));
}

void rule_ct_redirected(struct ruleset *rs, bool yes)
{
	load_ct(rs, NFT_CT_STATUS);
	any_bit(rs, CONNTRACK_DST_NAT, yes);
}

void rule_ct_offloaded(struct ruleset *rs, bool yes)
{
	load_ct(rs, NFT_CT_STATUS);
	any_bit(rs, CONNTRACK_OFFLOAD, yes);
}

static void ct_mark_is(struct ruleset *rs, uint32_t bits, uint32_t mark)
{
	load_ct(rs, NFT_CT_MARK);
	mask(rs, bits, 0);
	compare(rs, NFT_CMP_EQ, &mark, sizeof(mark));
}

void rule_ct_judged(struct ruleset *rs, uint8_t generation)
{
	ct_mark_is(rs, marks_generation_mask(&rs->marks),
		marks_judged(&rs->marks, generation));
}

void rule_ct_settled(struct ruleset *rs, uint8_t generation)
{
	uint32_t settled = marks_settled(&rs->marks);

	ct_mark_is(rs, marks_generation_mask(&rs->marks) | settled,
		marks_judged(&rs->marks, generation) | settled);
}

void rule_group(struct ruleset *rs, uint8_t group)
{
	static const struct source last = {
		"payload", NFT_PAYLOAD_LL_HEADER, 11, 1};
	const uint8_t bytes[sizeof(uint32_t)] = {MARKS_GROUPS - 1};
	uint32_t bits;

	memcpy(&bits, bytes, sizeof(bits));
	load_payload(rs, &last, FIRST_REGISTER);
	mask(rs, bits, 0);
	compare(rs, NFT_CMP_EQ, &group, sizeof(group));
}

static void set_ct_mark(struct ruleset *rs, uint32_t bits, uint32_t mark)
{
	struct nftnl_expr *e;

	load_ct(rs, NFT_CT_MARK);
	mask(rs, ~bits, mark);
	e = add(rs, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_SREG, FIRST_REGISTER);
}

void rule_ct_judge(struct ruleset *rs, uint8_t generation, uint8_t group)
{
	set_ct_mark(rs, rs->marks.connection,
		marks_judged(&rs->marks, generation) |
			marks_group(&rs->marks, group));
}

void rule_ct_settle(struct ruleset *rs, bool yes)
{
	uint32_t settled = marks_settled(&rs->marks);

	set_ct_mark(rs, settled, yes ? settled : 0);
}

void rule_log(struct ruleset *rs, uint16_t group, uint32_t snaplen,
	const char *prefix)
{
	struct nftnl_expr *e = add(rs, "log");

	nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, prefix);
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, group);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOG_SNAPLEN, snaplen);
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_QTHRESHOLD, 1);
}

void rule_mark(struct ruleset *rs)
{
	struct nftnl_expr *e;

	load_meta(rs, NFT_META_MARK, FIRST_REGISTER);
	mask(rs, ~rs->marks.packet, rs->marks.packet);
	e = add(rs, "meta");
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, FIRST_REGISTER);
}

static void marked(struct ruleset *rs, bool yes)
{
	load_meta(rs, NFT_META_MARK, FIRST_REGISTER);
	any_bit(rs, rs->marks.packet, yes);
}

void rule_marked(struct ruleset *rs)
{
	marked(rs, true);
}

void rule_unmarked(struct ruleset *rs)
{
	marked(rs, false);
}

void rule_count(struct ruleset *rs, const char *counter)
{
	struct nftnl_expr *e = add(rs, "objref");

	nftnl_expr_set_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, counter);
}

void rule_not_to_host(struct ruleset *rs)
{
	const uint8_t host = 0; /* PACKET_HOST */

	load_meta(rs, NFT_META_PKTTYPE, FIRST_REGISTER);
	compare(rs, NFT_CMP_NEQ, &host, sizeof(host));
}

void rule_to_other(struct ruleset *rs)
{
	const uint8_t other = 3; /* PACKET_OTHERHOST */

	load_meta(rs, NFT_META_PKTTYPE, FIRST_REGISTER);
	compare(rs, NFT_CMP_EQ, &other, sizeof(other));
}
