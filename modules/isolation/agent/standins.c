/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes what this host answers for devices. Runs as root in the agent; may
 * change the few settings below and IPv6 proxy entries, each of which is in
 * the ledger; must never take for ours what was so before.
 */
#include "modules/isolation/agent/standins.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/isolation/hostnet.h"

static const struct {
	const char *before, *after;
	int32_t value;
} settings[] = {
	/* ARP for the same link, answered at once. */
	{"ipv4/conf/", "/proxy_arp_pvlan", 1},
	{"ipv4/neigh/", "/proxy_delay", 0},
	{"ipv6/conf/", "/proxy_ndp", 1},
	{"ipv6/neigh/", "/proxy_delay", 0},
};

int standins_add(struct standins *standins, const struct isolation_standin *row)
{
	const struct ip *ip = &row->ip;

	if (!row->interface[0] || row->interface[sizeof(row->interface) - 1] ||
		row->index <= 0 || (ip->family && ip->family != AF_INET6) ||
		standins->n == ISOLATION_STANDINS_MAX)
		return -EINVAL;
	standins->rows[standins->n++] = *row;
	return 0;
}

static struct ledger_entry setting_of(
	const struct isolation_standin *row, size_t i)
{
	struct ledger_entry entry = {.kind = LEDGER_SETTING};

	snprintf(entry.name, sizeof(entry.name), "%s%s%s", settings[i].before,
		row->interface, settings[i].after);
	return entry;
}

static struct ledger_entry neighbour_of(const struct isolation_standin *row)
{
	struct ledger_entry entry = {
		.kind = LEDGER_NEIGHBOUR, .value = row->index};
	char text[IP_TEXT];

	snprintf(entry.name, sizeof(entry.name), "%s%%%s",
		ip_format(&row->ip, text), row->interface);
	return entry;
}

static int note(struct ledger *ledger, const struct ledger_entry *entry)
{
	int r = ledger_put(ledger, entry);

	return r < 0 ? r : 1;
}

static int note_setting(
	const struct isolation_standin *row, size_t i, struct ledger *ledger)
{
	struct ledger_entry entry = setting_of(row, i);
	int r;

	if (ledger_find(ledger, LEDGER_SETTING, entry.name))
		return 0;
	r = hostnet_read(entry.name, &entry.value);
	/* The interface has gone, or there is no IPv6 here. */
	if (r == -ENOENT || (r == 0 && entry.value == settings[i].value))
		return 0;
	return r < 0 ? r : note(ledger, &entry);
}

static int note_neighbour(
	const struct isolation_standin *row, struct ledger *ledger)
{
	struct ledger_entry entry = neighbour_of(row);
	const struct ledger_entry *old = ledger_find(
		ledger, LEDGER_NEIGHBOUR, entry.name);
	int r;

	if (old && old->value == entry.value)
		return 0;
	r = hostnet_proxies(row->index, &row->ip);
	return r ? r < 0 ? r : 0 : note(ledger, &entry);
}

int standins_note(const struct standins *standins, struct ledger *ledger)
{
	int changed = 0, r = 0;

	for (size_t i = 0; i < standins->n && r >= 0; i++) {
		const struct isolation_standin *row = &standins->rows[i];

		if (row->ip.family) {
			r = note_neighbour(row, ledger);
			changed |= r > 0;
			continue;
		}
		for (size_t s = 0; s < ARRAY_SIZE(settings) && r >= 0; s++) {
			r = note_setting(row, s, ledger);
			changed |= r > 0;
		}
	}
	return r < 0 ? r : changed;
}

static int do_setting(
	const struct isolation_standin *row, size_t i, struct ledger *ledger)
{
	struct ledger_entry entry = setting_of(row, i);
	int32_t is;
	int r;

	if (!ledger_find(ledger, LEDGER_SETTING, entry.name))
		return 0;
	r = hostnet_read(entry.name, &is);
	if (r == 0 && is != settings[i].value)
		r = hostnet_write(entry.name, settings[i].value);
	return r == -ENOENT ? 0 : r;
}

static int do_row(const struct isolation_standin *row, struct ledger *ledger)
{
	struct ledger_entry entry;
	int result = 0;

	if (row->ip.family) {
		entry = neighbour_of(row);
		if (!ledger_find(ledger, LEDGER_NEIGHBOUR, entry.name))
			return 0;
		return hostnet_proxy(row->index, &row->ip);
	}
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		int r = do_setting(row, i, ledger);

		result = result ? result : r;
	}
	return result;
}

static bool is_wanted(
	const struct standins *standins, const struct ledger_entry *entry)
{
	for (size_t i = 0; i < standins->n; i++) {
		const struct isolation_standin *row = &standins->rows[i];
		struct ledger_entry own;

		if (row->ip.family) {
			own = neighbour_of(row);
			if (entry->kind == own.kind &&
				!strcmp(entry->name, own.name))
				return true;
			continue;
		}
		for (size_t s = 0; s < ARRAY_SIZE(settings); s++) {
			own = setting_of(row, s);
			if (entry->kind == own.kind &&
				!strcmp(entry->name, own.name))
				return true;
		}
	}
	return false;
}

static int put_back(const struct ledger_entry *entry)
{
	char interface[16];
	struct ip ip;
	int r;

	if (entry->kind == LEDGER_SETTING) {
		r = hostnet_write(entry->name, entry->value);
	} else {
		r = ledger_neighbour(entry->name, &ip, interface);
		if (r == 0 &&
			if_nametoindex(interface) != (unsigned)entry->value)
			return 0;
		if (r == 0)
			r = hostnet_unproxy(entry->value, &ip);
	}
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

int standins_do(const struct standins *standins, struct ledger *ledger)
{
	int result = 0, changed = 0;

	for (size_t i = 0; i < standins->n; i++) {
		int r = do_row(&standins->rows[i], ledger);

		result = result ? result : r;
	}
	for (size_t i = 0; i < ledger->n;) {
		const struct ledger_entry *entry = &ledger->entries[i];
		int r = 0;

		if (entry->kind == LEDGER_PORT || is_wanted(standins, entry)) {
			i++;
			continue;
		}
		r = put_back(entry);
		if (r < 0) {
			result = result ? result : r;
			i++;
			continue;
		}
		log_info("%s is as it was before", entry->name);
		ledger->entries[i] = ledger->entries[--ledger->n];
		changed = 1;
	}
	return result < 0 ? result : changed;
}
