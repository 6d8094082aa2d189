/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose certificate is it? Reads the subjectAltName of a certificate (DER)
 * and compares it with the name that was asked for. The common name never
 * counts. Pure.
 */
#ifndef GATEHOUSE_CERTNAME_H
#define GATEHOUSE_CERTNAME_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/cleanup.h"

#define CERTNAME_MAX 253 /* bytes of a host name */
#define CERTNAME_LABEL_MAX 63

/*
 * 0 when the certificate is for name: a host name (then a dNSName must be
 * equal, or differ only in a "*" as its whole first label with at least two
 * labels behind it) or a literal address (then an iPAddress must be equal).
 * -ENOENT: it is for others; -EBADMSG: not to be read; -EINVAL: no such name
 * can exist.
 */
_must_check_ int certname_check(
	const void *der, size_t length, const char *name);

/*
 * The names it is for, separated by ", ", cut to size with "..."; "nobody"
 * when there is none. Bytes that no host name holds come out as '?'.
 */
void certname_describe(
	const void *der, size_t length, char *ret_text, size_t size);

/* True when subject and issuer are the same. */
bool certname_self_issued(const void *der, size_t length);

/* True for a host name that a certificate may be checked against. */
bool certname_is_host(const char *name);

#endif
