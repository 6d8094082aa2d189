/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions of nftables with registers that are known byte by byte. Touches
 * memory only; must never take for known what it does not understand: that
 * makes a rule match "perhaps".
 */
#include "modules/isolation/foreign_match.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_conntrack.h>
#include <string.h>

struct machine {
	const struct foreign_packet *packet;
	uint8_t family;
	const char *table;
	uint8_t bytes[FOREIGN_REGISTERS];
	bool known[FOREIGN_REGISTERS];
	struct foreign_verdict verdict;
	enum foreign_match match;
};

static void know(uint8_t *bytes, bool *known, size_t at, const void *value,
	size_t length)
{
	memcpy(bytes + at, value, length);
	memset(known + at, true, length);
}

void foreign_packet_fill(
	struct foreign_packet *packet, const struct foreign_flow *flow)
{
	bool six = flow->to.family == AF_INET6;
	uint16_t port = htons(flow->port);
	uint8_t icmp = (uint8_t)flow->port;
	uint8_t *n = packet->network;
	bool *k = packet->network_known;

	memset(packet, 0, sizeof(*packet));
	packet->flow = flow;
	know(n, k, six ? 6 : 9, &flow->protocol, 1);
	know(n, k, six ? 24 : 16, flow->to.b, six ? 16 : 4);
	if (flow->from.family == flow->to.family)
		know(n, k, six ? 8 : 12, flow->from.b, six ? 16 : 4);
	n = packet->transport;
	k = packet->transport_known;
	if (flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6)
		know(n, k, 0, &icmp, 1);
	else
		know(n, k, 2, &port, 2);
}

static void perhaps(struct machine *m)
{
	if (m->match == FOREIGN_YES)
		m->match = FOREIGN_PERHAPS;
}

/* Where a register begins; past the end for none. */
static size_t place(uint32_t reg)
{
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return (reg - NFT_REG32_00) * 4;
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (reg - NFT_REG_1) * 16;
	return FOREIGN_REGISTERS;
}

static void load(struct machine *m, uint32_t reg, const void *value,
	const bool *known, size_t length)
{
	size_t at = place(reg);

	if (length > FOREIGN_REGISTERS - at)
		length = FOREIGN_REGISTERS - at;
	for (size_t i = 0; i < length; i++) {
		m->bytes[at + i] = value ? ((const uint8_t *)value)[i] : 0;
		m->known[at + i] = value && (!known || known[i]);
	}
}

static void load_meta(struct machine *m, const struct nftnl_expr *e)
{
	const struct foreign_flow *flow = m->packet->flow;
	bool six = flow->to.family == AF_INET6;
	const uint8_t nfproto = six ? NFPROTO_IPV6 : NFPROTO_IPV4;
	const uint16_t ethertype = htons(six ? 0x86dd : 0x0800);
	uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_META_DREG);

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG))
		return; /* sets something */
	switch (nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY)) {
	case NFT_META_IIFNAME:
		load(m, reg, flow->iif, NULL, sizeof(flow->iif));
		return;
	case NFT_META_OIFNAME:
		load(m, reg, flow->oif, NULL, sizeof(flow->oif));
		return;
	case NFT_META_L4PROTO:
		load(m, reg, &flow->protocol, NULL, 1);
		return;
	case NFT_META_NFPROTO:
		load(m, reg, &nfproto, NULL, 1);
		return;
	case NFT_META_PROTOCOL:
		load(m, reg, &ethertype, NULL, 2);
		return;
	default:
		load(m, reg, NULL, NULL, 16);
	}
}

static void load_payload(struct machine *m, const struct nftnl_expr *e)
{
	uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_DREG);
	uint32_t base = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE);
	size_t offset = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET);
	size_t length = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN);
	const struct foreign_packet *p = m->packet;
	bool network = base == NFT_PAYLOAD_NETWORK_HEADER;
	size_t room = network ? sizeof(p->network)
		      : base == NFT_PAYLOAD_TRANSPORT_HEADER
			      ? sizeof(p->transport)
			      : 0;

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_PAYLOAD_DREG))
		return; /* writes to the packet */
	if (offset > room || length > room - offset) {
		load(m, reg, NULL, NULL, length);
		return;
	}
	load(m, reg, (network ? p->network : p->transport) + offset,
		(network ? p->network_known : p->transport_known) + offset,
		length);
}

