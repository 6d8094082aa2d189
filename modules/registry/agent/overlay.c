/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes sections from decisions and parses them onto a checked
 * configuration. What stands in the owner's files wins: a device that has a
 * section there gets nothing from here but a pause. Must never let in whom
 * nobody approved.
 */
#include "modules/registry/agent/overlay.h"

#include <errno.h>
#include <string.h>

#include "agent/lib/profile.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/registry/agent/known.h"

/* A device that is added, and how. */
struct item {
	const struct known *known;
	char name[CONF_NAME_MAX + 1];
	const char *profile; /* NULL: no lines */
};

struct sheet {
	struct conf *conf;
	int64_t now_ms;
	struct mac *files; /* of all sections in the files, sorted */
	size_t n_files;
	struct item *items;
	size_t n_items;
};

static int compare_macs(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

static int collect_files(struct sheet *sheet)
{
	const struct conf_section *d = NULL;
	size_t n = 0;

	while ((d = conf_next(sheet->conf, "device", d)))
		n++;
	sheet->files = calloc(n + 1, sizeof(*sheet->files));
	if (!sheet->files)
		return -ENOMEM;
	while ((d = conf_next(sheet->conf, "device", d)))
		if (mac_parse(conf_text(d, "mac", ""),
			    &sheet->files[sheet->n_files]) == 0)
			sheet->n_files++;
	qsort(sheet->files, sheet->n_files, sizeof(*sheet->files),
		compare_macs);
	return 0;
}

static bool in_files(const struct sheet *sheet, const struct mac *mac)
{
	return bsearch(mac, sheet->files, sheet->n_files, sizeof(*mac),
		       compare_macs) != NULL;
}

/* What the owner called it, unless the files have that name. */
static void choose_name(const struct sheet *sheet, const struct known *known,
	char name[static CONF_NAME_MAX + 1])
{
	const uint8_t *b = known->told.mac.b;

	snprintf(name, CONF_NAME_MAX + 1, "%s", known->told.name);
	if (!name[0] || conf_check_name(name) < 0)
		snprintf(name, CONF_NAME_MAX + 1, "device-%02x%02x%02x", b[3],
			b[4], b[5]);
	if (conf_find(sheet->conf, "device", name))
		snprintf(name, CONF_NAME_MAX + 1,
			"device-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
			b[3], b[4], b[5]);
}

static int collect_items(struct sheet *sheet)
{
	size_t room = 0;

	for (const struct known *k = known_next(NULL); k; k = known_next(k))
		room++;
	sheet->items = calloc(room + 1, sizeof(*sheet->items));
	if (!sheet->items)
		return -ENOMEM;
	for (const struct known *k = known_next(NULL); k; k = known_next(k)) {
		struct item *item = &sheet->items[sheet->n_items];
		uint8_t verdict = known_verdict(k, sheet->now_ms);

		if (known_is_all(k) || in_files(sheet, &k->told.mac) ||
			(!verdict && !known_is_paused(k, sheet->now_ms)) ||
			sheet->n_files + sheet->n_items >=
				ISOLATION_DEVICES_MAX)
			continue;
		item->known = k;
		if (verdict == REGISTRY_VERDICT_APPROVED)
			item->profile = known_profile(k, sheet->now_ms);
		choose_name(sheet, k, item->name);
		sheet->n_items++;
	}
	return 0;
}

static void parse(
	struct sheet *sheet, const char *file, char *text, size_t size)
{
	/* Without memory there is no configuration, which others notice. */
	if (text && size && conf_parse(sheet->conf, file, text, size) < 0)
		conf_complain(sheet->conf, file, 0, "out of memory");
	free(text);
}

static const char *word_of(uint8_t verdict)
{
	switch ((enum registry_verdict)verdict) {
	case REGISTRY_VERDICT_APPROVED:
		return "approve";
	case REGISTRY_VERDICT_BLOCKED:
		return "block";
	case REGISTRY_VERDICT_QUARANTINE:
	case REGISTRY_VERDICT_NONE:
		break;
	}
	return "quarantine";
}

static void add_sections(struct sheet *sheet)
{
	char *text = NULL, mac[MAC_TEXT];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	for (size_t i = 0; i < sheet->n_items; i++) {
		const struct item *item = &sheet->items[i];

		fprintf(out, "[device %s]\nmac = %s\ndecision = %s\n",
			item->name, mac_format(&item->known->told.mac, mac),
			word_of(known_verdict(item->known, sheet->now_ms)));
	}
	fclose(out);
	parse(sheet, OVERLAY_FILE, text, size);
}

/* The same line for all who have the profile, with its place in the files. */
static void add_line(struct sheet *sheet, const char *profile, const char *file,
	const char *key, const char *line)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	for (size_t i = 0; i < sheet->n_items; i++)
		if (sheet->items[i].profile &&
			strcmp(sheet->items[i].profile, profile) == 0)
			fprintf(out, "[device %s]\n%s = %s\n",
				sheet->items[i].name, key, line);
	fclose(out);
	parse(sheet, file, text, size);
}

