/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions: kept, refused, ending by themselves, whatever the clock does. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "modules/registry/decisions.h"
#include "modules/registry/devices.h"
#include "modules/registry/journal.h"
#include "registry_folder.h"

#define NOW 1800000000

static struct store store;
static struct decisions decisions;
static int64_t wall, mono;

static void open_all(void)
{
	struct store_aside aside;
	int64_t bad;

	assert_int_equal(store_open(&store, folder, wall, &aside), 0);
	assert_string_equal(aside.name, "");
	assert_int_equal(journal_open(&store, &bad), 0);
	assert_int_equal(bad, 0);
	assert_int_equal(decisions_open(&decisions, &store, wall, mono), 0);
}

static int set_up(void **state)
{
	(void)state;
	folder_make();
	wall = NOW;
	mono = 5000;
	open_all();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(&store);
	folder_remove();
	return 0;
}

static struct mac mac_of(uint8_t n)
{
	return (struct mac){{2, 0, 0, 0, 0, n}};
}

static int take(
	uint8_t n, enum registry_kind kind, const char *word, uint32_t seconds)
{
	struct registry_decide decide = {
		.kind = (uint8_t)kind, .seconds = seconds, .actor = "uid 0"};

	if (n)
		decide.mac = mac_of(n);
	snprintf(decide.word, sizeof(decide.word), "%s", word);
	return decisions_take(&decisions, &decide, wall, mono);
}

static struct registry_device told(uint8_t n)
{
	struct registry_device device;
	struct mac mac = mac_of(n);

	if (!n)
		memset(&mac, 0, sizeof(mac));
	assert_int_equal(decisions_read(&decisions, &mac, mono, &device), 0);
	return device;
}

static char last_event[64], last_actor[64], last_detail[96];

static void read_last(void)
{
	sqlite3_stmt *s;

	assert_int_equal(store_ask(&store,
				 "SELECT event, actor, detail FROM log "
				 "ORDER BY id DESC LIMIT 1",
				 &s, ""),
		0);
	assert_int_equal(store_next(s), 1);
	store_text(s, 0, last_event, sizeof(last_event));
	store_text(s, 1, last_actor, sizeof(last_actor));
	store_text(s, 2, last_detail, sizeof(last_detail));
	store_done(s);
}

static void restart(int64_t clock)
{
	store_close(&store);
	wall += clock;
	mono = 100; /* a new boot */
	open_all();
}

static void decides(void **state)
{
	(void)state;
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 0), 0);
	assert_int_equal(told(1).verdict, REGISTRY_VERDICT_APPROVED);
	assert_string_equal(told(1).profile, "internet");
	assert_string_equal(told(1).actor, "uid 0");
	assert_int_equal(told(1).since, NOW);
	read_last();
	assert_string_equal(last_event, "device.approved");
	assert_int_equal(take(1, REGISTRY_KIND_PROFILE, "local-only", 0), 0);
	assert_string_equal(told(1).profile, "local-only");
	/* Approving anew leaves the profile as it is. */
	assert_int_equal(take(1, REGISTRY_KIND_BLOCK, "", 0), 0);
	assert_int_equal(told(1).verdict, REGISTRY_VERDICT_BLOCKED);
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 0), 0);
	assert_string_equal(told(1).profile, "local-only");
	assert_int_equal(take(1, REGISTRY_KIND_QUARANTINE, "", 0), 0);
	read_last();
	assert_string_equal(last_event, "device.quarantined");
	assert_int_equal(take(1, REGISTRY_KIND_RENAME, "lamp", 0), 0);
	assert_string_equal(told(1).name, "lamp");
	read_last();
	assert_string_equal(last_event, "device.renamed");
	assert_string_equal(last_detail, ""); /* no name in the log */
	restart(10);
	assert_string_equal(told(1).name, "lamp");
	assert_int_equal(told(1).verdict, REGISTRY_VERDICT_QUARANTINE);
}

static void refuses(void **state)
{
	(void)state;
	assert_int_equal(take(1, REGISTRY_KIND_RENAME, "lamp", 0), 0);
	assert_int_equal(take(2, REGISTRY_KIND_RENAME, "lamp", 0), -EEXIST);
	assert_string_equal(told(2).name, "");
	assert_int_equal(
		take(2, REGISTRY_KIND_PROFILE, "internet", 0), -ENOENT);
	assert_int_equal(take(3, REGISTRY_KIND_FORGET, "", 0), -ENOENT);
	assert_int_equal(take(0, REGISTRY_KIND_APPROVE, "", 0), -EINVAL);
	assert_int_equal(take(1, (enum registry_kind)99, "", 0), -EINVAL);
	assert_int_equal(
		take(1, REGISTRY_KIND_APPROVE, "", REGISTRY_SECONDS_MAX + 1),
		-EINVAL);
	/* What failed left nothing: no device, and no gap in the chain. */
	assert_int_equal(
		store_number(&store, 0, "SELECT count(*) FROM devices", ""), 1);
	restart(0);
}

