/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehoused: reads its options and configuration, gives up what it does not
 * need, then lets the supervisor work. The agent parses nothing that came
 * from a network; a failure here ends the daemon, and the rules in the kernel
 * stay as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "agent/agent.h"
#include "agent/lib/log.h"

#define EXIT_CONFIG 78 /* as in sysexits.h */

/* Without a word about it when there is nothing wrong. */
static int print_config(const struct options_start *start)
{
	_cleanup_(cleanup_free) char *text = NULL;
	struct conf *conf = NULL;
	size_t size = 0;
	int r = config_load(start->options.config, &conf);

	if (r < 0 && conf)
		config_print(conf, start->options.config, start->json);
	if (r == 0)
		r = conf_write(conf, &text, &size);
	if (r == 0 && fwrite(text, 1, size, stdout) != size)
		r = -EIO;
	conf_free(conf);
	return r < 0 ? EXIT_CONFIG : 0;
}

static int check_config(const struct options_start *start)
{
	struct conf *conf = NULL;
	int r = config_load(start->options.config, &conf);

	if (!conf) {
		fprintf(stderr, "gatehoused: %s\n", strerror(-r));
		return EXIT_CONFIG;
	}
	config_print(conf, start->options.config, start->json);
	conf_free(conf);
	return r < 0 ? EXIT_CONFIG : 0;
}

static int make_folder(const char *path, mode_t mode)
{
	struct stat info;
	int r;

	if ((mkdir(path, mode) < 0 && errno != EEXIST) ||
		lstat(path, &info) < 0) {
		r = -errno;
		log_error("cannot make the folder %s: %s", path, strerror(-r));
		return r;
	}
	if (!S_ISDIR(info.st_mode) || info.st_uid != 0 ||
		(info.st_mode & 022)) {
		log_error("%s must be a folder that only root can write to",
			path);
		return -EPERM;
	}
	return 0;
}

static int make_folders(const struct agent_options *options)
{
	char empty[4096];
	int r = make_folder(options->run, 0755);

	snprintf(empty, sizeof(empty), "%s/empty", options->run);
	if (r == 0)
		r = make_folder(empty, 0555);
	if (r == 0)
		r = make_folder(options->state, 0755);
	return r;
}

/* The lock says that a daemon runs here; held until the process ends. */
static int lock_pid_file(const struct agent_options *options)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/gatehoused.pid", options->run);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		log_error("cannot open %s: %s", path, strerror(errno));
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		log_error("another gatehoused is running (%s is locked)", path);
		close(fd);
		return -EBUSY;
	}
	return fd;
}

/* For people and scripts. */
static int write_pid(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	return ftruncate(fd, 0) < 0 || write(fd, text, n) != n ? -EIO : 0;
}

static int find_user(struct agent *agent, struct process *process, size_t n)
{
	const struct passwd *user;
	char name[64];

	if (agent->options.uids) {
		process->uid = agent->options.uids + (uid_t)n + 1;
		process->gid = process->uid;
		return 0;
	}
	snprintf(name, sizeof(name), "gatehouse-%s", process->module->name);
	user = getpwnam(name);
	if (!user || user->pw_uid == 0) {
		log_error("the user %s does not exist; the package makes it "
			  "(systemd-sysusers)",
			name);
		return -ENOENT;
	}
	process->uid = user->pw_uid;
	process->gid = user->pw_gid;
	return 0;
}

static int make_agent(struct agent *agent)
{
	struct record_gateway gateway = {
		.state = RECORD_STATE_STARTING, .started = clock_wall()};
	int r = loop_new(&agent->loop);

	if (r == 0)
		r = state_new(&agent->state);
	for (size_t i = 0; i < agent_modules_count && r == 0; i++) {
		struct process *process = &agent->processes[i];

		process->agent = agent;
		process->module = agent_modules[i];
		r = find_user(agent, process, i);
	}
	if (r < 0)
		return r;
	agent->n_processes = agent_modules_count;
	agent->generation = agent->last_generation = 1;
	r = config_overlay(agent, agent->files, &agent->conf);
	if (r < 0)
		return r;
	state_set_gateway(agent->state, &gateway);
	devices_enter_safe_mode(agent);
	devices_publish(agent);
	config_leave(agent);
	confirm_start(agent);
	return r;
}

