/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The strict configuration: every file in conf/bad brings exactly the
 * messages of its .expected, every one in conf/good brings none; then the
 * tree, and the limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <string.h>

#include "agent/lib/cleanup.h"
#include "tests/unit/conf_schema.h"

#define BAD_FILES_LEAST 40

static char *read_text(const char *path, size_t *ret_length)
{
	_cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 16);

	if (!file)
		fail_msg("%s: cannot be opened", path);
	*ret_length = fread(text, 1, (1 << 16) - 1, file);
	return text;
}

/* "line:message" for each problem, as in the .expected files. */
static char *list_problems(const struct conf *conf)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < conf_problem_count(conf); i++)
		fprintf(out, "%u:%s\n", conf_problem(conf, i)->line,
			conf_problem(conf, i)->text);
	fclose(out);
	return text;
}

static struct conf *parse_bytes(const char *name, const void *bytes, size_t n)
{
	struct conf *conf;

	assert_int_equal(conf_new(schemas, ARRAY_SIZE(schemas), &conf), 0);
	assert_int_equal(conf_parse(conf, name, bytes, n), 0);
	return conf;
}

static struct conf *parse(const char *text)
{
	return parse_bytes("test.conf", text, strlen(text));
}

static void find_files(const char *pattern, glob_t *ret_found)
{
	_cleanup_(cleanup_free) char *path = NULL;
	const char *srcdir = getenv("srcdir");

	assert_true(asprintf(&path, "%s/tests/unit/conf/%s",
			    srcdir ? srcdir : ".", pattern) > 0);
	assert_int_equal(glob(path, 0, NULL, ret_found), 0);
}

/* 1 when the file did not bring what was expected. */
static int check_bad(const char *path)
{
	_cleanup_(cleanup_free) char *expected = NULL;
	_cleanup_(cleanup_free) char *bytes = NULL;
	_cleanup_(cleanup_free) char *found = NULL;
	char other[512];
	struct conf *conf;
	size_t n, m;

	snprintf(other, sizeof(other), "%.*s.expected",
		(int)(strlen(path) - strlen(".conf")), path);
	expected = read_text(other, &m);
	bytes = read_text(path, &n);
	conf = parse_bytes(path, bytes, n);
	found = list_problems(conf);
	conf_free(conf);
	if (m > 0 && strcmp(expected, found) == 0)
		return 0;
	print_error("%s:\n expected\n%s found\n%s", path, expected, found);
	return 1;
}

static void test_bad_files(void **state)
{
	glob_t files;
	int wrong = 0;

	(void)state;
	find_files("bad/*.conf", &files);
	assert_true(files.gl_pathc >= BAD_FILES_LEAST);
	for (size_t i = 0; i < files.gl_pathc; i++)
		wrong += check_bad(files.gl_pathv[i]);
	globfree(&files);
	assert_int_equal(wrong, 0);
}

static void test_good_files(void **state)
{
	glob_t files;

	(void)state;
	find_files("good/*.conf", &files);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		_cleanup_(cleanup_free) char *bytes = NULL;
		_cleanup_(cleanup_free) char *found = NULL;
		struct conf *conf;
		size_t n;

		bytes = read_text(files.gl_pathv[i], &n);
		conf = parse_bytes(files.gl_pathv[i], bytes, n);
		found = list_problems(conf);
		assert_string_equal(found, "");
		conf_free(conf);
	}
	globfree(&files);
}

/*
 * The attack: inih alone reads 199 bytes at a time, so that what follows
 * them in a comment is a line of its own to it.
 */
static void test_comment_tail_stays_dead(void **state)
{
	static const char tail[] = "mode = observe\n";
	char text[1024];

	(void)state;
	for (size_t n = 150; n < 450; n++) {
		struct conf *conf;
		const char *mode;
		size_t used;

		used = (size_t)snprintf(text, sizeof(text),
			"[gateway]\nmode = enforce\n%c", n & 1 ? '#' : ';');
		memset(text + used, 'x', n);
		memcpy(text + used + n, tail, sizeof(tail));
		conf = parse(text);
		mode = conf_text(conf_find(conf, "gateway", ""), "mode", "");
		assert_string_equal(mode, "enforce");
		/* # + x... + the tail without its line end */
		assert_int_equal(conf_problem_count(conf),
			1 + n + sizeof(tail) - 2 > CONF_LINE_MAX ? 1 : 0);
		conf_free(conf);
	}
}

