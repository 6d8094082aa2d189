/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns the methods of a device into numbers for the agent. Must never pass
 * on a member or a path that it does not know.
 */
#include "modules/bus/decision.h"

#include <errno.h>
#include <string.h>

#include "modules/bus/names.h"
#include "modules/registry/registry_proto.h"

static const struct method {
	const char *member;
	enum registry_kind kind;
	bool word, seconds; /* what it has, in this order */
} methods[] = {
	{"Approve", REGISTRY_KIND_APPROVE, true, true},
	{"Quarantine", REGISTRY_KIND_QUARANTINE, false, true},
	{"Block", REGISTRY_KIND_BLOCK, false, true},
	{"Rename", REGISTRY_KIND_RENAME, true, false},
	{"SetProfile", REGISTRY_KIND_PROFILE, true, false},
	{"Forget", REGISTRY_KIND_FORGET, false, false},
	{"Pause", REGISTRY_KIND_PAUSE, false, true},
	{"PauseAll", REGISTRY_KIND_PAUSE, false, true},
};

static const struct method *find_method(const char *member)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(methods[i].member, member) == 0)
			return &methods[i];
	return NULL;
}

static int read_word(sd_bus_message *message, char word[RECORD_NAME])
{
	const char *text;

	if (sd_bus_message_read(message, "s", &text) < 0 ||
		strlen(text) >= RECORD_NAME)
		return -EINVAL;
	memcpy(word, text, strlen(text));
	return 0;
}

static int read_device(sd_bus_message *message, uint32_t *ret_id)
{
	const char *path = sd_bus_message_get_path(message);

	if (path && strcmp(path, BUS_ROOT) == 0) {
		*ret_id = 0; /* PauseAll */
		return 0;
	}
	if (!path || names_device_id(path, ret_id) < 0 || *ret_id == 0)
		return -EINVAL;
	return 0;
}

int decision_read(sd_bus_message *message, struct bus_call *ret_call)
{
	const char *member = sd_bus_message_get_member(message);
	const struct method *method = member ? find_method(member) : NULL;
	struct bus_decision decision = {0};
	int r = method ? read_device(message, &ret_call->number) : -EINVAL;

	if (r == 0 && method->word)
		r = read_word(message, decision.word);
	if (r == 0 && method->seconds &&
		sd_bus_message_read(message, "u", &decision.seconds) < 0)
		r = -EINVAL;
	if (r < 0)
		return r;
	decision.kind = method->kind;
	ret_call->decision = decision;
	return 0;
}
