/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links between processes: exact types, sizes, descriptors, nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/lib/ipc.h"

#define TYPE_PLAIN 100
#define TYPE_FD 101
#define TYPE_REFUSED 102

struct plain {
	uint64_t value;
};

static struct loop *loop;
static struct ipc_link link_a, link_b;
static int raw; /* the other end of link_a when link_b is not open */
static uint64_t got, sum;
static unsigned count;
static int broken_with, got_fd;

static int on_plain(void *owner, const void *message, int fd)
{
	const struct plain *plain = message;

	assert_ptr_equal(owner, &got);
	assert_int_equal(fd, -1);
	got = plain->value;
	sum += plain->value;
	count++;
	return 0;
}

static int on_fd(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)message;
	got_fd = fd;
	return 0;
}

static int on_refused(void *owner, const void *message, int fd)
{
	(void)owner;
	(void)message;
	(void)fd;
	return -EINVAL;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(TYPE_PLAIN, struct plain, on_plain),
	IPC_ROUTE_FD(TYPE_FD, struct plain, on_fd),
	IPC_ROUTE(TYPE_REFUSED, struct plain, on_refused),
};

static void broken(struct ipc_link *link, int error)
{
	assert_null(link->loop);
	broken_with = error;
}

static void open_link(struct ipc_link *link, int fd)
{
	memset(link, 0, sizeof(*link));
	link->tables[1] = (struct ipc_table){routes, ARRAY_SIZE(routes), &got};
	link->broken = broken;
	assert_int_equal(ipc_open(link, loop, fd), 0);
}

static int set_up(void **state)
{
	int fds[2];

	(void)state;
	got = sum = count = 0;
	broken_with = 0;
	got_fd = -1;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(ipc_pair(fds), 0);
	open_link(&link_a, fds[0]);
	raw = fds[1];
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ipc_close(&link_a);
	ipc_close(&link_b);
	if (raw >= 0)
		close(raw);
	loop = loop_free(loop);
	return 0;
}

static void turn(void)
{
	assert_int_equal(loop_turn(loop, 100), 0);
}

static void send_raw(uint16_t type, uint16_t flags, uint32_t length,
	size_t real, const int *fds, size_t n_fds)
{
	uint8_t bytes[sizeof(struct ipc_head) + 4096] = {0};
	struct ipc_head head = {type, flags, length};
	struct iovec part = {bytes, sizeof(head) + real};
	char control[CMSG_SPACE(4 * sizeof(int))] = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	memcpy(bytes, &head, sizeof(head));
	if (n_fds) {
		struct cmsghdr *c;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	assert_true(sendmsg(raw, &message, 0) > 0);
	turn();
}

static void test_message_arrives(void **state)
{
	struct plain plain = {42};

	(void)state;
	open_link(&link_b, raw);
	raw = -1;
	assert_int_equal(
		ipc_send(&link_b, TYPE_PLAIN, &plain, sizeof(plain), -1), 0);
	turn();
	assert_int_equal(got, 42);
	assert_int_equal(link_a.received, 1);
	assert_int_equal(link_b.sent, 1);
}

static void test_queue_keeps_order_and_loses_nothing(void **state)
{
	enum {
		MANY = 20000
	};

	(void)state;
	open_link(&link_b, raw);
	raw = -1;
	for (uint64_t i = 1; i <= MANY; i++) {
		struct plain plain = {i};

		assert_int_equal(ipc_send(&link_b, TYPE_PLAIN, &plain,
					 sizeof(plain), -1),
			0);
	}
	assert_false(list_empty(&link_b.queue));
	while (count < MANY)
		turn();
	assert_int_equal(got, MANY);
	assert_int_equal(sum, (uint64_t)MANY * (MANY + 1) / 2);
	assert_true(list_empty(&link_b.queue));
	assert_int_equal(link_b.queued, 0);
}

static void test_queue_has_a_limit(void **state)
{
	static const uint8_t big[IPC_PAYLOAD_MAX];
	int r = 0;

	(void)state;
	for (size_t i = 0; r == 0 && i < 2 * IPC_QUEUE_MAX / sizeof(big); i++)
		r = ipc_send(&link_a, TYPE_PLAIN, big, sizeof(big), -1);
	assert_int_equal(r, -ENOBUFS);
	assert_true(link_a.queued <= IPC_QUEUE_MAX);
	assert_int_equal(
		ipc_send(&link_a, TYPE_PLAIN, big, IPC_PAYLOAD_MAX + 1, -1),
		-EMSGSIZE);
}

static void test_descriptor_arrives(void **state)
{
	struct plain plain = {0};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	open_link(&link_b, raw);
	raw = -1;
	assert_int_equal(
		ipc_send(&link_b, TYPE_FD, &plain, sizeof(plain), fd), 0);
	turn();
	assert_true(got_fd >= 0 && got_fd != fd);
	assert_int_equal(fcntl(got_fd, F_GETFD), FD_CLOEXEC);
	close(got_fd);
	close(fd);
}

/* Everything a hostile worker could try breaks its link, and nothing leaks. */
static void test_nonsense_breaks_the_link(void **state)
{
	const size_t size = sizeof(struct plain);
	const int two[2] = {0, 1};
	const struct {
		uint16_t type, flags;
		uint32_t length;
		size_t real, n_fds;
	} bad[] = {
		{999, 0, (uint32_t)size, size, 0}, /* unknown type */
		{TYPE_PLAIN, 1, (uint32_t)size, size, 0}, /* flags */
		{TYPE_PLAIN, 0, (uint32_t)size - 1, size - 1, 0}, /* short */
		{TYPE_PLAIN, 0, (uint32_t)size + 1, size + 1, 0}, /* long */
		{TYPE_PLAIN, 0, (uint32_t)size, size - 1, 0}, /* it lies */
		{TYPE_PLAIN, 0, (uint32_t)size, size + 9, 0}, /* it lies */
		{TYPE_PLAIN, 0, (uint32_t)size, size, 1}, /* a descriptor */
		{TYPE_FD, 0, (uint32_t)size, size, 0}, /* none */
		{TYPE_FD, 0, (uint32_t)size, size, 2}, /* two */
		{TYPE_PLAIN, 0, 4000, 4000, 0}, /* over the limit */
		{TYPE_REFUSED, 0, (uint32_t)size, size, 0}, /* no sense */
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int before, after;

		set_up(state);
		before = dup(0);
		close(before);
		send_raw(bad[i].type, bad[i].flags, bad[i].length, bad[i].real,
			two, bad[i].n_fds);
		assert_true(broken_with < 0);
		assert_null(link_a.loop);
		after = dup(0); /* link_a's number is free again, no other */
		close(after);
		assert_true(after <= before);
		assert_int_equal(count, 0);
		tear_down(state);
	}
	/* A head alone, cut short. */
	set_up(state);
	assert_int_equal(send(raw, "abc", 3, 0), 3);
	turn();
	assert_int_equal(broken_with, -EPROTO);
	tear_down(state);
}

static void test_end_of_the_other_side(void **state)
{
	struct plain plain = {0};

	(void)state;
	close(raw);
	raw = -1;
	turn();
	assert_int_equal(broken_with, -ECONNRESET);
	assert_int_equal(
		ipc_send(&link_a, TYPE_PLAIN, &plain, sizeof(plain), -1),
		-EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_message_arrives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_queue_keeps_order_and_loses_nothing, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_queue_has_a_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_descriptor_arrives, set_up, tear_down),
		cmocka_unit_test(test_nonsense_breaks_the_link),
		cmocka_unit_test_setup_teardown(
			test_end_of_the_other_side, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
