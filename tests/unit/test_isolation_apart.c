/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which ports the bridge is to keep apart, what has to be done for it, and
 * the ledger of what was changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/isolation/apart.h"
#include "modules/isolation/ledger.h"

#define HEAD "gatehouse-host 1\nboot here\n"

static const struct topology_fact facts[] = {
	{.name = "br0", .index = 2, .bridge = true},
	{.name = "p1", .index = 3, .master = 2, .bridged = true},
	{.name = "p2", .index = 4, .master = 2, .bridged = true},
	{.name = "home", .index = 5, .master = 2, .bridged = true},
	{.name = "eth9", .index = 6},
};

static void add_zone(
	struct policy *policy, const char *name, uint8_t role, uint8_t mode)
{
	struct isolation_zone zone = {.role = role, .mode = mode, .zone = 1};

	memcpy(zone.interface, name, strlen(name));
	assert_int_equal(policy_add_zone(policy, &zone), 0);
}

/* br0 of the devices with two ports, and one port of the owner's in it. */
static void make(
	uint8_t zone_mode, uint8_t device_mode, struct topology *ret_topology)
{
	struct isolation_device device = {
		.id = 1, .mac = {{2, 0, 0, 0, 0, 1}}, .mode = device_mode};
	char reason[POLICY_REASON];
	struct policy policy = {0};

	add_zone(&policy, "br0", ISOLATION_ROLE_DEVICES, zone_mode);
	add_zone(&policy, "home", ISOLATION_ROLE_OWNER, zone_mode);
	add_zone(&policy, "eth9", ISOLATION_ROLE_DEVICES, zone_mode);
	assert_int_equal(policy_add_device(&policy, &device), 0);
	assert_int_equal(policy_seal(&policy, reason), 0);
	topology_build(&policy, facts, ARRAY_SIZE(facts), ret_topology);
	topology_part(ret_topology, &policy);
	policy_free(&policy);
}

static size_t count_apart(const struct topology *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_ports; i++)
		n += t->ports[i].apart;
	return n;
}

static void test_who_is_apart(void **state)
{
	struct topology t;

	(void)state;
	make(RECORD_MODE_ENFORCE, 0, &t);
	assert_int_equal(count_apart(&t), 2);
	assert_true(topology_port(&t, 3)->apart);
	assert_true(topology_port(&t, 4)->apart);
	/* The bridge itself, the owner's port and a routed interface. */
	assert_false(topology_port(&t, 2)->apart);
	assert_false(topology_port(&t, 5)->apart);
	assert_false(topology_port(&t, 6)->apart);
	topology_free(&t);
	make(RECORD_MODE_OBSERVE, RECORD_MODE_ENFORCE, &t);
	assert_int_equal(count_apart(&t), 0);
	topology_free(&t);
	make(RECORD_MODE_ENFORCE, RECORD_MODE_OBSERVE, &t);
	assert_int_equal(count_apart(&t), 0);
	topology_free(&t);
}

static void may(struct apart *apart, const char *name, int32_t index, int r)
{
	struct isolation_apart message = {.index = index};

	memcpy(message.interface, name, strlen(name));
	assert_int_equal(apart_add(apart, &message), r);
}

static void expect(const struct apart *apart, const struct topology *t,
	const struct ports_fact *is, size_t n, const char *wanted)
{
	struct apart_step *steps;
	size_t n_steps = apart_plan(apart, t, is, n, &steps);
	char said[256] = "";

	for (size_t i = 0; i < n_steps; i++) {
		static const char *const verbs[] = {
			"", "ask", "set", "clear", "forget"};
		size_t at = strlen(said);

		snprintf(said + at, sizeof(said) - at, "%s %s;",
			verbs[steps[i].verb], steps[i].interface);
	}
	free(steps);
	assert_string_equal(said, wanted);
}

static void test_plan(void **state)
{
	struct ports_fact is[] = {{.index = 3}, {.index = 4}, {.index = 5}};
	struct apart apart = {0};
	struct topology on, off;

	(void)state;
	make(RECORD_MODE_ENFORCE, 0, &on);
	make(RECORD_MODE_OBSERVE, 0, &off);
	expect(&apart, &on, is, 3, "ask p1;ask p2;");
	/* Somebody else's flag is neither ours nor in the way. */
	is[1].isolated = true;
	expect(&apart, &on, is, 3, "ask p1;");
	expect(&apart, &off, is, 3, "");
	may(&apart, "p1", 3, 1);
	may(&apart, "p1", 3, 0);
	expect(&apart, &on, is, 3, "set p1;");
	is[0].isolated = true;
	expect(&apart, &on, is, 3, "");
	expect(&apart, &off, is, 3, "clear p1;");
	/* Gone, or another one of the same name. */
	expect(&apart, &off, NULL, 0, "forget p1;");
	may(&apart, "p2", 77, 1);
	expect(&apart, &on, is, 3, "forget p2;");
	apart_drop(&apart, "p1", 77);
	apart_drop(&apart, "p1", 3);
	expect(&apart, &off, is, 3, "forget p2;");
	topology_free(&on);
	topology_free(&off);
}

