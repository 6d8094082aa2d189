/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the wanted reflections. Touches memory only; must never take an item
 * that points to one that is not there.
 */
#include "modules/discovery/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct plan *plan_new(void)
{
	return calloc(1, sizeof(struct plan));
}

struct plan *plan_free(struct plan *plan)
{
	if (!plan)
		return NULL;
	for (size_t i = 0; i < plan->n_reflects; i++)
		free(plan->reflects[i]);
	free(plan->devices);
	free(plan);
	return NULL;
}

static bool is_text(const char *text, size_t size)
{
	return text[0] && memchr(text, '\0', size);
}

int plan_add_channel(struct plan *plan, const struct discovery_channel *channel)
{
	if (plan->n_channels == DISCOVERY_CHANNELS_MAX)
		return -ENOSPC;
	if (channel->place != plan->n_channels || !channel->port ||
		!channel->own_port ||
		channel->protocol < DISCOVERY_PROTOCOL_MDNS ||
		channel->protocol > DISCOVERY_PROTOCOL_UDP)
		return -EINVAL;
	plan->channels[plan->n_channels++] = *channel;
	return 0;
}

int plan_add_link(struct plan *plan, const struct discovery_link *link)
{
	if (plan->n_links == DISCOVERY_LINKS_MAX)
		return -ENOSPC;
	if (link->place != plan->n_links || link->devices > 1 ||
		!is_text(link->interface, sizeof(link->interface)))
		return -EINVAL;
	plan->links[plan->n_links++] = *link;
	return 0;
}

int plan_add_reflect(struct plan *plan, const struct discovery_reflect *reflect)
{
	uint32_t links = (uint32_t)((UINT64_C(1) << plan->n_links) - 1);
	struct plan_reflect *place;

	if (plan->n_reflects == DISCOVERY_REFLECTS_MAX)
		return -ENOSPC;
	if (reflect->place != plan->n_reflects ||
		reflect->channel >= plan->n_channels ||
		((reflect->from_links | reflect->to_links | reflect->ask_links |
			 reflect->tell_links) &
			~links) ||
		!is_text(reflect->name, sizeof(reflect->name)))
		return -EINVAL;
	place = calloc(1, sizeof(*place));
	if (!place)
		return -ENOMEM;
	place->about = *reflect;
	plan->reflects[plan->n_reflects++] = place;
	return 0;
}

int plan_add_service(struct plan *plan, const struct discovery_service *service)
{
	struct plan_reflect *r;

	if (service->reflect >= plan->n_reflects ||
		!is_text(service->text, sizeof(service->text)))
		return -EINVAL;
	r = plan->reflects[service->reflect];
	switch ((enum discovery_protocol)plan->channels[r->about.channel]
			.protocol) {
	case DISCOVERY_PROTOCOL_MDNS:
		return mdns_add_service(&r->mdns, service->text);
	case DISCOVERY_PROTOCOL_SSDP:
		if (r->n_services == MDNS_SERVICES_MAX)
			return -ENOSPC;
		memcpy(r->services[r->n_services++], service->text,
			sizeof(service->text));
		return 0;
	case DISCOVERY_PROTOCOL_UDP:
		break;
	}
	return -EINVAL;
}

int plan_add_device(struct plan *plan, const struct discovery_device *device)
{
	if (!device->id)
		return -EINVAL;
	if (plan->n_devices == DISCOVERY_DEVICES_MAX)
		return -ENOSPC;
	if (plan->n_devices == plan->room_devices) {
		size_t room = plan->room_devices * 2 + 64;
		void *larger = reallocarray(
			plan->devices, room, sizeof(*plan->devices));

		if (!larger)
			return -ENOMEM;
		plan->devices = larger;
		plan->room_devices = room;
	}
	plan->devices[plan->n_devices++] = *device;
	return 0;
}

int plan_add_may(struct plan *plan, const struct discovery_may *may)
{
	if (plan->n_mays == DISCOVERY_MAYS_MAX)
		return -ENOSPC;
	if (!may->device || (may->to.family && may->length > ip_bits(&may->to)))
		return -EINVAL;
	plan->mays[plan->n_mays++] = *may;
	return 0;
}

static int by_mac(const void *a, const void *b)
{
	const struct discovery_device *x = a, *y = b;

	return memcmp(&x->mac, &y->mac, sizeof(x->mac));
}

void plan_seal(struct plan *plan)
{
	if (plan->n_devices)
		qsort(plan->devices, plan->n_devices, sizeof(*plan->devices),
			by_mac);
}

const struct discovery_device *plan_device(
	const struct plan *plan, const struct mac *mac)
{
	struct discovery_device key = {.mac = *mac};

	if (!plan->n_devices)
		return NULL;
	return bsearch(
		&key, plan->devices, plan->n_devices, sizeof(key), by_mac);
}

static bool covers(const struct discovery_may *may, const struct ip *ip)
{
	if (!may->to.family || may->to.family != ip->family)
		return false;
	for (unsigned bit = 0; bit < may->length; bit++)
		if ((may->to.b[bit / 8] ^ ip->b[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

bool plan_may(const struct plan *plan, uint32_t device,
	const struct discovery_device *other, uint8_t other_link,
	const struct ip *other_ip)
{
	for (size_t i = 0; i < plan->n_mays; i++) {
		const struct discovery_may *m = &plan->mays[i];

		if (m->device != device)
			continue;
		if ((other && m->to_device == other->id) ||
			(m->to_links & UINT32_C(1) << other_link) ||
			covers(m, other_ip))
			return true;
	}
	return false;
}
