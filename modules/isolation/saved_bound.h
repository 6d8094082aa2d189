/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that says whose addresses are, for the next boot: the agent writes
 * it, gatehouse-isolation --early and the agent read it. Framed as saved.h
 * says: one record with the time, then one for each address. Configuration is
 * not in it, so that it is small.
 */
#ifndef GATEHOUSE_ISOLATION_SAVED_BOUND_H
#define GATEHOUSE_ISOLATION_SAVED_BOUND_H

#include "modules/isolation/isolation_proto.h"
#include "modules/isolation/saved.h"

#define SAVED_BOUND_FILE "isolation.bound" /* in the state folder */

/* A clock that says less was never set: 2024-01-01. */
#define SAVED_BOUND_CLOCK_MIN 1704067200

/* An address of a device's own, for some time: what may be in the file. */
bool saved_bound_sane(const struct isolation_bound *bound);
/* Rows, each sane, at this time to the bytes of a file. -ENOSPC, -ENOMEM. */
_must_check_ int saved_bound_make(const struct isolation_bound *rows, size_t n,
	int64_t wall_s, struct saved *ret_saved);
/*
 * The rows of a file whose time has not passed, with what is left of it; the
 * caller's to free. If one of the two clocks was not set, or this one is
 * before the file's, no time has passed. Less than all of a file is none of
 * it: -EBADMSG, -EPROTO (of another version), -ENOMEM.
 */
_must_check_ int saved_bound_read(const void *bytes, size_t size,
	int64_t wall_s, struct isolation_bound **ret_rows, size_t *ret_n);
/* The folder's file; as above, and as saved_load(). */
_must_check_ int saved_bound_load(int folder, int64_t wall_s,
	struct isolation_bound **ret_rows, size_t *ret_n);
/* Makes it the folder's file, whole or not at all. */
_must_check_ int saved_bound_store(int folder, int64_t wall_s,
	const struct isolation_bound *rows, size_t n);

#endif
