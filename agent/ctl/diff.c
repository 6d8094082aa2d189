/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config diff: what the files would open and close if they were put in force
 * now. The daemon left what is in force in its run folder; gatehoused itself
 * reads the files. Changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/ctl.h"
#include "agent/ctl/differ.h"
#include "agent/ctl/plan.h"
#include "agent/ctl/program.h"
#include "agent/ctl/say.h"

enum diff_exit {
	DIFF_SAME = 0,
	DIFF_DIFFERENT = 1,
	DIFF_FAILED = 2,
};

static int read_in_force(const struct ctl *ctl, char **ret_text)
{
	char *path;
	int r;

	r = ctl_daemon_runs(ctl->run);
	if (r <= 0) {
		say_error("gatehouse is not running, so nothing is in force "
			  "to compare with.",
			"Is what is written right? gatehouse config check");
		return -ENOENT;
	}
	if (asprintf(&path, "%s/in-force.conf", ctl->run) < 0)
		abort();
	r = access(path, R_OK) < 0 ? -errno : plan_read_file(path, ret_text);
	if (r < 0)
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"Cannot read %s: %s.", path, strerror(-r));
	free(path);
	return r;
}

static int read_files(const struct ctl *ctl, char **ret_text)
{
	char *path = program_daemon();
	char *argv[] = {(char *)"gatehoused", (char *)"--print-config",
		(char *)"-f", (char *)ctl->config, NULL};
	int r = program_run(path, argv, ret_text);

	if (r < 0)
		say_errorf("Is gatehouse installed completely?",
			"Cannot run %s: %s.", path, strerror(-r));
	else if (r > 0)
		say_errorf(*ret_text, "The configuration has problems:");
	free(path);
	return r == 0 ? 0 : -EINVAL;
}

static void say_rows(const struct differ *differ, enum differ_effect effect,
	const char *heading)
{
	bool said = false;

	for (size_t i = 0; i < differ->n; i++) {
		const struct differ_row *row = &differ->rows[i];

		if (row->effect != effect)
			continue;
		if (!said)
			say("%s", heading);
		said = true;
		if (effect == DIFFER_EFFECT_CHANGES)
			say("  [%s] %s", row->section, row->text);
		else
			say("  %s", row->text);
	}
}

static json_t *json_of(const struct differ *differ)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < differ->n; i++)
		json_array_append_new(rows,
			json_pack("{s:s, s:s, s:s}", "effect",
				differ_effect_name(differ->rows[i].effect),
				"section", differ->rows[i].section, "text",
				differ->rows[i].text));
	return json_pack("{s:b, s:o}", "same", differ->n == 0, "changes", rows);
}

static int show(const struct ctl *ctl, const struct differ *differ)
{
	if (ctl->json)
		return say_json(json_of(differ)) < 0 ? DIFF_FAILED
		       : differ->n                   ? DIFF_DIFFERENT
						     : DIFF_SAME;
	if (differ->n == 0) {
		say("The files say what is in force.");
		return DIFF_SAME;
	}
	say("If the files were put in force (gatehouse config apply):");
	say_rows(differ, DIFFER_EFFECT_OPENS, "Opens");
	say_rows(differ, DIFFER_EFFECT_CLOSES, "Closes");
	say_rows(differ, DIFFER_EFFECT_CHANGES, "Changes");
	return DIFF_DIFFERENT;
}

int ctl_config_diff(const struct ctl *ctl)
{
	_cleanup_(cleanup_free) char *before = NULL, *after = NULL;
	_cleanup_(differ_clear) struct differ differ = {0};

	if (read_in_force(ctl, &before) < 0 || read_files(ctl, &after) < 0)
		return DIFF_FAILED;
	differ_compare(before, after, &differ);
	return show(ctl, &differ);
}