static void add_own_profile(
	struct sheet *sheet, const struct conf_section *section)
{
	char file[512];

	for (const struct conf_value *v = section->values; v; v = v->next) {
		if (v->refused)
			continue;
		snprintf(file, sizeof(file), "%.400s:%u (profile:%s)", v->file,
			v->line, section->name);
		add_line(sheet, section->name, file, v->key->name, v->text);
	}
}

static void add_profiles(struct sheet *sheet)
{
	const struct conf_section *section = NULL;
	char file[64];

	while ((section = conf_next(sheet->conf, "profile", section)))
		add_own_profile(sheet, section);
	for (size_t i = 0; profile_name(i); i++) {
		const char *name = profile_name(i), *line;

		if (conf_find(sheet->conf, "profile", name))
			continue;
		snprintf(file, sizeof(file), "profile:%s", name);
		for (size_t n = 0; (line = profile_line(name, n)); n++)
			add_line(sheet, name, file, "allow", line);
	}
}

static void pause_all(FILE *out, const struct conf *conf)
{
	static const char *const types[] = {"zone", "device"};

	fprintf(out, "[gateway]\nmode = observe\n");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct conf_section *s = NULL;

		while ((s = conf_next(conf, types[i], s)))
			if (conf_get(s, "mode"))
				fprintf(out, "[%s %s]\nmode = observe\n",
					types[i], s->name);
	}
}

static void pause_one(
	FILE *out, const struct conf *conf, const struct known *known)
{
	const struct conf_section *section = overlay_section(
		conf, &known->told.mac);

	if (section)
		fprintf(out, "[device %s]\nmode = observe\n", section->name);
}

/* Takes the place of what the files say, for as long as it lasts. */
static void add_pauses(struct sheet *sheet)
{
	const struct known *all = known_all();
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	if (all && known_is_paused(all, sheet->now_ms)) {
		pause_all(out, sheet->conf);
	} else {
		for (const struct known *k = known_next(NULL); k;
			k = known_next(k))
			if (known_is_paused(k, sheet->now_ms))
				pause_one(out, sheet->conf, k);
	}
	fclose(out);
	parse(sheet, OVERLAY_PAUSE, text, size);
}

bool overlay_add(struct conf *conf, int64_t now_ms)
{
	struct sheet sheet = {.conf = conf, .now_ms = now_ms};

	if (!known_next(NULL))
		return false;
	if (collect_files(&sheet) < 0 || collect_items(&sheet) < 0) {
		conf_complain(conf, OVERLAY_FILE, 0, "out of memory");
	} else {
		add_sections(&sheet);
		add_profiles(&sheet);
		add_pauses(&sheet);
	}
	free(sheet.files);
	free(sheet.items);
	return true;
}

bool overlay_has_profile(const struct conf *conf, const char *name)
{
	return profile_shipped(name) || conf_find(conf, "profile", name);
}

const struct conf_section *overlay_section(
	const struct conf *conf, const struct mac *mac)
{
	const struct conf_section *d = NULL;
	struct mac own;

	while ((d = conf_next(conf, "device", d)))
		if (mac_parse(conf_text(d, "mac", ""), &own) == 0 &&
			mac_equal(&own, mac))
			return d;
	return NULL;
}
