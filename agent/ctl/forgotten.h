/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who was forgotten, and when: keyed hashes of MAC addresses, so that a backup
 * of before does not bring them back unnoticed. Pure. Whoever has the file can
 * test an address against it, and read none from it at a glance.
 */
#ifndef GATEHOUSE_CTL_FORGOTTEN_H
#define GATEHOUSE_CTL_FORGOTTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/lib/net.h"

#define FORGOTTEN_FILE "forgotten" /* in the state folder */
#define FORGOTTEN_MAX 1024 /* the oldest go */
#define FORGOTTEN_BYTES_MAX (64u << 10)

struct forgotten {
	uint8_t key[16];
	struct {
		uint64_t hash;
		int64_t time; /* seconds since 1970 */
	} list[FORGOTTEN_MAX];
	size_t n;
};

/* SipHash-2-4. */
uint64_t forgotten_hash(
	const uint8_t key[static 16], const uint8_t *bytes, size_t size);
/* An empty text is an empty list, with the key that it has. -EBADMSG. */
_must_check_ int forgotten_read(const char *text, struct forgotten *forgotten);
/* -ENOMEM; the caller's to free. */
_must_check_ int forgotten_write(
	const struct forgotten *forgotten, char **ret_text, size_t *ret_size);
void forgotten_add(
	struct forgotten *forgotten, const struct mac *mac, int64_t now);
/*
 * Calls found for each place in the bytes, raw or as text, with a device that
 * was forgotten at that time or later.
 */
void forgotten_search(const struct forgotten *forgotten, int64_t since,
	const void *bytes, size_t size,
	void (*found)(void *arg, const struct mac *mac, int64_t time),
	void *arg);

#endif
