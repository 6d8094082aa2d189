/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the update worker say to each other. The worker judges
 * a package and its signed statement; installing is the one-shot installer's
 * work, outside the daemon.
 */
#ifndef GATEHOUSE_UPDATE_PROTO_H
#define GATEHOUSE_UPDATE_PROTO_H

#include <errno.h>

#include "agent/lib/ipc.h"

#define UPDATE_KEY_MAX 1024
#define UPDATE_VERSION 64

enum update_message {
	/* down, between BEGIN and COMMIT */
	UPDATE_KEY = IPC_BASE_UPDATE,
	/* down, at any time: STATEMENT, then PACKAGE with the same cookie */
	UPDATE_STATEMENT = IPC_BASE_UPDATE + 16, /* with the file */
	UPDATE_PACKAGE, /* with the file */
	/* up */
	UPDATE_JUDGED = IPC_BASE_UPDATE + 32,
};

enum update_verb {
	UPDATE_VERB_CHECK = 1,
	UPDATE_VERB_APPLY = 2,
};

/* The publisher's public key, PEM. Not sent: no publisher configured. */
struct update_key {
	uint32_t length;
	char pem[UPDATE_KEY_MAX];
};

struct update_file {
	uint64_t cookie;
	uint32_t verb; /* enum update_verb; comes back in JUDGED */
	uint32_t zero;
};

struct update_judged {
	uint64_t cookie;
	int32_t error; /* 0: ours, newer and whole */
	uint32_t verb; /* as asked */
	char version[UPDATE_VERSION]; /* as stated; empty if not trusted */
	char reason[240]; /* for the owner */
};

/*
 * In the agent, for the module that speaks with local users: judges a
 * package and its statement and, when told to apply, has it installed.
 * Duplicates the descriptors if it keeps them; they stay the caller's. 0: the
 * answer goes out later as BUS_REPLY with this cookie. -errno: it does not;
 * -ENOENT: not built in or not running.
 */
struct agent;
#ifdef WITH_UPDATE
int update_ask(struct agent *agent, uint64_t cookie, uint32_t verb,
	int statement, int package);
#else
static inline int update_ask(struct agent *agent, uint64_t cookie,
	uint32_t verb, int statement, int package)
{
	(void)agent;
	(void)cookie;
	(void)verb;
	(void)statement;
	(void)package;
	return -ENOENT;
}
#endif

#endif
