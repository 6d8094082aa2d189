/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads hostapd's configuration and a little of /sys. Reads only; must never
 * say that stations are kept apart unless a file that names the interface
 * says so, nor when the last of several says otherwise.
 */
#include "agent/lib/wifi.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A radio that forwards between stations by itself, whatever hostapd says. */
#define DRIVER_CANNOT "brcmfmac"

/* hostapd takes a line literally: no blanks around the =, # only in front. */
static bool read_key(const char *line, size_t length, const char *key,
	const char **ret_value)
{
	size_t n = strlen(key);

	if (length <= n || memcmp(line, key, n) != 0 || line[n] != '=')
		return false;
	*ret_value = line + n + 1;
	return true;
}

static void take_name(struct wifi_bss *bss, const char *value, const char *end)
{
	size_t n = (size_t)(end - value);

	memset(bss, 0, sizeof(*bss));
	if (n < sizeof(bss->interface) && !memchr(value, 0, n))
		memcpy(bss->interface, value, n);
}

static void read_line(const char *line, const char *end, unsigned number,
	struct wifi_bss *list, size_t *n, size_t max)
{
	size_t length = (size_t)(end - line);
	const char *value;

	if (read_key(line, length, "interface", &value) ||
		read_key(line, length, "bss", &value)) {
		if (*n == max)
			return;
		take_name(&list[*n], value, end);
		list[(*n)++].line = number;
	} else if (*n && read_key(line, length, "ap_isolate", &value)) {
		list[*n - 1].isolate_line = number;
		list[*n - 1].isolate = end - value == 1 && *value == '1';
	}
}

size_t wifi_parse(
	const char *text, size_t length, struct wifi_bss *ret_bss, size_t max)
{
	const char *end = text + length;
	unsigned number = 0;
	size_t n = 0;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		const char *last = stop ? stop : end;

		if (last > text && last[-1] == '\r')
			last--;
		read_line(text, last, ++number, ret_bss, &n, max);
		text = stop ? stop + 1 : end;
	}
	return n;
}

static bool exists(const char *root, const char *interface, const char *what)
{
	char path[WIFI_PATH + 64];

	snprintf(path, sizeof(path), "%s/sys/class/net/%s/%s", root, interface,
		what);
	return access(path, F_OK) == 0;
}

static bool cannot(const char *root, const char *interface)
{
	char path[WIFI_PATH + 64], target[256];
	const char *name;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/sys/class/net/%s/device/driver", root,
		interface);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = 0;
	name = strrchr(target, '/');
	return !strcmp(name ? name + 1 : target, DRIVER_CANNOT);
}

static char *read_file(int folder, const char *name, size_t *ret_length)
{
	_cleanup_(cleanup_close) int fd = openat(
		folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	char *text;
	ssize_t n;

	if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) ||
		info.st_size > WIFI_FILE_MAX)
		return NULL;
	text = malloc((size_t)info.st_size + 1);
	n = text ? read(fd, text, (size_t)info.st_size) : -1;
	if (n < 0) {
		free(text);
		return NULL;
	}
	*ret_length = (size_t)n;
	return text;
}

static void judge_file(int folder, const char *path, const char *name,
	const char *interface, struct wifi *wifi)
{
	_cleanup_(cleanup_free) char *text = NULL;
	struct wifi_bss bss[WIFI_BSS_MAX];
	size_t length = 0, n;

	text = read_file(folder, name, &length);
	n = text ? wifi_parse(text, length, bss, WIFI_BSS_MAX) : 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(bss[i].interface, interface) != 0 ||
			wifi->verdict == WIFI_OPEN)
			continue;
		wifi->verdict = bss[i].isolate ? WIFI_APART : WIFI_OPEN;
		wifi->line = bss[i].isolate_line ? bss[i].isolate_line
						 : bss[i].line;
		snprintf(wifi->file, sizeof(wifi->file), "%s/%s", path, name);
	}
}

static void judge_folder(const char *root, const char *path,
	const char *pattern, const char *interface, struct wifi *wifi)
{
	char whole[WIFI_PATH];
	struct dirent *entry;
	unsigned n = 0;
	DIR *folder;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	folder = opendir(whole);
	if (!folder)
		return;
	while (n < WIFI_FILES_MAX && (entry = readdir(folder)) != NULL)
		if (fnmatch(pattern, entry->d_name, 0) == 0 && ++n)
			judge_file(dirfd(folder), path, entry->d_name,
				interface, wifi);
	closedir(folder);
}

void wifi_look(const char *root, const char *interface, struct wifi *ret_wifi)
{
	memset(ret_wifi, 0, sizeof(*ret_wifi));
	if (!exists(root, interface, "phy80211") &&
		!exists(root, interface, "wireless"))
		return;
	if (cannot(root, interface)) {
		ret_wifi->verdict = WIFI_CANNOT;
		return;
	}
	ret_wifi->verdict = WIFI_UNKNOWN;
	judge_folder(root, "/etc/hostapd", "*.conf", interface, ret_wifi);
	judge_folder(root, "/var/run", "hostapd-*.conf", interface, ret_wifi);
}
