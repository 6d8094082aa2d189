/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of probes as a text file. Touches that file only; must never
 * take a file for a result that others than root could have written.
 */
#include "agent/lib/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "gatehouse-probe 1"

static bool read_moment(char *line, struct probe_results *results)
{
	char *when = strchr(line, ' '), *end;

	if (!when || when == line || (size_t)(when - line) >= PROBE_BOOT)
		return false;
	*when++ = 0;
	memcpy(results->boot, line, strlen(line) + 1);
	errno = 0;
	results->when = strtoll(when, &end, 10);
	return *when >= '0' && *when <= '9' && !*end && !errno;
}

static bool read_zone(char *line, struct probe_results *results)
{
	char *verdict = strrchr(line, ' ');
	size_t n = results->n;

	if (strncmp(line, "zone ", 5) != 0 || !verdict || verdict <= line + 5 ||
		n == PROBE_ZONES_MAX)
		return false;
	*verdict++ = 0;
	if (strlen(line + 5) >= sizeof(results->zones[n].name))
		return false;
	results->zones[n].held = !strcmp(verdict, "held");
	if (!results->zones[n].held && strcmp(verdict, "leaked") != 0)
		return false;
	memcpy(results->zones[n].name, line + 5, strlen(line + 5) + 1);
	results->n++;
	return true;
}

int probe_parse(
	const char *text, size_t length, struct probe_results *ret_results)
{
	struct probe_results results = {0};
	const char *end = text + length;
	char line[128];

	if (!file_next_line(&text, end, line, sizeof(line)) ||
		strcmp(line, FIRST_LINE) != 0 ||
		!file_next_line(&text, end, line, sizeof(line)) ||
		!read_moment(line, &results))
		return -EBADMSG;
	while (text < end)
		if (!file_next_line(&text, end, line, sizeof(line)) ||
			!read_zone(line, &results))
			return -EBADMSG;
	*ret_results = results;
	return 0;
}

char *probe_format(const struct probe_results *results)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fprintf(out, FIRST_LINE "\n%s %lld\n", results->boot,
		(long long)results->when);
	for (size_t i = 0; i < results->n; i++)
		fprintf(out, "zone %s %s\n", results->zones[i].name,
			results->zones[i].held ? "held" : "leaked");
	if (fclose(out) != 0)
		abort();
	return text;
}

int probe_load(int folder, int64_t now_s, struct probe_results *ret_results)
{
	_cleanup_(cleanup_free) char *text = NULL;
	char boot[PROBE_BOOT];
	size_t length = 0;
	int r = file_read_boot(boot);

	memset(ret_results, 0, sizeof(*ret_results));
	if (r == 0)
		r = file_read(
			folder, PROBE_FILE, PROBE_BYTES_MAX, &text, &length);
	if (r == 0)
		r = probe_parse(text, length, ret_results);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (strcmp(ret_results->boot, boot) != 0 ||
		now_s - ret_results->when > PROBE_GOOD_S)
		ret_results->n = 0;
	return 0;
}

int probe_store(int folder, struct probe_results *results)
{
	_cleanup_(cleanup_free) char *text = NULL;
	int r = file_read_boot(results->boot);

	if (r < 0)
		return r;
	text = probe_format(results);
	return file_replace(folder, PROBE_FILE, text, strlen(text), 0600);
}

int probe_of(const struct probe_results *results, const char *zone)
{
	for (size_t i = 0; i < results->n; i++)
		if (!strcmp(results->zones[i].name, zone))
			return results->zones[i].held;
	return -ENOENT;
}
