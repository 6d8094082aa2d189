/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse forget: has a device's traces erased, then looks for what is left
 * of it in every file that gatehouse wrote, and says both. Removes of files
 * only what is an old copy of another. What the owner wrote is named, never
 * edited.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/ctl/client.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/decide.h"
#include "agent/ctl/forgotten_file.h"
#include "agent/ctl/plan.h"
#include "agent/ctl/say.h"
#include "agent/ctl/traces.h"

#define FILE_MOST (64u << 20) /* of a larger one the rest is not looked at */
#define DEPTH 16

struct forgetting {
	const struct ctl *ctl;
	sd_bus *bus;
	struct view view;
	const struct view_device *device;
	struct traces traces;
	json_t *erased, *left, *owners; /* sentences */
};

/* nftw() has no argument of its own. */
static struct forgetting *looking;

static void clear(struct forgetting *f)
{
	client_close(&f->bus);
	view_clear(&f->view);
	json_decref(f->erased);
	json_decref(f->left);
	json_decref(f->owners);
}

static _printf_(2, 3) void note(json_t *list, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) >= 0) {
		json_array_append_new(list, json_string(text));
		free(text);
	}
	va_end(args);
}

/* The addresses that it has at this moment, by the kernel's table. */
static void add_addresses(struct traces *traces)
{
	_cleanup_(cleanup_fclose) FILE *table = fopen("/proc/net/arp", "re");
	char line[256], address[64], mac[64];

	while (table && fgets(line, sizeof(line), table))
		if (sscanf(line, "%63s %*s %*s %63s", address, mac) == 2 &&
			strcasecmp(mac, traces->forms[0]) == 0)
			traces_add(traces, address);
}

static int find(struct forgetting *f)
{
	struct mac mac;
	int r = client_open(&f->bus);

	if (r == 0)
		r = client_read(f->bus, &f->view);
	if (r == 0)
		r = client_find(&f->view, f->ctl->word, &f->device);
	if (r == 0 && mac_parse(f->device->mac, &mac) < 0)
		r = -EINVAL;
	if (r < 0)
		return r;
	traces_begin(&f->traces, &mac);
	traces_add(&f->traces, f->device->name);
	add_addresses(&f->traces);
	return 0;
}

static int ask(const struct forgetting *f)
{
	char *question;
	int r;

	if (f->ctl->yes)
		return 0;
	if (asprintf(&question,
		    "All that gatehouse knows of %s (%s) is erased: what was "
		    "decided, seen, tried and pinned. Go on?",
		    f->device->name, f->device->mac) < 0)
		return -ENOMEM;
	r = say_ask(question);
	free(question);
	if (r == -ENOTTY)
		say_error("Nobody can be asked here.", "Use --yes.");
	return r == 1 ? 0 : -ECANCELED;
}

/* What pin, enforce and observe wrote about it. */
static int forget_decided(struct forgetting *f)
{
	_cleanup_(dropin_clear) struct dropin dropin = {0};
	_cleanup_(cleanup_free) char *section = NULL;
	_cleanup_(cleanup_free) char *text = NULL;
	int r = decide_open(f->ctl, &dropin);

	if (r < 0)
		return r;
	if (asprintf(&section, "device %s", f->device->name) < 0)
		return -ENOMEM;
	text = dropin_drop(dropin.old ? dropin.old : "", section);
	if (text == NULL)
		return -ENOMEM;
	if (strcmp(text, dropin.old ? dropin.old : "") == 0)
		return 0;
	r = decide_put(f->ctl, f->bus, &dropin, text);
	if (r == 0)
		note(f->erased, "its mode and pins in %s", dropin.path);
	return r;
}

static int forget_registry(struct forgetting *f)
{
	_cleanup_(cleanup_free) char *report = NULL;
	int r = client_forget(f->bus, f->device->id, &report);

	if (r == 0)
		note(f->erased, "%s", report);
	else if (r == -ENOENT)
		r = 0;
	return r;
}

/* So that a backup of before does not bring it back unnoticed. */
static int remember_forgotten(struct forgetting *f)
{
	int r = forgotten_note(f->ctl->state, &f->traces.mac, time(NULL));

	if (r < 0)
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"That it was forgotten cannot be written to %s/%s: %s.",
			f->ctl->state, FORGOTTEN_FILE, strerror(-r));
	return r;
}

static bool has_traces(const struct traces *traces, const char *path)
{
	_cleanup_(cleanup_close) int fd = open(
		path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;
	size_t size = 0, room;
	bool found;
	char *bytes;
	ssize_t n;

	if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode))
		return false;
	room = (size_t)info.st_size < FILE_MOST ? (size_t)info.st_size
						: FILE_MOST;
	bytes = malloc(room + 1);
	while (bytes && size < room &&
		(n = read(fd, bytes + size, room - size)) > 0)
		size += (size_t)n;
	found = bytes && traces_in(traces, bytes, size);
	free(bytes);
	return found;
}

