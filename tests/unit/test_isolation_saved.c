/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file for the next boot: what went in comes out, nothing that is damaged
 * is believed, and there is a good one at every moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/isolation/saved.h"
#include "modules/isolation/saved_policy.h"
#include "modules/isolation/topology.h"

static const struct isolation_zone zone = {
	"br0", ISOLATION_ROLE_DEVICES, RECORD_MODE_ENFORCE, 1, 0};
static const struct isolation_device device = {
	7, {{2, 0, 0, 0, 0, 7}}, RECORD_MODE_OBSERVE, 0};
static const struct isolation_redirect redirect = {7, 80, 18100};
static const struct isolation_fence fence = {990, 443, 18100};
static const struct isolation_port port = {"wlan0", "br0"};
static const struct isolation_pin pin = {
	.ip = {AF_INET, {192, 168, 50, 7}}, .device = 7};

static const struct isolation_limit limit = {
	.device = 7, .rate = 30, .seconds = 60, .up = 250000};

#define ADD(saved, type, item) \
	assert_int_equal(saved_add(saved, type, &(item), sizeof(item)), 0)

static struct isolation_address address(const char *text)
{
	struct isolation_address a;

	assert_int_equal(ip_parse(text, &a.ip), 0);
	return a;
}

static struct isolation_allow allow(void)
{
	struct isolation_allow a = {
		.device = 7, .protocol = 6, .first = 443, .last = 443};

	assert_int_equal(
		ip_parse_prefix("203.0.113.0/24", &a.to, &a.length), 0);
	return a;
}

/* One of each. */
static void fill(struct saved *saved)
{
	struct isolation_address server = address("203.0.113.53");
	struct isolation_address admin = address("fd00::1");
	struct isolation_address gateway = address("192.168.50.1");
	struct isolation_allow allowed = allow();

	ADD(saved, ISOLATION_ZONE, zone);
	ADD(saved, ISOLATION_DEVICE, device);
	ADD(saved, ISOLATION_ALLOW, allowed);
	ADD(saved, ISOLATION_REDIRECT, redirect);
	ADD(saved, ISOLATION_NAME_SERVER, server);
	ADD(saved, ISOLATION_ADMIN, admin);
	ADD(saved, ISOLATION_GATEWAY, gateway);
	ADD(saved, ISOLATION_FENCE, fence);
	ADD(saved, ISOLATION_KNOWN_PORT, port);
	ADD(saved, ISOLATION_PIN, pin);
	ADD(saved, ISOLATION_LIMIT, limit);
	assert_int_equal(saved_seal(saved), 0);
}

static int read_back(const struct saved *saved, struct policy *policy)
{
	char reason[POLICY_REASON];
	int r = saved_policy_read(saved->bytes, saved->length, policy, reason);

	if (r < 0)
		print_message("%s\n", reason);
	assert_int_equal(r < 0, reason[0] != 0);
	return r;
}

static void test_round_trip(void **state)
{
	struct saved saved = {0};
	struct policy p = {0}, q = {0};
	struct isolation_address server = address("203.0.113.53");
	struct isolation_address admin = address("fd00::1");
	struct isolation_allow allowed = allow();
	struct topology t;
	char reason[POLICY_REASON];

	(void)state;
	fill(&saved);
	assert_int_equal(read_back(&saved, &p), 0);
	assert_int_equal(policy_add_zone(&q, &zone), 0);
	assert_int_equal(policy_add_device(&q, &device), 0);
	assert_int_equal(policy_add_allow(&q, &allowed), 0);
	assert_int_equal(policy_add_redirect(&q, &redirect), 0);
	assert_int_equal(policy_add_name_server(&q, &server), 0);
	assert_int_equal(policy_add_admin(&q, &admin), 0);
	assert_int_equal(policy_add_fence(&q, &fence), 0);
	assert_int_equal(policy_add_pin(&q, &pin), 0);
	assert_int_equal(policy_add_limit(&q, &limit), 0);
	assert_int_equal(policy_seal(&q, reason), 0);
	assert_true(policy_same(&p, &q));
	assert_int_equal(p.ports.n, 1);
	assert_memory_equal(p.ports.items, &port, sizeof(port));
	assert_int_equal(p.gateways.n, 1);
	topology_build(&p, NULL, 0, &t);
	topology_recall_addresses(&t, &p);
	server = address("192.168.50.1");
	assert_true(topology_is_gateway(&t, &server.ip));
	topology_free(&t);
	policy_free(&p);
	policy_free(&q);
	saved_free(&saved);
}

static void test_empty(void **state)
{
	struct saved saved = {0};
	struct policy p = {0};

	(void)state;
	assert_int_equal(saved_seal(&saved), 0);
	assert_int_equal(read_back(&saved, &p), 0);
	assert_int_equal(p.zones.n, 0);
	policy_free(&p);
	saved_free(&saved);
}

