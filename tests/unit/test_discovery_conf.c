/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What [reflect] sections say, and what of it cannot work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "modules/discovery/agent/recipes.h"
#include "modules/discovery/agent/reflects.h"

static int check_any(const char *text)
{
	(void)text;
	return 0;
}

static const struct conf_key zone_keys[] = {
	{"interface", conf_check_ifname_list, "", false, ""},
	{"role", conf_check_name, "", false, ""},
};
static const struct conf_key device_keys[] = {
	{"allow", check_any, "", true, ""},
};
static const struct conf_key reflect_keys[] = {
	{"from", reflects_check_ends, "", true, ""},
	{"to", reflects_check_ends, "", true, ""},
	{"protocol", reflects_check_protocol, "", false, ""},
	{"services", reflects_check_services, "", true, ""},
};
static const struct conf_key discovery_keys[] = {
	{"first-port", conf_check_port, "", false, ""},
};
static const struct conf_schema zone = {
	"zone", true, zone_keys, ARRAY_SIZE(zone_keys)};
static const struct conf_schema device = {
	"device", true, device_keys, ARRAY_SIZE(device_keys)};
static const struct conf_schema reflect = {
	"reflect", true, reflect_keys, ARRAY_SIZE(reflect_keys)};
static const struct conf_schema discovery = {
	"discovery", false, discovery_keys, ARRAY_SIZE(discovery_keys)};

#define ZONES                                               \
	"[zone things]\ninterface = br0 wg0\n[zone home]\n" \
	"interface = lan0\nrole = owner\n[zone net]\n"      \
	"interface = wan0\nrole = uplink\n"
#define DEVICES "[device tv]\n[device hub]\n"

static struct conf *load(const char *text)
{
	static const struct conf_schema *const schemas[] = {
		&zone, &device, &reflect, &discovery};
	struct conf *conf;

	assert_int_equal(conf_new(schemas, ARRAY_SIZE(schemas), &conf), 0);
	assert_int_equal(conf_parse(conf, "x.conf", text, strlen(text)), 0);
	return conf;
}

static void assert_problem(const char *text, const char *part)
{
	struct conf *conf = load(text);
	bool found = false;

	reflects_check(conf);
	for (size_t i = 0; i < conf_problem_count(conf); i++)
		found = found || strstr(conf_problem(conf, i)->text, part);
	if (!found)
		print_message("no such problem: %s\n", part);
	assert_true(found);
	conf_free(conf);
}

static void whole(void **state)
{
	struct conf *conf = load(ZONES DEVICES
		"[reflect print]\nfrom = zone:things\nto = zone:home\n"
		"to = device:hub\nservices = _ipp._tcp, _ipps._tcp\n"
		"services = _scanner._tcp\n"
		"[reflect cast]\nfrom = device:tv\nto = zone:home\n"
		"protocol = ssdp\nservices = urn:x:dial\n"
		"[reflect bulbs]\nfrom = zone:things\nto = zone:home\n"
		"protocol = udp/56700\n[discovery]\nfirst-port = 20000\n");
	const struct conf_section *s = conf_next(conf, "reflect", NULL);
	const struct conf_value *value = NULL;
	struct reflects all;
	const char *rest = NULL;
	char text[DISCOVERY_SERVICE];
	int n = 0;

	(void)state;
	reflects_check(conf);
	assert_int_equal(conf_problem_count(conf), 0);
	reflects_read(conf, &all);
	assert_int_equal(all.n_channels, 3);
	assert_int_equal(all.channels[0].own_port, 5353);
	assert_int_equal(all.channels[1].own_port, 20001);
	assert_int_equal(all.channels[2].port, 56700);
	assert_int_equal(all.n_links, 3);
	assert_string_equal(all.links[1].interface, "wg0");
	assert_int_equal(all.links[0].devices, 1);
	assert_int_equal(all.links[2].devices, 0);
	assert_int_equal(all.reflects[0].from_links, 3);
	assert_int_equal(all.reflects[0].to_links, 4);
	assert_int_equal(all.reflects[0].tell_links, 4);
	assert_int_equal(all.reflects[1].from_links, 0);
	assert_int_equal(all.reflects[1].ask_links, 3);
	assert_int_equal(
		reflects_of(conf, "from", conf_find(conf, "device", "tv")), 2);
	assert_int_equal(
		reflects_of(conf, "to", conf_find(conf, "device", "hub")), 1);
	assert_int_equal(
		reflects_of(conf, "to", conf_find(conf, "device", "tv")), 0);
	while (reflects_next_service(s, &value, &rest, text))
		n++;
	assert_int_equal(n, 3);
	conf_free(conf);
}

static void problems(void **state)
{
	(void)state;
	assert_problem("[reflect x]\n", "needs from =");
	assert_problem("[reflect x]\n", "needs to =");
	assert_problem("[reflect x]\n", "needs services =");
	assert_problem(
		ZONES "[reflect x]\nfrom = zone:no\n", "there is no [zone no]");
	assert_problem(ZONES "[reflect x]\nfrom = device:no\n",
		"there is no [device no]");
	assert_problem(ZONES "[reflect x]\nto = zone:net\n", "uplink");
	assert_problem("[zone g]\nrole = guest\n[reflect x]\nfrom = zone:g\n",
		"guests");
	assert_problem(
		ZONES "[reflect x]\nservices = urn:x\n", "no service of mDNS");
	assert_problem(ZONES "[reflect x]\nprotocol = udp/9999\n"
			     "services = _x._tcp\n",
		"cannot be filtered");
}

