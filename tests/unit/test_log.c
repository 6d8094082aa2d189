/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines: one event one line, whatever a device put into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/log.h"

static char said[8192];

/* Catches what is written to stderr meanwhile. */
static void catch_stderr(void (*speak)(void))
{
	int fds[2], old = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	speak();
	dup2(old, STDERR_FILENO);
	close(old);
	n = read(fds[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = 0;
	close(fds[0]);
}

static void speak_hostile(void)
{
	log_warning("device %s is new", "\x1b[2Jcam\nfake: error: \x7f\r");
	log_debug("not said");
}

static void test_control_bytes_are_harmless(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("test", LOG_LEVEL_INFO);
	catch_stderr(speak_hostile);
	assert_string_equal(
		said, "test: warning: device ?[2Jcam?fake: error: ?? is new\n");
}

static void speak_c1(void)
{
	log_warning("%s", "a\xc2\x9b"
			  "2Jb\xc2\xa0\xc3\xa9\xc2");
}

/* Escapes of eight bits go, other letters stay. */
static void test_c1_bytes_are_harmless(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("test", LOG_LEVEL_INFO);
	catch_stderr(speak_c1);
	assert_string_equal(
		said, "test: warning: a??2Jb\xc2\xa0\xc3\xa9\xc2\n");
}

static void speak_long(void)
{
	char text[4000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	log_error("%s", text);
}

static void test_long_lines_end(void **state)
{
	(void)state;
	log_open("test", LOG_LEVEL_INFO);
	catch_stderr(speak_long);
	assert_true(strlen(said) < 1200);
	assert_int_equal(said[strlen(said) - 1], '\n');
}

static void test_journal_gets_levels(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_open("test", LOG_LEVEL_DEBUG);
	catch_stderr(speak_hostile);
	assert_true(strncmp(said, "<4>test: ", 9) == 0);
	assert_non_null(strstr(said, "\n<7>test: not said\n"));
	unsetenv("JOURNAL_STREAM");
}

static void test_limit(void **state)
{
	struct log_limit limit = {.interval_ms = 50, .burst = 3};
	unsigned said_now = 0;

	(void)state;
	log_open("test", LOG_LEVEL_ERROR);
	for (int i = 0; i < 100; i++)
		said_now += log_allowed(&limit);
	assert_int_equal(said_now, 3);
	assert_int_equal(limit.dropped, 97);
	usleep(60000);
	assert_true(log_allowed(&limit));
	assert_int_equal(limit.dropped, 0);
}

static void test_level_names(void **state)
{
	enum log_level level;

	(void)state;
	assert_int_equal(log_level_parse("notice", &level), 0);
	assert_int_equal(level, LOG_LEVEL_NOTICE);
	assert_int_equal(log_level_parse("Notice", &level), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control_bytes_are_harmless),
		cmocka_unit_test(test_c1_bytes_are_harmless),
		cmocka_unit_test(test_long_lines_end),
		cmocka_unit_test(test_journal_gets_levels),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_level_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
