/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The staging folder: whole copies or none, one user, no links followed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "modules/update/stage.h"

static char folder[] = "/tmp/gatehouse-test-stage.XXXXXX";

static int file_of(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void expect(int fd, const char *text)
{
	char buffer[64] = "";

	assert_true(read(fd, buffer, sizeof(buffer) - 1) >= 0);
	assert_string_equal(buffer, text);
	close(fd);
}

static bool is_there(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void keeps_copies(void **state)
{
	int dir, one = file_of("one"), two = file_of("two"), a, b;
	struct stat st;

	(void)state;
	assert_int_equal(stage_lock(folder, &dir), 0);
	assert_int_equal(stage_put(dir, one, two, 100), 0);
	/* Copies: what happens to the originals does not matter. */
	assert_int_equal(pwrite(one, "xxx", 3, 0), 3);
	assert_int_equal(stage_open(dir, &a, &b), 0);
	assert_int_equal(fstat(b, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	expect(a, "one");
	expect(b, "two");
	stage_clear(dir);
	assert_int_equal(stage_open(dir, &a, &b), -ENOENT);
	close(dir);
	close(one);
	close(two);
}

static void leaves_nothing_of_a_failed_copy(void **state)
{
	int dir, one = file_of("one"), two = file_of("too long"), ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(stage_lock(folder, &dir), 0);
	assert_int_equal(stage_put(dir, one, two, 7), -EFBIG);
	assert_false(is_there(dir, "statement"));
	assert_false(is_there(dir, "package"));
	assert_false(is_there(dir, "package.new"));
	assert_true(stage_put(dir, one, ends[0], 7) < 0);
	assert_false(is_there(dir, "statement"));
	close(dir);
	close(one);
	close(two);
	close(ends[0]);
	close(ends[1]);
}

static void has_one_user(void **state)
{
	int dir, other = -1;

	(void)state;
	assert_int_equal(stage_lock(folder, &dir), 0);
	assert_int_equal(stage_lock(folder, &other), -EBUSY);
	close(dir);
	assert_int_equal(stage_lock(folder, &dir), 0);
	close(dir);
	assert_int_equal(other, -1);
}

static void trusts_no_open_folder(void **state)
{
	char link[sizeof(folder) + 8];
	int dir;

	(void)state;
	assert_int_equal(chmod(folder, 0770), 0);
	assert_int_equal(stage_lock(folder, &dir), -EPERM);
	assert_int_equal(chmod(folder, 0702), 0);
	assert_int_equal(stage_lock(folder, &dir), -EPERM);
	assert_int_equal(chmod(folder, 0700), 0);
	snprintf(link, sizeof(link), "%s.link", folder);
	assert_int_equal(symlink(folder, link), 0);
	assert_int_equal(stage_lock(link, &dir), -ENOTDIR);
	unlink(link);
	assert_int_equal(stage_lock("/nonexistent", &dir), -ENOENT);
}

static void follows_no_links(void **state)
{
	int dir, a, b, one = file_of("one");

	(void)state;
	assert_int_equal(stage_lock(folder, &dir), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "statement"), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "package"), 0);
	assert_int_equal(stage_open(dir, &a, &b), -ELOOP);
	/* The half-written name may be a trap as well. */
	assert_int_equal(symlinkat("victim", dir, "statement.new"), 0);
	assert_int_equal(stage_put(dir, one, one, 100), 0);
	assert_false(is_there(dir, "victim"));
	assert_int_equal(stage_open(dir, &a, &b), 0);
	expect(a, "one");
	expect(b, "one");
	stage_clear(dir);
	close(dir);
	close(one);
}

static void remembers_the_last_result(void **state)
{
	char line[STAGE_RESULT_MAX];
	int dir;

	(void)state;
	assert_int_equal(stage_read_result(folder, line), -ENOENT);
	assert_int_equal(stage_lock(folder, &dir), 0);
	assert_int_equal(stage_write_result(dir, "failed: a"), 0);
	assert_int_equal(stage_write_result(dir, "installed 0.1.1"), 0);
	assert_int_equal(stage_read_result(folder, line), 0);
	assert_string_equal(line, "installed 0.1.1");
	unlinkat(dir, STAGE_RESULT, 0);
	close(dir);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_copies),
		cmocka_unit_test(leaves_nothing_of_a_failed_copy),
		cmocka_unit_test(has_one_user),
		cmocka_unit_test(trusts_no_open_folder),
		cmocka_unit_test(follows_no_links),
		cmocka_unit_test(remembers_the_last_result),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
