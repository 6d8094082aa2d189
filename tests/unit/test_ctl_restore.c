/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is inside a backup, and putting it in place: all of it or nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/ctl/archive.h"
#include "agent/ctl/swap.h"

#define HEAD "gatehouse-archive 1\ncreated 1700000000\nversion 0.1.0\n"

static void test_archive(void **state)
{
	struct archive archive = {.created = 1700000000, .version = "0.1.0"};
	struct archive again = {0};
	char *bytes;
	size_t size;

	(void)state;
	assert_int_equal(
		archive_add(&archive, ARCHIVE_CONF, "", "[gateway]\n", 10), 0);
	assert_int_equal(archive_add(&archive, ARCHIVE_CONF_D, "90-mode.conf",
				 "end\n", 4),
		0);
	assert_int_equal(archive_add(&archive, ARCHIVE_REGISTRY, "registry.db",
				 "\0\n\xff", 3),
		0);
	assert_int_equal(
		archive_add(&archive, ARCHIVE_KEYS, "ca.key", "", 0), 0);
	assert_int_equal(
		archive_add(&archive, ARCHIVE_KEYS, "ca.key", "", 0), -EEXIST);
	assert_int_equal(archive_write(&archive, &bytes, &size), 0);
	assert_int_equal(archive_read(bytes, size, &again), 0);
	assert_int_equal(again.n_files, 4);
	assert_int_equal(again.created, 1700000000);
	assert_string_equal(again.version, "0.1.0");
	assert_memory_equal(
		archive_find(&again, ARCHIVE_REGISTRY, "registry.db")->bytes,
		"\0\n\xff", 3);
	assert_int_equal(archive_find(&again, ARCHIVE_KEYS, "ca.key")->size, 0);
	for (size_t i = 0; i < size; i++) {
		struct archive cut = {0};

		assert_true(archive_read(bytes, i, &cut) < 0);
	}
	free(bytes);
	archive_clear(&archive);
	archive_clear(&again);
}

/* Names that would lead somewhere else, in all ways that come to mind. */
static void test_names(void **state)
{
	static const char *const bad[] = {
		"conf.d/../../etc/shadow 1\nx\n",
		"conf.d/..conf 1\nx\n",
		"conf.d/../x.conf 1\nx\n",
		"conf.d//etc/x.conf 1\nx\n",
		"conf.d/a/b.conf 1\nx\n",
		"conf.d/.conf 1\nx\n",
		"conf.d/.a.conf 1\nx\n",
		"conf.d/-a.conf 1\nx\n",
		"conf.d/a.sh 1\nx\n",
		"conf.d/a b.conf 1\nx\n",
		"conf.d/ 1\nx\n",
		"conf.d 1\nx\n",
		"/etc/passwd 1\nx\n",
		"../conf 1\nx\n",
		"conf/x 1\nx\n",
		"conf/ 1\nx\n",
		"registry/../keys/x 1\nx\n",
		"registry/.. 1\nx\n",
		"registry/. 1\nx\n",
		"keys/.ssh 1\nx\n",
		"keys/a\\b 1\nx\n",
		"update/result 1\nx\n",
		"isolation.wanted 1\nx\n",
		"conf 1\nxx",
		"conf 01\nx\n",
		"conf -1\nx\n",
		"conf 99999999999999999999\nx\n",
		"conf 999999999999999\nx\n",
		"conf 1\nx\nconf 1\nx\n",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct archive archive = {0};

		snprintf(text, sizeof(text), HEAD "%send\n", bad[i]);
		assert_int_equal(
			archive_read(text, strlen(text), &archive), -EBADMSG);
	}
	snprintf(text, sizeof(text), HEAD "conf.d/a.conf 1\nx\nend\n");
	for (int more = 0; more < 2; more++) {
		struct archive archive = {0};

		assert_int_equal(archive_read(text, strlen(text) + (size_t)more,
					 &archive),
			more ? -EBADMSG : 0);
		archive_clear(&archive);
	}
	snprintf(text, sizeof(text), "gatehouse-archive 2\nend\n");
	assert_int_equal(archive_read(text, strlen(text), &(struct archive){0}),
		-EPROTONOSUPPORT);
}

