/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passes reflections on. Runs as root in the agent; opens sockets by name of
 * interface and must never read from one.
 */
#include "modules/discovery/agent/reflecting.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "agent/lib/log.h"
#include "modules/discovery/agent/reflects.h"
#include "modules/discovery/agent/speaksock.h"
#include "modules/isolation/isolation_proto.h"

#define NAME "discovery"

static struct {
	struct agent *agent;
	struct timer look;
	struct reflects now; /* in force */
	unsigned index[DISCOVERY_LINKS_MAX]; /* of the interfaces, as sent */
} self;

static int tolerate_absence(int r)
{
	return r == -ENOENT ? 0 : r;
}

static int send_down(
	struct agent *agent, uint16_t type, const void *message, size_t size)
{
	return tolerate_absence(
		agent_send(agent, NAME, type, message, size, -1));
}

static int send_services(
	struct agent *agent, const struct conf_section *section, uint8_t place)
{
	struct discovery_service service = {.reflect = place};
	const struct conf_value *value = NULL;
	const char *rest = NULL;
	int r = 0;

	while (r == 0 &&
		reflects_next_service(section, &value, &rest, service.text))
		r = send_down(agent, DISCOVERY_SERVICE_TYPE, &service,
			sizeof(service));
	return r;
}

static int send_reflects(struct agent *agent, const struct conf *conf,
	const struct reflects *all)
{
	const struct conf_section *s = conf_next(conf, "reflect", NULL);
	int r = 0;

	for (size_t i = 0; i < all->n_channels && r == 0; i++)
		r = send_down(agent, DISCOVERY_CHANNEL, &all->channels[i],
			sizeof(all->channels[i]));
	for (size_t i = 0; i < all->n_links && r == 0; i++)
		r = send_down(agent, DISCOVERY_LINK, &all->links[i],
			sizeof(all->links[i]));
	for (size_t i = 0; i < all->n_reflects && r == 0; i++) {
		r = send_down(agent, DISCOVERY_REFLECT, &all->reflects[i],
			sizeof(all->reflects[i]));
		if (r == 0)
			r = send_services(agent, s, (uint8_t)i);
		s = conf_next(conf, "reflect", s);
	}
	return r;
}

/* Lines past the limit are of no use: nothing is told on their account. */
static int send_mays(struct agent *agent, const struct conf *conf,
	const struct reflects *all, const struct conf_section *device,
	size_t *n)
{
	int r = 0;

	for (const struct conf_value *v = conf_get(device, "allow");
		v && r == 0; v = conf_get_next(v)) {
		struct discovery_may may;

		if (!reflects_may(conf, all, v->text, &may))
			continue;
		if (++*n > DISCOVERY_MAYS_MAX) {
			if (*n == DISCOVERY_MAYS_MAX + 1)
				log_warning("more than %d allow lines lead to "
					    "neighbours; devices may not find "
					    "those of the others",
					DISCOVERY_MAYS_MAX);
			return 0;
		}
		may.device = agent_device_id(conf, device);
		r = send_down(agent, DISCOVERY_MAY, &may, sizeof(may));
	}
	return r;
}

static int send_devices(struct agent *agent, const struct conf *conf,
	const struct reflects *all)
{
	size_t n_mays = 0;
	int r = 0;

	for (const struct conf_section *s = conf_next(conf, "device", NULL);
		s && r == 0; s = conf_next(conf, "device", s)) {
		struct discovery_device device = {
			.id = agent_device_id(conf, s),
			.from = reflects_of(conf, "from", s),
			.to = reflects_of(conf, "to", s)};

		r = mac_parse(conf_text(s, "mac", ""), &device.mac);
		if (r == 0)
			r = send_down(agent, DISCOVERY_DEVICE, &device,
				sizeof(device));
		if (r == 0)
			r = send_mays(agent, conf, all, s, &n_mays);
	}
	return r;
}

static int send_rules(struct agent *agent, struct isolation_reflect *rules)
{
	return tolerate_absence(agent_send(agent, "isolation",
		ISOLATION_REFLECT, rules, sizeof(*rules), -1));
}

int reflecting_configure_none(struct agent *agent)
{
	struct isolation_reflect rules = {0};
	gid_t gid;
	int r = agent_user(agent, NAME, &rules.uid, &gid);

	return r < 0 ? r : send_rules(agent, &rules);
}

int reflecting_configure(
	struct agent *agent, const struct conf *conf, uint16_t group)
{
	struct isolation_reflect rules = {.group = group};
	struct reflects all;
	gid_t gid;
	int r = agent_user(agent, NAME, &rules.uid, &gid);

	reflects_read(conf, &all);
	if (r == 0)
		r = send_reflects(agent, conf, &all);
	if (r == 0)
		r = send_devices(agent, conf, &all);
	for (size_t i = 0; i < all.n_links; i++)
		for (size_t c = 0; c < all.n_channels && r == 0; c++) {
			memcpy(rules.interface, all.links[i].interface,
				sizeof(rules.interface));
			rules.port = all.channels[c].port;
			rules.own_port = all.channels[c].own_port;
			r = send_rules(agent, &rules);
		}
	return r;
}

static void send_socket(size_t link, size_t channel, bool six)
{
	const struct reflects *now = &self.now;
	struct discovery_socket about = {.link = (uint8_t)link,
		.channel = (uint8_t)channel,
		.six = six,
		.index = self.index[link]};
	_cleanup_(cleanup_close) int fd = -1;
	int r = speaksock_open(&now->channels[channel],
		now->links[link].interface, about.index, six, &fd);

	if (r == 0)
		(void)agent_send(self.agent, NAME, DISCOVERY_SOCKET, &about,
			sizeof(about), fd);
	else if (r != -EAFNOSUPPORT)
		log_warning("nothing is reflected to %s%s: %s",
			now->links[link].interface, six ? " by IPv6" : "",
			strerror(-r));
}

static void look(struct timer *timer)
{
	const struct reflects *now = &self.now;

	for (size_t i = 0; i < now->n_links; i++) {
		unsigned index = if_nametoindex(now->links[i].interface);

		if (index == self.index[i])
			continue;
		self.index[i] = index;
		for (size_t c = 0; index && c < now->n_channels; c++)
			for (int six = 0; six < 2; six++)
				send_socket(i, c, six);
	}
	if (now->n_links)
		loop_set_timer(
			agent_loop(self.agent), timer, REFLECTING_LOOK_MS);
}

void reflecting_applied(struct agent *agent, const struct conf *conf)
{
	self.agent = agent;
	self.look.fired = look;
	loop_stop_timer(agent_loop(agent), &self.look);
	reflects_read(conf, &self.now);
	memset(self.index, 0, sizeof(self.index));
	look(&self.look);
}

void reflecting_stopped(struct agent *agent)
{
	loop_stop_timer(agent_loop(agent), &self.look);
	self.now.n_links = 0;
}
