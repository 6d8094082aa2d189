/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single elements of our sets, and routes, as the kernel has them. */
#ifndef GATEHOUSE_ISOLATION_ELEMENT_H
#define GATEHOUSE_ISOLATION_ELEMENT_H

#include "modules/isolation/kernel/flows.h"
#include "modules/isolation/kernel/links.h"

/* Is the key in the inet table's set? 1, 0, -ENOENT without such a set. */
_must_check_ int element_find(
	struct nft *nft, const char *set, const void *key, size_t length);
/*
 * Do the sets allow this device's flow? anywhere: it leads outside, so lines
 * with "any" count. 1, 0, -errno.
 */
_must_check_ int element_allows(struct nft *nft, const struct mac *mac,
	const struct flow *flow, bool anywhere);

/*
 * Do the sets open this way inside? Links are the interfaces of the zones;
 * to NULL: to the gateway itself. 1, 0, -errno.
 */
_must_check_ int element_passes(struct nft *nft, const struct mac *mac,
	const struct flow *flow, const char *from, const char *to);

/* Do they let all behind this interface do that? As element_allows(). */
_must_check_ int element_zone_allows(struct nft *nft, const char *from,
	const struct flow *flow, bool anywhere);

/* By which route an address is reached. */
struct element_route {
	bool local; /* it is the gateway's own, or a group */
	bool none; /* there is no way there */
	char interface[16]; /* else: by which it leaves */
};
_must_check_ int element_route(struct links *links, const struct ip *to,
	struct element_route *ret_route);

#endif
