/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The database with real files: versions, damage, limits, the chain. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "modules/registry/devices.h"
#include "modules/registry/evidence.h"
#include "modules/registry/journal.h"
#include "registry_folder.h"

#define NOW 1800000000

static struct store store;
static struct store_aside aside;
static struct devices_pace pace;

static void open_store(void)
{
	int64_t bad;

	assert_int_equal(store_open(&store, folder, NOW, &aside), 0);
	assert_int_equal(journal_open(&store, &bad), 0);
	assert_int_equal(bad, 0);
}

static int set_up(void **state)
{
	(void)state;
	folder_make();
	memset(&pace, 0, sizeof(pace));
	open_store();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(&store);
	folder_remove();
	return 0;
}

static struct mac mac_of(uint32_t n)
{
	return (struct mac){{2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
		(uint8_t)(n >> 8), (uint8_t)n}};
}

static int saw(uint32_t n, int64_t now)
{
	struct registry_seen seen = {.mac = mac_of(n), .interface = "p1"};
	struct devices_row row;
	bool fresh;

	return devices_saw(&store, &pace, &seen, now, &row, &fresh);
}

static bool knows(uint32_t n)
{
	struct mac mac = mac_of(n);
	struct devices_row row;

	return devices_find(&store, &mac, &row) == 0;
}

static int64_t count(const char *table)
{
	char *sql;
	int64_t n = -1;
	sqlite3_stmt *s;

	assert_true(asprintf(&sql, "SELECT count(*) FROM %s", table) > 0);
	assert_int_equal(sqlite3_prepare_v2(store.db, sql, -1, &s, NULL), 0);
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	free(sql);
	return n;
}

static int64_t pragma(const char *name)
{
	char *sql;
	int64_t n = -1;
	sqlite3_stmt *s;

	assert_true(asprintf(&sql, "PRAGMA %s", name) > 0);
	assert_int_equal(sqlite3_prepare_v2(store.db, sql, -1, &s, NULL), 0);
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	free(sql);
	return n;
}

static void keeps_its_promises(void **state)
{
	(void)state;
	assert_int_equal(pragma("synchronous"), 2); /* FULL */
	assert_int_equal(pragma("secure_delete"), 1);
	assert_int_equal(pragma("foreign_keys"), 1);
	assert_int_equal(pragma("user_version"), store_n_steps);
	assert_false(folder_has("registry.db-shm"));
	assert_string_equal(aside.name, "");
}

static const char *const two_steps[] = {
	"CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y DEFAULT 7"};
static const char *const bad_step[] = {
	"CREATE TABLE a (x)", "CREATE TABLE b (y); CREATE TABLE a (z)"};

static void goes_through_versions(void **state)
{
	(void)state;
	store_close(&store);
	folder_remove();
	folder_make();
	assert_int_equal(
		store_open_as(&store, folder, NOW, two_steps, 1, &aside), 0);
	assert_int_equal(store_do(&store, "INSERT INTO a VALUES (1)", ""), 0);
	store_close(&store);
	assert_int_equal(
		store_open_as(&store, folder, NOW, two_steps, 2, &aside), 0);
	assert_string_equal(aside.name, "");
	assert_int_equal(store_number(&store, 0, "SELECT y FROM a", ""), 7);
	assert_int_equal(pragma("user_version"), 2);
	store_close(&store);
	/* One of the future is not touched, but set aside. */
	assert_int_equal(
		store_open_as(&store, folder, NOW, two_steps, 1, &aside), 0);
	assert_string_equal(aside.name, "registry.db.20270115T080000Z");
	assert_true(aside.newer);
	assert_true(folder_has(aside.name));
	assert_int_equal(count("a"), 0);
}

static void a_step_is_whole(void **state)
{
	(void)state;
	store_close(&store);
	folder_remove();
	folder_make();
	assert_int_equal(
		store_open_as(&store, folder, NOW, bad_step, 1, &aside), 0);
	store_close(&store);
	assert_true(
		store_open_as(&store, folder, NOW, bad_step, 2, &aside) < 0);
	assert_int_equal(
		store_open_as(&store, folder, NOW, bad_step, 1, &aside), 0);
	assert_int_equal(pragma("user_version"), 1);
	assert_int_equal(count("sqlite_schema"), 1); /* no b */
}

