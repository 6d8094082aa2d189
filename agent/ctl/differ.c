/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares two configurations section by section. Whether one is correct is
 * gatehoused's to say; this only says what the difference means, and for a
 * key that it does not know, just what it was and will be. Must never leave
 * a difference out.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/differ.h"
#include "agent/lib/flat.h"

struct comparison {
	struct flat before, after;
	struct differ *out;
	/* The section under comparison: before, after; one may be NULL. */
	const struct flat_section *old, *now;
};

static void add(struct comparison *c, enum differ_effect effect,
	const char *format, ...) _printf_(3, 4);
static void add(struct comparison *c, enum differ_effect effect,
	const char *format, ...)
{
	const struct flat_section *s = c->now ? c->now : c->old;
	struct differ_row *rows = reallocarray(
		c->out->rows, c->out->n + 1, sizeof(*rows));
	struct differ_row row = {.effect = effect};
	va_list args;

	if (rows == NULL)
		abort();
	c->out->rows = rows;
	va_start(args, format);
	if (vasprintf(&row.text, format, args) < 0 ||
		asprintf(&row.section, "%s%s%s", s->type, *s->name ? " " : "",
			s->name) < 0)
		abort();
	va_end(args);
	rows[c->out->n++] = row;
}

/* "tcp/443 anywhere outside", "udp/53 at 192.0.2.1", "anything at ..." */
static const char *reach(const char *line, char *text, size_t size)
{
	const char *target = strpbrk(line, " \t,");
	int length = target ? (int)(target - line) : (int)strlen(line);
	const char *what = strncmp(line, "any", (size_t)length) == 0
				   ? "anything"
				   : NULL;

	target = target ? target + strspn(target, " \t,") : "";
	if (strcmp(target, "any") == 0)
		snprintf(text, size, "%.*s anywhere outside",
			what ? (int)strlen(what) : length, what ? what : line);
	else
		snprintf(text, size, "%.*s at %s",
			what ? (int)strlen(what) : length, what ? what : line,
			target);
	return text;
}

/* Another line that says at least as much; only the plain cases are seen. */
static const char *covering(
	const struct flat_section *section, const char *line)
{
	char service[64] = "";
	size_t n = strcspn(line, " \t,");

	if (n >= sizeof(service))
		return NULL;
	memcpy(service, line, n);
	for (size_t i = 0; section && i < section->n; i++) {
		const char *other = section->values[i].text;
		size_t m = strcspn(other, " \t,");
		const char *target = other + m + strspn(other + m, " \t,");

		if (strcmp(section->values[i].key, "allow") != 0 ||
			strcmp(other, line) == 0 || strcmp(target, "any") != 0)
			continue;
		if ((m == n && strncmp(other, service, n) == 0) ||
			(m == 3 && strncmp(other, "any", 3) == 0))
			return other;
	}
	return NULL;
}

static void say_allow(struct comparison *c, const char *line, bool opens)
{
	const char *name = c->now ? c->now->name : c->old->name;
	const char *other = covering(opens ? c->old : c->now, line);
	char what[256];

	reach(line, what, sizeof(what));
	if (other)
		add(c, DIFFER_EFFECT_CHANGES,
			"%s may %s reach %s by the line \"%s\"; it %s by "
			"\"%s\", except in your own network and the gateway "
			"itself",
			name, opens ? "also" : "no longer", what, line,
			opens ? "could already" : "still can", other);
	else
		add(c, opens ? DIFFER_EFFECT_OPENS : DIFFER_EFFECT_CLOSES,
			opens ? "%s may reach %s" : "%s may no longer reach %s",
			name, what);
}

/* Keys with words of their own; all others only change. */
static void say_value(
	struct comparison *c, const char *key, const char *text, bool fresh)
{
	const struct flat_section *s = c->now ? c->now : c->old;
	enum differ_effect effect = fresh ? DIFFER_EFFECT_OPENS
					  : DIFFER_EFFECT_CLOSES;

	if (strcmp(key, "allow") == 0)
		say_allow(c, text, fresh);
	else if (strcmp(key, "name-server") == 0)
		add(c, effect, "devices may %s the name server %s",
			fresh ? "ask" : "no longer ask", text);
	else if (strcmp(key, "admin") == 0)
		add(c, effect, "%s %s the gateway itself%s", text,
			fresh ? "always reaches" : "no longer always reaches",
			fresh ? ", whatever the rules say" : "");
	else if (strcmp(key, "address") == 0)
		add(c, fresh ? DIFFER_EFFECT_CLOSES : DIFFER_EFFECT_OPENS,
			fresh ? "only %s may use the address %s"
			      : "%s has the address %s no longer to itself",
			s->name, text);
	else
		add(c, DIFFER_EFFECT_CHANGES, "%s = %s is %s", key, text,
			fresh ? "new" : "gone");
}

static bool is_device_zone(const struct flat_section *zone)
{
	return zone && strcmp(zone->type, "zone") == 0 &&
	       strcmp(flat_text(zone, "role", "devices"), "devices") == 0;
}