/* Ports are sealed in again and again. */
static void test_cut(void **state)
{
	struct saved saved = {0}, fresh = {0};
	size_t length;
	uint32_t count;

	(void)state;
	ADD(&saved, ISOLATION_ZONE, zone);
	length = saved.length;
	count = saved.count;
	ADD(&saved, ISOLATION_KNOWN_PORT, port);
	assert_int_equal(saved_seal(&saved), 0);
	saved_cut(&saved, length, count);
	assert_int_equal(saved_seal(&saved), 0);
	ADD(&fresh, ISOLATION_ZONE, zone);
	assert_int_equal(saved_seal(&fresh), 0);
	assert_int_equal(saved.length, fresh.length);
	assert_memory_equal(saved.bytes, fresh.bytes, fresh.length);
	saved_free(&saved);
	saved_free(&fresh);
}

static void test_each_bit_counts(void **state)
{
	struct saved saved = {0};
	struct policy p = {0};

	(void)state;
	fill(&saved);
	for (size_t bit = 0; bit < 8 * saved.length; bit++) {
		saved.bytes[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(read_back(&saved, &p), -EBADMSG);
		saved.bytes[bit / 8] ^= 1 << bit % 8;
	}
	for (size_t cut = 0; cut < saved.length; cut++)
		assert_int_equal(saved_check(saved.bytes, cut), -EBADMSG);
	assert_int_equal(saved_check(saved.bytes, saved.length), 0);
	saved_free(&saved);
}

static void refuse(struct saved *saved, int error)
{
	struct policy p = {0};

	assert_int_equal(saved_seal(saved), 0);
	assert_int_equal(read_back(saved, &p), error);
	assert_null(p.zones.items);
	saved_cut(saved, 0, 0);
}

/* The checksum is right, and still it makes no sense. */
static void test_nonsense(void **state)
{
	struct isolation_zone bad_zone = zone;
	struct isolation_port bad_port = port;
	struct isolation_allow orphan = allow();
	struct saved saved = {0};

	(void)state;
	bad_zone.role = 9;
	ADD(&saved, ISOLATION_ZONE, bad_zone);
	refuse(&saved, -EINVAL);
	memset(bad_port.bridge, 'x', sizeof(bad_port.bridge));
	ADD(&saved, ISOLATION_KNOWN_PORT, bad_port);
	refuse(&saved, -EINVAL);
	ADD(&saved, ISOLATION_ALLOW, orphan);
	refuse(&saved, -EINVAL);
	ADD(&saved, ISOLATION_ZONE, device);
	refuse(&saved, -EBADMSG);
	ADD(&saved, ISOLATION_LINK, zone);
	refuse(&saved, -EBADMSG);
	ADD(&saved, ISOLATION_ZONE, zone);
	saved.count++;
	refuse(&saved, -EBADMSG);
	ADD(&saved, ISOLATION_ZONE, zone);
	saved.count--;
	refuse(&saved, -EBADMSG);
	/* The last record says that it is longer than the file. */
	ADD(&saved, ISOLATION_ZONE, zone);
	saved.length--;
	refuse(&saved, -EBADMSG);
	saved_free(&saved);
}

static void test_limits(void **state)
{
	static const uint8_t item[60000];
	struct isolation_port p = port;
	struct saved saved = {0};

	(void)state;
	for (int i = 0; i <= ISOLATION_PORTS_MAX; i++) {
		snprintf(p.interface, sizeof(p.interface), "p%d", i);
		ADD(&saved, ISOLATION_KNOWN_PORT, p);
	}
	refuse(&saved, -ENOSPC);
	while (saved.length + sizeof(item) + 4 <= SAVED_BYTES_MAX)
		ADD(&saved, ISOLATION_ZONE, item);
	assert_int_equal(
		saved_add(&saved, ISOLATION_ZONE, item, sizeof(item)), -ENOSPC);
	saved_free(&saved);
}

/* Who is known counts before it exists; who exists is what it is. */
static void test_known_ports(void **state)
{
	static const struct topology_fact facts[] = {
		{"br0", 3, 0, true, false},
		{"br9", 6, 0, true, false},
		{"eth1", 4, 3, false, true},
		{"eth2", 5, 6, false, true},
		{"eth3", 7, 0, false, false},
	};
	static const struct isolation_port known[] = {{"eth1", "br0"},
		{"eth2", "br0"}, {"eth3", "br0"}, {"wlan0", "br0"},
		{"wlan1", "elsewhere"}, {"wlan0", "br0"}};
	struct policy p = {0};
	struct topology t;
	char reason[POLICY_REASON];

	(void)state;
	assert_int_equal(policy_add_zone(&p, &zone), 0);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_int_equal(policy_add_port(&p, &known[i]), 0);
	assert_int_equal(policy_seal(&p, reason), 0);
	topology_build(&p, facts, ARRAY_SIZE(facts), &t);
	assert_int_equal(t.n_ports, 4);
	assert_string_equal(t.ports[0].name, "eth3");
	assert_int_equal(t.ports[0].index, 0);
	assert_int_equal(t.ports[0].mode, RECORD_MODE_ENFORCE);
	assert_string_equal(t.ports[1].name, "wlan0");
	assert_string_equal(t.ports[2].name, "br0");
	assert_string_equal(t.ports[3].name, "eth1");
	topology_free(&t);
	topology_build(&p, NULL, 0, &t);
	assert_int_equal(t.n_ports, 4);
	for (size_t i = 0; i < t.n_ports; i++)
		assert_false(t.ports[i].routed);
	topology_free(&t);
	policy_free(&p);
}

struct folder {
	char path[64];
	int fd;
};

static struct folder folder;

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder.path, sizeof(folder.path), "/tmp/gh-saved-XXXXXX");
	if (!mkdtemp(folder.path))
		return -1;
	folder.fd = open(folder.path, O_RDONLY | O_DIRECTORY);
	return folder.fd < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
	(void)state;
	assert_true(saved_remove(folder.fd) >= 0);
	close(folder.fd);
	return rmdir(folder.path);
}

