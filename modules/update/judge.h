/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole verdict about a package and its statement. The worker gives it
 * to whoever asks, and the installer comes to it again by itself.
 */
#ifndef GATEHOUSE_UPDATE_JUDGE_H
#define GATEHOUSE_UPDATE_JUDGE_H

#include "modules/update/statement.h"

#define JUDGE_REASON 240

struct verify_key;

struct judge {
	struct verify_key *key; /* NULL: no publisher configured */
	const char *running; /* the version that runs here */
	const char *architecture; /* Debian's name for this machine's */
};

/* The architecture this was built for, as Debian calls it. */
const char *judge_architecture(void);

/*
 * 0: ours, for this machine, newer than what runs, and whole; *ret_statement
 * is what was stated. Otherwise a negative errno:
 * -ENOKEY no publisher, -EBADMSG no statement, -EKEYREJECTED not the
 * publisher's, -EMEDIUMTYPE another package, -ENOEXEC another architecture,
 * -ESTALE not newer, -EUCLEAN another file than the one stated. reason
 * (JUDGE_REASON bytes) tells the owner, in both cases.
 */
_must_check_ int judge_update(const struct judge *judge, int statement,
	int package, struct statement *ret_statement, char *reason);

/* The same for a statement in memory. */
_must_check_ int judge_bytes(const struct judge *judge, const void *statement,
	size_t length, int package, struct statement *ret_statement,
	char *reason);

#endif
