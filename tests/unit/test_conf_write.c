/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration written as one file is the same one; files that differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/file.h"
#include "tests/unit/conf_schema.h"

static struct conf *parse(const char *name, const char *text)
{
	struct conf *conf = NULL;

	assert_int_equal(conf_new(schemas, ARRAY_SIZE(schemas), &conf), 0);
	assert_int_equal(conf_parse(conf, name, text, strlen(text)), 0);
	return conf;
}

static void add(struct conf *conf, const char *name, const char *text)
{
	assert_int_equal(conf_parse(conf, name, text, strlen(text)), 0);
	assert_int_equal(conf_problem_count(conf), 0);
}

static char *write_out(const struct conf *conf)
{
	char *text = NULL;
	size_t size;

	assert_int_equal(conf_write(conf, &text, &size), 0);
	assert_int_equal(strlen(text), size);
	return text;
}

static const char first[] = "[gateway]\nmode = enforce\nadmin = 192.0.2.1\n"
			    "[zone b]\ninterface = br0\n"
			    "[zone a]\ninterface = br1\n";
static const char second[] = "[gateway]\nmode = observe\n"
			     "admin = 192.0.2.2 192.0.2.3\n"
			     "[zone a]\ninterface = br2 br3\n";

static void test_reads_back(void **state)
{
	struct conf *conf = parse("1", first), *again;
	char *text, *same;

	(void)state;
	add(conf, "2", second);
	text = write_out(conf);
	again = parse("3", text);
	assert_int_equal(conf_problem_count(again), 0);
	same = write_out(again);
	assert_string_equal(text, same);
	assert_string_equal(
		conf_text(conf_find(again, "gateway", ""), "mode", ""),
		"observe");
	assert_string_equal(
		conf_get_next(
			conf_get(conf_find(again, "gateway", ""), "admin"))
			->text,
		"192.0.2.2 192.0.2.3");
	/* In the same order: zones are numbered by it. */
	assert_string_equal(conf_next(again, "zone", NULL)->name, "b");
	free(text);
	free(same);
	conf_free(conf);
	conf_free(again);
}

/* A line of the greatest length, without blanks, must not grow. */
static void test_longest_line(void **state)
{
	char line[CONF_LINE_MAX + 32] = "[zone a]\ninterface=";
	struct conf *conf, *again;
	char *text;

	(void)state;
	for (size_t n = strlen("interface="); n + 4 <= CONF_LINE_MAX; n += 4)
		strncat(line, "br0,", sizeof(line) - strlen(line) - 1);
	line[strlen(line) - 1] = '\n';
	conf = parse("1", line);
	assert_int_equal(conf_problem_count(conf), 0);
	text = write_out(conf);
	again = parse("2", text);
	assert_int_equal(conf_problem_count(again), 0);
	free(text);
	conf_free(conf);
	conf_free(again);
}

static void test_changed_files(void **state)
{
	struct conf *before = parse("/etc/1", first);
	struct conf *after = parse("/etc/1", first);
	char text[64];

	(void)state;
	conf_changed_files(before, after, text, sizeof(text));
	assert_string_equal(text, "");
	add(after, "/etc/new", "[zone c]\ninterface = br9\n");
	conf_changed_files(before, after, text, sizeof(text));
	assert_string_equal(text, "/etc/new");
	conf_changed_files(after, before, text, sizeof(text));
	assert_string_equal(text, "/etc/new"); /* gone is changed, too */
	conf_changed_files(before, after, text, 4);
	assert_string_equal(text, "");
	conf_free(after);
	after = parse("/etc/1", "[gateway]\nmode = observe\n");
	conf_changed_files(before, after, text, sizeof(text));
	assert_string_equal(text, "/etc/1");
	conf_free(before);
	conf_free(after);
}

static void test_files(void **state)
{
	char path[] = "/tmp/test_conf_write.XXXXXX", *text = NULL;
	size_t size = 0;
	struct stat info;
	int folder;

	(void)state;
	assert_non_null(mkdtemp(path));
	folder = file_open_folder(path);
	assert_true(folder >= 0);
	assert_int_equal(file_read(folder, "a", 10, &text, &size), -ENOENT);
	assert_int_equal(file_replace(folder, "a", "one", 3, 0600), 0);
	assert_int_equal(file_replace(folder, "a", "two22", 5, 0600), 0);
	assert_int_equal(file_read(folder, "a", 4, &text, &size), -EFBIG);
	assert_int_equal(file_read(folder, "a", 5, &text, &size), 0);
	assert_string_equal(text, "two22");
	assert_int_equal(size, 5);
	free(text);
	assert_int_equal(fstatat(folder, "a", &info, 0), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	/* What others could have written, or a link, is not believed. */
	assert_int_equal(fchmodat(folder, "a", 0666, 0), 0);
	assert_int_equal(file_read(folder, "a", 9, &text, &size), -EPERM);
	assert_int_equal(symlinkat("a", folder, "b"), 0);
	assert_int_equal(file_read(folder, "b", 9, &text, &size), -ELOOP);
	/* Nor written through. */
	assert_int_equal(file_replace(folder, "b", "three", 5, 0600), 0);
	assert_int_equal(file_read(folder, "b", 9, &text, &size), 0);
	assert_string_equal(text, "three");
	free(text);
	assert_int_equal(fstatat(folder, "b.new", &info, 0), -1);
	assert_int_equal(file_remove(folder, "a"), 0);
	assert_int_equal(file_remove(folder, "a"), 0);
	assert_int_equal(file_remove(folder, "b"), 0);
	close(folder);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_back),
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_changed_files),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
