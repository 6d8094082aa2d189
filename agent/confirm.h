/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration on trial: in force for some time, lasting only once the
 * owner has confirmed it. Else the one before returns, also after a crash or
 * a reboot in between, and the files that were not confirmed stay where they
 * are.
 */
#ifndef GATEHOUSE_CONFIRM_H
#define GATEHOUSE_CONFIRM_H

#include "agent/lib/loop.h"

/* In the state folder, for root alone: what returns, and that it has to. */
#define CONFIRM_BEFORE "confirmed.conf"
#define CONFIRM_MARKER "confirm.pending"
#define CONFIRM_RETRY_MS 5000
#define CONFIRM_FILES 384

enum confirm_state {
	CONFIRM_STATE_NONE, /* what is in force is lasting */
	CONFIRM_STATE_TRIAL, /* waits for the owner */
	CONFIRM_STATE_RETURNING, /* too late; the one before is on its way */
	CONFIRM_STATE_RETURNED, /* it is in force; the files say otherwise */
};

struct confirm {
	enum confirm_state state;
	struct timer timer; /* of a trial, and of the next attempt to return */
	uint32_t seconds;
	int64_t until; /* by the wall clock, for people */
	char files[CONFIRM_FILES]; /* those that were not confirmed */
	/* What was before a trial that begins, until its files are taken. */
	struct confirm_before {
		enum confirm_state state;
		uint32_t seconds;
		bool beginning;
	} before;
};

struct agent;
struct conf;

/*
 * Which configuration is to be read now: that of the files, or what was
 * confirmed last. The text lives as long as the agent.
 */
const char *confirm_source(const struct agent *agent);
/*
 * The configuration to start with: what was confirmed last if the daemon
 * ended in the middle of a trial. As config_load(); -EUCLEAN: that cannot be
 * read, and why was logged.
 */
_must_check_ int confirm_load(struct agent *agent);
/* The state can be told now: does so. */
void confirm_start(struct agent *agent);
/* conf has been taken by all and is going to be agent->files. */
void confirm_in_force(struct agent *agent, const struct conf *conf);

#endif