/* Bytes in the middle of the file that were never written so. */
static void sets_damaged_aside(void **state)
{
	static const int64_t moments[] = {NOW, NOW + 60, NOW + 120, NOW + 180};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		for (uint32_t n = 1; n < 200; n++)
			assert_int_equal(saw(n, NOW), 0);
		store_close(&store);
		folder_damage("registry.db", 4096, 512);
		assert_int_equal(
			store_open(&store, folder, moments[i], &aside), 0);
		assert_true(aside.name[0]);
		assert_false(aside.newer);
		assert_true(folder_has(aside.name));
		assert_int_equal(count("devices"), 0);
	}
	assert_int_equal(folder_count("registry.db."), STORE_ASIDE_MAX);
	assert_false(folder_has("registry.db.20270115T080000Z"));
}

static void sets_a_foreign_file_aside(void **state)
{
	(void)state;
	store_close(&store);
	folder_damage("registry.db", 0, 100);
	assert_int_equal(store_open(&store, folder, NOW, &aside), 0);
	assert_true(aside.name[0]);
}

static void undoes(void **state)
{
	int64_t bad;

	(void)state;
	assert_int_equal(saw(1, NOW), 0);
	assert_int_equal(store_commit(&store), 0);
	assert_int_equal(saw(2, NOW), 0);
	assert_int_equal(
		journal_add(&store, NOW, JOURNAL_DEVICE_NEW, 0, "a", ""), 0);
	store_rollback(&store);
	assert_true(knows(1));
	assert_false(knows(2));
	/* The chain goes on where the file does. */
	assert_int_equal(
		journal_add(&store, NOW, JOURNAL_DEVICE_NEW, 0, "b", ""), 0);
	store_close(&store);
	open_store();
	assert_int_equal(journal_open(&store, &bad), 0);
	assert_int_equal(bad, 0);
}

static void sees_devices(void **state)
{
	struct registry_seen seen = {
		.mac = mac_of(1), .interface = "p1", .zone = "things"};
	struct devices_row row;
	bool fresh;

	(void)state;
	assert_int_equal(
		devices_saw(&store, &pace, &seen, NOW, &row, &fresh), 0);
	assert_true(fresh);
	assert_int_equal(store_commit(&store), 0);
	assert_int_equal(
		devices_saw(&store, &pace, &seen, NOW + 899, &row, &fresh), 0);
	assert_false(fresh);
	assert_int_equal(row.first_seen, NOW);
	assert_false(store.batch); /* nothing to write within 15 minutes */
	assert_int_equal(
		devices_saw(&store, &pace, &seen, NOW + 900, &row, &fresh), 0);
	assert_true(store.batch);
	/* A clock that was put back is taken as it is. */
	assert_int_equal(store_commit(&store), 0);
	assert_int_equal(
		devices_saw(&store, &pace, &seen, NOW - 500, &row, &fresh), 0);
	assert_true(store.batch);
}

static void keeps_few_addresses(void **state)
{
	struct registry_seen seen = {
		.mac = mac_of(1), .ip = {.family = AF_INET6}};
	struct devices_row row;
	bool fresh;

	(void)state;
	for (int i = 0; i < 100; i++) {
		seen.ip.b[15] = (uint8_t)i;
		assert_int_equal(devices_saw(&store, &pace, &seen, NOW + i,
					 &row, &fresh),
			0);
	}
	assert_int_equal(count("addresses"), REGISTRY_ADDRESSES_EACH);
	assert_int_equal(
		store_number(&store, 0, "SELECT min(time) FROM addresses", ""),
		NOW + 100 - REGISTRY_ADDRESSES_EACH);
}

