/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Updates, the agent's side: gives the worker the publisher's key, has it
 * judge what local users bring, and on a good verdict stages root's own
 * copies and starts the installer, which judges again. Reads no package and
 * no statement itself; it only copies them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/lib/log.h"
#include "agent/lib/module.h"
#include "modules/bus/bus_proto.h"
#include "modules/update/key.h"
#include "modules/update/launch.h"
#include "modules/update/stage.h"
#include "modules/update/statement.h"
#include "modules/update/update_proto.h"

#define PATH_BYTES 4096
#define WARNING_CODE "update.failed"

/* What a user asked and has no answer to yet. */
struct ask {
	bool used;
	uint64_t cookie;
	uint32_t verb;
	int statement, package;
};

/* An installer that is being started. */
struct start {
	struct watch watch; /* its fd: launch_start()'s */
	uint64_t cookie;
	char version[UPDATE_VERSION];
};

static struct {
	struct agent *agent;
	struct ask asks[BUS_CALLS_MAX];
	struct start start; /* one at a time */
} self;

static struct ask *find_ask(uint64_t cookie)
{
	for (size_t i = 0; i < ARRAY_SIZE(self.asks); i++)
		if (self.asks[i].used && self.asks[i].cookie == cookie)
			return &self.asks[i];
	return NULL;
}

static struct ask *free_ask(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(self.asks); i++)
		if (!self.asks[i].used)
			return &self.asks[i];
	return NULL;
}

static void drop_ask(struct ask *ask)
{
	cleanup_close(&ask->statement);
	cleanup_close(&ask->package);
	memset(ask, 0, sizeof(*ask));
}

static void reply(struct agent *agent, uint64_t cookie, int error,
	const char *format, ...) _printf_(4, 5);
static void reply(struct agent *agent, uint64_t cookie, int error,
	const char *format, ...)
{
	struct bus_reply answer = {.cookie = cookie, .error = error};
	va_list args;

	va_start(args, format);
	vsnprintf(answer.text, sizeof(answer.text), format, args);
	va_end(args);
	if (agent_send(agent, "bus", BUS_REPLY, &answer, sizeof(answer), -1) <
		0)
		log_info("nobody is left to be told: %s", answer.text);
}

static int send_ask(struct agent *agent, const struct ask *ask)
{
	struct update_file file = {.cookie = ask->cookie, .verb = ask->verb};
	int r = agent_send(agent, "update", UPDATE_STATEMENT, &file,
		sizeof(file), ask->statement);

	if (r == 0)
		r = agent_send(agent, "update", UPDATE_PACKAGE, &file,
			sizeof(file), ask->package);
	return r;
}

int update_ask(struct agent *agent, uint64_t cookie, uint32_t verb,
	int statement, int package)
{
	struct ask *ask = free_ask();
	int r;

	if (!ask)
		return -EBUSY;
	if (find_ask(cookie) ||
		(verb != UPDATE_VERB_CHECK && verb != UPDATE_VERB_APPLY))
		return -EINVAL;
	*ask = (struct ask){.used = true,
		.cookie = cookie,
		.verb = verb,
		.statement = fcntl(statement, F_DUPFD_CLOEXEC, 0),
		.package = fcntl(package, F_DUPFD_CLOEXEC, 0)};
	if (ask->statement < 0 || ask->package < 0)
		r = -errno;
	else
		r = send_ask(agent, ask);
	if (r < 0)
		drop_ask(ask);
	return r;
}

static const char *key_file(const struct conf *conf)
{
	return conf_text(conf_find(conf, "update", ""), "key", NULL);
}

static int stage_path(struct agent *agent, char path[static PATH_BYTES])
{
	int n = snprintf(path, PATH_BYTES, "%s/update", agent_state_dir(agent));

	return n < PATH_BYTES ? 0 : -ENAMETOOLONG;
}

static void on_started(struct watch *watch, uint32_t events)
{
	struct start *start = container_of(watch, struct start, watch);
	int r = launch_result(watch->fd);

	(void)events;
	if (r < 0)
		reply(self.agent, start->cookie, r,
			"gatehouse %s is good, but its installation could not "
			"be started; see journalctl -u gatehouse",
			start->version);
	else
		reply(self.agent, start->cookie, 0,
			"installing %s; gatehouse starts again by itself, see "
			"journalctl -u " LAUNCH_UNIT,
			start->version);
	loop_remove_watch(agent_loop(self.agent), watch);
	close(watch->fd);
}

static int start_installer(struct agent *agent, const struct ask *ask,
	const char *version, const char *folder)
{
	char program[PATH_BYTES];
	int answer, r;

	r = snprintf(program, sizeof(program), "%s/gatehouse-install",
		agent_libexec_dir(agent));
	if (r >= (int)sizeof(program))
		return -ENAMETOOLONG;
	r = launch_start(program, key_file(agent_conf(agent)), folder, &answer);
	if (r < 0)
		return r;
	self.start.watch.ready = on_started;
	self.start.cookie = ask->cookie;
	snprintf(self.start.version, sizeof(self.start.version), "%s", version);
	r = loop_add_watch(
		agent_loop(agent), &self.start.watch, answer, EPOLLIN);
	if (r < 0)
		close(answer);
	return r;
}