static void say_zone_mode(
	struct comparison *c, const char *name, const char *mode)
{
	if (strcmp(mode, "enforce") == 0) {
		add(c, DIFFER_EFFECT_CLOSES, "strangers in zone %s will be cut",
			name);
		add(c, DIFFER_EFFECT_CLOSES,
			"devices in zone %s reach nothing but what is allowed",
			name);
	} else {
		add(c, DIFFER_EFFECT_OPENS,
			"zone %s will only be watched: strangers and devices "
			"there reach everything",
			name);
	}
}

static void say_device_mode(struct comparison *c, const char *mode)
{
	if (strcmp(mode, "enforce") == 0)
		add(c, DIFFER_EFFECT_CLOSES,
			"%s reaches nothing but what is allowed, in whatever "
			"zone",
			c->now->name);
	else if (strcmp(mode, "observe") == 0)
		add(c, DIFFER_EFFECT_OPENS,
			"%s will only be watched: it reaches everything",
			c->now->name);
	else
		add(c, DIFFER_EFFECT_CHANGES,
			"%s follows the mode of its zone again", c->now->name);
}

static void compare_mode(struct comparison *c)
{
	const char *old = flat_text(c->old, "mode", ""),
		   *now = flat_text(c->now, "mode", "");

	if (strcmp(c->now->type, "device") == 0) {
		if (strcmp(old, now) != 0)
			say_device_mode(c, now);
		return;
	}
	if (strcmp(c->now->type, "zone") == 0 && is_device_zone(c->now)) {
		old = flat_mode(&c->before, c->old);
		now = flat_mode(&c->after, c->now);
		if (strcmp(old, now) != 0 || !is_device_zone(c->old))
			say_zone_mode(c, c->now->name, now);
		return;
	}
	if (is_device_zone(c->old) && strcmp(c->now->type, "zone") == 0)
		add(c, DIFFER_EFFECT_OPENS,
			"nothing in zone %s is isolated any more",
			c->now->name);
	if (strcmp(old, now) != 0)
		add(c, DIFFER_EFFECT_CHANGES, "mode changes from %s to %s",
			*old ? old : "observe, the default,",
			*now ? now : "observe, the default");
}

static bool is_list(const struct comparison *c, const char *key)
{
	static const char *const lists[] = {
		"allow", "name-server", "admin", "address", "allow-from"};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (strcmp(key, lists[i]) == 0)
			return true;
	return flat_count(c->old, key) > 1 || flat_count(c->now, key) > 1;
}

static void say_mac(struct comparison *c, const char *old, const char *now)
{
	add(c, DIFFER_EFFECT_CLOSES, "%s becomes a stranger: quarantine", old);
	add(c, DIFFER_EFFECT_OPENS, "%s becomes %s, with all that it may", now,
		c->now->name);
}

static void compare_single(
	struct comparison *c, const char *key, const char *old, const char *now)
{
	if (old && now && strcmp(old, now) == 0)
		return;
	if (old && now && strcmp(key, "mac") == 0)
		say_mac(c, old, now);
	else if (old && now)
		add(c, DIFFER_EFFECT_CHANGES, "%s changes from %s to %s", key,
			old, now);
	else
		say_value(c, key, now ? now : old, now != NULL);
}

static void compare_values(struct comparison *c)
{
	for (size_t i = 0; i < c->old->n; i++) {
		const struct flat_value *v = &c->old->values[i];

		if (strcmp(v->key, "mode") == 0)
			continue;
		if (!is_list(c, v->key))
			compare_single(c, v->key, v->text,
				flat_text(c->now, v->key, NULL));
		else if (!flat_has(c->now, v->key, v->text))
			say_value(c, v->key, v->text, false);
	}
	for (size_t i = 0; i < c->now->n; i++) {
		const struct flat_value *v = &c->now->values[i];

		if (strcmp(v->key, "mode") == 0)
			continue;
		if (is_list(c, v->key) ? !flat_has(c->old, v->key, v->text)
				       : !flat_count(c->old, v->key))
			say_value(c, v->key, v->text, true);
	}
}

/* All values of a section that is there on one side only. */
static void say_all(struct comparison *c, const char *but, bool fresh)
{
	const struct flat_section *s = fresh ? c->now : c->old;

	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->values[i].key, but) != 0 &&
			strcmp(s->values[i].key, "mode") != 0)
			say_value(
				c, s->values[i].key, s->values[i].text, fresh);
}

static void say_device(struct comparison *c, bool fresh)
{
	const struct flat_section *s = fresh ? c->now : c->old;
	const char *mac = flat_text(s, "mac", "?");

	if (fresh)
		add(c, DIFFER_EFFECT_CHANGES,
			"%s becomes %s and leaves quarantine", mac, s->name);
	else
		add(c, DIFFER_EFFECT_CLOSES,
			"%s (%s) becomes a stranger: quarantine", s->name, mac);
	say_all(c, "mac", fresh);
	if (fresh && flat_count(s, "mode"))
		say_device_mode(c, flat_text(s, "mode", ""));
}

