/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The publisher's public key as text; nobody judges it here. */
#ifndef GATEHOUSE_UPDATE_KEY_H
#define GATEHOUSE_UPDATE_KEY_H

#include "modules/update/update_proto.h"

/* The one given at build time, or NULL. */
const char *update_builtin_key(void);

/*
 * Reads a file of at most UPDATE_KEY_MAX bytes. -EFBIG, -EINVAL when it is
 * not the text of one public key, -EISDIR, or -errno of opening and reading.
 */
_must_check_ int update_key_load(const char *file, struct update_key *ret_key);

/* The file if one is named, else the built-in one; -ENOKEY without either. */
_must_check_ int update_key_get(const char *file, struct update_key *ret_key);

#endif
