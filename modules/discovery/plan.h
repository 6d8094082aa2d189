/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be reflected, as the agent says. Pure. */
#ifndef GATEHOUSE_DISCOVERY_PLAN_H
#define GATEHOUSE_DISCOVERY_PLAN_H

#include "modules/discovery/discovery_proto.h"
#include "modules/discovery/mdns.h"

struct plan_reflect {
	struct discovery_reflect about;
	struct mdns_filter mdns; /* of a channel of mDNS; what it learned too */
	char services[MDNS_SERVICES_MAX][DISCOVERY_SERVICE]; /* of SSDP */
	size_t n_services;
};

struct plan {
	struct discovery_channel channels[DISCOVERY_CHANNELS_MAX];
	struct discovery_link links[DISCOVERY_LINKS_MAX];
	struct plan_reflect *reflects[DISCOVERY_REFLECTS_MAX];
	size_t n_channels, n_links, n_reflects;
	struct discovery_device *devices; /* by MAC, once it is sealed */
	size_t n_devices, room_devices;
	struct discovery_may mays[DISCOVERY_MAYS_MAX];
	size_t n_mays;
};

/* NULL when memory is out. */
struct plan *plan_new(void);
struct plan *plan_free(struct plan *plan);

/*
 * Each adds one item. -EINVAL for one that no agent sends, -ENOSPC past a
 * limit, -ENOMEM.
 */
_must_check_ int plan_add_channel(
	struct plan *plan, const struct discovery_channel *channel);
_must_check_ int plan_add_link(
	struct plan *plan, const struct discovery_link *link);
_must_check_ int plan_add_reflect(
	struct plan *plan, const struct discovery_reflect *reflect);
_must_check_ int plan_add_service(
	struct plan *plan, const struct discovery_service *service);
_must_check_ int plan_add_device(
	struct plan *plan, const struct discovery_device *device);
_must_check_ int plan_add_may(
	struct plan *plan, const struct discovery_may *may);
void plan_seal(struct plan *plan);

const struct discovery_device *plan_device(
	const struct plan *plan, const struct mac *mac);
/* May the device reach who is there with this address? other may be NULL. */
bool plan_may(const struct plan *plan, uint32_t device,
	const struct discovery_device *other, uint8_t other_link,
	const struct ip *other_ip);

#endif
