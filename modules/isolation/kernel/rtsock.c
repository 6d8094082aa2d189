/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets and one question at a time; what it means is the caller's.
 */
#include "modules/isolation/kernel/rtsock.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define EVENT_BUFFER (1 << 20)

static int open_socket(int *ret_fd)
{
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	_cleanup_(cleanup_close) int fd = socket(AF_NETLINK,
		SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

int rtsock_open(struct rtsock *rtsock, const int *groups, size_t n_groups)
{
	int size = EVENT_BUFFER, r;

	rtsock->ask = rtsock->events = -1;
	r = open_socket(&rtsock->ask);
	if (r == 0)
		r = open_socket(&rtsock->events);
	for (size_t i = 0; r == 0 && i < n_groups; i++)
		if (setsockopt(rtsock->events, SOL_NETLINK,
			    NETLINK_ADD_MEMBERSHIP, &groups[i],
			    sizeof(groups[i])) < 0)
			r = -errno;
	if (r < 0) {
		rtsock_close(rtsock);
		return r;
	}
	(void)setsockopt(rtsock->events, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		sizeof(size));
	return 0;
}

void rtsock_close(struct rtsock *rtsock)
{
	cleanup_close(&rtsock->ask);
	cleanup_close(&rtsock->events);
	rtsock->ask = rtsock->events = -1;
}

/* The kernel never waits. */
int rtsock_ask(struct rtsock *rtsock, struct nlmsghdr *request,
	nft_dump_row row, void *arg)
{
	static char bytes[65536] __attribute__((aligned(8)));
	ssize_t n;
	int r = 0;

	request->nlmsg_seq = ++rtsock->seq;
	if (send(rtsock->ask, request, request->nlmsg_len, 0) < 0)
		return -errno;
	while (r == 0) {
		const struct nlmsghdr *answer = (void *)bytes;
		int left;

		n = recv(rtsock->ask, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN ? -EIO : -errno;
		for (left = (int)n; r == 0 && mnl_nlmsg_ok(answer, left);
			answer = mnl_nlmsg_next(answer, &left))
			r = nft_take_answer(answer, rtsock->seq, row, arg);
	}
	return r > 0 ? 0 : r;
}
