/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strictest policy that a configuration can mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "modules/isolation/early_conf.h"

static const char whole[] =
	"# comment\n\n[gateway]\nmode=enforce\nadmin=192.0.2.1 2001:db8::1\n"
	"admin=192.0.2.2\nname-server=192.0.2.53\n"
	"[zone things]\ninterface=br0, br1\n"
	"[zone home]\ninterface=lan0\nrole=owner\n"
	"[zone lab]\ninterface=br2\nmode=observe\n"
	"[zone net]\ninterface=wan0\nrole=uplink\n"
	"[zone cafe]\ninterface=br3\nrole=guest\ndefault=block\n"
	"[device a]\nmac=02:00:00:00:00:01\nallow=any any\n"
	"[device b]\nmac=02:00:00:00:00:02\nmode=observe\n"
	"[device c]\nmac=02:00:00:00:00:03\nzone=lab\n"
	"[device d]\nmac=02:00:00:00:00:04\nzone=phones\n"
	"[zone phones]\nmode=enforce\n"
	"[upgrade web]\nport=80\n";

static void test_whole(void **state)
{
	struct policy p = {0};
	char reason[POLICY_REASON] = "";

	(void)state;
	assert_int_equal(early_conf_policy(whole, &p, reason), 0);
	assert_int_equal(p.zones.n, 6);
	/* Guests are let in by the daemon, blocked are blocked at once. */
	assert_int_equal(policy_zone(&p, "br3")->role, ISOLATION_ROLE_DEVICES);
	assert_int_equal(
		policy_zone(&p, "br3")->strangers, ISOLATION_STRANGERS_BLOCK);
	assert_int_equal(policy_zone(&p, "br0")->strangers,
		ISOLATION_STRANGERS_QUARANTINE);
	assert_int_equal(policy_zone(&p, "br0")->zone, 1);
	assert_int_equal(policy_zone(&p, "br1")->mode, RECORD_MODE_ENFORCE);
	assert_int_equal(policy_zone(&p, "lan0")->role, ISOLATION_ROLE_OWNER);
	assert_int_equal(policy_zone(&p, "br2")->mode, RECORD_MODE_OBSERVE);
	assert_int_equal(policy_zone(&p, "wan0")->role, ISOLATION_ROLE_UPLINK);
	assert_int_equal(p.devices.n, 4);
	/* Of a zone by their own sections: its mode, wherever they are. */
	assert_int_equal(policy_device(&p, 3)->mode, RECORD_MODE_OBSERVE);
	assert_int_equal(policy_device(&p, 4)->mode, RECORD_MODE_ENFORCE);
	assert_true(policy_device(&p, 4)->moved);
	assert_false(policy_device(&p, 2)->moved);
	assert_int_equal(policy_device(&p, 1)->mode, 0);
	assert_int_equal(policy_device(&p, 2)->mode, RECORD_MODE_OBSERVE);
	assert_int_equal(p.admins.n, 3);
	/* Nothing is opened, whatever the lines say. */
	assert_int_equal(p.allows.n, 0);
	assert_int_equal(p.redirects.n, 0);
	assert_int_equal(p.name_servers.n, 0);
	policy_free(&p);
}

static void test_enforces_nothing(void **state)
{
	static const char *const open[] = {"", "[zone a]\ninterface=br0\n",
		"[gateway]\nmode=observe\n[zone a]\ninterface=br0\n",
		"[gateway]\nmode=enforce\n[zone a]\ninterface=br0\n"
		"mode=observe\n",
		"[gateway]\nmode=enforce\n[zone a]\ninterface=br0\n"
		"role=owner\n"};
	char reason[POLICY_REASON];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		struct policy p = {0};

		assert_int_equal(
			early_conf_policy(open[i], &p, reason), -ENOENT);
		assert_null(p.zones.items);
	}
}

/* What gatehoused would not print is refused, not guessed. */
static void test_nonsense(void **state)
{
	static const char *const bad[] = {
		"[zone a]\ninterface=br0\nmode=enforce\n[device a]\nmac=x\n",
		"[zone a]\ninterface=br0\nmode=enforce\n[device a]\n",
		"[gateway]\nadmin=x\n[zone a]\ninterface=br0\nmode=enforce\n",
		"[zone a]\ninterface=br0\nmode=enforce\n"
		"[zone b]\ninterface=br0\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char reason[POLICY_REASON] = "";
		struct policy p = {0};

		assert_true(early_conf_policy(bad[i], &p, reason) < 0);
		assert_true(reason[0]);
		assert_null(p.zones.items);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_enforces_nothing),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