static void load_ct(struct machine *m, const struct nftnl_expr *e)
{
	const uint32_t new = NF_CT_STATE_BIT(IP_CT_NEW);
	const uint8_t original = 0;
	uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_DREG);

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG))
		return;
	switch (nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY)) {
	case NFT_CT_STATE:
		load(m, reg, &new, NULL, sizeof(new));
		return;
	case NFT_CT_DIRECTION:
		load(m, reg, &original, NULL, 1);
		return;
	default:
		load(m, reg, NULL, NULL, 16);
	}
}

static bool all_known(const struct machine *m, size_t at, size_t length)
{
	if (at > FOREIGN_REGISTERS || length > FOREIGN_REGISTERS - at)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!m->known[at + i])
			return false;
	return true;
}

static bool holds(uint32_t op, int order)
{
	switch (op) {
	case NFT_CMP_EQ:
		return order == 0;
	case NFT_CMP_NEQ:
		return order != 0;
	case NFT_CMP_LT:
		return order < 0;
	case NFT_CMP_LTE:
		return order <= 0;
	case NFT_CMP_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static void compare(struct machine *m, const struct nftnl_expr *e)
{
	size_t at = place(nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_SREG));
	uint32_t length = 0;
	const void *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &length);

	if (!data || !all_known(m, at, length))
		perhaps(m);
	else if (!holds(nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP),
			 memcmp(m->bytes + at, data, length)))
		m->match = FOREIGN_NO;
}

static void within(struct machine *m, const struct nftnl_expr *e)
{
	size_t at = place(nftnl_expr_get_u32(e, NFTNL_EXPR_RANGE_SREG));
	uint32_t length = 0, other = 0;
	const void *from = nftnl_expr_get(
		e, NFTNL_EXPR_RANGE_FROM_DATA, &length);
	const void *to = nftnl_expr_get(e, NFTNL_EXPR_RANGE_TO_DATA, &other);
	bool in;

	if (!from || !to || length != other || !all_known(m, at, length)) {
		perhaps(m);
		return;
	}
	in = memcmp(m->bytes + at, from, length) >= 0 &&
	     memcmp(m->bytes + at, to, length) <= 0;
	if (in != (nftnl_expr_get_u32(e, NFTNL_EXPR_RANGE_OP) == NFT_RANGE_EQ))
		m->match = FOREIGN_NO;
}

/* A byte that is masked away is known whatever it was. */
static void bitwise(struct machine *m, const struct nftnl_expr *e)
{
	size_t from = place(nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_SREG));
	uint32_t to = nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_DREG);
	uint32_t n = 0, other = 0;
	const uint8_t *and = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_MASK, &n);
	const uint8_t * xor = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_XOR, &other);
	uint8_t bytes[FOREIGN_REGISTERS];
	bool known[FOREIGN_REGISTERS];

	if (!and || !xor || n != other || from + n > FOREIGN_REGISTERS) {
		load(m, to, NULL, NULL, 16);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		bytes[i] = (m->bytes[from + i] & and[i]) ^ xor[i];
		known[i] = m->known[from + i] || !and[i];
	}
	load(m, to, bytes, known, n);
}

static void look_up(struct machine *m, const struct nftnl_expr *e)
{
	size_t at = place(nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_SREG));
	uint32_t flags = nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS);
	bool maps = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG);
	uint32_t to = nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_DREG);
	uint8_t key[FOREIGN_REGISTERS] = {0};
	bool known[FOREIGN_REGISTERS] = {false};
	int code = NFT_CONTINUE, r = -ENOSYS;

	memcpy(key, m->bytes + at, FOREIGN_REGISTERS - at);
	memcpy(known, m->known + at, FOREIGN_REGISTERS - at);
	if (m->packet->lookup)
		r = m->packet->lookup(m->packet->arg, m->family, m->table,
			nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET), key,
			known, &code, m->verdict.chain);
	if (r < 0)
		perhaps(m);
	else if (!r != !!(flags & NFT_LOOKUP_F_INV))
		m->match = FOREIGN_NO;
	if (maps && to == NFT_REG_VERDICT)
		m->verdict.code = code;
	else if (maps)
		load(m, to, NULL, NULL, 16);
}

