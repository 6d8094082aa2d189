/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a saved file into a policy, by the same doors through which the
 * agent's messages come. Touches memory only; must never make a policy of
 * something that is not wholly understood.
 */
#include "modules/isolation/saved_policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/saved.h"

/* Aligned, as no record in the file is. */
union item {
	struct isolation_zone zone;
	struct isolation_device device;
	struct isolation_allow allow;
	struct isolation_redirect redirect;
	struct isolation_address address;
	struct isolation_fence fence;
	struct isolation_port port;
	struct isolation_pin pin;
	struct isolation_limit limit;
	struct isolation_log log;
	struct isolation_offload offload;
	struct isolation_reflect reflect;
	struct isolation_router router;
	struct isolation_pass pass;
	struct isolation_marks marks;
	struct isolation_outside outside;
};

static int add_zone(struct policy *policy, const union item *item)
{
	return policy_add_zone(policy, &item->zone);
}

static int add_device(struct policy *policy, const union item *item)
{
	return policy_add_device(policy, &item->device);
}

static int add_allow(struct policy *policy, const union item *item)
{
	return policy_add_allow(policy, &item->allow);
}

static int add_redirect(struct policy *policy, const union item *item)
{
	return policy_add_redirect(policy, &item->redirect);
}

static int add_name_server(struct policy *policy, const union item *item)
{
	return policy_add_name_server(policy, &item->address);
}

static int add_admin(struct policy *policy, const union item *item)
{
	return policy_add_admin(policy, &item->address);
}

static int add_gateway(struct policy *policy, const union item *item)
{
	return policy_add_gateway(policy, &item->address);
}

static int add_fence(struct policy *policy, const union item *item)
{
	return policy_add_fence(policy, &item->fence);
}

static int add_port(struct policy *policy, const union item *item)
{
	return policy_add_port(policy, &item->port);
}

static int add_pin(struct policy *policy, const union item *item)
{
	return policy_add_pin(policy, &item->pin);
}

static int add_limit(struct policy *policy, const union item *item)
{
	return policy_add_limit(policy, &item->limit);
}

static int add_router(struct policy *policy, const union item *item)
{
	return policy_add_router(policy, &item->router);
}

static int add_reflect(struct policy *policy, const union item *item)
{
	return policy_add_reflect(policy, &item->reflect);
}

static int add_log(struct policy *policy, const union item *item)
{
	return policy_add_log(policy, &item->log);
}

static int add_offload(struct policy *policy, const union item *item)
{
	return policy_add_offload(policy, &item->offload);
}

static int add_publish(struct policy *policy, const union item *item)
{
	return policy_add_publish(policy, &item->pass);
}

static int add_zone_allow(struct policy *policy, const union item *item)
{
	return policy_add_zone_allow(policy, &item->allow);
}

static int add_pass(struct policy *policy, const union item *item)
{
	return policy_add_pass(policy, &item->pass);
}

static int add_outside(struct policy *policy, const union item *item)
{
	return policy_add_outside(policy, &item->outside);
}

static int set_marks(struct policy *policy, const union item *item)
{
	return policy_set_marks(policy, &item->marks);
}

static const struct kind {
	uint16_t type, size;
	int (*add)(struct policy *policy, const union item *item);
} kinds[] = {
	{ISOLATION_ZONE, sizeof(struct isolation_zone), add_zone},
	{ISOLATION_DEVICE, sizeof(struct isolation_device), add_device},
	{ISOLATION_ALLOW, sizeof(struct isolation_allow), add_allow},
	{ISOLATION_REDIRECT, sizeof(struct isolation_redirect), add_redirect},
	{ISOLATION_NAME_SERVER, sizeof(struct isolation_address),
		add_name_server},
	{ISOLATION_ADMIN, sizeof(struct isolation_address), add_admin},
	{ISOLATION_GATEWAY, sizeof(struct isolation_address), add_gateway},
	{ISOLATION_FENCE, sizeof(struct isolation_fence), add_fence},
	{ISOLATION_KNOWN_PORT, sizeof(struct isolation_port), add_port},
	{ISOLATION_PIN, sizeof(struct isolation_pin), add_pin},
	{ISOLATION_LIMIT, sizeof(struct isolation_limit), add_limit},
	{ISOLATION_ROUTER, sizeof(struct isolation_router), add_router},
	{ISOLATION_REFLECT, sizeof(struct isolation_reflect), add_reflect},
	{ISOLATION_LOG, sizeof(struct isolation_log), add_log},
	{ISOLATION_OFFLOAD, sizeof(struct isolation_offload), add_offload},
	{ISOLATION_PUBLISH, sizeof(struct isolation_pass), add_publish},
	{ISOLATION_ZONE_ALLOW, sizeof(struct isolation_allow), add_zone_allow},
	{ISOLATION_PASS, sizeof(struct isolation_pass), add_pass},
	{ISOLATION_OUTSIDE, sizeof(struct isolation_outside), add_outside},
	{ISOLATION_MARKS, sizeof(struct isolation_marks), set_marks},
};

static int add_record(struct policy *policy, const struct saved_record *record,
	const uint8_t *bytes)
{
	union item item = {0};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type != record->type)
			continue;
		if (kinds[i].size != record->size)
			return -EBADMSG;
		memcpy(&item, bytes, record->size);
		return kinds[i].add(policy, &item);
	}
	return -EBADMSG;
}

static int add_records(
	struct policy *policy, const void *bytes, size_t size, uint32_t *ret_at)
{
	struct saved_record record;
	const uint8_t *item;
	size_t offset = 0;
	int r;

	*ret_at = 0;
	while ((r = saved_next(bytes, size, &offset, &record, &item)) > 0) {
		++*ret_at;
		r = add_record(policy, &record, item);
		if (r < 0)
			return r;
	}
	return r;
}

int saved_policy_read(const void *bytes, size_t size, struct policy *ret_policy,
	char *ret_reason)
{
	struct policy policy = {0};
	uint32_t at = 0;
	int r = saved_check(bytes, size);

	ret_reason[0] = 0;
	if (r < 0) {
		snprintf(ret_reason, POLICY_REASON, "%s",
			r == -EPROTO ? "it is of another version of gatehouse"
				     : "it is damaged");
		return r;
	}
	r = add_records(&policy, bytes, size, &at);
	if (r < 0)
		snprintf(ret_reason, POLICY_REASON,
			"its record %u makes no sense", at);
	else
		r = policy_seal(&policy, ret_reason);
	if (r < 0) {
		policy_free(&policy);
		return r;
	}
	*ret_policy = policy;
	return 0;
}