static void store(const struct saved *saved, int expected)
{
	assert_int_equal(
		saved_store(folder.fd, saved->bytes, saved->length), expected);
}

static void assert_file(const char *name, const struct saved *saved)
{
	uint8_t *bytes = NULL;
	size_t size = 0;

	assert_int_equal(saved_load(folder.fd, name, &bytes, &size), 0);
	assert_int_equal(size, saved->length);
	assert_memory_equal(bytes, saved->bytes, size);
	free(bytes);
}

static void assert_none(const char *name)
{
	uint8_t *bytes = NULL;
	size_t size = 0;

	assert_int_equal(saved_load(folder.fd, name, &bytes, &size), -ENOENT);
}

static void test_generations(void **state)
{
	struct saved a = {0}, b = {0};
	int fd;

	(void)state;
	fill(&a);
	ADD(&b, ISOLATION_ZONE, zone);
	assert_int_equal(saved_seal(&b), 0);
	store(&a, 1);
	assert_none(SAVED_BEFORE);
	store(&a, 0);
	assert_none(SAVED_BEFORE);
	store(&b, 1);
	assert_file(SAVED_FILE, &b);
	assert_file(SAVED_BEFORE, &a);
	/* A damaged one does not push the good one out. */
	fd = openat(folder.fd, SAVED_FILE, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 12), 1);
	close(fd);
	store(&b, 1);
	assert_file(SAVED_FILE, &b);
	assert_file(SAVED_BEFORE, &a);
	/* Nor does what a loss of power left behind hinder it. */
	fd = openat(folder.fd, SAVED_NEW, O_WRONLY | O_CREAT, 0666);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	store(&a, 1);
	assert_file(SAVED_FILE, &a);
	assert_file(SAVED_BEFORE, &b);
	assert_none(SAVED_NEW);
	assert_int_equal(saved_remove(folder.fd), 1);
	assert_int_equal(saved_remove(folder.fd), 0);
	assert_none(SAVED_FILE);
	assert_none(SAVED_BEFORE);
	saved_free(&a);
	saved_free(&b);
}

static void test_whose_file(void **state)
{
	struct saved a = {0};
	struct stat info;
	uint8_t *bytes = NULL;
	size_t size = 0;

	(void)state;
	fill(&a);
	store(&a, 1);
	assert_int_equal(fstatat(folder.fd, SAVED_FILE, &info, 0), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(fchmodat(folder.fd, SAVED_FILE, 0620, 0), 0);
	assert_int_equal(
		saved_load(folder.fd, SAVED_FILE, &bytes, &size), -EPERM);
	assert_int_equal(symlinkat(SAVED_FILE, folder.fd, SAVED_BEFORE), 0);
	assert_int_equal(
		saved_load(folder.fd, SAVED_BEFORE, &bytes, &size), -ELOOP);
	assert_int_equal(unlinkat(folder.fd, SAVED_BEFORE, 0), 0);
	assert_int_equal(mkfifoat(folder.fd, SAVED_BEFORE, 0600), 0);
	assert_int_equal(
		saved_load(folder.fd, SAVED_BEFORE, &bytes, &size), -EPERM);
	saved_free(&a);
}

#define FILE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_each_bit_counts),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_known_ports),
		FILE_TEST(test_generations),
		FILE_TEST(test_whose_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