static void limits(void **state)
{
	static char text[8192];
	size_t n = 0;

	(void)state;
	for (int i = 0; i <= DISCOVERY_CHANNELS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"[reflect r%d]\nprotocol = udp/%d\n", i, 9000 + i);
	assert_problem(text, "is too much");
	n = (size_t)snprintf(text, sizeof(text), "[reflect x]\n");
	for (int i = 0; i < 17; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"services = _s%d._tcp\n", i);
	assert_problem(text, "more than 16 services");
}

static void values(void **state)
{
	(void)state;
	assert_int_equal(reflects_check_protocol("mdns"), 0);
	assert_int_equal(reflects_check_protocol("udp/9999"), 0);
	assert_true(reflects_check_protocol("udp/5353") < 0);
	assert_true(reflects_check_protocol("udp/53") < 0);
	assert_true(reflects_check_protocol("tcp/9999") < 0);
	assert_int_equal(reflects_check_ends("zone:a device:b"), 0);
	assert_true(reflects_check_ends("a") < 0);
	assert_true(reflects_check_ends("zone:") < 0);
	assert_true(reflects_check_ends("zone:a b") < 0);
	assert_true(reflects_check_services("a\x7f") < 0);
}

/* Which allow lines lead to somebody near. */
static void mays(void **state)
{
	struct conf *conf = load(
		ZONES DEVICES "[reflect x]\nfrom = zone:things\n"
			      "to = zone:home\nservices = _x._tcp\n");
	struct discovery_may may;
	struct reflects all;

	(void)state;
	reflects_read(conf, &all);
	conf_set_id(conf, conf_find(conf, "device", "tv"), 5);
	assert_true(reflects_may(conf, &all, "tcp/8009 device:tv", &may));
	assert_int_equal(may.to_device, 5);
	assert_true(reflects_may(conf, &all, "any zone:home", &may));
	assert_int_equal(may.to_links, 4);
	assert_true(reflects_may(conf, &all, "tcp/1 192.168.0.0/16", &may));
	assert_int_equal(may.length, 16);
	assert_true(reflects_may(conf, &all, "tcp/1 fd00::1", &may));
	assert_false(reflects_may(conf, &all, "tcp/1 203.0.113.1", &may));
	assert_false(reflects_may(conf, &all, "tcp/1 any", &may));
	assert_false(reflects_may(conf, &all, "tcp/1 gateway", &may));
	assert_false(reflects_may(conf, &all, "tcp/1", &may));
	conf_free(conf);
}

static size_t count_values(
	const struct conf_section *section, const char *key, const char *text)
{
	size_t n = 0;

	for (const struct conf_value *v = conf_get(section, key); v;
		v = conf_get_next(v))
		n += strstr(v->text, text) != NULL;
	return n;
}

static void recipes(void **state)
{
	struct conf *conf = load(
		ZONES "[device phone]\nallow = recipe:cast device:tv\n"
		      "allow = recipe:print zone:things\n"
		      "[device hub]\nallow = recipe:cast device:tv\n"
		      "[device tv]\nallow = recipe:cast zone:home\n");
	const struct conf_section *phone = conf_find(conf, "device", "phone");
	const struct conf_section *tv = conf_find(conf, "device", "tv");
	const struct conf_section *r;

	(void)state;
	recipes_expand(conf);
	reflects_check(conf);
	for (size_t i = 0; i < conf_problem_count(conf); i++)
		print_message("%s:%u: %s\n", conf_problem(conf, i)->file,
			conf_problem(conf, i)->line,
			conf_problem(conf, i)->text);
	assert_int_equal(conf_problem_count(conf), 0);
	assert_int_equal(count_values(phone, "allow", "recipe:"), 0);
	assert_int_equal(count_values(phone, "allow", "device:tv"), 3);
	assert_int_equal(
		count_values(phone, "allow", "tcp/631 zone:things"), 1);
	/* The ways back lead to who has the line, and to nobody else. */
	assert_int_equal(count_values(tv, "allow", ""), 2);
	assert_int_equal(count_values(tv, "allow", "udp/32768-61000"), 2);
	assert_non_null(strstr(conf_get(phone, "allow")->file, "recipe:cast"));
	r = conf_find(conf, "reflect", "recipe-cast-mdns");
	assert_int_equal(count_values(r, "to", "device:"), 2);
	assert_int_equal(count_values(r, "services", ""), 1);
	r = conf_find(conf, "reflect", "recipe-cast-home-ssdp");
	assert_string_equal(conf_text(r, "from", ""), "device:tv");
	assert_string_equal(conf_text(r, "to", ""), "zone:home");
	conf_free(conf);
}

static void wrong_recipes(void **state)
{
	static const struct {
		const char *line, *problem;
	} wrong[] = {
		{"recipe:dance device:tv", "no such recipe"},
		{"recipe:cast", "a recipe and one partner"},
		{"recipe:cast device:tv device:hub", "one partner"},
		{"recipe:cast device:no", "no such [device]"},
		{"recipe:cast zone:no", "no such [zone]"},
		{"recipe:cast zone:net", "world outside"},
		{"recipe:cast zone:things", "ways back"},
		{"recipe:cast any", "expected device:NAME"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char text[512];
		struct conf *conf;

		snprintf(text, sizeof(text),
			ZONES "[device tv]\n[device hub]\nallow = %s\n",
			wrong[i].line);
		conf = load(text);
		recipes_expand(conf);
		assert_int_equal(conf_problem_count(conf), 1);
		assert_non_null(
			strstr(conf_problem(conf, 0)->text, wrong[i].problem));
		assert_null(conf_next(conf, "reflect", NULL));
		conf_free(conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(problems),
		cmocka_unit_test(limits),
		cmocka_unit_test(values),
		cmocka_unit_test(mays),
		cmocka_unit_test(recipes),
		cmocka_unit_test(wrong_recipes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
