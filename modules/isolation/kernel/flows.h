/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live connections that a new policy no longer allows. The rules judge a
 * connection again when the device speaks; one in which only the other side
 * speaks would go on. So those are taken out of the kernel's table.
 */
#ifndef GATEHOUSE_ISOLATION_FLOWS_H
#define GATEHOUSE_ISOLATION_FLOWS_H

#include "modules/isolation/kernel/nft.h"

/* A connection as whoever began it sees it. */
struct flow {
	struct ip from, to;
	uint16_t port; /* of the other side; 0 where there are none */
	uint8_t protocol;
	uint32_t mark;
};

/* Does this line allow it? Whose line it is does not count. Pure. */
bool flows_line_allows(
	const struct isolation_allow *a, const struct flow *flow);
/* The allow lines of the device, of a sealed policy. Pure. */
struct policy_array flows_lines(const struct policy *policy, uint32_t device);
/* The line of the device that allows it; NULL: none. Pure. */
const struct isolation_allow *flows_line(
	const struct policy *policy, uint32_t device, const struct flow *flow);
/* Is it for port 53, which leads to name servers only? Pure. */
bool flows_is_dns(const struct flow *flow);
bool flows_is_name_server(const struct policy *policy, const struct ip *ip);
/* Does the policy allow it? The device's mode is not looked at. Pure. */
bool flows_allowed(
	const struct policy *policy, uint32_t device, const struct flow *flow);

/* May strangers of the zone open it towards the world outside? Pure. */
bool flows_zone_allowed(
	const struct policy *policy, uint16_t zone, const struct flow *flow);

/* Where a connection between those inside begins and ends. */
struct flow_ends {
	uint32_t device; /* that began it */
	uint16_t from_zone, to_zone;
	bool gateway; /* to the gateway itself */
};
/* The pass that allows it; NULL: none. Port 53 is not looked at. Pure. */
const struct isolation_pass *flows_pass(const struct policy *policy,
	const struct flow_ends *ends, const struct flow *flow);
/* A line that leads to the device, wherever that is; NULL: none. Pure. */
const struct isolation_pass *flows_follow(const struct policy *policy,
	const struct flow_ends *ends, uint32_t to_device,
	const struct flow *flow);
/* As above, for what is allowed towards those inside. Pure. */
bool flows_passed(const struct policy *policy, const struct flow_ends *ends,
	const struct flow *flow);

/* One message of the kernel's list as a flow. Pure; -EBADMSG. */
struct nlmsghdr;
_must_check_ int flows_parse(
	const struct nlmsghdr *message, struct flow *ret_flow);

/*
 * Ends all connections but those of this generation (0: of none) and those
 * that keep() wants. How many, or -errno; -EBUSY: the kernel holds some of
 * them, because it forwards them by itself, and the others were ended.
 */
int flows_cut(struct nft *nft, const struct isolation_marks *marks,
	uint8_t generation, bool (*keep)(const struct flow *flow, void *arg),
	void *arg);

/* The addresses of one device. */
struct flow_from {
	struct mac mac;
	const struct ip *ips;
	size_t n;
};
/*
 * Ends the connections that the device began from its addresses, whenever they
 * were judged, but those that keep() wants. IPv4 is looked for by the kernel
 * itself. Its filter for IPv6 is wrong: it compares the wrong way round, so
 * that it lists all others. So IPv6 is listed, but only what nobody judged and
 * what is of the device's group (marks.h). How many, or -errno.
 */
int flows_cut_from(struct nft *nft, const struct isolation_marks *marks,
	const struct flow_from *from,
	bool (*keep)(const struct flow *flow, void *arg), void *arg);

#endif
