/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent wants of the proxy: upgrades, listening sockets, devices,
 * authorities. Filled item by item between BEGIN and COMMIT, then unchanged.
 */
#ifndef GATEHOUSE_WANTED_H
#define GATEHOUSE_WANTED_H

#include <stddef.h>
#include <stdint.h>

#include "modules/proxy/proxy_proto.h"
#include "modules/proxy/tls.h"

struct wanted_listener {
	int fd; /* owned */
	uint16_t upgrade;
};

struct wanted {
	struct proxy_upgrade upgrades[PROXY_UPGRADES_MAX];
	size_t n_upgrades;
	struct wanted_listener listeners[PROXY_UPGRADES_MAX];
	size_t n_listeners;
	struct proxy_device *devices; /* by id, after wanted_close() */
	size_t n_devices, room;
	struct tls_context *trust; /* NULL: nobody */
	unsigned authorities;
};

/* -ENOMEM. */
_must_check_ int wanted_new(struct wanted **ret_wanted);
/* Closes its sockets too. */
struct wanted *wanted_free(struct wanted *wanted);

/* One item; -EPROTO when it makes no sense, -ENOMEM. */
_must_check_ int wanted_add_upgrade(
	struct wanted *wanted, const struct proxy_upgrade *upgrade);
/* Takes fd in any case. */
_must_check_ int wanted_add_listener(
	struct wanted *wanted, const struct proxy_listener *listener, int fd);
_must_check_ int wanted_add_device(
	struct wanted *wanted, const struct proxy_device *device);
/* Reads size bytes of PEM from fd. -EIO, or as tls_context_new(). */
_must_check_ int wanted_add_authorities(
	struct wanted *wanted, uint64_t size, int fd);
/*
 * All items are here. -EPROTO: they do not fit together; -EADDRINUSE: an
 * upgrade has no socket; -ENOENT: there are upgrades and nobody to trust.
 */
_must_check_ int wanted_close(struct wanted *wanted);

/* The name of an upgrade that has no socket, NULL when all have one. */
const char *wanted_deaf(const struct wanted *wanted);

const struct proxy_device *wanted_device(
	const struct wanted *wanted, uint32_t id);
/* The same upgrade under whatever index; NULL when any of it has changed. */
const struct proxy_upgrade *wanted_same_upgrade(
	const struct wanted *wanted, const struct proxy_upgrade *upgrade);

#endif
