/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorts and words the attempts of devices. Judges by the plan of modes, not
 * by the rules: what the rules deny was counted by isolation.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/attempts.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"

/* One line of the list: attempts with the same allow put together. */
struct row {
	const struct view_attempt *attempt;
	uint64_t packets;
	char what[ATTEMPTS_LINE], allow[ATTEMPTS_LINE];
};

static bool to_everybody(const char *address)
{
	unsigned char b[16];

	if (inet_pton(AF_INET, address, b) == 1)
		return b[0] >= 224; /* multicast, broadcast */
	return inet_pton(AF_INET6, address, b) == 1 && b[0] == 0xff;
}

/* "tcp/443", "icmp" */
static void say_service(
	const struct view_attempt *attempt, char *text, size_t size)
{
	const char *protocol = attempt->protocol;

	if (strcmp(protocol, "tcp") == 0 || strcmp(protocol, "udp") == 0)
		snprintf(text, size, "%s/%u", protocol, attempt->port);
	else if (strncmp(protocol, "icmp", 4) == 0)
		snprintf(text, size, "icmp");
	else
		snprintf(text, size, "any");
}

const char *attempts_allow(
	const struct view_attempt *attempt, char text[static ATTEMPTS_LINE])
{
	char service[24];

	text[0] = '\0';
	if (to_everybody(attempt->address))
		return text;
	say_service(attempt, service, sizeof(service));
	snprintf(text, ATTEMPTS_LINE, "%s %.60s", service,
		*attempt->address ? attempt->address : "any");
	return text;
}

static bool stops(const struct view *view, const struct plan *before,
	const struct plan *after, const struct view_attempt *attempt)
{
	const struct view_device *device = view_device(view, attempt->device);
	const char *zone = device ? device->zone : "";
	const char *name = device ? device->name : "";

	return attempt->observed &&
	       strcmp(plan_mode(before, zone, name), "enforce") != 0 &&
	       strcmp(plan_mode(after, zone, name), "enforce") == 0;
}

static int by_device(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->attempt->mac, y->attempt->mac);

	if (order)
		return order;
	order = strcmp(x->what, y->what);
	return order ? order : strcmp(x->allow, y->allow);
}

static int by_count(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = strcmp(x->attempt->mac, y->attempt->mac);

	if (order)
		return order;
	return x->packets < y->packets ? 1 : x->packets > y->packets ? -1 : 0;
}

static size_t collect(const struct view *view, const struct plan *before,
	const struct plan *after, struct row *rows)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < view->n_attempts; i++) {
		const struct view_attempt *attempt = &view->attempts[i];
		char service[24];

		if (!stops(view, before, after, attempt))
			continue;
		rows[n].attempt = attempt;
		rows[n].packets = attempt->packets;
		say_service(attempt, service, sizeof(service));
		snprintf(rows[n].what, sizeof(rows[n].what), "%s to %.60s",
			strcmp(service, "any") == 0 ? attempt->protocol
						    : service,
			*attempt->address ? attempt->address : "anywhere");
		attempts_allow(attempt, rows[n++].allow);
	}
	if (n > 0)
		qsort(rows, n, sizeof(*rows), by_device);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && by_device(&rows[kept - 1], &rows[i]) == 0)
			rows[kept - 1].packets += rows[i].packets;
		else
			rows[kept++] = rows[i];
	}
	if (kept > 0)
		qsort(rows, kept, sizeof(*rows), by_count);
	return kept;
}

/* The device's name in a headline, and what it is. */
static void print_owner(
	const struct view *view, const struct row *row, FILE *out, size_t width)
{
	const struct view_device *device = view_device(
		view, row->attempt->device);
	bool stranger = !device || strcmp(device->decision, "quarantine") == 0;
	char *line, *clean;

	if (asprintf(&line,
		    stranger ? "%s: a stranger, will be in quarantine. To let "
			       "it in: [device NAME] mac = %s"
			     : "%s (%s)",
		    device ? device->name : row->attempt->mac,
		    row->attempt->mac) < 0)
		abort();
	clean = text_clean(line);
	text_wrap(out, clean, 0, 2, width);
	free(clean);
	free(line);
}

static size_t print_device(const struct view *view, const struct row *rows,
	size_t n, FILE *out, size_t width)
{
	static const struct table_column columns[] = {
		{.heading = "  WOULD STOP"},
		{.heading = "PACKETS", .right = true},
		{.heading = "TO KEEP IT"},
	};
	struct table table = {
		.columns = columns, .n_columns = ARRAY_SIZE(columns)};
	size_t count = 0;

	print_owner(view, &rows[0], out, width);
	while (count < n &&
		strcmp(rows[count].attempt->mac, rows[0].attempt->mac) == 0) {
		const struct row *row = &rows[count++];
		char packets[TEXT_NUMBER], what[ATTEMPTS_LINE + 2];
		char keep[ATTEMPTS_LINE + 8];
		const char *cells[] = {what, packets, keep};

		text_number(row->packets, packets);
		snprintf(what, sizeof(what), "  %s", row->what);
		snprintf(keep, sizeof(keep), "%s%s",
			*row->allow ? "allow = " : "an announcement to all",
			row->allow);
		table_add(&table, cells);
	}
	table_print(&table, out, width);
	table_clear(&table);
	return count;
}

size_t attempts_print(const struct view *view, const struct plan *before,
	const struct plan *after, FILE *out, size_t width)
{
	struct row *rows = calloc(view->n_attempts + 1, sizeof(*rows));
	size_t n, done = 0;

	if (rows == NULL)
		abort();
	n = collect(view, before, after, rows);
	while (done < n) {
		if (done > 0)
			putc('\n', out);
		done += print_device(view, rows + done, n - done, out, width);
	}
	free(rows);
	return n;
}
