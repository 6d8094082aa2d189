/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that lead from evidence to a product, in files of the same strict INI
 * as the configuration:
 *
 *	[product hue-bridge]
 *	name = Philips Hue Bridge
 *	vendor = Signify
 *	kind-of = signify
 *	all-of = dhcp.hostname "Philips-hue", mac.vendor "Philips*"
 *
 * All conditions of one all-of line must hold; of several lines one is enough.
 */
#ifndef GATEHOUSE_DISCOVERY_MATCH_PRODUCTS_H
#define GATEHOUSE_DISCOVERY_MATCH_PRODUCTS_H

#include "agent/lib/conf.h"

#define PRODUCTS_CONDITIONS_MAX 8 /* of one line */
#define PRODUCTS_KINDS_MAX 8 /* a kind of a kind of ... */
#define PRODUCTS_MAX 4096 /* of all files */

/* pattern: * stands for anything; letters in any case. */
struct products_condition {
	unsigned kind;
	char pattern[CONF_LINE_MAX + 1];
};

/*
 * The next condition of an all-of line; *rest moves on. 1, 0 at its end,
 * -EINVAL.
 */
_must_check_ int products_next_condition(
	const char **rest, struct products_condition *ret_condition);
bool products_fits(const char *pattern, const char *value);
/* A tree without sections; conf_parse() fills it. -ENOMEM. */
_must_check_ int products_new(struct conf **ret_conf);
/* After the last file: what contradicts itself is complained of. */
void products_check(struct conf *conf);
/* Is this product a kind of that one, maybe through others? */
bool products_is_kind_of(const struct conf *conf,
	const struct conf_section *product, const struct conf_section *general);

#endif
