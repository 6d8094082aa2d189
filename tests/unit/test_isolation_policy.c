/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wanted state: what is refused, what is the same, what is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "modules/isolation/policy.h"

static struct isolation_zone zone(const char *interface)
{
	struct isolation_zone z = {.role = ISOLATION_ROLE_DEVICES,
		.mode = RECORD_MODE_ENFORCE,
		.zone = 1};

	/* May well be too long: that is one of the tests. */
	memcpy(z.interface, interface, strnlen(interface, sizeof(z.interface)));
	return z;
}

static struct isolation_device device(uint32_t id, uint8_t last)
{
	return (struct isolation_device){
		.id = id, .mac = {{2, 0, 0, 0, 0, last}}};
}

static struct isolation_allow allow(uint32_t id, const char *to)
{
	struct isolation_allow a = {.device = id,
		.protocol = IPPROTO_TCP,
		.first = 443,
		.last = 443};

	if (to)
		assert_int_equal(ip_parse_prefix(to, &a.to, &a.length), 0);
	return a;
}

static void test_zone_sense(void **state)
{
	struct policy p = {0};
	struct isolation_zone z;

	(void)state;
	z = zone("br0");
	assert_int_equal(policy_add_zone(&p, &z), 0);
	z = zone("");
	assert_int_equal(policy_add_zone(&p, &z), -EINVAL);
	z = zone("sixteen-letters-");
	assert_int_equal(policy_add_zone(&p, &z), -EINVAL);
	z = zone("br0");
	z.role = 0;
	assert_int_equal(policy_add_zone(&p, &z), -EINVAL);
	z.role = 4;
	assert_int_equal(policy_add_zone(&p, &z), -EINVAL);
	z = zone("br0");
	z.mode = 0;
	assert_int_equal(policy_add_zone(&p, &z), -EINVAL);
	z.mode = 3;
	assert_int_equal(policy_add_zone(&p, &z), -EINVAL);
	assert_int_equal(p.zones.n, 1);
	policy_free(&p);
}

