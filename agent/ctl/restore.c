/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse restore: what a backup holds takes the place of what is there,
 * all of it or nothing, after the configuration was found right. Writes to
 * the configuration's and the daemon's places only, whatever a backup says.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/ctl/archive.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/forgotten_file.h"
#include "agent/ctl/say.h"
#include "agent/ctl/sealing.h"
#include "agent/ctl/swap.h"
#include "agent/ctl/when.h"

#define SEALED_MAX ((size_t)ARCHIVE_MAX + (1u << 20))

static int read_sealed(const char *path, char **ret_bytes, size_t *ret_size)
{
	_cleanup_(cleanup_fclose) FILE *in = fopen(path, "re");
	size_t size = 0, room = 1u << 16;
	char *bytes = in ? malloc(room) : NULL, *more;

	while (bytes && !feof(in) && !ferror(in) && size <= SEALED_MAX) {
		size += fread(bytes + size, 1, room - size, in);
		if (size < room)
			continue;
		room *= 2;
		more = realloc(bytes, room);
		if (!more)
			free(bytes);
		bytes = more;
	}
	if (!bytes || ferror(in) || size > SEALED_MAX) {
		say_errorf(NULL, "Cannot read %s: %s.", path,
			bytes && size > SEALED_MAX ? "it is too long"
						   : strerror(errno));
		free(bytes);
		return -EIO;
	}
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

static int open_backup(const struct ctl *ctl, struct archive *ret_archive)
{
	_cleanup_(sealing_forget) char *passphrase = NULL;
	_cleanup_(cleanup_free) char *sealed = NULL;
	char *plain = NULL;
	size_t sealed_size, size;
	int r = read_sealed(ctl->word, &sealed, &sealed_size);

	if (r == 0)
		r = sealing_ask(ctl->passphrase_file, false, &passphrase);
	if (r == 0)
		r = sealing_run(
			false, passphrase, sealed, sealed_size, &plain, &size);
	if (r < 0)
		return r;
	r = archive_read(plain, size, ret_archive);
	explicit_bzero(plain, size);
	free(plain);
	if (r == 0 && !archive_find(ret_archive, ARCHIVE_CONF, ""))
		r = -EBADMSG;
	if (r < 0)
		say_error(r == -EPROTONOSUPPORT
				  ? "This backup is of a later version of "
				    "gatehouse."
				  : "What is in this backup makes no sense. "
				    "Nothing of it is used.",
			NULL);
	return r;
}

/* A folder of the state belongs to its worker. */
static int add_state(struct swap *swap, const struct ctl *ctl,
	const struct archive *archive, enum archive_place place,
	const char *name)
{
	_cleanup_(cleanup_free) char *target = NULL;
	_cleanup_(cleanup_free) char *user = NULL;
	const struct passwd *known;
	struct stat info = {.st_uid = 0};
	size_t item = swap->n;
	int r;

	if (asprintf(&target, "%s/%s", ctl->state, name) < 0 ||
		asprintf(&user, "gatehouse-%s", name) < 0)
		return -ENOMEM;
	known = getpwnam(user);
	if (lstat(target, &info) < 0 && known) {
		info.st_uid = known->pw_uid;
		info.st_gid = known->pw_gid;
	}
	r = swap_add(swap, target, NULL, true, 0700, info.st_uid, info.st_gid);
	for (size_t i = 0; r == 0 && i < archive->n_files; i++)
		if (archive->files[i].place == place)
			r = swap_write(swap, item, archive->files[i].name,
				archive->files[i].bytes,
				archive->files[i].size);
	return r;
}

static int add_conf(struct swap *swap, const struct ctl *ctl,
	const struct archive *archive, const char *fresh)
{
	_cleanup_(cleanup_free) char *target_d = NULL;
	_cleanup_(cleanup_free) char *fresh_d = NULL;
	const struct archive_file *file = archive_find(
		archive, ARCHIVE_CONF, "");
	int r;

	if (asprintf(&target_d, "%s.d", ctl->config) < 0 ||
		asprintf(&fresh_d, "%s.d", fresh) < 0)
		return -ENOMEM;
	r = swap_add(swap, ctl->config, fresh, false, 0644, 0, 0);
	if (r == 0)
		r = swap_write(swap, 0, NULL, file->bytes, file->size);
	if (r == 0)
		r = swap_add(swap, target_d, fresh_d, true, 0755, 0, 0);
	for (size_t i = 0; r == 0 && i < archive->n_files; i++)
		if (archive->files[i].place == ARCHIVE_CONF_D)
			r = swap_write(swap, 1, archive->files[i].name,
				archive->files[i].bytes,
				archive->files[i].size);
	return r;
}

static bool holds(const struct archive *archive, enum archive_place place)
{
	for (size_t i = 0; i < archive->n_files; i++)
		if (archive->files[i].place == place)
			return true;
	return false;
}

/* Everything beside its place, not yet in it. */
static int prepare(struct swap *swap, const struct ctl *ctl,
	const struct archive *archive, const char *fresh)
{
	int r = add_conf(swap, ctl, archive, fresh);

	if (r == 0 && holds(archive, ARCHIVE_REGISTRY))
		r = add_state(swap, ctl, archive, ARCHIVE_REGISTRY, "registry");
	if (r == 0 && holds(archive, ARCHIVE_KEYS))
		r = add_state(swap, ctl, archive, ARCHIVE_KEYS, "keys");
	if (r < 0)
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"What is in the backup cannot be written: %s. Nothing "
			"was changed.",
			strerror(-r));
	return r;
}

