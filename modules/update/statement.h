/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The statement a publisher signs about a package:
 *
 *	gatehouse-statement 1
 *	name gatehouse
 *	version 0.2.0
 *	architecture amd64
 *	length 123456
 *	sha256 <64 lower-case hex>
 *	signature ed25519 <128 lower-case hex>
 *
 * Exactly these lines in this order, each ended by one newline, nothing
 * before, between or after. The signature is over all bytes before its line:
 * ed25519 (pure) or ecdsa-p256 (DER, over their SHA-256).
 */
#ifndef GATEHOUSE_UPDATE_STATEMENT_H
#define GATEHOUSE_UPDATE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/cleanup.h"
#include "modules/update/update_proto.h"

#define STATEMENT_MAX 1024 /* bytes of a whole statement */
#define STATEMENT_NAME 64
#define STATEMENT_ARCHITECTURE 32
#define STATEMENT_SIGNATURE_MAX 72
#define STATEMENT_SHA256 32
#define STATEMENT_PACKAGE_MAX (64u << 20) /* bytes of a package */

enum statement_kind {
	STATEMENT_ED25519 = 1,
	STATEMENT_ECDSA_P256 = 2,
};

struct statement {
	char name[STATEMENT_NAME];
	char version[UPDATE_VERSION];
	char architecture[STATEMENT_ARCHITECTURE];
	uint64_t length;
	uint8_t sha256[STATEMENT_SHA256];
	enum statement_kind kind;
	uint8_t signature[STATEMENT_SIGNATURE_MAX];
	size_t signature_length;
	size_t signed_length; /* bytes at the start that the signature covers */
};

/*
 * Bytes to struct; pure. -EBADMSG for any deviation, and *ret_reason (static
 * text) says where.
 */
_must_check_ int statement_parse(const void *bytes, size_t length,
	struct statement *ret_statement, const char **ret_reason);

/*
 * True for one canonical DER ECDSA-Sig-Value of two positive integers of at
 * most 32 bytes: one spelling for each signature. Pure.
 */
bool statement_der_is_canonical(const uint8_t *der, size_t length);

#endif