/* What was observed before is not undone with a decision that fails. */
static void a_refusal_costs_nobody(void **state)
{
	struct registry_seen seen = {.mac = mac_of(9)};
	struct devices_pace pace = {0};
	struct devices_row row;
	bool fresh;

	(void)state;
	assert_int_equal(
		devices_saw(&store, &pace, &seen, wall, &row, &fresh), 0);
	assert_int_equal(
		take(9, REGISTRY_KIND_PROFILE, "internet", 0), -ENOENT);
	assert_int_equal(devices_find(&store, &seen.mac, &row), 0);
}

static struct mac ended;

static int expire(void)
{
	return decisions_expire(&decisions, wall, mono, &ended);
}

static void pass(int64_t seconds)
{
	wall += seconds;
	mono += seconds * 1000;
}

static void ends_by_itself(void **state)
{
	struct mac one = mac_of(1);

	(void)state;
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 900), 0);
	assert_int_equal(told(1).left, 900);
	assert_int_equal(decisions_next_ms(&decisions, mono), 900000);
	pass(899);
	assert_int_equal(expire(), 0);
	assert_int_equal(told(1).left, 1);
	pass(1);
	assert_int_equal(expire(), 1);
	assert_true(mac_equal(&ended, &one));
	assert_int_equal(told(1).verdict, REGISTRY_VERDICT_NONE);
	assert_int_equal(expire(), 0);
	assert_int_equal(decisions_next_ms(&decisions, mono), -1);
	read_last();
	assert_string_equal(last_event, "device.expired");
	assert_string_equal(last_actor, "expiry");
}

static void returns_to_what_was(void **state)
{
	(void)state;
	assert_int_equal(take(1, REGISTRY_KIND_BLOCK, "", 0), 0);
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "local-only", 60), 0);
	/* Once more while it runs: what was before that stays before. */
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "internet", 120), 0);
	assert_int_equal(told(1).before, REGISTRY_VERDICT_BLOCKED);
	pass(119);
	assert_int_equal(expire(), 0);
	pass(1);
	assert_int_equal(expire(), 1);
	assert_int_equal(told(1).verdict, REGISTRY_VERDICT_BLOCKED);
	/* For good: nothing ends any more. */
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 60), 0);
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 0), 0);
	pass(1000);
	assert_int_equal(expire(), 0);
	assert_int_equal(told(1).verdict, REGISTRY_VERDICT_APPROVED);
}

static void a_clock_that_jumps_gives_nothing(void **state)
{
	(void)state;
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 600), 0);
	wall -= 100000; /* somebody sets it back */
	mono += 599000;
	assert_int_equal(expire(), 0);
	mono += 1000;
	assert_int_equal(expire(), 1);
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 600), 0);
	wall += 100000; /* and forward */
	mono += 1000;
	assert_int_equal(expire(), 0);
}

static void survives_restarts(void **state)
{
	(void)state;
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 600), 0);
	assert_int_equal(take(0, REGISTRY_KIND_PAUSE, "", 300), 0);
	pass(60);
	assert_int_equal(decisions_note(&decisions, wall, mono), 0);
	assert_int_equal(store_commit(&store), 0);
	restart(40); /* it was off for 40 s */
	assert_int_equal(told(1).left, 500);
	assert_int_equal(told(0).paused, 200);
	restart(-500000); /* no clock after this boot: nothing is gained */
	assert_int_equal(told(1).left, 540);
	restart(10000000);
	assert_int_equal(expire(), 1);
	assert_int_equal(expire(), 1);
	assert_int_equal(told(1).verdict, REGISTRY_VERDICT_NONE);
	assert_int_equal(told(0).paused, 0);
}

static void pauses(void **state)
{
	(void)state;
	assert_int_equal(take(1, REGISTRY_KIND_PAUSE, "", 60), 0);
	assert_int_equal(told(1).paused, 60);
	assert_int_equal(told(1).verdict, REGISTRY_VERDICT_NONE);
	assert_int_equal(take(1, REGISTRY_KIND_PAUSE, "", 0), 0);
	assert_int_equal(told(1).paused, 0);
	read_last();
	assert_string_equal(last_event, "device.resumed");
	assert_int_equal(take(2, REGISTRY_KIND_PAUSE, "", 60), 0);
	pass(60);
	assert_int_equal(expire(), 1);
	assert_int_equal(told(2).paused, 0);
}

