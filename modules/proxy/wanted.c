/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collects a configuration and judges whether it is whole. Comes from the
 * agent, so an item that makes no sense breaks the link; reads the one file
 * it was handed, opens none.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "modules/proxy/wanted.h"

int wanted_new(struct wanted **ret_wanted)
{
	struct wanted *wanted = calloc(1, sizeof(*wanted));

	if (!wanted)
		return -ENOMEM;
	*ret_wanted = wanted;
	return 0;
}

struct wanted *wanted_free(struct wanted *wanted)
{
	if (!wanted)
		return NULL;
	for (size_t i = 0; i < wanted->n_listeners; i++)
		close(wanted->listeners[i].fd);
	tls_context_free(wanted->trust);
	free(wanted->devices);
	free(wanted);
	return NULL;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

int wanted_add_upgrade(
	struct wanted *wanted, const struct proxy_upgrade *upgrade)
{
	if (wanted->n_upgrades == PROXY_UPGRADES_MAX ||
		upgrade->index != wanted->n_upgrades || upgrade->port == 0 ||
		upgrade->upstream_port == 0 ||
		upgrade->protocol < PROXY_PROTOCOL_TCP ||
		upgrade->protocol > PROXY_PROTOCOL_HTTP ||
		!is_text(upgrade->name, sizeof(upgrade->name)) ||
		!is_text(
			upgrade->upstream_name, sizeof(upgrade->upstream_name)))
		return -EPROTO;
	wanted->upgrades[wanted->n_upgrades++] = *upgrade;
	return 0;
}

int wanted_add_listener(
	struct wanted *wanted, const struct proxy_listener *listener, int fd)
{
	struct wanted_listener item = {.fd = fd, .upgrade = listener->upgrade};

	if (wanted->n_listeners == PROXY_UPGRADES_MAX) {
		close(fd);
		return -EPROTO;
	}
	wanted->listeners[wanted->n_listeners++] = item;
	return 0;
}

static int make_room(struct wanted *wanted)
{
	size_t room = wanted->room ? wanted->room * 2 : 64;
	struct proxy_device *devices;

	if (wanted->n_devices < wanted->room)
		return 0;
	devices = reallocarray(wanted->devices, room, sizeof(*devices));
	if (!devices)
		return -ENOMEM;
	wanted->devices = devices;
	wanted->room = room;
	return 0;
}

int wanted_add_device(struct wanted *wanted, const struct proxy_device *device)
{
	int r;

	if (wanted->n_devices == PROXY_DEVICES_MAX || device->id == 0 ||
		!is_text(device->name, sizeof(device->name)))
		return -EPROTO;
	r = make_room(wanted);
	if (r == 0)
		wanted->devices[wanted->n_devices++] = *device;
	return r;
}

/* The whole file, which may have become shorter meanwhile. */
static int read_all(int fd, char *bytes, size_t size, size_t *ret_length)
{
	size_t length = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -EIO;
	while (length < size) {
		ssize_t n = read(fd, bytes + length, size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -EIO;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	*ret_length = length;
	return 0;
}

int wanted_add_authorities(struct wanted *wanted, uint64_t size, int fd)
{
	_cleanup_(cleanup_free) char *pem = NULL;
	size_t length;
	int r;

	if (wanted->trust || size == 0 || size > TLS_AUTHORITIES_MAX)
		return -EPROTO;
	pem = malloc(size);
	if (!pem)
		return -ENOMEM;
	r = read_all(fd, pem, size, &length);
	if (r < 0)
		return r;
	return tls_context_new(
		pem, length, &wanted->trust, &wanted->authorities);
}

static int compare_devices(const void *a, const void *b)
{
	const struct proxy_device *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* The first upgrade that has no socket; n_upgrades when all have one. */
static size_t find_deaf(const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->n_upgrades; i++) {
		size_t j = 0;

		while (j < wanted->n_listeners &&
			wanted->listeners[j].upgrade != i)
			j++;
		if (j == wanted->n_listeners)
			return i;
	}
	return wanted->n_upgrades;
}

const char *wanted_deaf(const struct wanted *wanted)
{
	size_t i = find_deaf(wanted);

	return i < wanted->n_upgrades ? wanted->upgrades[i].name : NULL;
}

static int sort_devices(struct wanted *wanted)
{
	if (wanted->n_devices > 0)
		qsort(wanted->devices, wanted->n_devices,
			sizeof(*wanted->devices), compare_devices);
	for (size_t i = 1; i < wanted->n_devices; i++)
		if (wanted->devices[i - 1].id == wanted->devices[i].id)
			return -EPROTO;
	return 0;
}

int wanted_close(struct wanted *wanted)
{
	int r = sort_devices(wanted);

	for (size_t i = 0; i < wanted->n_listeners && r == 0; i++)
		if (wanted->listeners[i].upgrade >= wanted->n_upgrades)
			r = -EPROTO;
	if (r < 0)
		return r;
	if (wanted_deaf(wanted))
		return -EADDRINUSE;
	return wanted->n_upgrades > 0 && !wanted->trust ? -ENOENT : 0;
}

const struct proxy_device *wanted_device(
	const struct wanted *wanted, uint32_t id)
{
	struct proxy_device key = {.id = id};

	if (wanted->n_devices == 0)
		return NULL;
	return bsearch(&key, wanted->devices, wanted->n_devices, sizeof(key),
		compare_devices);
}

static bool is_same(
	const struct proxy_upgrade *a, const struct proxy_upgrade *b)
{
	return a->port == b->port && a->upstream_port == b->upstream_port &&
	       a->protocol == b->protocol && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->upstream_name, b->upstream_name) == 0;
}

const struct proxy_upgrade *wanted_same_upgrade(
	const struct wanted *wanted, const struct proxy_upgrade *upgrade)
{
	for (size_t i = 0; i < wanted->n_upgrades; i++)
		if (is_same(&wanted->upgrades[i], upgrade))
			return &wanted->upgrades[i];
	return NULL;
}
