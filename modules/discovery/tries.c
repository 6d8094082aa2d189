/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adds records up. Touches memory only, and always the same amount of it:
 * must never grow with what devices send, nor forget without counting.
 */
#include "modules/discovery/tries.h"

#include <string.h>

static struct discovery_tried *find(
	struct tries *tries, const struct nflog_record *record)
{
	struct discovery_tried *d;

	for (size_t i = 0; i < tries->n; i++) {
		d = &tries->devices[i];
		if (d->reason == record->reason &&
			mac_equal(&d->mac, &record->mac))
			return d;
	}
	if (tries->n == TRIES_DEVICES_MAX)
		return NULL;
	d = &tries->devices[tries->n++];
	memset(d, 0, sizeof(*d));
	d->mac = record->mac;
	d->reason = record->reason;
	return d;
}

static void add_target(
	struct discovery_tried *device, const struct discovery_target *target)
{
	for (size_t i = 0; i < device->n_targets; i++) {
		struct discovery_target *t = &device->targets[i];

		if (ip_equal(&t->to, &target->to) && t->port == target->port &&
			t->protocol == target->protocol) {
			t->records++;
			return;
		}
	}
	if (device->n_targets == DISCOVERY_TARGETS) {
		device->others++;
		return;
	}
	device->targets[device->n_targets] = *target;
	device->targets[device->n_targets++].records = 1;
}

/* A gap in the numbers is what did not reach us. */
static void count(struct tries *tries, const struct nflog_record *record)
{
	if (!record->counted)
		return;
	if (tries->counting)
		tries->lost.overrun += (uint32_t)(record->seq -
						  tries->next_seq);
	tries->counting = true;
	tries->next_seq = record->seq + 1;
}

static bool is_probe(const struct packet_head *head)
{
	static const uint8_t none[16];

	return head->to.family && (ip_equal(&head->from, &head->to) ||
					  !memcmp(head->from.b, none, 16));
}

void tries_add(struct tries *tries, const struct nflog_record *record)
{
	static const struct mac nobody;
	struct discovery_target target = {0};
	struct discovery_tried *device;
	struct packet_head head;

	count(tries, record);
	if (!record->reason || mac_equal(&record->mac, &nobody) ||
		packet_decode(record->ethertype, record->payload,
			record->length, &head) < 0) {
		tries->lost.unread++;
		return;
	}
	/* Who asks whether an address is free meant nobody. */
	if (record->reason == DISCOVERY_REASON_BRIDGED && is_probe(&head))
		return;
	device = find(tries, record);
	if (!device) {
		tries->lost.crowded++;
		return;
	}
	target.to = head.to;
	target.protocol = head.protocol;
	target.port = head.to.family ? head.port : record->ethertype;
	device->records++;
	add_target(device, &target);
}

void tries_read(struct tries *tries, const void *bytes, size_t size)
{
	struct nflog_record record;
	size_t offset = 0;
	int r;

	while ((r = nflog_next(bytes, size, &offset, &record)) > 0)
		tries_add(tries, &record);
	if (r < 0)
		tries->lost.unread++;
}

bool tries_any(const struct tries *tries)
{
	return tries->n || tries->lost.overrun || tries->lost.unread ||
	       tries->lost.crowded;
}

void tries_clear(struct tries *tries)
{
	tries->n = 0;
	memset(&tries->lost, 0, sizeof(tries->lost));
}

void tries_recount(struct tries *tries)
{
	tries->counting = false;
}
