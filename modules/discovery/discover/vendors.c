/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who made the cards of a book. Reads files that were opened before; must
 * never keep more of them than the names that are asked for.
 */
#include "modules/discovery/discover/vendors.h"

#include <errno.h>
#include <string.h>

#include "modules/discovery/match/evidence.h"
#include "modules/discovery/match/oui.h"

static const char *const names[VENDORS_FILES] = {
	"oui.csv", "mam.csv", "oui36.csv"};

static void open_in(struct vendors *vendors, const char *folder)
{
	for (size_t i = 0; i < VENDORS_FILES; i++) {
		_cleanup_(cleanup_free) char *path = NULL;
		FILE *file;

		if (asprintf(&path, "%s/%s", folder, names[i]) < 0) {
			path = NULL;
			continue;
		}
		file = fopen(path, "re");
		if (file)
			vendors->files[vendors->n++] = file;
	}
}

void vendors_open(struct vendors *vendors, const char *const *folders, size_t n)
{
	for (size_t i = 0; i < n && !vendors->n; i++)
		open_in(vendors, folders[i]);
}

static void read_file(FILE *file, struct oui_wanted *wanted, size_t n)
{
	struct oui_reader reader = {.wanted = wanted, .n = n};
	char bytes[16384];
	size_t size;

	while ((size = fread(bytes, 1, sizeof(bytes), file)) > 0)
		oui_feed(&reader, bytes, size);
	oui_finish(&reader);
	fclose(file);
}

static int add_one(
	struct book *book, const struct oui_wanted *wanted, int64_t now)
{
	bool random = evidence_mac_is_random(&wanted->mac);
	char text[DISCOVERY_VALUE];
	int r = book_add(book, &wanted->mac, DISCOVERY_EVIDENCE_MAC_ADDRESS,
		mac_format(&wanted->mac, text), now);

	if (r == 0 && random)
		r = book_add(book, &wanted->mac, DISCOVERY_EVIDENCE_MAC_RANDOM,
			"yes", now);
	if (r == 0 && wanted->bits &&
		evidence_take(DISCOVERY_EVIDENCE_MAC_VENDOR,
			(struct bytes){(const uint8_t *)wanted->name,
				strlen(wanted->name)},
			text))
		r = book_add(book, &wanted->mac, DISCOVERY_EVIDENCE_MAC_VENDOR,
			text, now);
	return r;
}

int vendors_add(struct vendors *vendors, struct book *book, int64_t now)
{
	_cleanup_(cleanup_free) struct oui_wanted *wanted = calloc(
		book->n + 1, sizeof(*wanted));
	int r = 0;

	if (!wanted)
		return -ENOMEM;
	for (size_t i = 0; i < book->n; i++)
		wanted[i].mac = book->devices[i]->mac;
	oui_sort(wanted, book->n);
	for (size_t i = 0; i < vendors->n; i++)
		read_file(vendors->files[i], wanted, book->n);
	vendors->n = 0;
	for (size_t i = 0, n = book->n; i < n && r == 0; i++)
		r = add_one(book, &wanted[i], now);
	return r;
}
