/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What devices learned, each port of each address with its end: the shadow of
 * two sets in the kernel, from which they are filled again. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_LEARNED_H
#define GATEHOUSE_ISOLATION_LEARNED_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/list.h"
#include "modules/isolation/isolation_proto.h"

struct learned_entry {
	struct list link, pending; /* pending: the kernel does not know yet */
	struct mac mac;
	struct ip ip;
	uint8_t protocol;
	uint16_t port;
	bool fresh; /* the kernel never had it, or it has ended there */
	int64_t until_ms; /* 0: to be taken out */
};

struct learned {
	void *tree, *devices; /* entries; how many each device has */
	struct list all, pending;
	size_t n;
};

void learned_init(struct learned *learned);
void learned_free(struct learned *learned);
/*
 * -EINVAL for what no agent sends; -ENOSPC past the limits, then nothing of
 * it was taken.
 */
_must_check_ int learned_add(struct learned *learned, const struct mac *mac,
	const struct isolation_learned *what, int64_t now_ms);
/* Marks what matches; family 0: all of the device. How many. */
size_t learned_forget(struct learned *learned, const struct mac *mac,
	const struct isolation_learned *what);
/* May the device go there now? */
bool learned_allows(const struct learned *learned, const struct mac *mac,
	const struct ip *ip, uint8_t protocol, uint16_t port, int64_t now_ms);
/* The kernel knows all: what is forgotten or has ended is dropped. */
void learned_settle(struct learned *learned, int64_t now_ms);
/* Drops what belongs to nobody whom keep() knows. */
void learned_sweep(struct learned *learned,
	bool (*keep)(const struct mac *mac, void *arg), void *arg);
/* One by one, in no order; NULL: the first, and the end. */
const struct learned_entry *learned_next(
	const struct learned *learned, const struct learned_entry *after);
/* "learned4" or "learned6" */
const char *learned_set(uint16_t family);

#endif
