/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a configuration: drop-ins, their order, what cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/cleanup.h"
#include "tests/unit/conf_schema.h"

struct place {
	char folder[64]; /* ours alone */
	char file[80]; /* the main file in it */
	struct conf *conf;
};

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	strncpy(place->folder, "/tmp/test_conf_load.XXXXXX",
		sizeof(place->folder) - 1);
	if (!mkdtemp(place->folder))
		return -1;
	snprintf(place->file, sizeof(place->file), "%s/g.conf", place->folder);
	*state = place;
	return 0;
}

static int remove_entry(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct place *place = *state;

	conf_free(place->conf);
	nftw(place->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(place);
	return 0;
}

static void put(struct place *place, const char *suffix, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", place->file, suffix);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void make_folder(struct place *place, const char *suffix)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", place->file, suffix);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void load(struct place *place)
{
	assert_int_equal(conf_load(place->file, schemas, ARRAY_SIZE(schemas),
				 &place->conf),
		0);
}

static void expect_problem(
	struct place *place, size_t i, const char *suffix, const char *text)
{
	const struct conf_problem *problem = conf_problem(place->conf, i);
	char path[128];

	snprintf(path, sizeof(path), "%s%s", place->file, suffix);
	assert_non_null(problem);
	assert_string_equal(problem->file, path);
	assert_non_null(strstr(problem->text, text));
}

static const char *gateway_text(struct place *place, const char *key)
{
	return conf_text(conf_find(place->conf, "gateway", ""), key, "");
}

static void test_only_main(void **state)
{
	struct place *place = *state;

	put(place, "", "[gateway]\nmode = enforce\n");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 0);
	assert_string_equal(gateway_text(place, "mode"), "enforce");
}

static void test_later_replaces(void **state)
{
	struct place *place = *state;
	const struct conf_value *value;

	put(place, "",
		"[gateway]\nmode = enforce\nadmin = 192.0.2.1\n"
		"log-level = a\n");
	make_folder(place, ".d");
	put(place, ".d/B.conf", "[gateway]\nmode = observe\n");
	put(place, ".d/a.conf",
		"[gateway]\n\nmode = enforce\n"
		"admin = 192.0.2.2\n");
	put(place, ".d/10.conf",
		"[gateway]\nmode = observe\n"
		"admin = 192.0.2.3\n");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 0);
	value = conf_get(conf_find(place->conf, "gateway", ""), "mode");
	/* 10 < B < a in bytes */
	assert_string_equal(value->text, "enforce");
	assert_int_equal(value->line, 3);
	assert_non_null(strstr(value->file, "/a.conf"));
	value = conf_get(conf_find(place->conf, "gateway", ""), "admin");
	assert_string_equal(value->text, "192.0.2.1");
	value = conf_get_next(value);
	assert_string_equal(value->text, "192.0.2.3");
	value = conf_get_next(value);
	assert_string_equal(value->text, "192.0.2.2");
	assert_null(conf_get_next(value));
	assert_string_equal(gateway_text(place, "log-level"), "a");
}

static void test_section_goes_on(void **state)
{
	struct place *place = *state;
	const struct conf_section *device;

	put(place, "", "[device cam]\nmac = 02:00:00:00:00:01\n");
	make_folder(place, ".d");
	put(place, ".d/x.conf",
		"[device cam]\nzone = lan\n"
		"mac = 02:00:00:00:00:02\n");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 0);
	device = conf_next(place->conf, "device", NULL);
	assert_null(conf_next(place->conf, "device", device));
	assert_string_equal(device->file, place->file);
	assert_string_equal(conf_text(device, "zone", ""), "lan");
	assert_string_equal(conf_text(device, "mac", ""), "02:00:00:00:00:02");
}

/* A refused value in a drop-in does not let the earlier one stand. */
static void test_later_refused(void **state)
{
	struct place *place = *state;

	put(place, "", "[gateway]\nmode = observe\n");
	make_folder(place, ".d");
	put(place, ".d/x.conf", "[gateway]\nmode = enforced\n");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 1);
	expect_problem(place, 0, ".d/x.conf", "mode = enforced");
	assert_string_equal(gateway_text(place, "mode"), "");
}

