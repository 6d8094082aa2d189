/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehoused: reads its options and configuration, gives up what it does not
 * need, then lets the supervisor work. The agent parses nothing that came
 * from a network; a failure here ends the daemon, and the rules in the kernel
 * stay as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "agent/agent.h"
#include "agent/lib/log.h"
#include "agent/lib/product.h"

#define EXIT_CONFIG 78 /* as in sysexits.h */

static const char usage[] =
	"Usage: gatehoused [OPTION]...\n"
	"\n"
	"Isolates devices, carries their plaintext into TLS, warns about the\n"
	"end of their support and applies signed updates of itself.\n"
	"\n"
	"  -d, --foreground     stay in the foreground\n"
	"  -f, --config FILE    read FILE and FILE.d/*.conf instead of\n"
	"                       " SYSCONFDIR "/gatehouse/gatehouse.conf\n"
	"  -c, --check-config   only say what is wrong with the configuration\n"
	"      --json           say it as JSON\n"
	"      --version        print the version\n"
	"\n"
	"For laboratories and tests:\n"
	"      --workers DIR    folder of the workers' programs\n"
	"      --state DIR      folder of lasting state\n"
	"      --run DIR        folder of run-time state\n"
	"      --bus PATH       socket of the system bus\n"
	"      --uids BASE      numeric users from BASE + 1, not names\n";

enum option_code {
	OPTION_JSON = 256,
	OPTION_VERSION,
	OPTION_WORKERS,
	OPTION_STATE,
	OPTION_RUN,
	OPTION_BUS,
	OPTION_UIDS,
	OPTION_HELP,
};

static const struct option options_known[] = {
	{"foreground", no_argument, NULL, 'd'},
	{"config", required_argument, NULL, 'f'},
	{"check-config", no_argument, NULL, 'c'},
	{"json", no_argument, NULL, OPTION_JSON},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"workers", required_argument, NULL, OPTION_WORKERS},
	{"state", required_argument, NULL, OPTION_STATE},
	{"run", required_argument, NULL, OPTION_RUN},
	{"bus", required_argument, NULL, OPTION_BUS},
	{"uids", required_argument, NULL, OPTION_UIDS},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

struct start {
	struct agent_options options;
	bool check, json;
};

static int read_uids(const char *text, uid_t *ret_uids)
{
	uint64_t value;

	if (conf_read_number(text, 1000, INT32_MAX, &value) < 0) {
		fprintf(stderr,
			"gatehoused: --uids: %s is no number from "
			"1000 to 2147483647\n",
			text);
		return -EINVAL;
	}
	*ret_uids = (uid_t)value;
	return 0;
}

/* 0 = go on, 1 = all is said, negative = a mistake was explained. */
static int read_option(int code, struct start *start)
{
	switch (code) {
	case 'd':
		start->options.foreground = true;
		return 0;
	case 'f':
		start->options.config = optarg;
		return 0;
	case 'c':
		start->check = true;
		return 0;
	case OPTION_JSON:
		start->json = true;
		return 0;
	case OPTION_VERSION:
		printf("gatehoused " PACKAGE_VERSION "\n"
		       "supported until " PRODUCT_SUPPORT_ENDS "\n"
		       "to report a vulnerability: " PRODUCT_SECURITY_CONTACT
		       "\n");
		return 1;
	case OPTION_WORKERS:
		start->options.workers = optarg;
		return 0;
	case OPTION_STATE:
		start->options.state = optarg;
		return 0;
	case OPTION_RUN:
		start->options.run = optarg;
		return 0;
	case OPTION_BUS:
		start->options.bus = optarg;
		return 0;
	case OPTION_UIDS:
		return read_uids(optarg, &start->options.uids);
	case OPTION_HELP:
		fputs(usage, stdout);
		return 1;
	}
	fputs("Try gatehoused --help.\n", stderr);
	return -EINVAL;
}

static int read_options(int argc, char **argv, struct start *start)
{
	int code;

	while ((code = getopt_long(argc, argv, "df:c", options_known, NULL)) >=
		0) {
		int r = read_option(code, start);

		if (r != 0)
			return r;
	}
	if (optind < argc) {
		fprintf(stderr, "gatehoused: %s is no option\n", argv[optind]);
		return -EINVAL;
	}
	return 0;
}

static int check_config(const struct start *start)
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

	if (mkdir(path, mode) < 0 && errno != EEXIST)
		goto failed;
	if (lstat(path, &info) < 0)
		goto failed;
	if (!S_ISDIR(info.st_mode) || info.st_uid != 0 ||
		(info.st_mode & 022)) {
		log_error("%s must be a folder that only root can write to",
			path);
		return -EPERM;
	}
	return 0;
failed:
	log_error("cannot make the folder %s: %s", path, strerror(errno));
	return -errno;
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
	r = devices_number(agent->conf, &agent->numbers);
	state_set_gateway(agent->state, &gateway);
	devices_publish(agent);
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
	conf_free(agent->conf);
	devices_free_numbers(agent->numbers);
	state_free(agent->state);
	loop_free(agent->loop);
}

static int start_agent(struct start *start)
{
	struct agent *agent = &the_agent;
	_cleanup_(cleanup_close) int lock = -1;
	int r;

	agent->options = start->options;
	transaction_init(agent);
	r = config_load(agent->options.config, &agent->conf);
	if (r < 0) {
		if (agent->conf)
			config_print(agent->conf, agent->options.config, false);
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
	struct start start = {
		.options = {
			.config = SYSCONFDIR "/gatehouse/gatehouse.conf",
			.workers = LIBEXECDIR,
			.state = STATEDIR,
			.run = RUNDIR,
			.bus = "/run/dbus/system_bus_socket",
		}};
	int r = read_options(argc, argv, &start);

	if (r != 0)
		return r < 0 ? 2 : 0;
	log_open("gatehoused", LOG_LEVEL_INFO);
	if (start.check)
		return check_config(&start);
	if (geteuid() != 0) {
		log_error("must be started by root");
		return 1;
	}
	umask(022);
	return start_agent(&start);
}
