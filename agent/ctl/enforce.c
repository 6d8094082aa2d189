/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enforce and observe: shows what would change, keeps the owner's own way
 * in, asks, writes the decision into a drop-in, has the whole configuration
 * checked, and tells the daemon. Any failure brings the old file back.
 */
#include <errno.h>
#include <string.h>

#include "agent/ctl/attempts.h"
#include "agent/ctl/client.h"
#include "agent/ctl/ctl.h"
#include "agent/ctl/decide.h"
#include "agent/ctl/login.h"
#include "agent/ctl/say.h"
#include "agent/ctl/text.h"

struct change {
	const struct ctl *ctl;
	const char *mode; /* "enforce" or "observe" */
	const char *type, *name; /* [type name] gets it */
	sd_bus *bus;
	struct view view;
	struct plan before, after;
	struct login login;
	bool keep_way; /* write admin = login.from */
};

static void change_clear(struct change *change)
{
	client_close(&change->bus);
	view_clear(&change->view);
	plan_clear(&change->before);
	plan_clear(&change->after);
}

/* Which section the user's word means. */
static int find_scope(struct change *change)
{
	const char *word = change->ctl->word;
	const struct view_device *device = NULL;
	const struct plan_section *zone;
	int r;

	change->type = "gateway";
	change->name = "";
	if (word == NULL)
		return 0;
	zone = plan_find(&change->before, "zone", word);
	if (zone && plan_find(&change->before, "device", word)) {
		say_errorf("Give the device by its MAC, or rename one.",
			"\"%s\" is both a zone and a device.", word);
		return -ENOTUNIQ;
	}
	if (zone) {
		change->type = "zone";
		change->name = zone->name;
		return 0;
	}
	r = view_find(&change->view, word, &device);
	if (r == -ENOTUNIQ) {
		say_errorf("More of the name is needed.",
			"Several devices begin with \"%s\".", word);
		return r;
	}
	if (r < 0) {
		say_errorf("Devices: gatehouse device list. Zones are the "
			   "[zone NAME] sections of the configuration.",
			"No zone and no device is called \"%s\".", word);
		return r;
	}
	change->type = "device";
	change->name = device->name;
	return decide_knows(&change->before, change->name);
}

static int read_all(struct change *change)
{
	int r;

	r = plan_load(change->ctl->config, &change->before);
	if (r == 0)
		r = plan_load(change->ctl->config, &change->after);
	if (r < 0) {
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"Cannot read %s: %s.", change->ctl->config,
			strerror(-r));
		return r;
	}
	r = client_open(&change->bus);
	if (r == 0)
		r = client_read(change->bus, &change->view);
	if (r == 0)
		r = find_scope(change);
	if (r == 0)
		plan_set_mode(&change->after, change->type, change->name,
			change->mode);
	return r;
}

static bool has_devices(const struct plan_section *zone)
{
	return zone && (!*zone->role || strcmp(zone->role, "devices") == 0 ||
			       strcmp(zone->role, "guest") == 0);
}

/* How the caller is logged in, and whether that way needs to be named. */
static void look_at_login(struct change *change)
{
	struct login *login = &change->login;
	const struct plan_section *zone;

	login_find(login);
	if (!login->remote)
		return;
	/* From among the devices one may dial any address of the gateway. */
	zone = plan_zone_of(&change->before, login->way);
	if (has_devices(zone))
		memcpy(login->interface, login->way, sizeof(login->way));
	else
		zone = plan_zone_of(&change->before, login->interface);
	if (zone && !has_devices(zone)) {
		say("You are logged in from %s through the zone %s (%s), "
		    "which is never cut.",
			login->from, zone->name, login->interface);
		return;
	}
	if (*login->interface && zone == NULL) {
		say("You are logged in from %s through %s, which is in no "
		    "zone and never touched.",
			login->from, login->interface);
		return;
	}
	change->keep_way = true;
	say("You are logged in from %s through the zone %s. \"admin = %s\" "
	    "is written too, so that this way stays open.",
		login->from, zone ? zone->name : "unknown to gatehouse",
		login->from);
}

static const char *scope_text(
	const struct change *change, char *text, size_t size)
{
	if (*change->name)
		snprintf(text, size, "the %s %s", change->type, change->name);
	else
		snprintf(text, size, "the whole gateway");
	return text;
}

