/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to the host as text and back. Touches memory only; must never take
 * a line for a change that names anything but a port or one of the few
 * settings.
 */
#include "modules/isolation/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "gatehouse-host 1"
#define NAME_MAX_PORT 15

/* What may stand behind "ipv4/conf/INTERFACE/" and the like. */
static const struct {
	const char *before, *after;
} settings[] = {
	{"ipv4/conf/", "/proxy_arp_pvlan"},
	{"ipv4/conf/", "/send_redirects"},
	{"ipv4/neigh/", "/proxy_delay"},
	{"ipv6/conf/", "/proxy_ndp"},
	{"ipv6/neigh/", "/proxy_delay"},
};

/* As the kernel allows it, and nothing that leads elsewhere. */
static bool is_interface(const char *name, size_t length)
{
	if (length == 0 || length > NAME_MAX_PORT || name[0] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] == '/' || name[i] > '~')
			return false;
	return true;
}

bool ledger_is_setting(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		size_t before = strlen(settings[i].before);
		size_t after = strlen(settings[i].after);
		size_t length = strlen(path);

		if (length > before + after &&
			!strncmp(path, settings[i].before, before) &&
			!strcmp(path + length - after, settings[i].after) &&
			is_interface(path + before, length - before - after))
			return true;
	}
	return false;
}

int ledger_neighbour(
	const char *name, struct ip *ret_ip, char ret_interface[static 16])
{
	const char *sign = strchr(name, '%');
	size_t length = sign ? (size_t)(sign - name) : IP_TEXT;
	char text[IP_TEXT] = "";

	if (length >= sizeof(text) || !is_interface(sign + 1, strlen(sign + 1)))
		return -EINVAL;
	memcpy(text, name, length);
	memcpy(ret_interface, sign + 1, strlen(sign + 1) + 1);
	return ip_parse(text, ret_ip) < 0 || ret_ip->family != AF_INET6
		       ? -EINVAL
		       : 0;
}

static bool is_sane(const struct ledger_entry *entry)
{
	char interface[16];
	struct ip ip;

	if (memchr(entry->name, 0, sizeof(entry->name)) == NULL)
		return false;
	if (entry->kind == LEDGER_PORT)
		return is_interface(entry->name, strlen(entry->name)) &&
		       entry->value > 0;
	if (entry->kind == LEDGER_NEIGHBOUR)
		return ledger_neighbour(entry->name, &ip, interface) == 0 &&
		       entry->value > 0;
	return entry->kind == LEDGER_SETTING &&
	       ledger_is_setting(entry->name) && entry->value >= 0;
}

const struct ledger_entry *ledger_find(
	const struct ledger *ledger, enum ledger_kind kind, const char *name)
{
	for (size_t i = 0; i < ledger->n; i++)
		if (ledger->entries[i].kind == kind &&
			!strcmp(ledger->entries[i].name, name))
			return &ledger->entries[i];
	return NULL;
}

int ledger_put(struct ledger *ledger, const struct ledger_entry *entry)
{
	const struct ledger_entry *old;

	if (!is_sane(entry))
		return -EINVAL;
	old = ledger_find(ledger, entry->kind, entry->name);
	if (old)
		ledger->entries[old - ledger->entries] = *entry;
	else if (ledger->n == LEDGER_MAX)
		return -ENOSPC;
	else
		ledger->entries[ledger->n++] = *entry;
	return 0;
}

void ledger_drop(struct ledger *ledger, enum ledger_kind kind, const char *name)
{
	const struct ledger_entry *old = ledger_find(ledger, kind, name);

	if (old)
		ledger->entries[old - ledger->entries] =
			ledger->entries[--ledger->n];
}

static int read_number(const char *text, int32_t *ret_value)
{
	int64_t value = 0;

	if (!*text)
		return -EBADMSG;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EBADMSG;
		value = value * 10 + (*text - '0');
		if (value > INT32_MAX)
			return -EBADMSG;
	}
	*ret_value = (int32_t)value;
	return 0;
}

static int read_entry(struct ledger *ledger, char *line)
{
	struct ledger_entry entry = {0};
	char *name = strchr(line, ' ');
	char *value = name ? strchr(name + 1, ' ') : NULL;

	if (!value || (size_t)(value - name) > sizeof(entry.name))
		return -EBADMSG;
	*name++ = 0;
	*value++ = 0;
	if (!strcmp(line, "port"))
		entry.kind = LEDGER_PORT;
	else if (!strcmp(line, "setting"))
		entry.kind = LEDGER_SETTING;
	else if (!strcmp(line, "neighbour"))
		entry.kind = LEDGER_NEIGHBOUR;
	memcpy(entry.name, name, strlen(name));
	if (read_number(value, &entry.value) < 0)
		return -EBADMSG;
	return ledger_put(ledger, &entry) < 0 ? -EBADMSG : 0;
}

static int parse(const char *text, const char *end, struct ledger *ledger)
{
	char line[128];

	if (!file_next_line(&text, end, line, sizeof(line)) ||
		strcmp(line, FIRST_LINE) != 0)
		return -EBADMSG;
	if (!file_next_line(&text, end, line, sizeof(line)) ||
		strncmp(line, "boot ", 5) != 0 ||
		strlen(line + 5) >= sizeof(ledger->boot))
		return -EBADMSG;
	memcpy(ledger->boot, line + 5, strlen(line + 5) + 1);
	while (text < end) {
		if (!file_next_line(&text, end, line, sizeof(line)) ||
			read_entry(ledger, line) < 0)
			return -EBADMSG;
	}
	return 0;
}

int ledger_parse(const char *text, size_t length, struct ledger *ret_ledger)
{
	struct ledger *fresh = calloc(1, sizeof(*fresh));
	int r;

	if (!fresh)
		return -ENOMEM;
	r = parse(text, text + length, fresh);
	if (r == 0)
		*ret_ledger = *fresh;
	free(fresh);
	return r;
}

static const char *word_of(enum ledger_kind kind)
{
	switch (kind) {
	case LEDGER_PORT:
		return "port";
	case LEDGER_SETTING:
		return "setting";
	case LEDGER_NEIGHBOUR:
		return "neighbour";
	}
	return "";
}

char *ledger_format(const struct ledger *ledger)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fprintf(out, FIRST_LINE "\nboot %s\n", ledger->boot);
	for (size_t i = 0; i < ledger->n; i++)
		fprintf(out, "%s %s %d\n", word_of(ledger->entries[i].kind),
			ledger->entries[i].name, ledger->entries[i].value);
	if (fclose(out) != 0)
		abort();
	return text;
}
