/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed messages over SOCK_SEQPACKET. Reads from the other side are hostile
 * until type, flags, length and descriptor match the route exactly.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "agent/lib/ipc.h"

#define BATCH 64 /* messages per turn, so that no link starves another */

struct waiting {
	struct list link;
	int fd;
	size_t size; /* of head and payload together */
	uint8_t bytes[];
};

union control {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int ipc_pair(int ret_fds[static 2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0, ret_fds) < 0)
		return -errno;
	return 0;
}

static void break_link(struct ipc_link *link, int error)
{
	if (!link->loop)
		return;
	ipc_close(link);
	link->broken(link, error);
}

static int send_now(int fd, const struct iovec *parts, size_t n, int pass_fd)
{
	union control control = {0};
	struct msghdr message = {
		.msg_iov = (struct iovec *)parts, .msg_iovlen = n};
	ssize_t sent;

	if (pass_fd >= 0) {
		struct cmsghdr *head;

		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &pass_fd, sizeof(int));
	}
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static struct waiting *waiting_free(struct waiting *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w);
	return NULL;
}

static int enqueue(struct ipc_link *link, const struct ipc_head *head,
	const void *message, int pass_fd)
{
	size_t size = sizeof(*head) + head->length;
	struct waiting *w;

	if (link->queued + size > IPC_QUEUE_MAX)
		return -ENOBUFS;
	w = malloc(sizeof(*w) + size);
	if (!w)
		return -ENOMEM;
	w->size = size;
	w->fd = -1;
	if (pass_fd >= 0) {
		w->fd = fcntl(pass_fd, F_DUPFD_CLOEXEC, 0);
		if (w->fd < 0) {
			free(w);
			return -errno;
		}
	}
	memcpy(w->bytes, head, sizeof(*head));
	memcpy(w->bytes + sizeof(*head), message, head->length);
	list_append(&link->queue, &w->link);
	link->queued += size;
	loop_set_events(link->loop, &link->watch, EPOLLIN | EPOLLOUT);
	return 0;
}

int ipc_send(struct ipc_link *link, uint16_t type, const void *message,
	size_t size, int pass_fd)
{
	struct ipc_head head = {.type = type, .length = (uint32_t)size};
	struct iovec parts[2] = {
		{&head, sizeof(head)}, {(void *)message, size}};
	int r;

	if (!link->loop)
		return -EPIPE;
	if (size > IPC_PAYLOAD_MAX)
		return -EMSGSIZE;
	r = list_empty(&link->queue)
		    ? send_now(link->watch.fd, parts, 2, pass_fd)
		    : -EAGAIN;
	if (r == -EAGAIN)
		r = enqueue(link, &head, message, pass_fd);
	/* A dead receiver is reported by the read side, after its last words. */
	if (r == 0)
		link->sent++;
	return r;
}

static void flush_queue(struct ipc_link *link)
{
	list_for_each_safe(it, &link->queue) {
		struct waiting *w = container_of(it, struct waiting, link);
		struct iovec part = {w->bytes, w->size};
		int r = send_now(link->watch.fd, &part, 1, w->fd);

		if (r == -EAGAIN)
			return;
		if (r == -EPIPE || r == -ECONNRESET)
			break; /* reported by the read side, see ipc_send() */
		if (r < 0) {
			break_link(link, r);
			return;
		}
		link->queued -= w->size;
		list_remove(&w->link);
		waiting_free(w);
	}
	loop_set_events(link->loop, &link->watch, EPOLLIN);
}

static const struct ipc_route *find_route(
	const struct ipc_link *link, uint16_t type, void **ret_owner)
{
	for (size_t t = 0; t < ARRAY_SIZE(link->tables); t++) {
		const struct ipc_table *table = &link->tables[t];

		for (size_t i = 0; i < table->n_routes; i++) {
			if (table->routes[i].type == type) {
				*ret_owner = table->owner;
				return &table->routes[i];
			}
		}
	}
	return NULL;
}

/* The one descriptor of a message, -1 without one, -EPROTO for anything else. */
static int take_fd(struct msghdr *message, int *ret_fd)
{
	int result = 0;

	*ret_fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
		c = CMSG_NXTHDR(message, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int *fds = (int *)CMSG_DATA(c);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			result = -EPROTO;
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			if (*ret_fd < 0) {
				*ret_fd = fds[i];
			} else {
				close(fds[i]);
				result = -EPROTO;
			}
		}
	}
	if (message->msg_flags & (MSG_CTRUNC | MSG_TRUNC))
		result = -EPROTO;
	if (result < 0 && *ret_fd >= 0) {
		close(*ret_fd);
		*ret_fd = -1;
	}
	return result;
}

static int dispatch(
	struct ipc_link *link, const uint8_t *bytes, size_t size, int fd)
{
	const struct ipc_route *route = NULL;
	struct ipc_head head;
	void *owner = NULL;

	if (size >= sizeof(head)) {
		memcpy(&head, bytes, sizeof(head));
		route = find_route(link, head.type, &owner);
	}
	if (!route || head.flags != 0 || head.length != route->size ||
		size != sizeof(head) + head.length ||
		route->wants_fd != (fd >= 0)) {
		if (fd >= 0)
			close(fd);
		return -EPROTO;
	}
	link->received++;
	return route->handle(owner, bytes + sizeof(head), fd);
}

/* 1 = handled one, 0 = nothing there, negative = broken. */
static int receive_one(struct ipc_link *link)
{
	_Alignas(8) uint8_t bytes[sizeof(struct ipc_head) + IPC_PAYLOAD_MAX];
	union control control;
	struct iovec part = {bytes, sizeof(bytes)};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	ssize_t n = recvmsg(
		link->watch.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd, r;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	r = take_fd(&message, &fd);
	if (r < 0)
		return r;
	r = dispatch(link, bytes, (size_t)n, fd);
	return r < 0 ? r : 1;
}

static void link_ready(struct watch *watch, uint32_t events)
{
	struct ipc_link *link = container_of(watch, struct ipc_link, watch);

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		for (int i = 0; i < BATCH; i++) {
			int r = receive_one(link);

			if (!link->loop) /* the handler closed it */
				return;
			if (r < 0) {
				break_link(link, r);
				return;
			}
			if (r == 0)
				break;
		}
	}
	if (events & EPOLLOUT)
		flush_queue(link);
}

/* Two messages with one number would go to the first one's handler. */
static bool all_differ(const struct ipc_table *table)
{
	for (size_t i = 1; i < table->n_routes; i++)
		for (size_t j = 0; j < i; j++)
			if (table->routes[i].type == table->routes[j].type)
				return false;
	return true;
}

int ipc_open(struct ipc_link *link, struct loop *loop, int fd)
{
	int r;

	assert(link->broken);
	for (size_t t = 0; t < ARRAY_SIZE(link->tables); t++)
		assert(all_differ(&link->tables[t]));
	list_init(&link->queue);
	link->queued = 0;
	link->sent = link->received = 0;
	link->watch.ready = link_ready;
	r = loop_add_watch(loop, &link->watch, fd, EPOLLIN);
	if (r < 0) {
		close(fd);
		return r;
	}
	link->loop = loop;
	return 0;
}

void ipc_close(struct ipc_link *link)
{
	if (!link->loop)
		return;
	loop_remove_watch(link->loop, &link->watch);
	close(link->watch.fd);
	link->loop = NULL;
	list_for_each_safe(it, &link->queue) {
		list_remove(it);
		waiting_free(container_of(it, struct waiting, link));
	}
	link->queued = 0;
}