static void immediate(struct machine *m, const struct nftnl_expr *e)
{
	uint32_t to = nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_DREG), length = 0;
	const char *chain;
	const void *data;

	if (to != NFT_REG_VERDICT) {
		data = nftnl_expr_get(e, NFTNL_EXPR_IMM_DATA, &length);
		load(m, to, data, NULL, length);
		return;
	}
	m->verdict.code = (int)nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT);
	chain = nftnl_expr_is_set(e, NFTNL_EXPR_IMM_CHAIN)
			? nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN)
			: "";
	snprintf(m->verdict.chain, sizeof(m->verdict.chain), "%s", chain);
}

/* iptables-nft: only the state of connections is understood. */
static void xt_match(struct machine *m, const struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME);
	struct xt_conntrack_mtinfo3 info;
	uint32_t length = 0;
	const void *data = nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &length);
	bool new, wanted;

	if (name && !strcmp(name, "comment"))
		return;
	if (!name || strcmp(name, "conntrack") != 0 ||
		nftnl_expr_get_u32(e, NFTNL_EXPR_MT_REV) != 3 || !data ||
		length < sizeof(info)) {
		perhaps(m);
		return;
	}
	memcpy(&info, data, sizeof(info));
	if (info.match_flags != XT_CONNTRACK_STATE) {
		perhaps(m);
		return;
	}
	new = info.state_mask &XT_CONNTRACK_STATE_BIT(IP_CT_NEW);
	wanted = !(info.invert_flags & XT_CONNTRACK_STATE);
	if (new != wanted)
		m->match = FOREIGN_NO;
}

static void xt_target(struct machine *m, const struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME);

	if (!name || (strcmp(name, "REJECT") != 0 && strcmp(name, "DROP") != 0))
		return;
	m->verdict.code = NF_DROP;
	m->verdict.reject = name[0] == 'R';
}

static void reject(struct machine *m, const struct nftnl_expr *e)
{
	(void)e;
	m->verdict.code = NF_DROP;
	m->verdict.reject = true;
}

/* Goes on whatever it does. */
static void pass(struct machine *m, const struct nftnl_expr *e)
{
	(void)m;
	(void)e;
}

static const struct kind {
	const char *name;
	void (*run)(struct machine *m, const struct nftnl_expr *e);
} kinds[] = {
	{"meta", load_meta},
	{"payload", load_payload},
	{"ct", load_ct},
	{"cmp", compare},
	{"range", within},
	{"bitwise", bitwise},
	{"lookup", look_up},
	{"immediate", immediate},
	{"match", xt_match},
	{"target", xt_target},
	{"reject", reject},
	{"counter", pass},
	{"log", pass},
	{"objref", pass},
	{"notrack", pass},
	{"flow_offload", pass},
	{"last", pass},
};

static int run(struct nftnl_expr *e, void *arg)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	struct machine *m = arg;

	if (m->match == FOREIGN_NO || m->verdict.code != NFT_CONTINUE)
		return 0;
	for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name)) {
			kinds[i].run(m, e);
			return 0;
		}
	perhaps(m);
	memset(m->known, 0, sizeof(m->known));
	return 0;
}

enum foreign_match foreign_match_rule(const struct foreign_packet *packet,
	const struct nftnl_rule *rule, struct foreign_verdict *ret_verdict)
{
	struct machine m = {.packet = packet,
		.family = (uint8_t)nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY),
		.table = nftnl_rule_get_str(rule, NFTNL_RULE_TABLE),
		.verdict = {.code = NFT_CONTINUE},
		.match = FOREIGN_YES};

	nftnl_expr_foreach((struct nftnl_rule *)(uintptr_t)rule, run, &m);
	*ret_verdict = m.verdict;
	return m.match;
}
