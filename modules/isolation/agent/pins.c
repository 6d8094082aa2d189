/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks the addresses that are pinned to devices. Reads the configuration
 * and the list of this machine's addresses; must never let one through that
 * two devices, or a device and the gateway, would fight for.
 */
#include "modules/isolation/agent/pins.h"

#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/cleanup.h"
#include "modules/isolation/isolation_proto.h"

struct pin {
	struct ip ip;
	const struct conf_section *device;
	const struct conf_value *value;
	size_t order; /* of the configuration */
};

struct pins {
	struct pin *rows;
	size_t n, room;
};

bool pins_own_address(const struct ip *ip)
{
	struct ifaddrs *list = NULL;
	bool found = false;

	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *a = list; a && !found; a = a->ifa_next) {
		struct ip other;
		uint16_t port;

		found = a->ifa_addr &&
			ip_from_sockaddr(a->ifa_addr, &other, &port) == 0 &&
			ip_equal(&other, ip);
	}
	freeifaddrs(list);
	return found;
}

static bool is_unicast(const struct ip *ip)
{
	static const uint8_t zero[15];

	if (ip->family == AF_INET)
		return ip->b[0] != 0 && ip->b[0] != 127 && ip->b[0] < 224;
	if (ip->b[0] == 0xff)
		return false;
	return memcmp(ip->b, zero, sizeof(zero)) != 0 || ip->b[15] > 1;
}

static bool add(struct pins *pins, const struct pin *pin)
{
	if (pins->n == pins->room) {
		size_t room = pins->room * 2 + 64;
		struct pin *rows = realloc(pins->rows, room * sizeof(*rows));

		if (!rows)
			return false;
		pins->rows = rows;
		pins->room = room;
	}
	pins->rows[pins->n] = *pin;
	pins->rows[pins->n].order = pins->n;
	pins->n++;
	return true;
}

static void collect_value(struct pins *pins, struct conf *conf,
	const struct conf_section *device, const struct conf_value *value)
{
	struct pin pin = {.device = device, .value = value};
	const char *rest = value->text;
	char word[IP_TEXT];

	while (conf_next_word(&rest, word, sizeof(word)) == 1) {
		if (ip_parse(word, &pin.ip) < 0)
			continue; /* was complained of already */
		if (is_unicast(&pin.ip) && !add(pins, &pin))
			conf_complain(conf, value->file, value->line,
				"address: not enough memory to check it");
		else if (!is_unicast(&pin.ip))
			conf_complain(conf, value->file, value->line,
				"address = %s: that is no address of one "
				"device",
				word);
	}
}

static void collect_device(
	struct pins *pins, struct conf *conf, const struct conf_section *device)
{
	size_t before = pins->n;

	for (const struct conf_value *v = conf_get(device, "address"); v;
		v = conf_get_next(v)) {
		collect_value(pins, conf, device, v);
		if (pins->n - before <= ISOLATION_PINS_EACH)
			continue;
		conf_complain(conf, v->file, v->line,
			"address: more than %d addresses of one device",
			ISOLATION_PINS_EACH);
		break;
	}
}

static int by_address(const void *a, const void *b)
{
	const struct pin *x = a, *y = b;
	int order = memcmp(&x->ip, &y->ip, sizeof(x->ip));

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void check_pin(struct conf *conf, const struct pin *pin,
	const struct pin *before, bool (*own)(const struct ip *ip))
{
	char text[IP_TEXT];

	if (before && ip_equal(&before->ip, &pin->ip) &&
		before->device != pin->device)
		conf_complain(conf, pin->value->file, pin->value->line,
			"address = %s: belongs to [device %s] already",
			ip_format(&pin->ip, text), before->device->name);
	else if (own(&pin->ip))
		conf_complain(conf, pin->value->file, pin->value->line,
			"address = %s: that is the gateway's own address",
			ip_format(&pin->ip, text));
}

void pins_check(struct conf *conf, bool (*own)(const struct ip *ip))
{
	struct pins pins = {0};

	for (const struct conf_section *d = conf_next(conf, "device", NULL); d;
		d = conf_next(conf, "device", d)) {
		collect_device(&pins, conf, d);
		if (pins.n <= ISOLATION_PINS_MAX)
			continue;
		conf_complain(conf, d->file, d->line,
			"more than %d addresses of all devices together",
			ISOLATION_PINS_MAX);
		break;
	}
	if (pins.n)
		qsort(pins.rows, pins.n, sizeof(*pins.rows), by_address);
	for (size_t i = 0; i < pins.n; i++)
		check_pin(
			conf, &pins.rows[i], i ? &pins.rows[i - 1] : NULL, own);
	free(pins.rows);
}
