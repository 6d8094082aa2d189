/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed messages over a SOCK_SEQPACKET pair: the only way processes speak.
 * Every type has one exact size and one handler in the receiver's route
 * table; anything else breaks the link, and the owner of the link decides
 * what that costs the other side. Fixed-width structs, no pointers, no enums.
 */
#ifndef GATEHOUSE_IPC_H
#define GATEHOUSE_IPC_H

#include <stdint.h>
#include <sys/types.h>

#include "agent/lib/list.h"
#include "agent/lib/loop.h"

#define IPC_PAYLOAD_MAX 2048
#define IPC_QUEUE_MAX (64u << 20) /* bytes waiting for a slow receiver */
#define IPC_WORKER_FD 3 /* where a worker finds its link */

struct ipc_head {
	uint16_t type;
	uint16_t flags; /* zero */
	uint32_t length;
};

/* The numbers below 64 belong to every worker; a module has 64 of its own. */
#define IPC_MODULE_BASE(n) (64u * (n))
enum ipc_base {
	IPC_BASE_WORKER = 0,
	IPC_BASE_ISOLATION = 64,
	IPC_BASE_PROXY = 128,
	IPC_BASE_SUPPORT = 192,
	IPC_BASE_UPDATE = 256,
	IPC_BASE_BUS = 320,
	IPC_BASE_DISCOVERY = 384,
	IPC_BASE_REGISTRY = 448,
};

struct ipc_route {
	uint16_t type;
	uint16_t size; /* exact payload size */
	bool wants_fd; /* exactly one descriptor, else none */
	/*
	 * Owns fd (-1 when the route wants none). A negative result says the
	 * message makes no sense: the link breaks.
	 */
	int (*handle)(void *owner, const void *message, int fd);
};
#define IPC_ROUTE(t, type_of, fn)                 \
	{                                         \
		(t), sizeof(type_of), false, (fn) \
	}
#define IPC_ROUTE_FD(t, type_of, fn)             \
	{                                        \
		(t), sizeof(type_of), true, (fn) \
	}

/* A closed table: what may come, and who handles it. */
struct ipc_table {
	const struct ipc_route *routes;
	size_t n_routes;
	void *owner;
};

struct ipc_link {
	struct watch watch;
	struct loop *loop; /* NULL when closed */
	struct ipc_table tables[2]; /* the life-cycle's and the module's */
	/* Called once; the link is closed already. error is negative. */
	void (*broken)(struct ipc_link *link, int error);
	struct list queue;
	size_t queued;
	uint32_t sent, received; /* messages since it was opened */
};

/* A connected, close-on-exec, non-blocking pair. */
_must_check_ int ipc_pair(int ret_fds[static 2]);

/* Takes fd. tables and broken must be set in link. -errno. */
_must_check_ int ipc_open(struct ipc_link *link, struct loop *loop, int fd);
void ipc_close(struct ipc_link *link);

/*
 * Sends or queues one message; pass_fd is duplicated by the kernel and stays
 * the caller's (-1: none). -EPIPE on a closed link, -ENOBUFS when the queue
 * is full, -EMSGSIZE. A broken link is reported through broken(), later.
 */
int ipc_send(struct ipc_link *link, uint16_t type, const void *message,
	size_t size, int pass_fd);

#endif