/* 100,000 invented addresses within a minute. */
static void a_flood_is_bounded(void **state)
{
	struct mac mac = mac_of(7);
	struct devices_row row;
	struct stat st;
	unsigned taken = 0;

	(void)state;
	assert_int_equal(saw(5, NOW - 2 * DEVICES_LONG_S), 0);
	assert_int_equal(saw(5, NOW - 100), 0); /* known for long */
	assert_int_equal(devices_get(&store, &mac, NOW, &row), 0);
	assert_int_equal(devices_rename(&store, row.id, "lamp"), 0);
	assert_int_equal(devices_weigh(&store, row.id, NOW), 0);
	for (uint32_t n = 0; n < 100000; n++)
		taken += saw(1000 + n, NOW + n / 2000) == 0;
	assert_int_equal(store_commit(&store), 0);
	assert_in_range(taken, 4000, REGISTRY_STRANGERS_MAX + 60);
	assert_in_range(count("devices"), 4000, REGISTRY_STRANGERS_MAX + 1);
	assert_true(knows(5));
	assert_true(knows(7));
	assert_int_equal(folder_stat("registry.db", &st), 0);
	assert_in_range(st.st_size, 1, 4 << 20);
	/* Later again: each pushes a new one out, never those two. */
	for (uint32_t n = 0; n < 5000; n++)
		(void)saw(200000 + n, NOW + 100 + n);
	assert_in_range(count("devices"), 4000, REGISTRY_STRANGERS_MAX + 1);
	assert_true(knows(5));
	assert_true(knows(7));
	assert_true(knows(204999));
}

static void long_known_strangers_may_go_once_gone(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < REGISTRY_STRANGERS_MAX; n++) {
		assert_int_equal(saw(n, NOW), 0);
		assert_int_equal(saw(n, NOW + DEVICES_LONG_S), 0);
	}
	assert_int_equal(saw(90001, NOW + 2 * DEVICES_LONG_S), -ENOSPC);
	assert_int_equal(
		saw(90001, NOW + DEVICES_LONG_S + DEVICES_OLD_S + 1), 0);
	assert_int_equal(count("devices"), REGISTRY_STRANGERS_MAX);
}

static void evidence_is_bounded(void **state)
{
	struct registry_evidence e = {
		.mac = mac_of(1), .source = 3, .value = "v", .confidence = 50};

	(void)state;
	assert_int_equal(evidence_add(&store, &e, NOW), -ENOENT);
	assert_int_equal(saw(1, NOW), 0);
	for (int i = 0; i < 200; i++) {
		snprintf(e.key, sizeof(e.key), "key%d", i);
		assert_int_equal(evidence_add(&store, &e, NOW + i), 0);
	}
	assert_int_equal(count("evidence"), REGISTRY_EVIDENCE_EACH);
	/* The same once more is not written, a change is. */
	assert_int_equal(store_commit(&store), 0);
	assert_int_equal(evidence_add(&store, &e, NOW + 300), 0);
	assert_false(store.batch);
	snprintf(e.value, sizeof(e.value), "w");
	assert_int_equal(evidence_add(&store, &e, NOW + 301), 0);
	assert_true(store.batch);
}

static void strangers_share_a_room(void **state)
{
	struct registry_evidence e = {.mac = mac_of(1), .value = "v"};
	int r = 0;

	(void)state;
	for (uint32_t n = 0; n < 1000 && r == 0; n++) {
		assert_int_equal(saw(n, NOW), 0);
		e.mac = mac_of(n);
		for (int i = 0; i < REGISTRY_EVIDENCE_EACH && r == 0; i++) {
			snprintf(e.key, sizeof(e.key), "key%d", i);
			r = evidence_add(&store, &e, NOW + i);
		}
	}
	assert_int_equal(r, -ENOSPC);
	assert_in_range(count("evidence"), REGISTRY_EVIDENCE_MAX,
		REGISTRY_EVIDENCE_MAX + STORE_TALLY);
	/* Who was named is not kept out by them. */
	assert_int_equal(saw(5000, NOW), 0);
	e.mac = mac_of(5000);
	assert_int_equal(evidence_add(&store, &e, NOW), -ENOSPC);
	assert_int_equal(store_do(&store,
				 "UPDATE devices SET name = 'tv' "
				 "WHERE mac = ?",
				 "b", e.mac.b, 6),
		0);
	assert_int_equal(store_do(&store,
				 "UPDATE devices SET kept = 2 WHERE "
				 "name = 'tv'",
				 ""),
		0);
	assert_int_equal(evidence_add(&store, &e, NOW), 0);
}

