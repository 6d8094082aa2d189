/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps through DER, as certificates are written: one element after another,
 * never past the bytes that are there. Pure.
 */
#ifndef GATEHOUSE_DER_H
#define GATEHOUSE_DER_H

#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"

/* Bytes not yet read. */
struct der {
	const uint8_t *at;
	size_t left;
};

/* Takes the next element off d. -EBADMSG, also for tags above 30. */
_must_check_ int der_read_any(
	struct der *d, uint8_t *ret_tag, struct der *ret_inside);
/* The same, for an element that must have this tag. */
_must_check_ int der_read(struct der *d, uint8_t tag, struct der *ret_inside);

#endif
