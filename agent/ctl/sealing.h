/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A passphrase, and what gatehouse-seal makes with it. */
#ifndef GATEHOUSE_CTL_SEALING_H
#define GATEHOUSE_CTL_SEALING_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/cleanup.h"

/*
 * The first line of file, or, with file NULL, what is typed on the terminal
 * without being shown, twice if it is a new one. Says what is wrong; -errno.
 */
_must_check_ int sealing_ask(
	const char *file, bool fresh, char **ret_passphrase);
void sealing_forget(char **passphrase); /* for _cleanup_ */
/* Seals, or opens; says what is wrong. A NUL follows the bytes. -errno. */
_must_check_ int sealing_run(bool seal, const char *passphrase,
	const char *bytes, size_t size, char **ret_bytes, size_t *ret_size);

#endif