/*
 * What nobody reads as long as all is well: databases that were damaged or
 * restored over, and the rules that were saved before the last.
 */
static bool is_copy(const char *path)
{
	const char *name = strrchr(path, '/');

	return strstr(path, "/registry.before-restore/") ||
	       (name && strcmp(name, "/isolation.wanted.before") == 0) ||
	       (strstr(path, "/registry/") && name &&
		       strncmp(name, "/registry.db.", 13) == 0);
}

static int look_at(
	const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	struct forgetting *f = looking;

	(void)info;
	(void)ftw;
	if (type != FTW_F || !has_traces(&f->traces, path))
		return 0;
	if (is_copy(path) && unlink(path) == 0)
		note(f->erased, "%s, an old copy", path);
	else
		note(f->left, "%s still has something of it", path);
	return 0;
}

/* Lines of the owner's own that name it. */
static void look_at_lines(struct forgetting *f, const char *path)
{
	_cleanup_(cleanup_free) char *text = NULL;
	unsigned number = 1;

	if (plan_read_file(path, &text) < 0)
		return;
	for (const char *at = text; *at; number++) {
		size_t length = strcspn(at, "\n");

		if (traces_in(&f->traces, at, length))
			note(f->owners, "%s:%u: %.*s", path, number,
				(int)length, at);
		at += length + (at[length] == '\n');
	}
}

static void look_at_conf(struct forgetting *f)
{
	char *folder, *path;
	DIR *entries;
	const struct dirent *entry;

	look_at_lines(f, f->ctl->config);
	if (asprintf(&folder, "%s.d", f->ctl->config) < 0)
		return;
	entries = opendir(folder);
	while (entries && (entry = readdir(entries)) != NULL) {
		if (entry->d_name[0] == '.' ||
			asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
			continue;
		look_at_lines(f, path);
		free(path);
	}
	if (entries)
		closedir(entries);
	free(folder);
}

static void look(struct forgetting *f)
{
	looking = f;
	if (nftw(f->ctl->state, look_at, DEPTH, FTW_PHYS | FTW_MOUNT) < 0)
		note(f->left, "%s could not be looked through: %s",
			f->ctl->state, strerror(errno));
	if (nftw(f->ctl->run, look_at, DEPTH, FTW_PHYS | FTW_MOUNT) < 0)
		note(f->left, "%s could not be looked through: %s", f->ctl->run,
			strerror(errno));
	looking = NULL;
	look_at_conf(f);
}

static void note_others(struct forgetting *f)
{
	note(f->left, "lines of the journal that name it, until they are "
		      "rotated: journalctl --vacuum-time=1s");
	note(f->left, "the leases of your DHCP server, the kernel's tables of "
		      "neighbours and connections, until they expire");
	note(f->left, "the kernel's sets of who used which address, for a day "
		      "after it was last used");
	note(f->left, "backups that you made; gatehouse restore says so if one "
		      "would bring it back");
	note(f->left, "what its maker's cloud and other machines keep");
}

static void say_list(const char *title, const json_t *list)
{
	const json_t *line;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	say("%s", title);
	json_array_foreach(list, i, line) say("  %s", json_string_value(line));
}

static int receipt(struct forgetting *f)
{
	bool files = json_array_size(f->owners) > 0;

	if (f->ctl->json)
		return say_json(json_pack("{s:s, s:s, s:O, s:O, s:O}", "name",
			f->device->name, "mac", f->device->mac, "erased",
			f->erased, "left", f->left, "yours", f->owners));
	say_list("Erased:", f->erased);
	if (json_array_size(f->erased) == 0)
		say("There was nothing to erase.");
	say_list("Your own lines, which only you change; while they are there, "
		 "gatehouse goes on knowing it:",
		f->owners);
	say_list("Not erased:", f->left);
	if (!files)
		say("If it is still there, or was in the last 15 minutes, it "
		    "is "
		    "met again as a new device.");
	return 0;
}

int ctl_forget(const struct ctl *ctl)
{
	_cleanup_(clear) struct forgetting f = {.ctl = ctl,
		.erased = json_array(),
		.left = json_array(),
		.owners = json_array()};

	if (find(&f) < 0 || ask(&f) < 0 || forget_decided(&f) < 0 ||
		forget_registry(&f) < 0 || remember_forgotten(&f) < 0)
		return CTL_FAILED;
	look(&f);
	note_others(&f);
	return receipt(&f) < 0 ? CTL_FAILED : CTL_DONE;
}