static int apply(
	struct agent *agent, const struct ask *ask, const char *version)
{
	_cleanup_(cleanup_close) int folder = -1;
	char path[PATH_BYTES];
	int r;

	if (self.start.watch.active)
		return -EBUSY;
	r = stage_path(agent, path);
	if (r == 0 && mkdir(path, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0)
		r = stage_lock(path, &folder);
	if (r == 0)
		r = stage_put(folder, ask->statement, ask->package,
			STATEMENT_PACKAGE_MAX);
	if (r < 0)
		return r;
	/* The installer wants the lock. */
	close(steal_fd(&folder));
	return start_installer(agent, ask, version, path);
}

static int on_judged(void *owner, const void *message, int fd)
{
	const struct update_judged *judged = message;
	struct ask *ask = find_ask(judged->cookie);
	struct agent *agent = owner;
	int r;

	(void)fd;
	if (!ask || ask->verb != judged->verb || judged->error > 0 ||
		!memchr(judged->reason, '\0', sizeof(judged->reason)) ||
		!memchr(judged->version, '\0', sizeof(judged->version)))
		return -EPROTO;
	if (judged->error < 0) {
		log_warning("update refused: %s", judged->reason);
		reply(agent, ask->cookie, judged->error, "refused: %s",
			judged->reason);
	} else if (ask->verb == UPDATE_VERB_CHECK) {
		reply(agent, ask->cookie, 0, "%s", judged->reason);
	} else {
		log_notice("installing an update: %s", judged->reason);
		r = apply(agent, ask, judged->version);
		if (r < 0)
			reply(agent, ask->cookie, r,
				"%s; but it cannot be installed now: %s",
				judged->reason,
				r == -EBUSY ? "an installation is under way"
					    : strerror(-r));
	}
	drop_ask(ask);
	return 0;
}

static void check(struct conf *conf)
{
	const struct conf_section *section = conf_find(conf, "update", "");
	const struct conf_value *value = section ? conf_get(section, "key")
						 : NULL;
	struct update_key key;
	int r;

	if (!value || conf_check_path(value->text) < 0)
		return;
	r = update_key_load(value->text, &key);
	if (r == -EINVAL)
		conf_complain(conf, value->file, value->line,
			"key: %s is not a public key in PEM form (a file that "
			"begins with \"-----BEGIN PUBLIC KEY-----\")",
			value->text);
	else if (r < 0)
		conf_complain(conf, value->file, value->line,
			"key: cannot read %s: %s", value->text, strerror(-r));
}

static int configure(struct agent *agent, const struct conf *conf)
{
	struct update_key key;
	int r;

	self.agent = agent;
	r = update_key_get(key_file(conf), &key);
	if (r == -ENOKEY)
		return 0;
	if (r == 0)
		r = agent_send(
			agent, "update", UPDATE_KEY, &key, sizeof(key), -1);
	return r;
}

/* "installing", and nobody is at it any more: the power went, say. */
static bool was_cut_short(const char *path, const char *line)
{
	_cleanup_(cleanup_close) int folder = -1;

	return strncmp(line, "installing", 10) == 0 &&
	       stage_lock(path, &folder) == 0;
}

/* The last installation went wrong: the owner should know. */
static void applied(struct agent *agent, const struct conf *conf)
{
	char path[PATH_BYTES], line[STAGE_RESULT_MAX];

	(void)conf;
	if (stage_path(agent, path) < 0 || stage_read_result(path, line) < 0)
		return;
	if (strncmp(line, "failed", 6) == 0 || strncmp(line, "refused", 7) == 0)
		state_warn(agent_state(agent), 0, RECORD_SEVERITY_WARNING,
			WARNING_CODE, "the last update: %s", line);
	else if (was_cut_short(path, line))
		state_warn(agent_state(agent), 0, RECORD_SEVERITY_WARNING,
			WARNING_CODE,
			"the last update was cut short: %s; mend that with "
			"\"sudo dpkg --configure -a\" and apply it again",
			line);
	else
		state_unwarn(agent_state(agent), 0, WARNING_CODE);
}

static void stopped(struct agent *agent)
{
	for (size_t i = 0; i < ARRAY_SIZE(self.asks); i++) {
		struct ask *ask = &self.asks[i];

		if (!ask->used)
			continue;
		reply(agent, ask->cookie, -EAGAIN,
			"the judgement of this update was interrupted; try "
			"again");
		drop_ask(ask);
	}
}

static const struct conf_key keys[] = {
	{.name = "key",
		.check = conf_check_path,
		.expected = "the absolute path of a public key in PEM form",
		.help = "The public key of whoever publishes updates."},
};

static const struct conf_schema schema = {
	.type = "update", .keys = keys, .n_keys = ARRAY_SIZE(keys)};

static const struct ipc_route routes[] = {
	IPC_ROUTE(UPDATE_JUDGED, struct update_judged, on_judged),
};

extern const struct module update_module;
const struct module update_module = {
	.name = "update",
	.files = 32,
	.schemas = &schema,
	.n_schemas = 1,
	.check = check,
	.routes = routes,
	.n_routes = ARRAY_SIZE(routes),
	.configure = configure,
	.applied = applied,
	.stopped = stopped,
};
