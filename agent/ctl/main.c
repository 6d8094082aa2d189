/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse: the command. Reads its words and calls what they mean. Has no
 * privilege of its own: what it may do is what the bus and the file system
 * let its caller do.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/ctl.h"
#include "agent/ctl/say.h"
#include "agent/ctl/text.h"
#include "agent/ctl/when.h"
#include "agent/lib/product.h"

static const struct command {
	const char *first, *second; /* second NULL: one word */
	enum {
		WORD_NONE,
		WORD_MAYBE,
		WORD_NEEDED,
		WORD_TWO,
		WORD_SOME, /* one or two */
		WORD_THREE
	} word;
	int (*run)(const struct ctl *ctl);
} commands[] = {
	{"status", NULL, WORD_NONE, ctl_status},
	{"device", "list", WORD_NONE, ctl_device_list},
	{"device", "show", WORD_NEEDED, ctl_device_show},
	{"device", "approve", WORD_NEEDED, ctl_device_approve},
	{"device", "quarantine", WORD_NEEDED, ctl_device_quarantine},
	{"device", "block", WORD_NEEDED, ctl_device_block},
	{"device", "rename", WORD_TWO, ctl_device_rename},
	{"device", "set-profile", WORD_TWO, ctl_device_set_profile},
	{"device", "forget", WORD_NEEDED, ctl_device_forget},
	{"pause", NULL, WORD_SOME, ctl_pause},
	{"warnings", NULL, WORD_NONE, ctl_warnings},
	{"monitor", NULL, WORD_NONE, ctl_monitor},
	{"enforce", NULL, WORD_MAYBE, ctl_enforce},
	{"observe", NULL, WORD_MAYBE, ctl_observe},
	{"pin", NULL, WORD_TWO, ctl_pin},
	{"unpin", NULL, WORD_TWO, ctl_unpin},
	{"update", "check", WORD_NEEDED, ctl_update_check},
	{"update", "apply", WORD_NEEDED, ctl_update_apply},
	{"config", "check", WORD_NONE, ctl_config_check},
	{"config", "diff", WORD_NONE, ctl_config_diff},
	{"config", "apply", WORD_NONE, ctl_config_apply},
	{"config", "confirm", WORD_NONE, ctl_config_confirm},
	{"why", NULL, WORD_THREE, ctl_why},
	{"forget", NULL, WORD_NEEDED, ctl_forget},
	{"backup", NULL, WORD_NEEDED, ctl_backup},
	{"restore", NULL, WORD_NEEDED, ctl_restore},
	{"self-test", NULL, WORD_NONE, ctl_selftest},
	{"doctor", NULL, WORD_NONE, ctl_doctor},
	{"discover", NULL, WORD_NEEDED, ctl_discover},
	{"rules", "clear", WORD_NONE, ctl_rules_clear},
};

static const char help[] =
	"Usage: gatehouse [OPTION...] COMMAND\n"
	"\n"
	"Looking\n"
	"  status                    what gatehouse does at this moment\n"
	"  device list               all devices\n"
	"  device show NAME|MAC      one device; the beginning is enough\n"
	"  warnings                  what needs you\n"
	"  monitor                   what happens, as it happens\n"
	"  why DEVICE SERVICE WHERE  may it open that, and by which line?\n"
	"                            tcp/443, udp/123 or icmp; an address, a\n"
	"                            name, gateway or device:NAME\n"
	"  doctor                    is this host set up so that it can work?\n"
	"  discover FILE             what the devices of a capture (pcap) are\n"
	"  config check              is the configuration right?\n"
	"  config diff               what it would open and close\n"
	"\n"
	"Deciding (as root)\n"
	"  device approve DEVICE     let it in; says first what that opens\n"
	"  device quarantine DEVICE  it reaches nothing\n"
	"  device block DEVICE       ... and is not asked about again\n"
	"  device rename DEVICE NAME what you call it\n"
	"  device set-profile DEVICE PROFILE\n"
	"  device forget DEVICE      erase what is known of it\n"
	"  pause DEVICE|--all TIME   block nothing for a while; 0: no longer\n"
	"  enforce [ZONE|DEVICE]     block what is not allowed; asks first\n"
	"  observe [ZONE|DEVICE]     only watch\n"
	"  pin DEVICE ADDRESS        the address is that device's for good\n"
	"  unpin DEVICE ADDRESS      no longer\n"
	"  config apply              put the files in force\n"
	"  config confirm            what is on trial stays in force\n"
	"  update check FILE|FOLDER  is this package ours and newer?\n"
	"  update apply FILE|FOLDER  ... and install it\n"
	"  forget DEVICE             erase what is known of it, with a "
	"receipt\n"
	"  backup FILE               configuration, decisions and keys, "
	"sealed\n"
	"                            with a passphrase\n"
	"  restore FILE              ... back in their places\n"
	"  self-test                 try with real packets what gets through\n"
	"  rules clear               remove all isolation rules\n"
	"\n"
	"Options\n"
	"      --json                for programs\n"
	"      --device MAC          discover: only this one\n"
	"      --yes                 do not ask (enforce, forget, device\n"
	"                            approve)\n"
	"      --for TIME            device approve, quarantine, block: then "
	"as\n"
	"                            before\n"
	"      --profile PROFILE     device approve: internet (the usual "
	"one),\n"
	"                            local-only, or a [profile]\n"
	"      --confirm-within TIME enforce, observe, config apply: only on\n"
	"                            trial; 60, 5m or 1h\n"
	"      --passphrase-file FILE  backup, restore: do not ask\n"
	"  -f, --config FILE         instead of " SYSCONFDIR
	"/gatehouse/gatehouse.conf\n"
	"      --state FOLDER        the daemon's, instead of " STATEDIR "\n"
	"      --run FOLDER          the daemon's, instead of " RUNDIR "\n"
	"      --version\n"
	"      --help\n";