static int put_back(const struct ctl *ctl, const struct archive *archive)
{
	_cleanup_(swap_clear) struct swap swap = {.n = 0};
	_cleanup_(cleanup_free) char *fresh = NULL;
	struct ctl trial = *ctl;
	int r;

	if (asprintf(&fresh, "%s.restoring", ctl->config) < 0)
		return -ENOMEM;
	r = prepare(&swap, ctl, archive, fresh);
	if (r < 0)
		return r;
	trial.config = fresh;
	r = ctl_check_files(&trial);
	if (r < 0) {
		say_error("The configuration of the backup would not be "
			  "taken. Nothing was changed.",
			NULL);
		return r;
	}
	r = swap_commit(&swap);
	if (r < 0)
		say_errorf(NULL,
			"It could not be put in place: %s. Nothing was "
			"changed.",
			strerror(-r));
	return r;
}

struct back {
	struct mac macs[16]; /* those that were told */
	size_t n;
};

static void tell_back(void *arg, const struct mac *mac, int64_t time)
{
	char text[MAC_TEXT], when[WHEN_TEXT];
	struct back *back = arg;

	for (size_t i = 0; i < back->n; i++)
		if (mac_equal(&back->macs[i], mac))
			return;
	if (back->n == ARRAY_SIZE(back->macs))
		return;
	back->macs[back->n++] = *mac;
	say_errorf(NULL,
		"%s was forgotten at %s; this backup is older and "
		"would bring it back.",
		mac_format(mac, text), when_utc(time, when));
}

/* Is somebody in it who was forgotten since? */
static int reconcile(const struct ctl *ctl, const struct archive *archive)
{
	static struct forgotten forgotten;
	struct back back = {.n = 0};
	int r = forgotten_load(ctl->state, &forgotten);

	if (r < 0 && r != -ENOENT) {
		say_errorf(NULL,
			"Cannot find out who was forgotten, from "
			"%s/%s: %s. Nothing was changed.",
			ctl->state, FORGOTTEN_FILE, strerror(-r));
		return r;
	}
	for (size_t i = 0; r == 0 && i < archive->n_files; i++)
		forgotten_search(&forgotten, archive->created,
			archive->files[i].bytes, archive->files[i].size,
			tell_back, &back);
	if (back.n == 0)
		return 0;
	say_error(ctl->yes ? "Forget them again after the start: gatehouse "
			     "forget"
			   : "Nothing was changed.",
		ctl->yes ? NULL
			 : "To restore all the same, and forget them again "
			   "afterwards: --yes");
	return ctl->yes ? 0 : -EPERM;
}

static int may_restore(const struct ctl *ctl)
{
	int r = ctl_daemon_runs(ctl->run);

	if (geteuid() != 0)
		say_error("You may not do this.", "Try sudo.");
	else if (r > 0)
		say_error("gatehouse is running; it would go on with what it "
			  "knows, and write over what is restored.",
			"Stop it first: sudo systemctl stop gatehouse. The "
			"rules stay in force meanwhile.");
	else if (r < 0 && r != -ENOENT)
		say_errorf(NULL, "Cannot find out whether gatehouse runs: %s.",
			strerror(-r));
	else
		return 0;
	return -EBUSY;
}

int ctl_restore(const struct ctl *ctl)
{
	_cleanup_(archive_clear) struct archive archive = {0};
	char when[WHEN_TEXT];

	if (may_restore(ctl) < 0 || open_backup(ctl, &archive) < 0 ||
		reconcile(ctl, &archive) < 0 || put_back(ctl, &archive) < 0)
		return CTL_FAILED;
	say("Restored: the configuration%s%s of %s, by gatehouse %s. What was "
	    "there before is beside it, under names that end in "
	    ".before-restore.",
		holds(&archive, ARCHIVE_REGISTRY) ? ", the decisions" : "",
		holds(&archive, ARCHIVE_KEYS) ? ", the keys" : "",
		when_utc(archive.created, when), archive.version);
	say("Start it: sudo systemctl start gatehouse");
	return CTL_DONE;
}
