/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evidence and denied attempts of known devices. What devices say is kept as
 * bytes and never looked into here; each device has its own share, and
 * strangers together a share that leaves room for the others.
 */
#include "modules/registry/evidence.h"

#include <errno.h>
#include <string.h>

#include "modules/registry/devices.h"

static bool is_same(struct store *store, int64_t device,
	const struct registry_evidence *e, int64_t now)
{
	return store_number(store, 0,
		       "SELECT 1 FROM evidence WHERE device = ? AND source = ? "
		       "AND key = ? AND value = ? AND confidence = ? AND "
		       "time > ?",
		       "iitbii", device, (int64_t)e->source, e->key, e->value,
		       (int)strnlen(e->value, sizeof(e->value)),
		       (int64_t)e->confidence, now - EVIDENCE_AGAIN_S) == 1;
}

static int trim_evidence(struct store *store, int64_t device)
{
	if (store_number(store, 0,
		    "SELECT count(*) FROM evidence WHERE device = ?", "i",
		    device) <= REGISTRY_EVIDENCE_EACH)
		return 0;
	return store_do(store,
		"DELETE FROM evidence WHERE device = ?1 AND (source, key) = "
		"(SELECT source, key FROM evidence WHERE device = ?1 "
		"ORDER BY time LIMIT 1)",
		"i", device);
}

int evidence_add(struct store *store, const struct registry_evidence *evidence,
	int64_t now)
{
	struct devices_row row;
	int r = devices_find(store, &evidence->mac, &row);

	if (r < 0 || is_same(store, row.id, evidence, now))
		return r;
	if (row.kept < DEVICES_KEPT_DECIDED &&
		store_tally(store, &store->evidence,
			"SELECT count(*) FROM evidence") >=
			REGISTRY_EVIDENCE_MAX)
		return -ENOSPC;
	r = store_do(store,
		"INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT "
		"DO UPDATE SET value = excluded.value, "
		"confidence = excluded.confidence, time = excluded.time",
		"iitbii", row.id, (int64_t)evidence->source, evidence->key,
		evidence->value,
		(int)strnlen(evidence->value, sizeof(evidence->value)),
		(int64_t)evidence->confidence, now);
	return r < 0 ? r : trim_evidence(store, row.id);
}

static int trim_denied(struct store *store, int64_t device)
{
	if (store_number(store, 0,
		    "SELECT count(*) FROM denied WHERE device = ?", "i",
		    device) <= REGISTRY_DENIED_EACH)
		return 0;
	return store_do(store,
		"DELETE FROM denied WHERE device = ?1 AND "
		"(protocol, port, address) = (SELECT protocol, port, address "
		"FROM denied WHERE device = ?1 ORDER BY last LIMIT 1)",
		"i", device);
}

int evidence_denied(
	struct store *store, const struct registry_denied *denied, int64_t now)
{
	struct devices_row row;
	int r = devices_find(store, &denied->mac, &row);

	if (r < 0)
		return r;
	if (row.kept < DEVICES_KEPT_DECIDED &&
		store_tally(store, &store->denied,
			"SELECT count(*) FROM denied") >= REGISTRY_DENIED_MAX)
		return -ENOSPC;
	r = store_do(store,
		"INSERT INTO denied VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON "
		"CONFLICT DO UPDATE SET count = count + excluded.count, "
		"last = excluded.last",
		"iiibii", row.id, (int64_t)denied->protocol,
		(int64_t)denied->port, denied->to.b,
		denied->to.family ? ip_bits(&denied->to) / 8 : 0,
		(int64_t)denied->count, now);
	return r < 0 ? r : trim_denied(store, row.id);
}
