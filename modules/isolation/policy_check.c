/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for contradictions between the items of a sorted policy, and says in a
 * sentence what is wrong. Reads memory only; changes nothing.
 */
#include "modules/isolation/policy_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/policy.h"

static _printf_(2, 3) int refuse(char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, POLICY_REASON, format, args);
	va_end(args);
	return -EINVAL;
}

static int check_zones(const struct policy *policy, char *reason)
{
	const struct isolation_zone *z = policy->zones.items;

	for (size_t i = 1; i < policy->zones.n; i++)
		if (!strcmp(z[i - 1].interface, z[i].interface))
			return refuse(reason,
				"interface %s is in two zones; leave it in one",
				z[i].interface);
	return 0;
}

static int check_devices(const struct policy *policy, char *reason)
{
	const struct isolation_device *d = policy->devices.items;
	const struct isolation_device *e = policy->by_id.items;
	char text[MAC_TEXT];

	for (size_t i = 1; i < policy->devices.n; i++) {
		if (mac_equal(&d[i - 1].mac, &d[i].mac))
			return refuse(reason,
				"two devices have the MAC address %s",
				mac_format(&d[i].mac, text));
		if (e[i - 1].id == e[i].id)
			return refuse(reason, "two devices have the number %u",
				e[i].id);
	}
	return 0;
}

static int check_references(const struct policy *policy, char *reason)
{
	const struct isolation_redirect *last = NULL;

	policy_each(struct isolation_allow, a, &policy->allows)
		if (!policy_device(policy, a->device))
			return refuse(reason,
				"an allow line is for device number %u, "
				"which does not exist",
				a->device);
	policy_each(struct isolation_redirect, r, &policy->redirects) {
		if (!policy_device(policy, r->device))
			return refuse(reason,
				"an upgrade is for device number %u, "
				"which does not exist",
				r->device);
		if (last && last->device == r->device && last->port == r->port)
			return refuse(reason,
				"two upgrades want port %u of one device",
				r->port);
		last = r;
	}
	return 0;
}

static int check_pins(const struct policy *policy, char *reason)
{
	const struct isolation_pin *p = policy->by_ip.items;
	char text[IP_TEXT];

	for (size_t i = 0; i < policy->by_ip.n; i++) {
		if (!policy_device(policy, p[i].device))
			return refuse(reason,
				"an address is for device number %u, "
				"which does not exist",
				p[i].device);
		if (i && ip_equal(&p[i - 1].ip, &p[i].ip))
			return refuse(reason, "two devices have the address %s",
				ip_format(&p[i].ip, text));
	}
	return 0;
}

static int check_limits(const struct policy *policy, char *reason)
{
	const struct isolation_limit *last = NULL;

	policy_each(struct isolation_limit, l, &policy->limits) {
		if (!policy_device(policy, l->device))
			return refuse(reason,
				"a limit is for device number %u, "
				"which does not exist",
				l->device);
		if (last && last->device == l->device)
			return refuse(reason,
				"two limits are for device number %u",
				l->device);
		last = l;
	}
	return 0;
}

static int check_followed(const struct policy *policy,
	const struct policy_array *follows, char *reason)
{
	policy_each(struct isolation_pass, p, follows) {
		uint32_t missing = p->to_device;

		if (policy_device(policy, missing)) {
			if (!p->device || policy_device(policy, p->device))
				continue;
			missing = p->device;
		}
		return refuse(reason,
			"a way between devices is of device number %u, which "
			"does not exist",
			missing);
	}
	return 0;
}

static int check_passes(const struct policy *policy, char *reason)
{
	int r = check_followed(policy, &policy->follows, reason);

	if (r == 0)
		r = check_followed(policy, &policy->zone_follows, reason);
	if (r < 0)
		return r;
	policy_each(struct isolation_pass, p, &policy->passes)
		if (!policy_device(policy, p->device))
			return refuse(reason,
				"a way between devices is of device number "
				"%u, which does not exist",
				p->device);
	policy_each(struct isolation_pass, p, &policy->publishes)
		if (!policy_device(policy, p->device))
			return refuse(reason,
				"a published port is of device number %u, "
				"which does not exist",
				p->device);
	return 0;
}

int policy_check(const struct policy *policy, char *ret_reason)
{
	int r = check_zones(policy, ret_reason);

	if (r == 0)
		r = check_devices(policy, ret_reason);
	if (r == 0)
		r = check_references(policy, ret_reason);
	if (r == 0)
		r = check_pins(policy, ret_reason);
	if (r == 0)
		r = check_limits(policy, ret_reason);
	if (r == 0)
		r = check_passes(policy, ret_reason);
	return r;
}
