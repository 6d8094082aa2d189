/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the report. Values are clean text (match/evidence.h), so that only
 * quotes and backslashes are left to be escaped; must never write anything of
 * a device that is not in quotes.
 */
#include "modules/discovery/discover/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "modules/discovery/match/evidence.h"

static void put_text(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void put_pair(FILE *out, const char *name, const char *text)
{
	fprintf(out, "\"%s\": ", name);
	put_text(out, text);
}

static void put_item(FILE *out, const struct book_item *item)
{
	fputs("{", out);
	put_pair(out, "kind", evidence_name(item->kind));
	fputs(", ", out);
	put_pair(out, "value", item->value);
	fprintf(out,
		", \"worth\": %u, \"hint\": %s, \"times\": %" PRIu64
		", \"first\": %" PRId64 ", \"last\": %" PRId64 "}",
		evidence_worth(item->kind),
		evidence_is_hint(item->kind) ? "true" : "false", item->times,
		item->first, item->last);
}

static void put_candidate(FILE *out, const struct match_candidate *candidate,
	const struct match_item *items)
{
	const struct conf_section *product = candidate->product;

	fputs("{", out);
	put_pair(out, "product", product->name);
	fputs(", ", out);
	put_pair(out, "name", conf_text(product, "name", product->name));
	fputs(", ", out);
	put_pair(out, "vendor", conf_text(product, "vendor", ""));
	fprintf(out, ", \"confidence\": %u, \"hint\": %s, \"because\": [",
		candidate->confidence, candidate->hint ? "true" : "false");
	for (size_t i = 0; i < candidate->n_because; i++) {
		const struct match_item *item = &items[candidate->because[i]];

		fputs(i ? ", {" : "{", out);
		put_pair(out, "kind", evidence_name(item->kind));
		fputs(", ", out);
		put_pair(out, "value", item->value);
		fputs("}", out);
	}
	fputs("]}", out);
}

static void put_match(
	FILE *out, const struct match *match, const struct match_item *items)
{
	fprintf(out, "\"question\": %s, ",
		match->n_best > 1 ? "true" : "false");
	if (match->contradiction) {
		put_pair(out, "contradiction",
			evidence_name(match->contradiction));
		fputs(", ", out);
	}
	fputs("\"match\": [", out);
	for (size_t i = 0; i < match->n_best; i++) {
		fputs(i ? ", " : "", out);
		put_candidate(out, &match->candidates[i], items);
	}
	fputs("], \"against\": [", out);
	for (size_t i = match->n_best; i < match->n; i++) {
		fputs(i > match->n_best ? ", " : "", out);
		put_candidate(out, &match->candidates[i], items);
	}
	fprintf(out, "], \"more\": %zu", match->more);
}

static int put_device(const struct report *report,
	const struct book_device *device, FILE *out)
{
	_cleanup_(cleanup_free) struct match_item *items = calloc(
		device->n_items + 1, sizeof(*items));
	struct match match;
	char mac[MAC_TEXT];
	size_t n = 0;

	if (!items)
		return -ENOMEM;
	fputs("{", out);
	put_pair(out, "mac", mac_format(&device->mac, mac));
	fprintf(out,
		", \"randomised\": %s, \"left_out\": %" PRIu64
		", \"evidence\": [",
		evidence_mac_is_random(&device->mac) ? "true" : "false",
		device->left_out);
	for (const struct book_item *i = device->items; i; i = i->next) {
		items[n++] = (struct match_item){i->kind, i->value};
		fputs(n > 1 ? ",\n  " : "\n  ", out);
		put_item(out, i);
	}
	fputs("],\n ", out);
	match_find(report->products, items, n, &match);
	put_match(out, &match, items);
	fputs("}", out);
	return 0;
}

int report_write(const struct report *report, FILE *out)
{
	const struct book *book = report->book;
	int r = 0;

	fprintf(out,
		"{\"frames\": %" PRIu64 ", \"unread\": %" PRIu64
		", \"left_out\": %" PRIu64 ", \"vendors\": %s,\n",
		report->frames, report->unread, book->left_out,
		report->vendors ? "true" : "false");
	if (report->cut) {
		put_pair(out, "cut", report->cut);
		fputs(",\n", out);
	}
	fputs("\"devices\": [", out);
	for (size_t i = 0; i < book->n && r == 0; i++) {
		fputs(i ? ",\n" : "\n", out);
		r = put_device(report, book->devices[i], out);
	}
	fputs("]}\n", out);
	return r;
}
