/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a trial is on the disk: the configuration before it and the marker
 * that says that it counts. May touch these two files only; must never change
 * or remove a file of the owner.
 */
#include "agent/confirm_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/confirm.h"
#include "agent/lib/file.h"

#define MARKER_MAX 4096

/* Once this is on the disk, an end of the daemon is an end of the trial. */
static int write_marker(const struct agent *agent, int folder)
{
	const struct confirm *confirm = &agent->confirm;
	char text[MARKER_MAX];
	int n = snprintf(text, sizeof(text), "until=%" PRId64 "\nfiles=%s\n",
		confirm->until, confirm->files);

	return file_replace(folder, CONFIRM_MARKER, text, (size_t)n, 0600);
}

/* A marker counts whatever it says: it only helps to explain. */
static void read_marker(struct confirm *confirm, const char *text)
{
	const char *files = strstr(text, "files=");

	if (!files)
		return;
	files += strlen("files=");
	snprintf(confirm->files, sizeof(confirm->files), "%.*s",
		(int)strcspn(files, "\n"), files);
}

int confirm_forget(const struct agent *agent)
{
	_cleanup_(cleanup_close) int folder = file_open_folder(
		agent->options.state);
	int r = folder < 0 ? folder : file_remove(folder, CONFIRM_MARKER);

	/* Without the marker nobody reads it, so it may as well stay. */
	if (r == 0 && file_remove(folder, CONFIRM_BEFORE) < 0)
		log_warning("%s cannot be removed", agent->confirmed);
	return r;
}

static int keep_before(const struct agent *agent, int folder)
{
	_cleanup_(cleanup_free) char *text = NULL;
	size_t size;
	int r = conf_write(agent->files, &text, &size);

	if (r == 0 && size > CONF_FILE_MAX)
		r = -EFBIG;
	return r < 0 ? r
		     : file_replace(folder, CONFIRM_BEFORE, text, size, 0600);
}

/* The copy, then the marker that says that it counts. */
int confirm_prepare(const struct agent *agent)
{
	_cleanup_(cleanup_close) int folder = file_open_folder(
		agent->options.state);
	int r = folder < 0 ? folder : 0;

	if (r == 0 && agent->confirm.before.state == CONFIRM_STATE_NONE)
		r = keep_before(agent, folder);
	return r < 0 ? r : write_marker(agent, folder);
}

void confirm_rewrite_marker(const struct agent *agent)
{
	_cleanup_(cleanup_close) int folder = file_open_folder(
		agent->options.state);

	if (folder < 0 || write_marker(agent, folder) < 0)
		log_warning("the marker in %s could not be written again; it "
			    "counts all the same",
			agent->options.state);
}

static char *path_of(const struct agent *agent, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", agent->options.state, name) < 0)
		return NULL;
	return path;
}

/* Somebody put the old text back: there is nothing left to return to. */
static bool files_say_same(const struct agent *agent)
{
	_cleanup_(cleanup_free) char *a = NULL, *b = NULL;
	struct conf *files = NULL;
	size_t n = 0, m = 0;
	bool same;

	same = config_load(agent->options.config, &files) == 0 &&
	       conf_write(files, &a, &n) == 0 &&
	       conf_write(agent->files, &b, &m) == 0 && n == m &&
	       memcmp(a, b, n) == 0;
	conf_free(files);
	return same;
}

static int load_before(struct agent *agent)
{
	int r = config_load(agent->confirmed, &agent->files);

	if (r == 0)
		return 0;
	if (agent->files)
		config_print(agent->files, agent->confirmed, false);
	log_error("gatehoused ended while a configuration was on trial, and "
		  "the one before, %s, cannot be read: %s. To start with "
		  "the files as they are, remove %s/" CONFIRM_MARKER,
		agent->confirmed, strerror(-r), agent->options.state);
	return -EUCLEAN;
}

int confirm_load(struct agent *agent)
{
	_cleanup_(cleanup_close) int folder = file_open_folder(
		agent->options.state);
	_cleanup_(cleanup_free) char *text = NULL;
	size_t size = 0;
	int r;

	agent->confirmed = path_of(agent, CONFIRM_BEFORE);
	if (!agent->confirmed)
		return -ENOMEM;
	r = folder < 0 ? -ENOENT
		       : file_read(folder, CONFIRM_MARKER, MARKER_MAX, &text,
				 &size);
	if (r == -ENOENT)
		return config_load(agent->options.config, &agent->files);
	if (text)
		read_marker(&agent->confirm, text);
	r = load_before(agent);
	if (r < 0)
		return r;
	if (files_say_same(agent))
		return confirm_forget(agent);
	agent->confirm.state = CONFIRM_STATE_RETURNED;
	return 0;
}
