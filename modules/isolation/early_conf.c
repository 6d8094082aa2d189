/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes the strictest policy that a configuration can mean. Starts gatehoused
 * once, which parses it; must never open anything that the whole
 * configuration would keep closed.
 */
#include "modules/isolation/early_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lib/flat.h"

#define TEXT_MAX (32u << 20)
#define LIBEXEC_TAIL "/libexec/gatehouse/gatehouse-isolation"

/* The next word of a list; false at the end. */
static bool next_word(const char **rest, char *word, size_t size)
{
	size_t n;

	*rest += strspn(*rest, " \t,");
	n = strcspn(*rest, " \t,");
	if (n == 0 || n >= size)
		return false;
	memcpy(word, *rest, n);
	word[n] = 0;
	*rest += n;
	return true;
}

static uint8_t mode_of(const char *word)
{
	return strcmp(word, "enforce") == 0 ? RECORD_MODE_ENFORCE
					    : RECORD_MODE_OBSERVE;
}

static uint8_t role_of(const struct flat_section *zone)
{
	const char *role = flat_text(zone, "role", "devices");

	if (strcmp(role, "owner") == 0)
		return ISOLATION_ROLE_OWNER;
	return strcmp(role, "uplink") == 0 ? ISOLATION_ROLE_UPLINK
					   : ISOLATION_ROLE_DEVICES;
}

/* Guests and those who are let in have to wait for the daemon. */
static uint8_t strangers_of(const struct flat_section *zone)
{
	const char *word = flat_text(zone, "default", "quarantine");

	return strcmp(word, "block") == 0 ? ISOLATION_STRANGERS_BLOCK
					  : ISOLATION_STRANGERS_QUARANTINE;
}

static int add_zone(struct policy *policy, const struct flat *flat,
	const struct flat_section *section, uint16_t place, bool *enforces)
{
	const char *rest = flat_text(section, "interface", "");
	struct isolation_zone zone = {.role = role_of(section),
		.mode = mode_of(flat_mode(flat, section)),
		.strangers = strangers_of(section),
		.zone = place};
	int r = 0;

	*enforces |= zone.role == ISOLATION_ROLE_DEVICES &&
		     zone.mode == RECORD_MODE_ENFORCE;
	while (r == 0) {
		memset(zone.interface, 0, sizeof(zone.interface));
		if (!next_word(&rest, zone.interface, sizeof(zone.interface)))
			return 0;
		r = policy_add_zone(policy, &zone);
	}
	return r;
}

/* Its own, or that of the zone that it is in whatever is around it. */
static const char *device_mode(
	const struct flat *flat, const struct flat_section *device)
{
	const char *mode = flat_text(device, "mode", "");
	const struct flat_section *zone = flat_find(
		flat, "zone", flat_text(device, "zone", ""));

	return !*mode && zone ? flat_mode(flat, zone) : mode;
}

static int add_device(struct policy *policy, const struct flat *flat,
	const struct flat_section *section, uint32_t id)
{
	const char *mode = device_mode(flat, section);
	struct isolation_device device = {
		.id = id, .moved = *flat_text(section, "zone", "") != 0};
	int r = mac_parse(flat_text(section, "mac", ""), &device.mac);

	if (r < 0)
		return r;
	if (*mode)
		device.mode = mode_of(mode);
	return policy_add_device(policy, &device);
}

static int add_admins(struct policy *policy, const struct flat_section *gateway)
{
	int r = 0;

	for (size_t i = 0; gateway && i < gateway->n && r == 0; i++) {
		const char *rest = gateway->values[i].text;
		struct isolation_address admin = {0};
		char word[IP_TEXT];

		if (strcmp(gateway->values[i].key, "admin") != 0)
			continue;
		while (r == 0 && next_word(&rest, word, sizeof(word))) {
			r = ip_parse(word, &admin.ip);
			if (r == 0)
				r = policy_add_admin(policy, &admin);
		}
	}
	return r;
}

static int fill(struct policy *policy, const struct flat *flat, bool *enforces)
{
	uint16_t place = 1;
	uint32_t id = 1;
	int r = add_admins(policy, flat_find(flat, "gateway", ""));

	for (size_t i = 0; i < flat->n && r == 0; i++) {
		const struct flat_section *s = &flat->sections[i];

		if (strcmp(s->type, "zone") == 0)
			r = add_zone(policy, flat, s, place++, enforces);
		else if (strcmp(s->type, "device") == 0)
			r = add_device(policy, flat, s, id++);
		/* Its mode is its own, whatever its zone says. */
		*enforces |= strcmp(s->type, "device") == 0 &&
			     strcmp(device_mode(flat, s), "enforce") == 0;
	}
	return r;
}

int early_conf_policy(
	const char *text, struct policy *ret_policy, char *ret_reason)
{
	struct policy policy = {0};
	struct flat flat;
	bool enforces = false;
	int r;

	flat_read(text, &flat);
	r = fill(&policy, &flat, &enforces);
	flat_clear(&flat);
	if (r < 0)
		snprintf(ret_reason, POLICY_REASON,
			"the configuration makes no sense here: %s",
			strerror(-r));
	else if (!enforces)
		r = -ENOENT;
	else
		r = policy_seal(&policy, ret_reason);
	if (r < 0) {
		policy_free(&policy);
		return r;
	}
	*ret_policy = policy;
	return 0;
}

/* That of this installation, which may be under another root. */
static void find_daemon(char path[static PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 32);
	size_t tail = sizeof(LIBEXEC_TAIL) - 1;

	if (n > (ssize_t)tail) {
		path[n] = 0;
		if (strcmp(path + n - tail, LIBEXEC_TAIL) == 0) {
			memcpy(path + n - tail, "/sbin/gatehoused",
				sizeof("/sbin/gatehoused"));
			return;
		}
	}
	snprintf(path, PATH_MAX, SBINDIR "/gatehoused");
}

/* In the middle of a trial: what was before it. */
static void find_file(const char *state, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/confirm.pending", state);
	if (access(path, F_OK) == 0)
		snprintf(path, PATH_MAX, "%s/confirmed.conf", state);
	else
		snprintf(
			path, PATH_MAX, SYSCONFDIR "/gatehouse/gatehouse.conf");
}

static char *read_all(int fd)
{
	char *text = NULL, buffer[4096];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	size_t sum = 0;
	ssize_t n;

	if (!out)
		return NULL;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0 && sum < TEXT_MAX) {
		fwrite(buffer, 1, (size_t)n, out);
		sum += (size_t)n;
	}
	return fclose(out) == 0 ? text : NULL;
}

static int run(const char *daemon, const char *file, char **ret_text)
{
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) >= 0)
			execl(daemon, "gatehoused", "--print-config", "-f",
				file, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*ret_text = pid < 0 ? NULL : read_all(ends[0]);
	close(ends[0]);
	if (pid < 0)
		return -EAGAIN;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!*ret_text)
		return -ENOMEM;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EINVAL;
}

int early_conf_read(const char *state, const char *file, char **ret_text)
{
	char daemon[PATH_MAX], found[PATH_MAX], *text = NULL;
	int r;

	find_daemon(daemon);
	if (!file)
		find_file(state, found);
	r = run(daemon, file ? file : found, &text);
	if (r < 0) {
		free(text);
		return r;
	}
	*ret_text = text;
	return 0;
}