static void test_tree(void **state)
{
	struct conf *conf = parse("[device b]\n"
				  "allow = one\n"
				  "mac = 02:00:00:00:00:01\n"
				  "allow = two\n"
				  "[gateway]\n"
				  "[device a]\n"
				  "zone = lan\n");
	const struct conf_section *b, *a;
	const struct conf_value *value;

	(void)state;
	assert_int_equal(conf_problem_count(conf), 0);
	b = conf_next(conf, "device", NULL);
	a = conf_next(conf, "device", b);
	assert_string_equal(b->name, "b");
	assert_int_equal(b->line, 1);
	assert_string_equal(b->file, "test.conf");
	assert_string_equal(a->name, "a");
	assert_int_equal(a->line, 6);
	assert_null(conf_next(conf, "device", a));
	assert_null(conf_next(conf, "zone", NULL));
	assert_ptr_equal(conf_find(conf, "device", "a"), a);
	assert_null(conf_find(conf, "zone", "a"));
	assert_non_null(conf_find(conf, "gateway", ""));

	value = conf_get(b, "allow");
	assert_string_equal(value->text, "one");
	assert_int_equal(value->line, 2);
	value = conf_get_next(value);
	assert_string_equal(value->text, "two");
	assert_int_equal(value->line, 4);
	assert_null(conf_get_next(value));
	assert_null(conf_get_next(conf_get(b, "mac")));
	assert_string_equal(conf_text(b, "zone", "none"), "none");
	assert_string_equal(conf_text(a, "zone", "none"), "lan");
	assert_string_equal(conf_text(NULL, "zone", "none"), "none");
	assert_null(conf_get(NULL, "zone"));
	conf_free(conf);
}

static void test_ids(void **state)
{
	struct conf *conf = parse("[device a]\n[gateway]\n[device b]\n");
	const struct conf_section *a = conf_find(conf, "device", "a");
	const struct conf_section *b = conf_find(conf, "device", "b");

	(void)state;
	assert_int_equal(a->id, 0);
	assert_null(conf_find_id(conf, 0));
	assert_null(conf_find_id(conf, 7));
	conf_set_id(conf, b, 7);
	conf_set_id(conf, a, 3000);
	assert_int_equal(b->id, 7);
	assert_ptr_equal(conf_find_id(conf, 7), b);
	assert_ptr_equal(conf_find_id(conf, 3000), a);
	assert_null(conf_find_id(conf, 8));
	assert_null(conf_find_id(conf, 3001));
	assert_null(conf_find_id(conf, UINT32_MAX));
	conf_free(conf);
}

/* What was refused is not in force, yet it is known that it was written. */
static void test_refused_values(void **state)
{
	struct conf *conf = parse("[device a]\nmac = x\n"
				  "[gateway]\nadmin = x\n"
				  "admin = 192.0.2.1\nadmin = y\n");
	const struct conf_section *device = conf_find(conf, "device", "a");
	const struct conf_section *gateway = conf_find(conf, "gateway", "");
	const struct conf_value *admin = conf_get(gateway, "admin");

	(void)state;
	assert_null(conf_get(device, "mac"));
	assert_true(conf_given(device, "mac"));
	assert_false(conf_given(device, "zone"));
	assert_false(conf_given(NULL, "zone"));
	assert_string_equal(admin->text, "192.0.2.1");
	assert_null(conf_get_next(admin));
	conf_free(conf);
}

static void test_many_sections(void **state)
{
	_cleanup_(cleanup_free) char *text = NULL;
	struct conf *conf;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < 20000; i++)
		fprintf(out, "[device d%d]\nallow = %d\n", i, i);
	fclose(out);
	conf = parse_bytes("many", text, size);
	assert_int_equal(conf_problem_count(conf), 0);
	assert_string_equal(
		conf_text(conf_find(conf, "device", "d19999"), "allow", ""),
		"19999");
	assert_string_equal(
		conf_text(conf_find(conf, "device", "d0"), "allow", ""), "0");
	conf_free(conf);
}

static void test_most_problems(void **state)
{
	_cleanup_(cleanup_free) char *text = NULL;
	const struct conf_problem *last;
	struct conf *conf;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < CONF_PROBLEMS_MAX + 10; i++)
		fprintf(out, "nonsense\n");
	fclose(out);
	conf = parse_bytes("wrong", text, size);
	assert_int_equal(conf_problem_count(conf), CONF_PROBLEMS_MAX);
	conf_complain(conf, "x", 1, "no room for this");
	assert_int_equal(conf_problem_count(conf), CONF_PROBLEMS_MAX);
	last = conf_problem(conf, CONF_PROBLEMS_MAX - 1);
	assert_non_null(strstr(last->text, "and more"));
	assert_non_null(strstr(
		conf_problem(conf, CONF_PROBLEMS_MAX - 2)->text, "nonsense"));
	assert_null(conf_problem(conf, CONF_PROBLEMS_MAX));
	conf_free(conf);
}

static void test_cross_check_problem(void **state)
{
	struct conf *conf = parse("[gateway]\n");
	const struct conf_problem *problem;

	(void)state;
	conf_complain(conf, "a.conf", 7, "%s and %d", "this", 5);
	problem = conf_problem(conf, 0);
	assert_string_equal(problem->file, "a.conf");
	assert_int_equal(problem->line, 7);
	assert_string_equal(problem->text, "this and 5");
	conf_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_good_files),
		cmocka_unit_test(test_comment_tail_stays_dead),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_refused_values),
		cmocka_unit_test(test_many_sections),
		cmocka_unit_test(test_most_problems),
		cmocka_unit_test(test_cross_check_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
