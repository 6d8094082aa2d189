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

#define PORT_DNS 53

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
	const char *address = *attempt->address ? attempt->address : "any";
	char service[24];

	text[0] = '\0';
	if (to_everybody(attempt->address))
		return text;
	say_service(attempt, service, sizeof(service));
	/* Port 53 leads to the name servers, whatever is allowed. */
	if (attempt->port == PORT_DNS && strchr(service, '/'))
		snprintf(text, ATTEMPTS_LINE, "[gateway] name-server = %.45s",
			address);
	else
		snprintf(text, ATTEMPTS_LINE, "allow = %s %.45s", service,
			address);
	return text;
}

/* Which attempts are asked for: those that stop, or those of one device. */
struct pick {
	const struct plan *before, *after;
	const char *mac; /* NULL: by the plans */
};

/* A stranger's attempts come without a number, but it may be on record. */
static const struct view_device *device_of(
	const struct view *view, const struct view_attempt *attempt)
{
	const struct view_device *device = view_device(view, attempt->device);

	for (size_t i = 0; !device && i < view->n_devices; i++)
		if (strcmp(view->devices[i].mac, attempt->mac) == 0)
			device = &view->devices[i];
	return device;
}

static bool is_picked(const struct view *view, const struct pick *pick,
	const struct view_attempt *attempt)
{
	const struct view_device *device = device_of(view, attempt);
	const char *zone = device ? device->zone : "";
	const char *name = device ? device->name : "";

	if (pick->mac)
		return strcmp(attempt->mac, pick->mac) == 0;
	return attempt->observed &&
	       strcmp(plan_mode(pick->before, zone, name), "enforce") != 0 &&
	       strcmp(plan_mode(pick->after, zone, name), "enforce") == 0;
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

static size_t collect(
	const struct view *view, const struct pick *pick, struct row *rows)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < view->n_attempts; i++) {
		const struct view_attempt *attempt = &view->attempts[i];
		char service[24];

		if (!is_picked(view, pick, attempt))
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
	const struct view_device *device = device_of(view, row->attempt);
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

/* The rows of the first one's device; how many. */
static size_t print_rows(const struct row *rows, size_t n, const char *heading,
	FILE *out, size_t width)
{
	const struct table_column columns[] = {
		{.heading = heading},
		{.heading = "PACKETS", .right = true},
		{.heading = "TO ALLOW IT"},
	};
	struct table table = {
		.columns = columns, .n_columns = ARRAY_SIZE(columns)};
	size_t count = 0;

	while (count < n &&
		strcmp(rows[count].attempt->mac, rows[0].attempt->mac) == 0) {
		const struct row *row = &rows[count++];
		char packets[TEXT_NUMBER], what[ATTEMPTS_LINE + 2];
		const char *cells[] = {what, packets,
			*row->allow ? row->allow : "an announcement to all"};

		text_number(row->packets, packets);
		snprintf(what, sizeof(what), "  %s", row->what);
		table_add(&table, cells);
	}
	table_print(&table, out, width);
	table_clear(&table);
	return count;
}

static struct row *room_for(const struct view *view)
{
	struct row *rows = calloc(view->n_attempts + 1, sizeof(*rows));

	if (rows == NULL)
		abort();
	return rows;
}

size_t attempts_print(const struct view *view, const struct plan *before,
	const struct plan *after, FILE *out, size_t width)
{
	const struct pick pick = {.before = before, .after = after};
	struct row *rows = room_for(view);
	size_t n = collect(view, &pick, rows), done = 0;

	while (done < n) {
		if (done > 0)
			putc('\n', out);
		print_owner(view, &rows[done], out, width);
		done += print_rows(
			rows + done, n - done, "  WOULD STOP", out, width);
	}
	free(rows);
	return n;
}

size_t attempts_print_of(
	const struct view *view, const char *mac, FILE *out, size_t width)
{
	const struct pick pick = {.mac = mac};
	struct row *rows = room_for(view);
	size_t n = collect(view, &pick, rows);

	if (n > 0)
		print_rows(rows, n, "  TRIED", out, width);
	free(rows);
	return n;
}