/* The kernel compares all sixteen bytes of a name. */
static void test_zone_bytes_behind_name(void **state)
{
	struct isolation_zone z = zone("br0");
	struct policy p = {0};
	char reason[POLICY_REASON];

	(void)state;
	memcpy(z.interface + 4, "junk", 5);
	assert_int_equal(policy_add_zone(&p, &z), 0);
	assert_int_equal(policy_seal(&p, reason), 0);
	assert_non_null(policy_zone(&p, "br0"));
	assert_memory_equal(policy_zone(&p, "br0")->interface,
		"br0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_null(policy_zone(&p, "br1"));
	assert_null(policy_zone(&p, "a name that is far too long"));
	policy_free(&p);
}

static void test_zone_limit(void **state)
{
	struct policy p = {0};

	(void)state;
	for (int i = 0; i <= ISOLATION_ZONES_MAX; i++) {
		struct isolation_zone z = zone("eth");

		z.interface[3] = (char)('0' + i);
		assert_int_equal(policy_add_zone(&p, &z),
			i < ISOLATION_ZONES_MAX ? 0 : -ENOSPC);
	}
	policy_free(&p);
}

static void test_device_sense(void **state)
{
	struct policy p = {0};
	struct isolation_device d = device(1, 1);

	(void)state;
	assert_int_equal(policy_add_device(&p, &d), 0);
	d = device(0, 1);
	assert_int_equal(policy_add_device(&p, &d), -EINVAL);
	d = device(RECORD_STRANGER_BASE, 1);
	assert_int_equal(policy_add_device(&p, &d), -EINVAL);
	d = device(2, 2);
	d.mac.b[0] = 3; /* a group */
	assert_int_equal(policy_add_device(&p, &d), -EINVAL);
	memset(&d.mac, 0, sizeof(d.mac));
	assert_int_equal(policy_add_device(&p, &d), -EINVAL);
	d = device(2, 2);
	d.mode = 3;
	assert_int_equal(policy_add_device(&p, &d), -EINVAL);
	policy_free(&p);
}

static void test_device_limit(void **state)
{
	struct policy p = {0};

	(void)state;
	for (uint32_t i = 1; i <= ISOLATION_DEVICES_MAX + 1; i++) {
		struct isolation_device d = device(i, 0);

		d.mac.b[3] = (uint8_t)(i >> 16);
		d.mac.b[4] = (uint8_t)(i >> 8);
		d.mac.b[5] = (uint8_t)i;
		assert_int_equal(policy_add_device(&p, &d),
			i <= ISOLATION_DEVICES_MAX ? 0 : -ENOSPC);
	}
	policy_free(&p);
}

static void test_allow_sense(void **state)
{
	struct policy p = {0};
	struct isolation_allow a = allow(1, "203.0.113.0/24");

	(void)state;
	assert_int_equal(policy_add_allow(&p, &a), 0);
	a.to.b[3] = 1; /* a bit behind the prefix */
	assert_int_equal(policy_add_allow(&p, &a), -EINVAL);
	a = allow(1, "203.0.113.1");
	a.to.b[4] = 1; /* a byte behind the address */
	assert_int_equal(policy_add_allow(&p, &a), -EINVAL);
	a = allow(1, "203.0.113.1");
	a.length = 33;
	assert_int_equal(policy_add_allow(&p, &a), -EINVAL);
	a = allow(1, NULL);
	a.length = 1;
	assert_int_equal(policy_add_allow(&p, &a), -EINVAL);
	a = allow(1, "2001:db8::/32");
	assert_int_equal(policy_add_allow(&p, &a), 0);
	a.to.family = 99;
	assert_int_equal(policy_add_allow(&p, &a), -EINVAL);
	a = allow(1, NULL);
	a.first = 444;
	assert_int_equal(policy_add_allow(&p, &a), -EINVAL);
	policy_free(&p);
}

static void test_address_limits(void **state)
{
	struct isolation_address a = {{AF_INET, {192, 0, 2}}};
	struct policy p = {0};

	(void)state;
	for (int i = 0; i <= ISOLATION_ADMINS_MAX; i++) {
		a.ip.b[3] = (uint8_t)i;
		assert_int_equal(policy_add_admin(&p, &a),
			i < ISOLATION_ADMINS_MAX ? 0 : -ENOSPC);
		assert_int_equal(policy_add_name_server(&p, &a),
			i < ISOLATION_NAME_SERVERS_MAX ? 0 : -ENOSPC);
	}
	a.ip.family = 0;
	assert_int_equal(policy_add_admin(&p, &a), -EINVAL);
	policy_free(&p);
}

static void test_fences(void **state)
{
	struct isolation_fence f = {.uid = 0, .port = 443};
	struct policy p = {0};

	(void)state;
	assert_int_equal(policy_add_fence(&p, &f), -EINVAL); /* root */
	f.uid = 100;
	assert_int_equal(policy_add_fence(&p, &f), -EINVAL); /* from where? */
	f.local = 18100;
	f.port = 0;
	assert_int_equal(policy_add_fence(&p, &f), -EINVAL);
	for (int i = 0; i <= ISOLATION_FENCES_MAX; i++) {
		f.port = (uint16_t)(i + 1);
		assert_int_equal(policy_add_fence(&p, &f),
			i < ISOLATION_FENCES_MAX ? 0 : -ENOSPC);
	}
	policy_free(&p);
}

static void refused(struct policy *p, const char *why)
{
	char reason[POLICY_REASON] = "";

	assert_int_equal(policy_seal(p, reason), -EINVAL);
	if (!strstr(reason, why))
		fail_msg("'%s' does not say '%s'", reason, why);
	policy_free(p);
}

static void test_contradictions(void **state)
{
	struct policy p = {0};
	struct isolation_zone z = zone("br0");
	struct isolation_device d = device(1, 1);
	struct isolation_allow a = allow(7, NULL);
	struct isolation_redirect r = {1, 1883, 18100};

	(void)state;
	assert_int_equal(policy_add_zone(&p, &z), 0);
	assert_int_equal(policy_add_zone(&p, &z), 0);
	refused(&p, "br0 is in two zones");
	assert_int_equal(policy_add_device(&p, &d), 0);
	d.id = 2;
	assert_int_equal(policy_add_device(&p, &d), 0);
	refused(&p, "MAC address 02:00:00:00:00:01");
	assert_int_equal(policy_add_device(&p, &d), 0);
	d.mac.b[5] = 9;
	assert_int_equal(policy_add_device(&p, &d), 0);
	refused(&p, "two devices have the number 2");
	assert_int_equal(policy_add_allow(&p, &a), 0);
	refused(&p, "device number 7");
	assert_int_equal(policy_add_redirect(&p, &r), 0);
	refused(&p, "device number 1");
	d = device(1, 1);
	assert_int_equal(policy_add_device(&p, &d), 0);
	assert_int_equal(policy_add_redirect(&p, &r), 0);
	r.to_port = 18101;
	assert_int_equal(policy_add_redirect(&p, &r), 0);
	refused(&p, "port 1883");
	r.to_port = 0;
	assert_int_equal(policy_add_redirect(&p, &r), -EINVAL);
}

static void fill(struct policy *p, bool backwards)
{
	char reason[POLICY_REASON];

	for (int i = 0; i < 8; i++) {
		uint8_t n = (uint8_t)(1 + (backwards ? 7 - i : i));
		struct isolation_device d = device(n, (uint8_t)(100 - n));
		struct isolation_allow a = allow(n, "192.0.2.1");
		struct isolation_redirect r = {n, 80, 18100};

		assert_int_equal(policy_add_device(p, &d), 0);
		assert_int_equal(policy_add_allow(p, &a), 0);
		assert_int_equal(policy_add_allow(p, &a), 0);
		assert_int_equal(policy_add_redirect(p, &r), 0);
		assert_int_equal(policy_add_redirect(p, &r), 0);
	}
	assert_int_equal(policy_seal(p, reason), 0);
}

static void test_same_in_any_order(void **state)
{
	struct policy a = {0}, b = {0};
	struct isolation_address admin = {{AF_INET, {192, 0, 2, 9}}};
	char reason[POLICY_REASON];

	(void)state;
	fill(&a, false);
	fill(&b, true);
	assert_true(policy_same(&a, &b));
	assert_int_equal(a.allows.n, 8); /* repetitions are gone */
	assert_int_equal(a.redirects.n, 8);
	assert_int_equal(policy_add_admin(&b, &admin), 0);
	assert_int_equal(policy_seal(&b, reason), 0);
	assert_false(policy_same(&a, &b));
	policy_free(&a);
	policy_free(&b);
}

static void test_found(void **state)
{
	struct policy p = {0};
	const struct isolation_device *d;
	struct mac mac = {{2, 0, 0, 0, 0, 97}};

	(void)state;
	assert_null(policy_device(&p, 1));
	fill(&p, true);
	d = policy_device_by_mac(&p, &mac);
	assert_non_null(d);
	assert_int_equal(d->id, 3);
	assert_ptr_equal(policy_device(&p, 3)->id == 3 ? d : NULL, d);
	assert_null(policy_device(&p, 9));
	mac.b[5] = 1;
	assert_null(policy_device_by_mac(&p, &mac));
	policy_free(&p);
}

static struct isolation_pin pin(uint32_t id, const char *text)
{
	struct isolation_pin p = {.device = id};

	assert_int_equal(ip_parse(text, &p.ip), 0);
	return p;
}

static void add_pin(struct policy *p, uint32_t id, const char *text)
{
	struct isolation_pin one = pin(id, text);

	assert_int_equal(policy_add_pin(p, &one), 0);
}

static void test_pins(void **state)
{
	struct policy p = {0}, q = {0};
	struct isolation_device d = device(1, 1), e = device(2, 2);
	struct isolation_pin bad = pin(1, "192.168.50.9");
	char reason[POLICY_REASON];

	(void)state;
	assert_int_equal(policy_add_device(&p, &d), 0);
	assert_int_equal(policy_add_device(&p, &e), 0);
	assert_int_equal(policy_add_device(&q, &d), 0);
	assert_int_equal(policy_add_device(&q, &e), 0);
	assert_int_equal(policy_seal(&q, reason), 0);
	add_pin(&p, 2, "fd00::9");
	add_pin(&p, 1, "192.168.50.9");
	add_pin(&p, 1, "192.168.50.9"); /* says the same */
	assert_int_equal(policy_seal(&p, reason), 0);
	assert_int_equal(p.pins.n, 2);
	assert_false(policy_same(&p, &q));
	assert_int_equal(policy_pin(&p, &bad.ip)->device, 1);
	bad = pin(1, "192.168.50.8");
	assert_null(policy_pin(&p, &bad.ip));
	bad.zero = 1;
	assert_int_equal(policy_add_pin(&p, &bad), -EINVAL);
	bad = (struct isolation_pin){.device = 1};
	assert_int_equal(policy_add_pin(&p, &bad), -EINVAL);
	add_pin(&p, 2, "192.168.50.9");
	assert_int_equal(policy_seal(&p, reason), -EINVAL);
	assert_non_null(strstr(reason, "two devices have the address "
				       "192.168.50.9"));
	add_pin(&q, 3, "192.168.50.9");
	assert_int_equal(policy_seal(&q, reason), -EINVAL);
	assert_non_null(strstr(reason, "device number 3"));
	policy_free(&p);
	policy_free(&q);
}

static void test_pin_limit(void **state)
{
	struct isolation_pin one = pin(1, "10.0.0.0");
	struct policy p = {0};

	(void)state;
	for (int i = 0; i <= ISOLATION_PINS_MAX; i++) {
		one.ip.b[2] = (uint8_t)(i >> 8);
		one.ip.b[3] = (uint8_t)i;
		assert_int_equal(policy_add_pin(&p, &one),
			i < ISOLATION_PINS_MAX ? 0 : -ENOSPC);
	}
	policy_free(&p);
}

static void test_limits(void **state)
{
	const struct isolation_limit good[] = {
		{.device = 1, .rate = 1, .seconds = 60},
		{.device = 2,
			.seconds = 1,
			.up = ISOLATION_BANDWIDTH_MIN,
			.down = ISOLATION_BANDWIDTH_MAX},
	};
	const struct isolation_limit bad[] = {
		{.device = 1, .rate = 1},
		{.device = 1, .rate = 1, .seconds = 2},
		{.device = 1, .rate = ISOLATION_RATE_MAX + 1, .seconds = 1},
		{.device = 1, .seconds = 1, .zero = 1},
		{.device = 1, .seconds = 1, .up = ISOLATION_BANDWIDTH_MIN - 1},
		{.device = 1,
			.seconds = 1,
			.down = ISOLATION_BANDWIDTH_MAX + 1},
	};
	char reason[POLICY_REASON] = "";
	struct policy p = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(policy_add_limit(&p, &bad[i]), -EINVAL);
	for (uint32_t id = 1; id <= 2; id++) {
		struct isolation_device d = {
			.id = id, .mac = {{2, [5] = (uint8_t)id}}};

		assert_int_equal(policy_add_device(&p, &d), 0);
	}
	for (size_t i = ARRAY_SIZE(good); i-- > 0;)
		assert_int_equal(policy_add_limit(&p, &good[i]), 0);
	assert_int_equal(policy_seal(&p, reason), 0);
	assert_int_equal(policy_limit(&p, 1)->rate, 1);
	assert_int_equal(policy_limit(&p, 2)->rate, 0);
	assert_null(policy_limit(&p, 3));
	assert_int_equal(policy_add_limit(&p, &good[0]), 0);
	assert_int_equal(policy_seal(&p, reason), -EINVAL);
	assert_non_null(strstr(reason, "two limits"));
	policy_free(&p);
	assert_int_equal(policy_add_limit(&p, &good[0]), 0);
	assert_int_equal(policy_seal(&p, reason), -EINVAL);
	assert_non_null(strstr(reason, "which does not exist"));
	policy_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_pin_limit),
		cmocka_unit_test(test_zone_sense),
		cmocka_unit_test(test_zone_bytes_behind_name),
		cmocka_unit_test(test_zone_limit),
		cmocka_unit_test(test_device_sense),
		cmocka_unit_test(test_device_limit),
		cmocka_unit_test(test_allow_sense),
		cmocka_unit_test(test_address_limits),
		cmocka_unit_test(test_fences),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_same_in_any_order),
		cmocka_unit_test(test_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