static void test_messages_no_agent_sends(void **state)
{
	struct isolation_apart message = {.index = 1};
	struct apart *apart = calloc(1, sizeof(*apart));

	(void)state;
	assert_non_null(apart);
	assert_int_equal(apart_add(apart, &message), -EINVAL);
	memset(message.interface, 'x', sizeof(message.interface));
	assert_int_equal(apart_add(apart, &message), -EINVAL);
	may(apart, "p", 0, -EINVAL);
	may(apart, "p", -1, -EINVAL);
	for (int i = 1; i <= APART_OURS_MAX; i++)
		may(apart, "p", i, 1);
	may(apart, "p", APART_OURS_MAX + 1, -ENOSPC);
	free(apart);
}

static int parse(const char *text, struct ledger *ledger)
{
	return ledger_parse(text, strlen(text), ledger);
}

static void test_ledger_both_ways(void **state)
{
	static const char text[] = HEAD
		"port p-camera 12\n"
		"setting ipv4/conf/br0/send_redirects 1\n";
	static struct ledger ledger;
	char *again;

	(void)state;
	assert_int_equal(parse(text, &ledger), 0);
	assert_int_equal(ledger.n, 2);
	assert_string_equal(ledger.boot, "here");
	assert_int_equal(
		ledger_find(&ledger, LEDGER_PORT, "p-camera")->value, 12);
	assert_null(ledger_find(&ledger, LEDGER_SETTING, "p-camera"));
	again = ledger_format(&ledger);
	assert_string_equal(again, text);
	free(again);
	ledger_drop(&ledger, LEDGER_PORT, "nobody");
	ledger_drop(&ledger, LEDGER_PORT, "p-camera");
	assert_int_equal(ledger.n, 1);
}

static void test_ledger_refuses(void **state)
{
	static const char *const bad[] = {"", "gatehouse-host 1\n",
		"gatehouse-host 2\nboot here\n", HEAD "port p1\n",
		HEAD "port p1 0\n", HEAD "port p1 12", HEAD "port p1 -1\n",
		HEAD "port p1 99999999999\n", HEAD "port p1 1x\n",
		HEAD "port ../x 1\n", HEAD "port abcdefghijklmnop 1\n",
		HEAD "bridge br0 1\n", HEAD "setting kernel/panic 1\n",
		HEAD "setting ipv4/conf/../../kernel/x/send_redirects 1\n",
		HEAD "setting ipv4/conf/br0/forwarding 1\n",
		HEAD "setting ipv4/conf//send_redirects 1\n",
		HEAD "setting ipv4/conf/../send_redirects 1\n"};
	static struct ledger ledger;

	(void)state;
	ledger.n = 7;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], &ledger), -EBADMSG);
	assert_int_equal(ledger.n, 7);
	assert_int_equal(ledger_parse(HEAD "port p\0 1\n",
				 sizeof(HEAD "port p\0 1\n") - 1, &ledger),
		-EBADMSG);
}

static void test_ledger_limit(void **state)
{
	static struct ledger ledger;
	struct ledger_entry entry = {.kind = LEDGER_PORT, .value = 1};

	(void)state;
	for (int i = 0; i < LEDGER_MAX; i++) {
		snprintf(entry.name, sizeof(entry.name), "p%d", i);
		assert_int_equal(ledger_put(&ledger, &entry), 0);
	}
	assert_int_equal(ledger_put(&ledger, &entry), 0);
	snprintf(entry.name, sizeof(entry.name), "more");
	assert_int_equal(ledger_put(&ledger, &entry), -ENOSPC);
}

static void test_ledger_file(void **state)
{
	char folder[] = "/tmp/gatehouse-ledger-XXXXXX";
	struct ledger_entry entry = {
		.kind = LEDGER_PORT, .name = "p1", .value = 3};
	static struct ledger ledger, again;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ledger_load(fd, &ledger), 0);
	assert_int_equal(ledger.n, 0);
	assert_true(ledger.boot[0]);
	assert_int_equal(ledger_put(&ledger, &entry), 0);
	assert_int_equal(ledger_store(fd, &ledger), 0);
	assert_int_equal(ledger_load(fd, &again), 0);
	assert_int_equal(again.n, 1);
	/* What another boot changed went with it. */
	ledger.boot[0] = ledger.boot[0] == 'x' ? 'y' : 'x';
	assert_int_equal(ledger_store(fd, &ledger), 0);
	assert_int_equal(ledger_load(fd, &again), 0);
	assert_int_equal(again.n, 0);
	/* Nobody else may have written it. */
	assert_int_equal(fchmodat(fd, LEDGER_FILE, 0666, 0), 0);
	assert_int_equal(ledger_load(fd, &again), -EPERM);
	again.n = 0;
	assert_int_equal(ledger_store(fd, &again), 0);
	assert_int_equal(faccessat(fd, LEDGER_FILE, F_OK, 0), -1);
	close(fd);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_apart),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_messages_no_agent_sends),
		cmocka_unit_test(test_ledger_both_ways),
		cmocka_unit_test(test_ledger_refuses),
		cmocka_unit_test(test_ledger_limit),
		cmocka_unit_test(test_ledger_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