static void say_version(void)
{
	printf("gatehouse %s\n"
	       "supported until %s; to report a vulnerability: %s\n",
		PACKAGE_VERSION, PRODUCT_SUPPORT_ENDS,
		PRODUCT_SECURITY_CONTACT);
}

/* How many words may follow the command itself. */
static bool fits(const struct command *command, int n)
{
	switch (command->word) {
	case WORD_NONE:
		return n == 0;
	case WORD_MAYBE:
		return n <= 1;
	case WORD_NEEDED:
		return n == 1;
	case WORD_TWO:
		return n == 2;
	case WORD_SOME:
		return n == 1 || n == 2;
	case WORD_THREE:
		return n == 3;
	}
	return false;
}

static const struct command *find_command(char **words, int n, struct ctl *ctl)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		int own = command->second ? 2 : 1;

		if (n < own || strcmp(words[0], command->first) != 0 ||
			(command->second &&
				strcmp(words[1], command->second) != 0))
			continue;
		if (!fits(command, n - own))
			return NULL;
		ctl->words = (const char *const *)words + own;
		ctl->word = n > own ? words[own] : NULL;
		return command;
	}
	return NULL;
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct ctl *ctl)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"yes", no_argument, NULL, 'y'},
		{"device", required_argument, NULL, 'd'},
		{"for", required_argument, NULL, 't'},
		{"profile", required_argument, NULL, 'p'},
		{"all", no_argument, NULL, 'a'},
		{"confirm-within", required_argument, NULL, 'w'},
		{"passphrase-file", required_argument, NULL, 'P'},
		{"config", required_argument, NULL, 'f'},
		{"state", required_argument, NULL, 's'},
		{"run", required_argument, NULL, 'r'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "f:h", options, NULL)) != -1) {
		if (c == 'j')
			ctl->json = true;
		else if (c == 'y')
			ctl->yes = true;
		else if (c == 'd')
			ctl->device = optarg;
		else if (c == 'P')
			ctl->passphrase_file = optarg;
		else if (c == 'f')
			ctl->config = optarg;
		else if (c == 's')
			ctl->state = optarg;
		else if (c == 'r')
			ctl->run = optarg;
		else if (c == 'p')
			ctl->profile = optarg;
		else if (c == 'a')
			ctl->all = true;
		else if (c == 't' &&
			 when_parse_span(optarg, &ctl->seconds) == 0)
			continue;
		else if (c == 'w' &&
			 when_parse_span(optarg, &ctl->confirm_within) == 0)
			continue;
		else if (c == 'w' || c == 't')
			return say_error("--confirm-within and --for take "
					 "seconds, minutes or hours up to a "
					 "day: 60, 5m, 1h",
				       NULL),
			       CTL_USAGE;
		else if (c == 'V')
			return say_version(), CTL_DONE;
		else if (c == 'h')
			return fputs(help, stdout), CTL_DONE;
		else
			return say_error("See: gatehouse --help", NULL),
			       CTL_USAGE;
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct ctl ctl = {
		.config = SYSCONFDIR "/gatehouse/gatehouse.conf",
		.state = STATEDIR,
		.run = RUNDIR,
	};
	const struct command *command;
	int r;

	text_set_up();
	r = read_options(argc, argv, &ctl);
	if (r >= 0)
		return r;
	if (optind == argc) {
		fputs(help, stderr);
		return CTL_USAGE;
	}
	command = find_command(argv + optind, argc - optind, &ctl);
	if (command == NULL) {
		say_error("That is not a command of gatehouse, or a word is "
			  "missing or too much.",
			"See: gatehouse --help");
		return CTL_USAGE;
	}
	r = command->run(&ctl);
	if (fflush(stdout) != 0 || ferror(stdout))
		return CTL_FAILED;
	return r;
}
