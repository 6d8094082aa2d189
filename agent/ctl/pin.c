/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin and unpin: an address becomes a device's own, or is no longer. Writes
 * "address =" of its [device] section into the drop-in, nothing else; what
 * stands in files of the owner's stays and is named.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/client.h"
#include "agent/ctl/decide.h"
#include "agent/ctl/plan.h"
#include "agent/ctl/say.h"
#include "agent/lib/net.h"

struct pinning {
	const struct ctl *ctl;
	sd_bus *bus;
	struct view view;
	struct plan plan;
	const char *name; /* of the device */
	struct ip ip;
	char address[IP_TEXT]; /* as it is written */
};

static void pinning_clear(struct pinning *p)
{
	client_close(&p->bus);
	view_clear(&p->view);
	plan_clear(&p->plan);
}

/* One way to write each address, so that it is found again. */
static int read_address(struct pinning *p, const char *word)
{
	if (ip_parse(word, &p->ip) < 0) {
		say_errorf("Write it like 192.168.1.20 or fd00::20.",
			"\"%s\" is no address.", word);
		return -EINVAL;
	}
	ip_format(&p->ip, p->address);
	return 0;
}

static int find_device(struct pinning *p, const char *word)
{
	const struct view_device *device = NULL;
	int r = client_find(&p->view, word, &device);

	if (r < 0)
		return r;
	p->name = device->name;
	return decide_knows(&p->plan, p->name);
}

static int read_all(struct pinning *p)
{
	int r = read_address(p, p->ctl->words[1]);

	if (r < 0)
		return r;
	r = plan_load(p->ctl->config, &p->plan);
	if (r < 0) {
		say_errorf(r == -EACCES ? "Try sudo." : NULL,
			"Cannot read %s: %s.", p->ctl->config, strerror(-r));
		return r;
	}
	r = client_open(&p->bus);
	if (r == 0)
		r = client_read(p->bus, &p->view);
	return r < 0 ? r : find_device(p, p->ctl->words[0]);
}

static char *new_text(
	const struct pinning *p, const struct dropin *dropin, bool pin)
{
	const char *old = dropin->old ? dropin->old : "";
	char *section, *text;

	if (asprintf(&section, "device %s", p->name) < 0)
		return NULL;
	text = pin ? dropin_set(old, section, "address", p->address, true)
		   : dropin_remove(old, section, "address", p->address);
	free(section);
	return text;
}

static void report(const struct pinning *p, bool pin)
{
	const char *family = p->ip.family == AF_INET ? "IPv4" : "IPv6";

	if (pin)
		say("%s belongs to %s for good: nobody else may use it, and "
		    "of %s addresses %s uses only those that are pinned to "
		    "it.",
			p->address, p->name, family, p->name);
	else
		say("%s is no longer pinned to %s. It stays its own until it "
		    "was not used for a day.",
			p->address, p->name);
}

static int put(struct pinning *p, bool pin)
{
	_cleanup_(dropin_clear) struct dropin dropin = {0};
	_cleanup_(cleanup_free) char *text = NULL;
	int r = decide_open(p->ctl, &dropin);

	if (r < 0)
		return r;
	text = new_text(p, &dropin, pin);
	if (text == NULL)
		return -ENOMEM;
	if (!pin && strcmp(text, dropin.old ? dropin.old : "") == 0) {
		say_errorf("If it is pinned in another file of the "
			   "configuration, take it out there.",
			"%s was not pinned to %s by this command.", p->address,
			p->name);
		return -ENOENT;
	}
	return decide_put(p->ctl, p->bus, &dropin, text);
}

static int run(const struct ctl *ctl, bool pin)
{
	_cleanup_(pinning_clear) struct pinning p = {.ctl = ctl};

	if (read_all(&p) < 0 || put(&p, pin) < 0)
		return CTL_FAILED;
	report(&p, pin);
	ctl_say_trial(ctl);
	return CTL_DONE;
}

int ctl_pin(const struct ctl *ctl)
{
	return run(ctl, true);
}

int ctl_unpin(const struct ctl *ctl)
{
	return run(ctl, false);
}
