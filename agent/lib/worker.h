/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A worker: one module's sandboxed process. worker_main() confines the
 * process, speaks the life-cycle messages with the agent and runs the loop;
 * the module adds its routes and its transaction.
 */
#ifndef GATEHOUSE_WORKER_H
#define GATEHOUSE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/lib/ipc.h"

/* Life-cycle messages, both ways, under IPC_BASE_WORKER. */
enum worker_message {
	WORKER_HELLO = 1, /* up: the sandbox is closed */
	WORKER_BEGIN = 2, /* down: the whole wanted state follows */
	WORKER_COMMIT = 3, /* down: it is complete; judge it */
	WORKER_VERDICT = 4, /* up: answer to COMMIT and to APPLY */
	WORKER_APPLY = 5, /* down: make it so */
	WORKER_ABORT = 6, /* down: forget it, keep what you have */
	WORKER_PING = 7, /* down, every few seconds */
	WORKER_PONG = 8, /* up */
};

/* Layers of the sandbox that were really put on. */
enum worker_layer {
	WORKER_LAYER_CHROOT = 1,
	WORKER_LAYER_SECCOMP = 2,
	WORKER_LAYER_LANDLOCK = 4,
};

#define WORKER_PROTOCOL 1
#define WORKER_REASON 240

struct worker_hello {
	uint32_t protocol;
	uint32_t layers;
};

/* BEGIN, COMMIT, APPLY, ABORT. Generations only grow. */
struct worker_step {
	uint64_t generation;
	uint32_t log_level;
	uint32_t items; /* COMMIT: how many messages were sent since BEGIN */
};

struct worker_verdict {
	uint64_t generation;
	int32_t error; /* 0 or negative errno */
	uint32_t phase; /* WORKER_COMMIT or WORKER_APPLY */
	char reason[WORKER_REASON]; /* for the owner, empty when error is 0 */
};

struct worker_ping {
	uint64_t number;
};

struct worker;

struct worker_describe {
	const char *name; /* the module's */
	const struct ipc_route *routes; /* owner is the struct worker */
	size_t n_routes;
	/* System calls beyond the common ones, by name; see sandbox.h. */
	const char *const *syscalls;
	/* Its root is a folder of its own, in which it may make files. */
	bool folder;
	/* Before the sandbox closes; the process is already unprivileged. */
	int (*prepare)(struct worker *worker);
	/* Inside the sandbox, before HELLO. */
	int (*start)(struct worker *worker);
	/* A new wanted state begins: forget a half-received one. */
	int (*begin)(struct worker *worker);
	/* Can it be done? Nothing may change yet. reason: WORKER_REASON. */
	int (*commit)(struct worker *worker, char *reason);
	/* Make it so; on error the old state must still be in force. */
	int (*apply)(struct worker *worker, char *reason);
	void (*abort)(struct worker *worker);
};

struct worker {
	const struct worker_describe *describe;
	struct loop *loop;
	struct ipc_link link;
	uint64_t generation; /* in force */
	uint64_t wanted; /* between BEGIN and APPLY/ABORT; else 0 */
	uint32_t begun; /* link.received at BEGIN */
	uint32_t layers;
};

/*
 * The whole life of a worker process; argv is {name, chroot folder}.
 * Any broken message or lost link ends it: exits non-zero, the agent starts
 * a new one.
 */
int worker_main(const struct worker_describe *describe, int argc, char **argv);

/* Sends to the agent; a failure ends the worker at the next turn. */
void worker_send(
	struct worker *worker, uint16_t type, const void *message, size_t size);
void worker_send_fd(struct worker *worker, uint16_t type, const void *message,
	size_t size, int fd);

#endif
