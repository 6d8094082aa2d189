/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares what ports should be with what they are. Touches memory only;
 * must never want a flag changed that was not written down before, nor one
 * put back that is not ours.
 */
#include "modules/isolation/apart.h"

#include <errno.h>
#include <string.h>

#include "modules/isolation/rules/batch.h"

static size_t find(
	const struct apart *apart, const char *interface, int32_t index)
{
	size_t i = 0;

	while (i < apart->n &&
		(apart->ours[i].index != index ||
			strcmp(apart->ours[i].interface, interface) != 0))
		i++;
	return i;
}

int apart_add(struct apart *apart, const struct isolation_apart *may)
{
	if (!may->interface[0] || may->interface[sizeof(may->interface) - 1] ||
		may->index <= 0)
		return -EINVAL;
	if (find(apart, may->interface, may->index) < apart->n)
		return 0;
	if (apart->n == APART_OURS_MAX)
		return -ENOSPC;
	memcpy(apart->ours[apart->n].interface, may->interface,
		sizeof(may->interface));
	apart->ours[apart->n++].index = may->index;
	return 1;
}

void apart_drop(struct apart *apart, const char *interface, int32_t index)
{
	size_t i = find(apart, interface, index);

	if (i < apart->n)
		apart->ours[i] = apart->ours[--apart->n];
}

static bool is_wanted(
	const struct topology *topology, const char *interface, int32_t index)
{
	const struct topology_port *port = topology_port(topology, index);

	return port && port->apart && !strcmp(port->name, interface);
}

static void add(struct apart_step *steps, size_t *n, enum apart_verb verb,
	const char *interface, int32_t index)
{
	struct apart_step *step = &steps[(*n)++];

	step->verb = verb;
	step->index = index;
	memcpy(step->interface, interface, sizeof(step->interface));
}

size_t apart_plan(const struct apart *apart, const struct topology *topology,
	const struct ports_fact *facts, size_t n, struct apart_step **ret_steps)
{
	struct apart_step *steps = must_have(
		calloc(topology->n_ports + apart->n + 1, sizeof(*steps)));
	size_t made = 0;

	for (size_t i = 0; i < topology->n_ports; i++) {
		const struct topology_port *p = &topology->ports[i];
		const struct ports_fact *is = ports_find(facts, n, p->index);

		if (!p->apart || !is || is->isolated)
			continue;
		add(steps, &made,
			find(apart, p->name, p->index) < apart->n ? APART_SET
								  : APART_ASK,
			p->name, p->index);
	}
	for (size_t i = 0; i < apart->n; i++) {
		const char *name = apart->ours[i].interface;
		int32_t index = apart->ours[i].index;
		const struct ports_fact *is = ports_find(facts, n, index);

		if (!is_wanted(topology, name, index))
			add(steps, &made,
				is && is->isolated ? APART_CLEAR : APART_FORGET,
				name, index);
	}
	*ret_steps = steps;
	return made;
}
