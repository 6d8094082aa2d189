/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The owner's decisions about single devices: approve, quarantine, block,
 * rename, set-profile, forget, pause. They are the registry's to keep; this
 * says first what an approval opens. Changes no file.
 */
#include <errno.h>
#include <string.h>

#include "agent/ctl/client.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/differ.h"
#include "agent/ctl/plan.h"
#include "agent/ctl/say.h"
#include "agent/ctl/when.h"
#include "agent/lib/flat.h"
#include "agent/lib/profile.h"

struct deciding {
	const struct ctl *ctl;
	sd_bus *bus;
	struct view view;
	const struct view_device *device;
};

static void deciding_clear(struct deciding *d)
{
	client_close(&d->bus);
	view_clear(&d->view);
}

static int deciding_open(struct deciding *d, const char *word)
{
	int r = client_open(&d->bus);

	if (r >= 0)
		r = client_read(d->bus, &d->view);
	return r < 0 || !word ? r : client_find(&d->view, word, &d->device);
}

static int report(int r, char *text)
{
	if (r == 0)
		say("%s.", text);
	free(text);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

/* The lines of a profile as text; NULL: there is no such profile. */
static char *read_profile(const struct ctl *ctl, const char *name)
{
	_cleanup_(cleanup_free) char *path = NULL;
	_cleanup_(cleanup_free) char *files = NULL;
	const struct flat_section *own = NULL;
	struct flat flat = {0};
	char *text = NULL;
	size_t size;
	FILE *out;

	if (asprintf(&path, "%s/in-force.conf", ctl->run) < 0)
		abort();
	if (plan_read_file(path, &files) == 0) {
		flat_read(files, &flat);
		own = flat_find(&flat, "profile", name);
	}
	out = own || profile_shipped(name) ? open_memstream(&text, &size)
					   : NULL;
	for (size_t i = 0; out && own && i < own->n; i++)
		fprintf(out, "%s=%s\n", own->values[i].key,
			own->values[i].text);
	for (size_t i = 0; out && !own && profile_line(name, i); i++)
		fprintf(out, "allow=%s\n", profile_line(name, i));
	if (out)
		fclose(out);
	flat_clear(&flat);
	return text;
}

/* How many ways an approval opens, after saying them. */
static size_t say_opened(const char *name, const char *lines)
{
	_cleanup_(cleanup_free) char *before = NULL;
	_cleanup_(cleanup_free) char *after = NULL;
	struct differ differ = {0};
	size_t n;

	if (asprintf(&before, "[device %s]\n", name) < 0 ||
		asprintf(&after, "[device %s]\n%s", name, lines) < 0)
		abort();
	differ_compare(before, after, &differ);
	for (size_t i = 0; i < differ.n; i++)
		say("  - %s", differ.rows[i].text);
	n = differ.n;
	differ_clear(&differ);
	return n;
}

/* 1: go on; 0: no; -errno after saying so. */
static int preview(const struct deciding *d, const char *profile)
{
	const struct view_device *device = d->device;
	char when[WHEN_TEXT];
	char *lines;
	int r;

	lines = read_profile(d->ctl, profile);
	if (!lines) {
		say_errorf("There are internet, local-only and the [profile] "
			   "sections of the configuration.",
			"There is no profile %s.", profile);
		return -ENOENT;
	}
	say("Approving %s (%s) with the profile %s%s%s:", device->name,
		device->mac, profile, d->ctl->seconds ? " for " : "",
		d->ctl->seconds ? when_span(d->ctl->seconds, when) : "");
	if (say_opened(device->name, lines) == 0)
		say("  - %s reaches nobody by itself; you reach it",
			device->name);
	free(lines);
	if (d->ctl->yes)
		return 1;
	r = say_ask("Shall it be so?");
	if (r == -ENOTTY)
		say_error("Nobody is there to be asked.", "Say it with --yes.");
	if (r == 0)
		say("Nothing was changed.");
	return r;
}

int ctl_device_approve(const struct ctl *ctl)
{
	_cleanup_(deciding_clear) struct deciding d = {.ctl = ctl};
	const char *profile;
	char *text = NULL;
	int r;

	if (deciding_open(&d, ctl->word) < 0)
		return CTL_FAILED;
	profile = ctl->profile         ? ctl->profile
		  : *d.device->profile ? d.device->profile
				       : PROFILE_USUAL;
	r = preview(&d, profile);
	if (r <= 0)
		return r < 0 ? CTL_FAILED : CTL_DONE;
	r = client_decide(
		d.bus, d.device->id, "Approve", profile, &ctl->seconds, &text);
	return report(r, text);
}

/* Those that have no more than a word, or a time. */
static int decide(const struct ctl *ctl, const char *member, const char *word,
	const uint32_t *seconds)
{
	_cleanup_(deciding_clear) struct deciding d = {.ctl = ctl};
	char *text = NULL;

	if (deciding_open(&d, ctl->word) < 0)
		return CTL_FAILED;
	return report(client_decide(d.bus, d.device->id, member, word, seconds,
			      &text),
		text);
}

int ctl_device_quarantine(const struct ctl *ctl)
{
	return decide(ctl, "Quarantine", NULL, &ctl->seconds);
}

int ctl_device_block(const struct ctl *ctl)
{
	return decide(ctl, "Block", NULL, &ctl->seconds);
}

int ctl_device_rename(const struct ctl *ctl)
{
	return decide(ctl, "Rename", ctl->words[1], NULL);
}

int ctl_device_set_profile(const struct ctl *ctl)
{
	return decide(ctl, "SetProfile", ctl->words[1], NULL);
}

int ctl_device_forget(const struct ctl *ctl)
{
	return decide(ctl, "Forget", NULL, NULL);
}

static int pause_all(const struct ctl *ctl, uint32_t seconds)
{
	_cleanup_(deciding_clear) struct deciding d = {.ctl = ctl};
	char *text = NULL;

	if (deciding_open(&d, NULL) < 0)
		return CTL_FAILED;
	return report(
		client_decide(d.bus, 0, "PauseAll", NULL, &seconds, &text),
		text);
}

/* "pause DEVICE 30m", "pause --all 30m"; 0 ends it. */
int ctl_pause(const struct ctl *ctl)
{
	const char *span = ctl->words[ctl->all ? 0 : 1];
	uint32_t seconds = 0;

	if (!ctl->word || !span || (ctl->all && ctl->words[1])) {
		say_error("pause needs a device, or --all, and a time.",
			"Say it like: gatehouse pause lamp 30m");
		return CTL_USAGE;
	}
	if (strcmp(span, "0") != 0 && when_parse_span(span, &seconds) < 0) {
		say_error("A time is seconds, minutes or hours up to a day: "
			  "60, 5m, 1h; 0 ends a pause.",
			NULL);
		return CTL_USAGE;
	}
	return ctl->all ? pause_all(ctl, seconds)
			: decide(ctl, "Pause", NULL, &seconds);
}
