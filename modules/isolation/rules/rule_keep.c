/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules by which packets fill sets and maps, and take out of them. Touches
 * memory only; must never make a match of a set that had no place left.
 */
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <string.h>

#include "modules/isolation/rules/rule.h"

#define KEY NFT_REG32_00
#define VALUE NFT_REG32_08 /* behind every key that has a value */

static struct nftnl_expr *add(struct ruleset *rs, const char *kind)
{
	struct nftnl_expr *e = must_have(nftnl_expr_alloc(kind));

	nftnl_rule_add_expr(rs->rule, e);
	return e;
}

static void load_key(struct ruleset *rs, va_list fields)
{
	uint32_t reg = KEY;
	enum rule_field field;

	while ((field = va_arg(fields, enum rule_field)) != RULE_END)
		reg = rule_load(rs, field, reg);
}

static struct nftnl_expr *change(
	struct ruleset *rs, const char *set, uint32_t what)
{
	struct nftnl_expr *e = add(rs, "dynset");

	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, what);
	nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set);
	return e;
}

void rule_keep(struct ruleset *rs, const char *set, ...)
{
	va_list fields;

	va_start(fields, set);
	load_key(rs, fields);
	va_end(fields);
	(void)change(rs, set, NFT_DYNSET_OP_UPDATE);
}

void rule_keep_as(struct ruleset *rs, const char *map, enum rule_field key,
	enum rule_field value)
{
	(void)rule_load(rs, key, KEY);
	(void)rule_load(rs, value, VALUE);
	nftnl_expr_set_u32(change(rs, map, NFT_DYNSET_OP_UPDATE),
		NFTNL_EXPR_DYNSET_SREG_DATA, VALUE);
}

/* The kernel wants a value, too, where it takes out by the key alone. */
void rule_lose(struct ruleset *rs, const char *map, enum rule_field key,
	enum rule_field value)
{
	(void)rule_load(rs, key, KEY);
	(void)rule_load(rs, value, VALUE);
	nftnl_expr_set_u32(change(rs, map, NFT_DYNSET_OP_DELETE),
		NFTNL_EXPR_DYNSET_SREG_DATA, VALUE);
}

static struct nftnl_expr *look(
	struct ruleset *rs, const char *set, uint32_t from)
{
	struct nftnl_expr *e = add(rs, "lookup");

	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, from);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	return e;
}

/* That it is not zero says nothing more; without it nft lists no map. */
void rule_has(struct ruleset *rs, const char *map, enum rule_field field)
{
	static const struct mac zero;
	struct nftnl_expr *e;

	(void)rule_load(rs, field, KEY);
	nftnl_expr_set_u32(look(rs, map, KEY), NFTNL_EXPR_LOOKUP_DREG, KEY);
	e = add(rs, "cmp");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, KEY);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_NEQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, &zero, sizeof(zero));
}

/* Some of the IP header, which every packet has. */
static void load_any(struct ruleset *rs, uint32_t reg, uint32_t length)
{
	struct nftnl_expr *e = add(rs, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
	nftnl_expr_set_u32(
		e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, 0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, length);
}

static void copy(
	struct ruleset *rs, uint32_t from, uint32_t to, uint32_t length)
{
	static const uint8_t zeros[12];
	struct nftnl_expr *e = add(rs, "bitwise");
	uint8_t ones[sizeof(zeros)];

	memset(ones, 0xff, sizeof(ones));
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, from);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, to);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, length);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, ones, length);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, zeros, length);
}

/*
 * The MAC that the map has, in HOLDER. nft 1.0.6 ends itself when it lists a
 * key that is the result of a map, and takes a key for what was last put into
 * the first of its registers; so something else is put there, and the MAC
 * comes as the end of what is copied to the register before it.
 */
#define FOUND NFT_REG32_02
#define HOLDER NFT_REG32_06

static void load_holder(
	struct ruleset *rs, const char *map, enum rule_field field)
{
	(void)rule_load(rs, field, VALUE);
	load_any(rs, FOUND - 1, 12);
	load_any(rs, HOLDER, sizeof(struct mac));
	nftnl_expr_set_u32(look(rs, map, VALUE), NFTNL_EXPR_LOOKUP_DREG, FOUND);
	copy(rs, FOUND - 1, HOLDER - 1, 12);
}

void rule_holder_in(struct ruleset *rs, const char *map, enum rule_field field,
	const char *set)
{
	load_holder(rs, map, field);
	(void)look(rs, set, HOLDER);
}

void rule_remember_holder(struct ruleset *rs, const char *map,
	enum rule_field field, const char *set)
{
	struct nftnl_expr *counter = must_have(nftnl_expr_alloc("counter"));
	struct nftnl_expr *e;

	load_holder(rs, map, field);
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, 0);
	e = change(rs, set, NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, HOLDER);
	nftnl_expr_set(e, NFTNL_EXPR_DYNSET_EXPR, counter, 0);
}

/*
 * The address, and behind it the MAC that the map has for it. nft 1.0.6 ends
 * itself when it lists a key that is put together of the result of a map; so
 * the whole key is loaded as one field, of which the map then overwrites the
 * end.
 */
static void load_leased(struct ruleset *rs, const char *map)
{
	(void)rule_load(rs, RULE_DHCP_PLACE, KEY);
	(void)rule_load(rs, RULE_DHCP_ADDRESS, VALUE);
	nftnl_expr_set_u32(
		look(rs, map, VALUE), NFTNL_EXPR_LOOKUP_DREG, KEY + 1);
}

void rule_lose_leased(struct ruleset *rs, const char *map, const char *set)
{
	load_leased(rs, map);
	(void)change(rs, set, NFT_DYNSET_OP_DELETE);
}

void rule_is_leased(struct ruleset *rs, const char *map, const char *set)
{
	load_leased(rs, map);
	(void)look(rs, set, KEY);
}