static void say_zone(struct comparison *c, bool fresh)
{
	const struct flat_section *s = fresh ? c->now : c->old;
	const char *interface = flat_text(s, "interface", "?");

	if (!is_device_zone(s)) {
		add(c, DIFFER_EFFECT_CHANGES, "%s is %s a zone of the kind %s",
			interface, fresh ? "now" : "no longer",
			flat_text(s, "role", "?"));
	} else if (fresh) {
		add(c, DIFFER_EFFECT_CHANGES,
			"%s becomes a zone of devices, %s", interface, s->name);
		say_zone_mode(c, s->name, flat_mode(&c->after, s));
	} else {
		add(c, DIFFER_EFFECT_OPENS,
			"%s is no zone any more: nothing there is isolated, "
			"nothing is watched",
			interface);
	}
	say_all(c, "interface", fresh);
}

static void say_upgrade(struct comparison *c, bool fresh)
{
	const struct flat_section *s = fresh ? c->now : c->old;
	const char *port = flat_text(s, "port", "?");

	if (fresh)
		add(c, DIFFER_EFFECT_CLOSES,
			"port %s leads into TLS only, plaintext on it is not "
			"let through any more",
			port);
	else
		add(c, DIFFER_EFFECT_OPENS,
			"port %s is no longer carried into TLS: devices that "
			"may reach it do so in plaintext",
			port);
	say_all(c, "port", fresh);
}

static void say_section(struct comparison *c, bool fresh)
{
	const struct flat_section *s = fresh ? c->now : c->old;
	size_t before = c->out->n;

	if (strcmp(s->type, "device") == 0)
		say_device(c, fresh);
	else if (strcmp(s->type, "zone") == 0)
		say_zone(c, fresh);
	else if (strcmp(s->type, "upgrade") == 0)
		say_upgrade(c, fresh);
	else
		say_all(c, "", fresh);
	if (c->out->n == before && strcmp(s->type, "gateway") != 0)
		add(c, DIFFER_EFFECT_CHANGES, "the section is %s",
			fresh ? "new" : "gone");
}

/* What is not said is the default, also without the section. */
static void compare_gateway_mode(struct comparison *c)
{
	static const struct flat_section none = {"gateway", "", NULL, 0};
	const struct flat_section *old = flat_find(&c->before, "gateway", "");
	const struct flat_section *now = flat_find(&c->after, "gateway", "");

	if (old && now)
		return; /* with the others */
	c->old = old ? old : &none;
	c->now = now ? now : &none;
	compare_mode(c);
}

/* Sections by name; a configuration may have thousands. */
static int by_name(const void *a, const void *b)
{
	const struct flat_section *const *x = a, *const *y = b;
	int r = strcmp((*x)->type, (*y)->type);

	return r ? r : strcmp((*x)->name, (*y)->name);
}

static const struct flat_section **sorted(const struct flat *flat)
{
	const struct flat_section **list = calloc(flat->n + 1, sizeof(*list));

	if (list == NULL)
		abort();
	for (size_t i = 0; i < flat->n; i++)
		list[i] = &flat->sections[i];
	if (flat->n)
		qsort(list, flat->n, sizeof(*list), by_name);
	return list;
}

static const struct flat_section *lookup(const struct flat_section **list,
	size_t n, const struct flat_section *key)
{
	const struct flat_section **found = n ? bsearch(&key, list, n,
							sizeof(*list), by_name)
					      : NULL;

	return found ? *found : NULL;
}

static void compare_sections(struct comparison *c)
{
	const struct flat_section **before = sorted(&c->before);
	const struct flat_section **after = sorted(&c->after);

	for (size_t i = 0; i < c->after.n; i++) {
		c->now = &c->after.sections[i];
		c->old = lookup(before, c->before.n, c->now);
		if (c->old) {
			compare_mode(c);
			compare_values(c);
		} else {
			say_section(c, true);
		}
	}
	for (size_t i = 0; i < c->before.n; i++) {
		c->old = &c->before.sections[i];
		c->now = NULL;
		if (!lookup(after, c->after.n, c->old))
			say_section(c, false);
	}
	free(before);
	free(after);
}

void differ_compare(
	const char *before, const char *after, struct differ *ret_differ)
{
	struct comparison c = {.out = ret_differ};

	*ret_differ = (struct differ){0};
	flat_read(before, &c.before);
	flat_read(after, &c.after);
	compare_gateway_mode(&c);
	compare_sections(&c);
	flat_clear(&c.before);
	flat_clear(&c.after);
}

void differ_clear(struct differ *differ)
{
	for (size_t i = 0; i < differ->n; i++) {
		free(differ->rows[i].section);
		free(differ->rows[i].text);
	}
	free(differ->rows);
	memset(differ, 0, sizeof(*differ));
}

const char *differ_effect_name(enum differ_effect effect)
{
	switch (effect) {
	case DIFFER_EFFECT_OPENS:
		return "opens";
	case DIFFER_EFFECT_CLOSES:
		return "closes";
	case DIFFER_EFFECT_CHANGES:
		return "changes";
	}
	return "?";
}