static void test_other_names_ignored(void **state)
{
	struct place *place = *state;

	put(place, "", "[gateway]\nmode = observe\n");
	make_folder(place, ".d");
	put(place, ".d/x.conf~", "nonsense\n");
	put(place, ".d/.x.conf", "nonsense\n");
	put(place, ".d/.conf", "nonsense\n");
	put(place, ".d/x.conf.dpkg-old", "nonsense\n");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 0);
}

static void test_problems_of_all_files(void **state)
{
	struct place *place = *state;

	put(place, "", "nonsense\n");
	make_folder(place, ".d");
	put(place, ".d/1.conf", "nonsense\n");
	make_folder(place, ".d/2.conf");
	put(place, ".d/3.conf", "[gateway]\nmode = x\n");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 4);
	expect_problem(place, 0, "", "neither");
	expect_problem(place, 1, ".d/1.conf", "neither");
	expect_problem(place, 2, ".d/2.conf", "is a folder");
	expect_problem(place, 3, ".d/3.conf", "observe or enforce");
}

static void test_missing_main(void **state)
{
	struct place *place = *state;

	make_folder(place, ".d");
	put(place, ".d/1.conf", "nonsense\n");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 2);
	expect_problem(place, 0, "", "cannot be read: No such file");
	assert_int_equal(conf_problem(place->conf, 0)->line, 0);
}

static void test_main_is_folder(void **state)
{
	struct place *place = *state;

	make_folder(place, "");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 1);
	expect_problem(place, 0, "", "is a folder");
}

static void test_folder_is_file(void **state)
{
	struct place *place = *state;

	put(place, "", "");
	put(place, ".d", "");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 1);
	expect_problem(place, 0, ".d", "cannot be read: Not a directory");
}

static void test_pipe_and_dangling_link(void **state)
{
	struct place *place = *state;
	char path[128];

	put(place, "", "");
	make_folder(place, ".d");
	snprintf(path, sizeof(path), "%s.d/1.conf", place->file);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s.d/2.conf", place->file);
	assert_int_equal(symlink("nowhere", path), 0);
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 2);
	expect_problem(place, 0, ".d/1.conf", "is not an ordinary file");
	expect_problem(place, 1, ".d/2.conf", "No such file");
}

/* Root may read everything, so nobody tries. */
static void test_no_permission(void **state)
{
	struct place *place = *state;
	bool root = geteuid() == 0;

	put(place, "", "");
	assert_int_equal(chmod(place->file, 0), 0);
	if (root)
		assert_int_equal(seteuid(65534), 0);
	load(place);
	if (root)
		assert_int_equal(seteuid(0), 0);
	assert_true(conf_problem_count(place->conf) >= 1);
	expect_problem(place, 0, "", "Permission denied");
}

static void set_size(struct place *place, off_t size)
{
	assert_int_equal(truncate(place->file, size), 0);
}

/* Without a byte in it that is wrong: comments up to the limit. */
static void test_largest_file(void **state)
{
	struct place *place = *state;
	FILE *file = fopen(place->file, "we");

	for (unsigned i = 0; i < CONF_FILE_MAX / 64; i++)
		fprintf(file, "#%62s\n", "");
	fclose(file);
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 0);
	place->conf = conf_free(place->conf);
	set_size(place, CONF_FILE_MAX + 1);
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 1);
	expect_problem(place, 0, "", "more than 16 MiB");
}

static void test_most_files(void **state)
{
	struct place *place = *state;
	char name[32];

	put(place, "", "");
	make_folder(place, ".d");
	for (int i = 0; i < CONF_FILES_MAX - 1; i++) {
		snprintf(name, sizeof(name), ".d/%d.conf", i);
		put(place, name, "");
	}
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 0);
	place->conf = conf_free(place->conf);
	put(place, ".d/more.conf", "");
	load(place);
	assert_int_equal(conf_problem_count(place->conf), 1);
	expect_problem(place, 0, ".d", "too many files");
}

#define PLACE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(test_only_main),
		PLACE_TEST(test_later_replaces),
		PLACE_TEST(test_section_goes_on),
		PLACE_TEST(test_later_refused),
		PLACE_TEST(test_other_names_ignored),
		PLACE_TEST(test_problems_of_all_files),
		PLACE_TEST(test_missing_main),
		PLACE_TEST(test_main_is_folder),
		PLACE_TEST(test_folder_is_file),
		PLACE_TEST(test_pipe_and_dangling_link),
		PLACE_TEST(test_no_permission),
		PLACE_TEST(test_largest_file),
		PLACE_TEST(test_most_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