static void attempts_add_up(void **state)
{
	struct registry_denied d = {.mac = mac_of(1),
		.port = 443,
		.protocol = 6,
		.count = 3,
		.to = {.family = AF_INET, .b = {192, 0, 2, 1}}};

	(void)state;
	assert_int_equal(saw(1, NOW), 0);
	assert_int_equal(evidence_denied(&store, &d, NOW), 0);
	assert_int_equal(evidence_denied(&store, &d, NOW + 5), 0);
	assert_int_equal(
		store_number(&store, 0, "SELECT count FROM denied", ""), 6);
	for (uint16_t port = 1; port < 500; port++) {
		d.port = port;
		assert_int_equal(
			evidence_denied(&store, &d, NOW + 10 + port), 0);
	}
	assert_int_equal(count("denied"), REGISTRY_DENIED_EACH);
}

static void all_of_a_device_goes(void **state)
{
	struct registry_evidence e = {.mac = mac_of(1), .key = "hostname"};
	struct registry_denied d = {.mac = mac_of(1), .count = 1};
	struct mac mac = mac_of(1);
	struct devices_row row;

	(void)state;
	snprintf(e.value, sizeof(e.value), "grandmas-telephone");
	assert_int_equal(saw(1, NOW), 0);
	assert_int_equal(evidence_add(&store, &e, NOW), 0);
	assert_int_equal(evidence_denied(&store, &d, NOW), 0);
	assert_int_equal(store_scrub(&store), 0);
	assert_true(folder_holds("grandmas-telephone"));
	assert_int_equal(devices_find(&store, &mac, &row), 0);
	assert_int_equal(devices_forget(&store, row.id), 0);
	assert_int_equal(store_scrub(&store), 0);
	assert_int_equal(count("evidence") + count("denied"), 0);
	assert_false(folder_holds("grandmas-telephone"));
}

static void the_chain_tells(void **state)
{
	int64_t bad;

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(
			journal_add(&store, NOW + i, JOURNAL_DEVICE_NEW, 0,
				"discovery", ""),
			0);
	assert_int_equal(journal_open(&store, &bad), 0);
	assert_int_equal(bad, 0);
	assert_int_equal(
		store_do(&store, "UPDATE log SET actor = 'x' WHERE id = 4", ""),
		0);
	assert_int_equal(journal_open(&store, &bad), 0);
	assert_int_equal(bad, 4);
	assert_int_equal(
		store_do(&store, "DELETE FROM log WHERE id <= 4", ""), 0);
	assert_int_equal(journal_open(&store, &bad), 0);
	assert_int_equal(bad, 5); /* the beginning is missing */
}

static void the_log_is_bounded(void **state)
{
	int64_t bad;

	(void)state;
	for (int i = 0; i < REGISTRY_LOG_MAX + 700; i++)
		assert_int_equal(journal_add(&store, NOW, JOURNAL_DEVICE_NEW, 0,
					 "discovery", ""),
			0);
	assert_in_range(
		count("log"), REGISTRY_LOG_MAX - 500, REGISTRY_LOG_MAX + 1);
	assert_int_equal(journal_open(&store, &bad), 0);
	assert_int_equal(bad, 0); /* it goes on from what was dropped */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_its_promises),
		TEST(goes_through_versions),
		TEST(a_step_is_whole),
		TEST(sets_damaged_aside),
		TEST(sets_a_foreign_file_aside),
		TEST(undoes),
		TEST(sees_devices),
		TEST(keeps_few_addresses),
		TEST(a_flood_is_bounded),
		TEST(long_known_strangers_may_go_once_gone),
		TEST(evidence_is_bounded),
		TEST(strangers_share_a_room),
		TEST(attempts_add_up),
		TEST(all_of_a_device_goes),
		TEST(the_chain_tells),
		TEST(the_log_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
