/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a difference of two configurations means, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "agent/ctl/differ.h"

#define OPENS DIFFER_EFFECT_OPENS
#define CLOSES DIFFER_EFFECT_CLOSES
#define CHANGES DIFFER_EFFECT_CHANGES
#define CAMERA "[device camera]\nmac=02:00:00:00:00:01\n"
#define THINGS "[zone iot]\ninterface=br0\n"

static const struct {
	const char *before, *after;
	struct {
		enum differ_effect effect;
		const char *text;
	} rows[4];
} cases[] = {
	{CAMERA "allow=tcp/443 any\n", CAMERA "allow=tcp/443 any\n", {{0}}},
	{CAMERA "allow=tcp/443 any\n", CAMERA,
		{{CLOSES, "camera may no longer reach tcp/443 anywhere "
			  "outside"}}},
	{CAMERA, CAMERA "allow=udp/5000-5010 203.0.113.5\n",
		{{OPENS, "camera may reach udp/5000-5010 at 203.0.113.5"}}},
	{CAMERA, CAMERA "allow=any 203.0.113.5\n",
		{{OPENS, "camera may reach anything at 203.0.113.5"}}},
	/* A narrower line that goes closes nothing while a wider one stays. */
	{CAMERA "allow=tcp/443 any\nallow=tcp/443 203.0.113.5\n",
		CAMERA "allow=tcp/443 any\n",
		{{CHANGES,
			"camera may no longer reach tcp/443 at 203.0.113.5 by "
			"the line \"tcp/443 203.0.113.5\"; it still can by "
			"\"tcp/443 any\", except in your own network and the "
			"gateway itself"}}},
	{CAMERA, "[device lens]\nmac=02:00:00:00:00:01\n",
		{{CHANGES, "02:00:00:00:00:01 becomes lens and leaves "
			   "quarantine"},
			{CLOSES, "camera (02:00:00:00:00:01) becomes a "
				 "stranger: quarantine"}}},
	{CAMERA, "[device camera]\nmac=02:00:00:00:00:02\n",
		{{CLOSES, "02:00:00:00:00:01 becomes a stranger: quarantine"},
			{OPENS, "02:00:00:00:00:02 becomes camera, with all "
				"that it may"}}},
	{CAMERA, CAMERA "mode=observe\n",
		{{OPENS,
			"camera will only be watched: it reaches everything"}}},
	{CAMERA "mode=observe\n", CAMERA,
		{{CHANGES, "camera follows the mode of its zone again"}}},
	{CAMERA, CAMERA "address=192.168.50.11\n",
		{{CLOSES, "only camera may use the address 192.168.50.11"}}},
	/* By the gateway's mode, said or not, unless the zone has its own. */
	{"[gateway]\nmode=observe\n" THINGS, "[gateway]\nmode=enforce\n" THINGS,
		{{CHANGES, "mode changes from observe to enforce"},
			{CLOSES, "strangers in zone iot will be cut"},
			{CLOSES, "devices in zone iot reach nothing but what "
				 "is allowed"}}},
	{THINGS, "[gateway]\nmode=enforce\n" THINGS,
		{{CHANGES,
			 "mode changes from observe, the default, to enforce"},
			{CLOSES, "strangers in zone iot will be cut"},
			{CLOSES, "devices in zone iot reach nothing but what "
				 "is allowed"}}},
	{"[gateway]\nmode=enforce\n" THINGS "mode=observe\n",
		"[gateway]\nmode=enforce\nlog-level=debug\n" THINGS
		"mode=observe\n",
		{{CHANGES, "log-level = debug is new"}}},
	{THINGS "mode=enforce\n", THINGS "mode=observe\n",
		{{OPENS, "zone iot will only be watched: strangers and "
			 "devices there reach everything"}}},
	{THINGS "mode=enforce\n", "",
		{{OPENS, "br0 is no zone any more: nothing there is isolated, "
			 "nothing is watched"}}},
	{"", THINGS "mode=enforce\n",
		{{CHANGES, "br0 becomes a zone of devices, iot"},
			{CLOSES, "strangers in zone iot will be cut"},
			{CLOSES, "devices in zone iot reach nothing but what "
				 "is allowed"}}},
	{THINGS "mode=enforce\n", THINGS "mode=enforce\nrole=owner\n",
		{{OPENS, "nothing in zone iot is isolated any more"},
			{CHANGES, "role = owner is new"}}},
	{"[zone home]\ninterface=lan0\nrole=owner\n", "",
		{{CHANGES, "lan0 is no longer a zone of the kind owner"},
			{CHANGES, "role = owner is gone"}}},
	{"[gateway]\nname-server=192.0.2.1\nadmin=192.0.2.7\n", "[gateway]\n",
		{{CLOSES, "devices may no longer ask the name server "
			  "192.0.2.1"},
			{CLOSES, "192.0.2.7 no longer always reaches the "
				 "gateway itself"}}},
	{"[upgrade web]\nprotocol=http\nport=80\n", "",
		{{OPENS, "port 80 is no longer carried into TLS: devices that "
			 "may reach it do so in plaintext"},
			{CHANGES, "protocol = http is gone"}}},
	{"[upgrade web]\nport=80\nupstream-port=443\n",
		"[upgrade web]\nport=80\nupstream-port=8443\n",
		{{CHANGES, "upstream-port changes from 443 to 8443"}}},
	/* What this command does not know is told all the same. */
	{"[odd thing]\nnew-key=1\n", "[odd thing]\nnew-key=2\n",
		{{CHANGES, "new-key changes from 1 to 2"}}},
	{"[odd thing]\nx=1\nx=2\n", "[odd thing]\nx=2\nx=3\n",
		{{CHANGES, "x = 1 is gone"}, {CHANGES, "x = 3 is new"}}},
	{"", "[odd]\n", {{CHANGES, "the section is new"}}},
	/* Neither the order of sections nor comments make a difference. */
	{"# x\n" CAMERA THINGS, THINGS CAMERA "# y\n", {{0}}},
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct differ d;
		size_t n = 0;

		differ_compare(cases[i].before, cases[i].after, &d);
		while (n < ARRAY_SIZE(cases[i].rows) && cases[i].rows[n].text)
			n++;
		for (size_t k = 0; k < d.n && k < n; k++) {
			assert_string_equal(
				d.rows[k].text, cases[i].rows[k].text);
			assert_int_equal(
				d.rows[k].effect, cases[i].rows[k].effect);
		}
		if (d.n != n)
			fail_msg("case %zu: %zu rows, first %s", i, d.n,
				d.n ? d.rows[0].text : "none");
		differ_clear(&d);
	}
}

/* Whatever differs is told: no key and no section is passed over. */
static void test_nothing_left_out(void **state)
{
	static const char *const keys[] = {"mode", "mac", "allow", "role",
		"interface", "port", "admin", "rate", "zone", "x"};
	static const char *const types[] = {
		"gateway", "zone a", "device a", "upgrade a", "proxy"};

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(types); t++)
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			char a[64], b[128], c[128];
			struct differ d;

			snprintf(a, sizeof(a), "[%s]\ny=1\n", types[t]);
			snprintf(b, sizeof(b), "%s%s=enforce\n", a, keys[k]);
			snprintf(c, sizeof(c), "%s%s=observe\n", a, keys[k]);
			differ_compare(b, c, &d);
			assert_true(d.n > 0);
			differ_clear(&d);
			/* The default said is no difference to the default. */
			differ_compare(a, b, &d);
			assert_true(d.n > 0);
			differ_clear(&d);
			differ_compare(b, "", &d);
			assert_true(d.n > 0);
			differ_clear(&d);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nothing_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
