/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy as the agent sees it: passes configuration and listening sockets
 * to the worker and redirects to isolation, asks isolation who a device is,
 * and turns the worker's reports into counters, warnings and log lines.
 * Opens what the worker may not; reads nothing that a device sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/log.h"
#include "agent/lib/module.h"
#include "modules/isolation/isolation_proto.h"
#include "modules/proxy/ports.h"
#include "modules/proxy/refusals.h"
#include "modules/proxy/proxy_proto.h"
#include "modules/proxy/setup.h"

/* Two descriptors for each of 512 sessions, and the rest. */
#define WORKER_FILES 1200

static struct ports listening;
static struct refusals open_refusals;
static bool led_nowhere; /* some redirects lead to the deaf port */
static struct {
	struct timer timer;
	struct agent *agent;
} again; /* a reload that leads them right */
static struct log_limit refused_lines = {.interval_ms = 60000, .burst = 20};

/*
 * What is missing is left out here and refused by the worker, with its
 * reason: a failure of configure() would cost other parts their own.
 */
static int send_authorities(struct agent *agent, const struct conf *conf)
{
	_cleanup_(cleanup_close) int fd = -1;
	struct proxy_authorities authorities;
	struct stat st;

	fd = open(setup_authorities(conf), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		log_error("cannot open %s: %s", setup_authorities(conf),
			strerror(errno));
		return 0;
	}
	authorities.size = (uint64_t)st.st_size;
	return agent_send(agent, "proxy", PROXY_AUTHORITIES, &authorities,
		sizeof(authorities), fd);
}

static int send_listener(struct agent *agent, const struct conf *conf,
	const struct proxy_upgrade *upgrade)
{
	struct proxy_listener listener = {.upgrade = upgrade->index,
		.port = setup_port(conf, upgrade->index)};
	int fd, r;

	r = ports_open(&listening, listener.port, &fd);
	if (r < 0) {
		log_error("cannot listen on port %u for [upgrade %s]: %s",
			listener.port, upgrade->name, strerror(-r));
		return 0;
	}
	return agent_send(agent, "proxy", PROXY_LISTENER, &listener,
		sizeof(listener), fd);
}

static int send_upgrade(struct agent *agent, const struct conf *conf,
	const struct proxy_upgrade *upgrade)
{
	int r = agent_send(
		agent, "proxy", PROXY_UPGRADE, upgrade, sizeof(*upgrade), -1);

	/* Also while the proxy is away: the redirects lead to the sockets. */
	return r < 0 && r != -ENOENT ? r : send_listener(agent, conf, upgrade);
}

/* Where a device's connections go: to nobody else than us, in any case. */
static uint16_t redirect_port(uint16_t port)
{
	uint16_t deaf;

	if (ports_is_open(&listening, port) ||
		ports_deaf(&listening, &deaf) < 0)
		return port;
	led_nowhere = true;
	return deaf;
}

static int send_redirect(struct agent *agent, const struct conf *conf,
	uint32_t device, const struct proxy_upgrade *upgrade)
{
	struct isolation_redirect redirect = {.device = device,
		.port = upgrade->port,
		.to_port = redirect_port(setup_port(conf, upgrade->index))};
	int r = agent_send(agent, "isolation", ISOLATION_REDIRECT, &redirect,
		sizeof(redirect), -1);

	return r == -ENOENT ? 0 : r; /* nobody isolates: nobody redirects */
}

static int send_device(struct agent *agent, const struct conf *conf,
	const struct conf_section *section,
	const struct proxy_upgrade *upgrades, size_t n)
{
	struct proxy_device device = {.id = agent_device_id(conf, section),
		.upgrades = setup_device_upgrades(section, upgrades, n)};
	int r;

	snprintf(device.name, sizeof(device.name), "%s", section->name);
	r = agent_send(
		agent, "proxy", PROXY_DEVICE, &device, sizeof(device), -1);
	for (size_t i = 0; i < n && (r == 0 || r == -ENOENT); i++)
		if (device.upgrades & UINT64_C(1) << i)
			r = send_redirect(agent, conf, device.id, &upgrades[i]);
	return r;
}

/* The worker goes to this port only, and only where a device was going. */
static int send_fence(struct agent *agent, const struct conf *conf,
	const struct proxy_upgrade *upgrade)
{
	struct isolation_fence fence = {.port = upgrade->upstream_port,
		.local = setup_port(conf, upgrade->index)};
	gid_t gid;
	int r = agent_user(agent, "proxy", &fence.uid, &gid);

	if (r == 0)
		r = agent_send(agent, "isolation", ISOLATION_FENCE, &fence,
			sizeof(fence), -1);
	return r;
}

/* Isolation gets its redirects also while the proxy is away. */
static int tolerate_absence(int r)
{
	return r == -ENOENT ? 0 : r;
}

/* What the worker is to do. */
static int send_upgrades(struct agent *agent, const struct conf *conf,
	const struct proxy_upgrade *upgrades, size_t n)
{
	int r = 0;

	ports_begin(&listening, setup_port(conf, 0), n);
	if (n > 0)
		r = tolerate_absence(send_authorities(agent, conf));
	for (size_t i = 0; i < n && r == 0; i++)
		r = tolerate_absence(send_upgrade(agent, conf, &upgrades[i]));
	return r;
}

/*
 * Without a file or a port the worker is not to be had; isolation learns all
 * the same which ports are for TLS only.
 */
