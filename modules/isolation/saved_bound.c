/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose addresses are, as a file and back. Touches memory and the one file
 * only; must never believe a record that no worker would have told, nor give
 * an address to somebody for longer than its time.
 */
#include "modules/isolation/saved_bound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"

enum record {
	RECORD_TIME = 1,
	RECORD_ROW = 2,
};

struct file_time {
	int64_t wall_s;
};

static bool all_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

/* One host's, and not this machine talking to itself. */
static bool is_hosts(const struct ip *ip)
{
	if (ip->family == AF_INET)
		return ip->b[0] && ip->b[0] != 127 && ip->b[0] < 224 &&
		       all_zero(ip->b + 4, 12);
	return ip->family == AF_INET6 && ip->b[0] != 0xff &&
	       !all_zero(ip->b, 15);
}

bool saved_bound_sane(const struct isolation_bound *bound)
{
	return is_hosts(&bound->ip) && !all_zero(bound->mac.b, 6) &&
	       !(bound->mac.b[0] & 1) && bound->rest_s &&
	       bound->rest_s <= ISOLATION_BOUND_S && bound->leased <= 1 &&
	       bound->bridge <= 1 && !bound->pinned;
}

int saved_bound_make(const struct isolation_bound *rows, size_t n,
	int64_t wall_s, struct saved *ret_saved)
{
	struct file_time time = {.wall_s = wall_s};
	struct saved saved = {0};
	int r = n > ISOLATION_BOUND_MAX
			? -ENOSPC
			: saved_add(&saved, RECORD_TIME, &time, sizeof(time));

	for (size_t i = 0; i < n && r == 0; i++) {
		/* Numbers of devices are of one configuration only. */
		struct isolation_bound row = {.ip = rows[i].ip,
			.mac = rows[i].mac,
			.rest_s = rows[i].rest_s,
			.leased = rows[i].leased,
			.bridge = rows[i].bridge};

		r = saved_add(&saved, RECORD_ROW, &row, sizeof(row));
	}
	if (r == 0)
		r = saved_seal(&saved);
	if (r < 0) {
		saved_free(&saved);
		return r;
	}
	*ret_saved = saved;
	return 0;
}

static uint32_t passed(int64_t then_s, int64_t now_s)
{
	if (then_s < SAVED_BOUND_CLOCK_MIN || now_s <= then_s)
		return 0;
	return now_s - then_s < ISOLATION_BOUND_S ? (uint32_t)(now_s - then_s)
						  : ISOLATION_BOUND_S;
}

static int read_time(
	const struct saved_record *record, const uint8_t *item, int64_t *ret_s)
{
	struct file_time time;

	if (record->type != RECORD_TIME || record->size != sizeof(time))
		return -EBADMSG;
	memcpy(&time, item, sizeof(time));
	*ret_s = time.wall_s;
	return 0;
}

static int read_row(const struct saved_record *record, const uint8_t *item,
	struct isolation_bound *ret_row)
{
	static const uint8_t zero[sizeof(ret_row->zero)];

	if (record->type != RECORD_ROW || record->size != sizeof(*ret_row))
		return -EBADMSG;
	memcpy(ret_row, item, sizeof(*ret_row));
	if (!saved_bound_sane(ret_row) || ret_row->device || ret_row->news ||
		ret_row->all || memcmp(ret_row->zero, zero, sizeof(zero)) != 0)
		return -EBADMSG;
	return 0;
}

/* Of a file that saved_check() calls good. */
static int read_rows(const void *bytes, size_t size, int64_t wall_s,
	struct isolation_bound *rows, size_t *ret_n)
{
	struct saved_record record;
	const uint8_t *item;
	size_t offset = 0, n = 0;
	int64_t then_s = 0;
	uint32_t gone;
	int r = saved_next(bytes, size, &offset, &record, &item);

	if (r <= 0)
		return -EBADMSG;
	r = read_time(&record, item, &then_s);
	if (r < 0)
		return r;
	gone = passed(then_s, wall_s);
	while ((r = saved_next(bytes, size, &offset, &record, &item)) > 0) {
		r = read_row(&record, item, &rows[n]);
		if (r < 0)
			return r;
		if (rows[n].rest_s > gone)
			rows[n++].rest_s -= gone;
	}
	*ret_n = n;
	return r;
}

int saved_bound_read(const void *bytes, size_t size, int64_t wall_s,
	struct isolation_bound **ret_rows, size_t *ret_n)
{
	_cleanup_(cleanup_free) struct isolation_bound *rows = NULL;
	struct saved_header header;
	int r = saved_check(bytes, size);

	if (r < 0)
		return r;
	memcpy(&header, bytes, sizeof(header));
	if (header.count > ISOLATION_BOUND_MAX + 1)
		return -EBADMSG;
	rows = calloc((size_t)header.count + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	r = read_rows(bytes, size, wall_s, rows, ret_n);
	if (r < 0)
		return r;
	*ret_rows = rows;
	rows = NULL;
	return 0;
}

int saved_bound_load(int folder, int64_t wall_s,
	struct isolation_bound **ret_rows, size_t *ret_n)
{
	_cleanup_(cleanup_free) uint8_t *bytes = NULL;
	size_t size = 0;
	int r = saved_load(folder, SAVED_BOUND_FILE, &bytes, &size);

	return r < 0 ? r
		     : saved_bound_read(bytes, size, wall_s, ret_rows, ret_n);
}

int saved_bound_store(int folder, int64_t wall_s,
	const struct isolation_bound *rows, size_t n)
{
	struct saved saved;
	int r = saved_bound_make(rows, n, wall_s, &saved);

	if (r < 0)
		return r;
	r = file_replace(
		folder, SAVED_BOUND_FILE, saved.bytes, saved.length, 0600);
	saved_free(&saved);
	return r;
}
