/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of probes as a text file. Touches that file only; must never
 * take a file for a result that others than root could have written.
 */
#include "agent/lib/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define FIRST_LINE "gatehouse-probe 1"

/* The next line without its end, as text; false at the end or for a bad one. */
static bool next_line(
	const char **text, const char *end, char *line, size_t size)
{
	const char *stop = memchr(*text, '\n', (size_t)(end - *text));
	size_t length = stop ? (size_t)(stop - *text) : 0;

	if (!stop || length >= size || memchr(*text, 0, length))
		return false;
	memcpy(line, *text, length);
	line[length] = 0;
	*text = stop + 1;
	return true;
}

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

	if (!next_line(&text, end, line, sizeof(line)) ||
		strcmp(line, FIRST_LINE) != 0 ||
		!next_line(&text, end, line, sizeof(line)) ||
		!read_moment(line, &results))
		return -EBADMSG;
	while (text < end)
		if (!next_line(&text, end, line, sizeof(line)) ||
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

static int read_boot(char boot[static PROBE_BOOT])
{
	_cleanup_(cleanup_close) int fd = open(BOOT_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, boot, PROBE_BOOT - 1);

	if (n <= 0)
		return -EIO;
	boot[n] = 0;
	boot[strcspn(boot, "\n")] = 0;
	return 0;
}

static int read_text(int folder, char *text, size_t size, size_t *ret_length)
{
	_cleanup_(cleanup_close) int fd = openat(folder, PROBE_FILE,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;
	ssize_t n;

	if (fd < 0 || fstat(fd, &info) < 0)
		return -errno;
	if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
		(info.st_mode & 022))
		return -EPERM;
	n = read(fd, text, size);
	if (n < 0)
		return -errno;
	*ret_length = (size_t)n;
	return 0;
}

int probe_load(int folder, int64_t now_s, struct probe_results *ret_results)
{
	char text[PROBE_BYTES_MAX], boot[PROBE_BOOT];
	size_t length = 0;
	int r = read_boot(boot);

	memset(ret_results, 0, sizeof(*ret_results));
	if (r == 0)
		r = read_text(folder, text, sizeof(text), &length);
	if (r == 0)
		r = probe_parse(text, length, ret_results);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (strcmp(ret_results->boot, boot) != 0 ||
		now_s - ret_results->when > PROBE_GOOD_S)
		ret_results->n = 0;
	return 0;
}

/* Whoever reads a half-written file does not understand it, and waits. */
int probe_store(int folder, struct probe_results *results)
{
	_cleanup_(cleanup_free) char *text = NULL;
	_cleanup_(cleanup_close) int fd = -1;
	int r = read_boot(results->boot);
	size_t length;

	if (r < 0)
		return r;
	text = probe_format(results);
	length = strlen(text);
	if (unlinkat(folder, PROBE_FILE, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(folder, PROBE_FILE,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	return write(fd, text, length) == (ssize_t)length ? 0 : -EIO;
}

int probe_of(const struct probe_results *results, const char *zone)
{
	for (size_t i = 0; i < results->n; i++)
		if (!strcmp(results->zones[i].name, zone))
			return results->zones[i].held;
	return -ENOENT;
}