static int configure(struct agent *agent, const struct conf *conf)
{
	struct proxy_upgrade upgrades[PROXY_UPGRADES_MAX];
	size_t n = setup_upgrades(conf, upgrades);
	int failed = send_upgrades(agent, conf, upgrades, n), r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = tolerate_absence(send_fence(agent, conf, &upgrades[i]));
	for (const struct conf_section *s = conf_next(conf, "device", NULL);
		s && r == 0; s = conf_next(conf, "device", s))
		r = tolerate_absence(send_device(agent, conf, s, upgrades, n));
	return failed < 0 ? failed : r;
}

static void reloaded(void *arg, int error, const char *report)
{
	(void)arg;
	if (error < 0)
		log_warning("devices are not led to the proxy yet: %s; reload "
			    "when that is mended",
			report);
}

static void reload(struct timer *timer)
{
	(void)timer;
	log_notice("the proxy's ports are free now; leading devices there");
	agent_reload(again.agent, reloaded, NULL);
}

/* The proxy came into force after isolation had to lead its devices away. */
static void lead_right(struct agent *agent, const struct conf *conf, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!ports_is_open(&listening, setup_port(conf, i)))
			return;
	if (!led_nowhere)
		return;
	led_nowhere = false;
	again.timer.fired = reload;
	again.agent = agent;
	loop_set_timer(agent_loop(agent), &again.timer, 0);
}

/* Sockets nobody needs any more are closed once nobody listens to them. */
static void applied(struct agent *agent, const struct conf *conf)
{
	struct proxy_upgrade upgrades[PROXY_UPGRADES_MAX];
	size_t n = setup_upgrades(conf, upgrades);

	ports_keep(&listening, setup_port(conf, 0), n);
	refusals_review(&open_refusals, agent_state(agent), upgrades, n);
	lead_right(agent, conf, n);
}

static int on_who(void *owner, const void *message, int fd)
{
	const struct proxy_who *who = message;
	struct agent *agent = owner;
	struct isolation_who question = {.cookie = who->cookie, .ip = who->ip};
	struct proxy_who nobody = {.cookie = who->cookie, .ip = who->ip};

	(void)fd;
	if (who->ip.family != AF_INET && who->ip.family != AF_INET6)
		return -EPROTO;
	if (agent_send(agent, "isolation", ISOLATION_WHO, &question,
		    sizeof(question), -1) < 0)
		agent_send(
			agent, "proxy", PROXY_IS, &nobody, sizeof(nobody), -1);
	return 0;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool makes_sense(const struct proxy_flow *flow)
{
	return flow->outcome >= PROXY_OUTCOME_OPENED &&
	       flow->outcome <= PROXY_OUTCOME_CARRIED &&
	       is_text(flow->upgrade, sizeof(flow->upgrade)) &&
	       is_text(flow->upstream_name, sizeof(flow->upstream_name)) &&
	       is_text(flow->reason, sizeof(flow->reason));
}

static void count_flow(struct agent *agent, const struct proxy_flow *flow)
{
	const struct record_device *known = state_device(
		agent_state(agent), flow->device);
	struct record_device device;

	if (!known)
		return;
	device = *known;
	device.tls_flows += flow->outcome == PROXY_OUTCOME_OPENED;
	device.tls_refused += flow->outcome == PROXY_OUTCOME_REFUSED;
	device.tls_up += flow->up;
	device.tls_down += flow->down;
	if (state_put_device(agent_state(agent), &device) < 0)
		log_error("out of memory while counting for %s", device.name);
}

static const char *device_name(struct agent *agent, uint32_t id)
{
	const struct record_device *device = state_device(
		agent_state(agent), id);

	return device ? device->name : "an unknown device";
}

static void note_refused(struct agent *agent, const struct proxy_flow *flow)
{
	if (log_allowed(&refused_lines))
		log_warning("%s: %s refused: %s",
			device_name(agent, flow->device), flow->upgrade,
			flow->reason);
	if (flow->device != 0)
		refusals_add(&open_refusals, agent_state(agent), flow);
}

static int on_flow(void *owner, const void *message, int fd)
{
	const struct proxy_flow *flow = message;
	struct agent *agent = owner;

	(void)fd;
	if (!makes_sense(flow))
		return -EPROTO;
	count_flow(agent, flow);
	switch ((enum proxy_outcome)flow->outcome) {
	case PROXY_OUTCOME_OPENED:
		log_debug("%s: %s to %s in TLS",
			device_name(agent, flow->device), flow->upgrade,
			flow->upstream_name);
		refusals_drop(&open_refusals, agent_state(agent), flow);
		break;
	case PROXY_OUTCOME_CLOSED:
		log_debug("%s: %s to %s is over%s%s",
			device_name(agent, flow->device), flow->upgrade,
			flow->upstream_name, flow->reason[0] ? ": " : "",
			flow->reason);
		break;
	case PROXY_OUTCOME_REFUSED:
		note_refused(agent, flow);
		break;
	case PROXY_OUTCOME_CARRIED:
		break;
	}
	return 0;
}

static const struct ipc_route routes[] = {
	IPC_ROUTE(PROXY_WHO, struct proxy_who, on_who),
	IPC_ROUTE(PROXY_FLOW, struct proxy_flow, on_flow),
};

const struct module proxy_module = {
	.name = "proxy",
	.files = WORKER_FILES,
	.schemas = setup_schemas,
	.n_schemas = SETUP_SCHEMAS,
	.check = setup_check,
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.configure = configure,
	.applied = applied,
};