static void timed_ones_are_few(void **state)
{
	struct registry_decide decide = {
		.kind = REGISTRY_KIND_APPROVE, .seconds = 60, .actor = "a"};
	int r = 0;
	size_t n = 0;

	(void)state;
	/* As fast as memory: this is not about the disk. */
	assert_int_equal(sqlite3_exec(store.db, "PRAGMA synchronous = OFF",
				 NULL, NULL, NULL),
		0);
	for (; n < 1000 && r == 0; n++) {
		decide.mac = (struct mac){
			{2, 1, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};
		r = decisions_take(&decisions, &decide, wall, mono);
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(n, REGISTRY_TIMED_MAX + 1);
	/* For good there is room. */
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 0), 0);
}

static void count_one(void *arg, const struct registry_device *device)
{
	size_t *n = arg;

	assert_true(device->verdict || device->paused || device->name[0]);
	++*n;
}

static void tells_all(void **state)
{
	struct registry_seen seen = {.mac = mac_of(9)};
	struct devices_pace pace = {0};
	struct devices_row row;
	bool fresh;
	size_t n = 0;

	(void)state;
	assert_int_equal(
		devices_saw(&store, &pace, &seen, wall, &row, &fresh), 0);
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 0), 0);
	assert_int_equal(take(2, REGISTRY_KIND_RENAME, "tv", 0), 0);
	assert_int_equal(take(0, REGISTRY_KIND_PAUSE, "", 60), 0);
	assert_int_equal(decisions_each(&decisions, mono, count_one, &n), 0);
	assert_int_equal(n, 3); /* nothing is decided about 9 */
}

static void forgets(void **state)
{
	(void)state;
	assert_int_equal(take(1, REGISTRY_KIND_RENAME, "grandmas-lamp", 0), 0);
	assert_int_equal(take(1, REGISTRY_KIND_APPROVE, "", 600), 0);
	assert_int_equal(take(1, REGISTRY_KIND_FORGET, "", 0), 0);
	assert_int_equal(told(1).verdict, REGISTRY_VERDICT_NONE);
	assert_string_equal(told(1).name, "");
	assert_int_equal(decisions_next_ms(&decisions, mono), -1);
	assert_false(folder_holds("grandmas-lamp"));
	read_last();
	assert_string_equal(last_event, "device.forgotten");
}

/* In a child: decides as fast as it can, and says what was acknowledged. */
static void decide_until_killed(int to)
{
	for (uint32_t n = 1;; n++) {
		struct registry_decide decide = {
			.mac = {{2, 2, (uint8_t)(n >> 24), (uint8_t)(n >> 16),
				(uint8_t)(n >> 8), (uint8_t)n}},
			.kind = REGISTRY_KIND_APPROVE,
			.actor = "uid 0"};

		if (decisions_take(&decisions, &decide, wall, mono) < 0 ||
			write(to, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

static uint32_t kill_once(unsigned delay_us)
{
	uint32_t n, last = 0;
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	store_close(&store);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		open_all();
		decide_until_killed(fds[1]);
	}
	close(fds[1]);
	usleep(delay_us);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while (read(fds[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	close(fds[0]);
	return last;
}

/*
 * Killed at any moment. What the kernel had is there after that; that it is
 * on the disk as well is the synchronous = FULL of test_registry_store.
 */
static void every_acknowledged_one_is_there(void **state)
{
	const char *times = getenv("GATEHOUSE_POWER_CUTS");
	int n_cuts = times ? (int)strtol(times, NULL, 10) : 20;
	uint32_t some = 0;

	(void)state;
	for (int i = 0; i < n_cuts; i++) {
		uint32_t last = kill_once(3000 + (unsigned)i * 7919 % 40000);

		some += last;
		open_all();
		assert_in_range(store_number(&store, -1,
					"SELECT count(*) FROM decisions", ""),
			last, last + 1);
		assert_int_equal(
			store_do(&store, "DELETE FROM devices", ""), 0);
		assert_int_equal(store_commit(&store), 0);
	}
	assert_true(some > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(decides),
		TEST(refuses),
		TEST(a_refusal_costs_nobody),
		TEST(ends_by_itself),
		TEST(returns_to_what_was),
		TEST(a_clock_that_jumps_gives_nothing),
		TEST(survives_restarts),
		TEST(pauses),
		TEST(timed_ones_are_few),
		TEST(tells_all),
		TEST(forgets),
		TEST(every_acknowledged_one_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