/* 1 = go on, 0 = the owner does not want it, -errno. */
static int ask(struct change *change)
{
	char scope[300], question[340];
	int r;

	if (change->ctl->yes)
		return 1;
	snprintf(question, sizeof(question), "Enforce for %s?",
		scope_text(change, scope, sizeof(scope)));
	r = say_ask(question);
	if (r == -ENOTTY)
		say_error("There is no terminal to ask on.",
			"If the list above is as it should be: gatehouse "
			"enforce --yes");
	else if (r == 0)
		say("Nothing was changed.");
	return r;
}

/*
 * What stays on a bridge is counted, not listed: it ends for all devices,
 * and no allow line can keep it.
 */
static bool preview_bridged(const struct change *change)
{
	uint64_t packets = change->view.manager.bridged_denied;
	char number[TEXT_NUMBER];

	if (packets == 0 || strcmp(change->type, "device") == 0)
		return false;
	say("Between devices on one bridge: %s packets seen, broadcasts such "
	    "as ARP among them. Devices do not reach each other any more; "
	    "there is no line to allow it.",
		text_number(packets, number));
	return true;
}

static int preview(struct change *change)
{
	char scope[300];
	size_t n;
	int r;

	r = client_read_attempts(change->bus, &change->view, false);
	if (r < 0)
		return r;
	say("Enforcing for %s: by what was observed until now, this would "
	    "stop working:",
		scope_text(change, scope, sizeof(scope)));
	putchar('\n');
	n = attempts_print(&change->view, &change->before, &change->after,
		stdout, say_width());
	if (!preview_bridged(change) && n == 0)
		say("  nothing");
	putchar('\n');
	look_at_login(change);
	return ask(change);
}

static char *new_text(const struct change *change, const struct dropin *dropin)
{
	char *section, *text, *more;

	if (asprintf(&section, "%s%s%s", change->type, *change->name ? " " : "",
		    change->name) < 0)
		return NULL;
	text = dropin_set(dropin->old ? dropin->old : "", section, "mode",
		change->mode, false);
	free(section);
	if (text && change->keep_way) {
		more = dropin_set(
			text, "gateway", "admin", change->login.from, true);
		free(text);
		text = more;
	}
	return text;
}

static int put_in_force(struct change *change, const struct dropin *dropin)
{
	_cleanup_(cleanup_free) char *text = new_text(change, dropin);

	if (text == NULL)
		return -ENOMEM;
	return decide_put(change->ctl, change->bus, dropin, text);
}

/* What is wanted may be overridden by files that are read later. */
static void report(const struct change *change)
{
	const bool enforce = strcmp(change->mode, "enforce") == 0;
	struct plan plan = {0};
	char scope[300];

	say(enforce ? "ENFORCING for %s: what is not allowed is blocked."
		    : "OBSERVING for %s: nothing of it is blocked.",
		scope_text(change, scope, sizeof(scope)));
	if (plan_load(change->ctl->config, &plan) < 0)
		return;
	for (size_t i = 0; i < plan.n_sections; i++) {
		const struct plan_section *section = &plan.sections[i];
		bool asked = strcmp(section->type, change->type) == 0 &&
			     strcmp(section->name, change->name) == 0;

		if (*section->mode == '\0' ||
			strcmp(section->mode, change->mode) == 0)
			continue;
		if (asked || *change->name == '\0')
			say("[%s%s%s] says mode = %s%s.", section->type,
				*section->name ? " " : "", section->name,
				section->mode,
				asked ? " in a later file, which counts" : "");
	}
	plan_clear(&plan);
}

static int run(const struct ctl *ctl, const char *mode)
{
	_cleanup_(change_clear) struct change change = {
		.ctl = ctl, .mode = mode};
	_cleanup_(dropin_clear) struct dropin dropin = {0};
	int r;

	if (read_all(&change) < 0)
		return CTL_FAILED;
	if (change.view.manager.safe_mode) {
		say_error("The gateway is in safe mode: nothing is enforced, "
			  "whatever is decided now.",
			"What ended it there: gatehouse warnings");
		return CTL_FAILED;
	}
	if (strcmp(mode, "enforce") == 0) {
		r = preview(&change);
		if (r <= 0)
			return r < 0 ? CTL_FAILED : CTL_DONE;
	}
	if (decide_open(ctl, &dropin) < 0 || put_in_force(&change, &dropin) < 0)
		return CTL_FAILED;
	report(&change);
	ctl_say_trial(ctl);
	return CTL_DONE;
}

int ctl_enforce(const struct ctl *ctl)
{
	return run(ctl, "enforce");
}

int ctl_observe(const struct ctl *ctl)
{
	return run(ctl, "observe");
}
