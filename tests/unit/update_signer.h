/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A publisher for tests: makes keys on the spot and signs statements. */
#ifndef GATEHOUSE_TEST_UPDATE_SIGNER_H
#define GATEHOUSE_TEST_UPDATE_SIGNER_H

#include "modules/update/statement.h"

struct signer;

struct signer *signer_new(enum statement_kind kind);
struct signer *signer_free(struct signer *signer);
/* The public half as PEM, NUL-terminated. */
const char *signer_pem(const struct signer *signer);
/* text (no signature line yet) -> whole statement; returns its length. */
size_t signer_sign(
	struct signer *signer, const char *text, char *statement, size_t size);
/* A statement's text without the signature, for these bytes of a package. */
void signer_state(char *text, size_t size, const char *name,
	const char *version, const char *architecture, const void *package,
	size_t length);
/* A file with these bytes; the caller closes it. */
int signer_file(const void *bytes, size_t length);

#endif