static void test_too_many(void **state)
{
	struct archive archive = {0};
	char name[32];

	(void)state;
	for (int i = 0; i < ARCHIVE_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "%d.conf", i);
		assert_int_equal(
			archive_add(&archive, ARCHIVE_CONF_D, name, "", 0), 0);
	}
	assert_int_equal(
		archive_add(&archive, ARCHIVE_CONF_D, "x.conf", "", 0), -E2BIG);
	archive_clear(&archive);
}

/* A place with a file and a folder as they were before. */
static char place[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(place, sizeof(place), "/tmp/gatehouse-restore-XXXXXX");
	assert_non_null(mkdtemp(place));
	assert_int_equal(chdir(place), 0);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"conf", "conf.before-restore",
		"conf.restoring", "d/a", "d/b", "d.before-restore/a",
		"d.before-restore/b", "d.restoring/a", "d", "d.before-restore",
		"d.restoring", "outside/kept", "outside"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)(remove(names[i]) < 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(place), 0);
	return 0;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void says(const char *path, const char *expected)
{
	char text[64] = "";
	FILE *file = fopen(path, "re");

	if (!expected) {
		assert_null(file);
		return;
	}
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, expected);
}

static void prepare(struct swap *swap)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	assert_int_equal(
		swap_add(swap, "conf", NULL, false, 0644, uid, gid), 0);
	assert_int_equal(swap_write(swap, 0, NULL, "new", 3), 0);
	assert_int_equal(swap_add(swap, "d", NULL, true, 0700, uid, gid), 0);
	assert_int_equal(swap_write(swap, 1, "a", "new a", 5), 0);
	assert_true(swap_write(swap, 1, "a", "again", 5) < 0);
}

static void test_swap(void **state)
{
	struct swap swap = {.n = 0};
	struct stat info;

	(void)state;
	put("conf", "old");
	assert_int_equal(mkdir("d", 0755), 0);
	put("d/b", "old b");
	prepare(&swap);
	/* Nothing is in place before all of it is ready. */
	says("conf", "old");
	says("d/b", "old b");
	assert_int_equal(swap_commit(&swap), 0);
	swap_clear(&swap);
	says("conf", "new");
	says("d/a", "new a");
	says("d/b", NULL);
	says("conf.before-restore", "old");
	says("d.before-restore/b", "old b");
	says("conf.restoring", NULL);
	assert_int_equal(stat("d/a", &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	/* And once more: what was kept gives way. */
	prepare(&swap);
	assert_int_equal(swap_commit(&swap), 0);
	swap_clear(&swap);
	says("conf.before-restore", "new");
	says("d.before-restore/b", NULL);
}

static void test_swap_on_nothing(void **state)
{
	struct swap swap = {.n = 0};

	(void)state;
	prepare(&swap);
	assert_int_equal(swap_commit(&swap), 0);
	swap_clear(&swap);
	says("conf", "new");
	says("d/a", "new a");
	says("conf.before-restore", NULL);
}

static void test_swap_given_up(void **state)
{
	struct swap swap = {.n = 0};

	(void)state;
	put("conf", "old");
	prepare(&swap);
	swap_clear(&swap);
	says("conf", "old");
	says("conf.restoring", NULL);
	says("d.restoring/a", NULL);
}

/* The second cannot be put in place: the first goes back. */
static void test_swap_fails(void **state)
{
	struct swap swap = {.n = 0};

	(void)state;
	put("conf", "old");
	assert_int_equal(mkdir("d", 0755), 0);
	put("d/b", "old b");
	prepare(&swap);
	/* As if somebody took it away between the two steps. */
	free(swap.items[1].target);
	swap.items[1].target = strdup("d/b/x");
	assert_true(swap_commit(&swap) < 0);
	swap_clear(&swap);
	says("conf", "old");
	says("d/b", "old b");
	says("d.restoring/a", NULL);
}

/* Links that somebody left where we write. */
static void test_swap_links(void **state)
{
	struct swap swap = {.n = 0};

	(void)state;
	assert_int_equal(mkdir("outside", 0755), 0);
	put("outside/kept", "theirs");
	assert_int_equal(symlink("outside/kept", "conf.restoring"), 0);
	assert_int_equal(symlink("outside", "d.restoring"), 0);
	prepare(&swap);
	assert_int_equal(swap_commit(&swap), 0);
	swap_clear(&swap);
	says("outside/kept", "theirs");
	says("outside/a", NULL);
	says("conf", "new");
	says("d/a", "new a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_archive),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test_setup_teardown(test_swap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_swap_on_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_swap_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_swap_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_swap_links, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
