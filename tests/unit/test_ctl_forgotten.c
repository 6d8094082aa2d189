/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who was forgotten is found again in a backup of before, and nobody else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ctl/forgotten.h"

static const struct mac lamp = {{0x02, 0x4c, 0x41, 0x4d, 0x50, 0x01}};
static const struct mac heater = {{0x02, 0x4c, 0x41, 0x4d, 0x50, 0x02}};

static struct forgotten list;

static int set_up(void **state)
{
	(void)state;
	memset(&list, 0, sizeof(list));
	for (uint8_t i = 0; i < sizeof(list.key); i++)
		list.key[i] = i;
	return 0;
}

/* The first and a longer vector of SipHash's authors. */
static void test_hash(void **state)
{
	uint8_t bytes[15];

	(void)state;
	for (uint8_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	assert_int_equal(
		forgotten_hash(list.key, bytes, 0), 0x726fdb47dd0e0e31);
	assert_int_equal(forgotten_hash(list.key, bytes, sizeof(bytes)),
		0xa129ca6149be45e5);
}

static void count(void *arg, const struct mac *mac, int64_t time)
{
	assert_true(mac_equal(mac, &lamp));
	assert_int_equal(time, 1000);
	++*(int *)arg;
}

static int hits(const void *bytes, size_t size, int64_t since)
{
	int n = 0;

	forgotten_search(&list, since, bytes, size, count, &n);
	return n;
}

static int hits_text(const char *text)
{
	return hits(text, strlen(text), 0);
}

static void test_search(void **state)
{
	(void)state;
	assert_int_equal(hits_text("mac = 02:4c:41:4d:50:01"), 0);
	forgotten_add(&list, &lamp, 1000);
	assert_int_equal(hits_text("mac = 02:4c:41:4d:50:01"), 1);
	assert_int_equal(hits_text("02:4C:41:4D:50:01\n"), 1);
	assert_int_equal(hits_text("02-4c-41-4d-50-01 024c414d5001"), 2);
	assert_int_equal(hits_text("024c.414d.5001"), 1);
	assert_int_equal(hits("x\x02LAMP\x01y", 8, 0), 1);
	assert_int_equal(hits_text("02:4c:41:4d:50:02 02:4c:41:4d:50:0"), 0);
	assert_int_equal(hits("x\x02LAMP\x02y", 8, 0), 0);
	/* A backup that was made after it was forgotten is no matter. */
	assert_int_equal(hits("x\x02LAMP\x01y", 8, 1000), 1);
	assert_int_equal(hits("x\x02LAMP\x01y", 8, 1001), 0);
}

static void test_there_and_back(void **state)
{
	static struct forgotten again;
	char *text;
	size_t size;

	(void)state;
	forgotten_add(&list, &heater, 900);
	forgotten_add(&list, &lamp, 900);
	forgotten_add(&list, &lamp, 1000);
	assert_int_equal(list.n, 2);
	assert_int_equal(forgotten_write(&list, &text, &size), 0);
	assert_null(strstr(text, "4c"));
	assert_int_equal(forgotten_read(text, &again), 0);
	assert_int_equal(again.n, 2);
	assert_memory_equal(again.key, list.key, sizeof(list.key));
	assert_int_equal(again.list[1].hash, list.list[1].hash);
	assert_int_equal(again.list[1].time, 1000);
	/* Whatever is cut off inside a line. */
	assert_int_equal((text[size - 1] = '\0', forgotten_read(text, &again)),
		-EBADMSG);
	assert_int_equal(forgotten_read("nonsense", &again), -EBADMSG);
	assert_int_equal(forgotten_read("", &again), 0);
	free(text);
}

static void test_full(void **state)
{
	struct mac mac = lamp;

	(void)state;
	forgotten_add(&list, &lamp, 1000);
	for (int i = 0; i < FORGOTTEN_MAX; i++) {
		mac.b[3] = (uint8_t)(i >> 8);
		mac.b[4] = (uint8_t)i;
		mac.b[5] = 9;
		forgotten_add(&list, &mac, 1000);
	}
	assert_int_equal(list.n, FORGOTTEN_MAX);
	assert_int_equal(hits("x\x02LAMP\x01y", 8, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_hash, set_up),
		cmocka_unit_test_setup(test_search, set_up),
		cmocka_unit_test_setup(test_there_and_back, set_up),
		cmocka_unit_test_setup(test_full, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