/* For one worker alone; a restored one may have somebody else's number. */
static int make_own_folder(
	const struct agent *agent, const struct process *process)
{
	_cleanup_(cleanup_close) int fd = -1;
	char path[4096];
	int r = 0;

	snprintf(path, sizeof(path), "%s/%s", agent->options.state,
		process->module->name);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0)
		fd = open(
			path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* The mode is its owner's to change: we have no CAP_FOWNER. */
	if (r == 0 && (fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, 0700) < 0 ||
			      fchown(fd, process->uid, process->gid) < 0))
		r = -errno;
	if (r < 0)
		log_error("cannot make the folder %s: %s", path, strerror(-r));
	return r;
}

static int make_own_folders(const struct agent *agent)
{
	int r = 0;

	for (size_t i = 0; i < agent->n_processes && r == 0; i++)
		if (agent->processes[i].module->folder)
			r = make_own_folder(agent, &agent->processes[i]);
	return r;
}

static struct agent the_agent;
static struct watch signals;
static struct timer watchdog;

static void reload_done(void *arg, int error, const char *report)
{
	(void)arg;
	(void)report; /* the transaction has logged it */
	notify_send(error < 0 ? "READY=1\nSTATUS=the new configuration was "
				"refused; see the log"
			      : "READY=1\nSTATUS=all parts are in force");
}

static void signal_ready(struct watch *watch, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			supervisor_reap(&the_agent);
			break;
		case SIGHUP:
			notify_send("RELOADING=1");
			agent_reload(&the_agent, reload_done, NULL);
			break;
		case SIGTERM:
		case SIGINT:
			loop_stop(the_agent.loop, 0);
			break;
		}
	}
}

static int watch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	signals.ready = signal_ready;
	return loop_add_watch(the_agent.loop, &signals, fd, EPOLLIN);
}

static void feed_watchdog(struct timer *timer)
{
	notify_send("WATCHDOG=1");
	loop_set_timer(the_agent.loop, timer, notify_watchdog_ms() / 2);
}

static int run(void)
{
	int r = watch_signals();

	if (r == 0)
		r = hold_start(&the_agent);
	if (r == 0)
		r = supervisor_start(&the_agent);
	if (r == 0 && notify_watchdog_ms() > 0) {
		watchdog.fired = feed_watchdog;
		r = loop_set_timer(the_agent.loop, &watchdog, 0);
	}
	if (r == 0) {
		transaction_review(&the_agent);
		r = loop_run(the_agent.loop);
	}
	log_notice("stopping; the isolation rules stay in place");
	notify_send("STOPPING=1");
	supervisor_stop(&the_agent);
	return r;
}

static void free_agent(struct agent *agent)
{
	transaction_free(agent);
	conf_free(agent->files);
	conf_free(agent->conf);
	free(agent->confirmed);
	devices_free_numbers(agent->numbers);
	state_free(agent->state);
	loop_free(agent->loop);
}

static int start_agent(struct options_start *start)
{
	struct agent *agent = &the_agent;
	_cleanup_(cleanup_close) int lock = -1;
	int r;

	agent->options = start->options;
	transaction_init(agent);
	r = confirm_load(agent);
	if (r < 0) {
		if (agent->files && r != -EUCLEAN)
			config_print(
				agent->files, agent->options.config, false);
		log_error("not started: the configuration has problems");
		return EXIT_CONFIG;
	}
	if (make_folders(&agent->options) < 0)
		return 1;
	lock = lock_pid_file(&agent->options);
	if (lock < 0)
		return 1;
	r = make_agent(agent);
	if (r == 0)
		r = make_own_folders(agent);
	if (r == 0)
		r = spawn_reduce_agent();
	if (r == 0 && !agent->options.foreground)
		r = daemon(1, 1) < 0 ? -errno : 0;
	if (r == 0)
		r = write_pid(lock);
	if (r == 0)
		r = run();
	if (r < 0)
		log_error("ending: %s", strerror(-r));
	free_agent(agent);
	return r < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options_start start = {
		.options = {
			.config = SYSCONFDIR "/gatehouse/gatehouse.conf",
			.workers = LIBEXECDIR,
			.state = STATEDIR,
			.run = RUNDIR,
			.bus = "/run/dbus/system_bus_socket",
		}};
	int r = options_read(argc, argv, &start);

	if (r != 0)
		return r < 0 ? 2 : 0;
	log_open("gatehoused", LOG_LEVEL_INFO);
	if (start.print)
		return print_config(&start);
	if (start.check)
		return check_config(&start);
	if (geteuid() != 0) {
		log_error("must be started by root");
		return 1;
	}
	umask(022);
	return start_agent(&start);
}
