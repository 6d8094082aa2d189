/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the update worker say to each other. The worker judges
 * a package and its signed statement; installing is the one-shot installer's
 * work, outside the daemon.
 */
#ifndef GATEHOUSE_UPDATE_PROTO_H
#define GATEHOUSE_UPDATE_PROTO_H

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

/* The publisher's public key, PEM. Not sent: no publisher configured. */
struct update_key {
	uint32_t length;
	char pem[UPDATE_KEY_MAX];
};

struct update_file {
	uint64_t cookie;
};

struct update_judged {
	uint64_t cookie;
	int32_t error; /* 0: ours, newer and whole */
	uint32_t zero;
	char version[UPDATE_VERSION]; /* as stated; empty if not trusted */
	char reason[240]; /* for the owner */
};

#endif
