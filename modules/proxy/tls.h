/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS towards a server, as the client that trusts nobody by itself: chain,
 * dates and name are verified before the first byte. This header is all that
 * the rest of the proxy knows of the library behind it.
 */
#ifndef GATEHOUSE_TLS_H
#define GATEHOUSE_TLS_H

#include <stddef.h>

#include "agent/lib/cleanup.h"

#define TLS_REASON 160
#define TLS_AUTHORITIES_MAX (4u << 20) /* bytes of PEM */

enum tls_status {
	TLS_STATUS_DONE,
	TLS_STATUS_FAILED, /* for good; see tls_reason() */
	TLS_STATUS_CLOSED, /* the server has ended its side, properly */
	TLS_STATUS_WANTS_INPUT, /* again when the socket is readable */
	TLS_STATUS_WANTS_OUTPUT, /* again when the socket is writable */
};

struct tls_context; /* whom to trust; shared by connections */
struct tls; /* one connection */

/* Once in a process, while files may still be opened. -EIO. */
_must_check_ int tls_start(void);

/*
 * Trusts the certificates in pem (many of them, one after another); those
 * that cannot be used are skipped. *ret_count is how many are trusted.
 * -ENOENT when none is, -ENOMEM.
 */
_must_check_ int tls_context_new(const char *pem, size_t size,
	struct tls_context **ret_context, unsigned *ret_count);
/* Connections that were opened with it live on. */
struct tls_context *tls_context_free(struct tls_context *context);

/*
 * A connection over a connected, non-blocking socket, which stays the
 * caller's. name is the host or literal address to verify. -ENOMEM, -EINVAL
 * for a name that nobody can have.
 */
_must_check_ int tls_open(struct tls_context *context, int fd, const char *name,
	struct tls **ret_tls);
/* Forgets the connection; says nothing to the server. */
struct tls *tls_free(struct tls *tls);

/* DONE: verified, bytes may flow. Never CLOSED. */
enum tls_status tls_handshake(struct tls *tls);
/*
 * DONE: *ret_length bytes (at least one) came. FAILED also when the server
 * ended without saying so, because then something may be missing.
 */
enum tls_status tls_read(
	struct tls *tls, void *bytes, size_t size, size_t *ret_length);
/*
 * DONE: *ret_length of the bytes (at least one) are taken. After WANTS_...
 * the same bytes must come again first, more may follow them.
 */
enum tls_status tls_write(
	struct tls *tls, const void *bytes, size_t length, size_t *ret_length);
/* Says that nothing more comes from here; reading goes on. */
enum tls_status tls_end(struct tls *tls);

/* What went wrong, in words for the owner; "" while nothing did. */
const char *tls_reason(const struct tls *tls);
/* "TLSv1.3" and the like. */
const char *tls_version(const struct tls *tls);

#endif
