/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of gatehoused's command line. Prints, and touches nothing else. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/lib/product.h"

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
	"      --print-config   print all of it as one file\n"
	"      --version        print the version\n"
	"\n"
	"For laboratories and tests:\n"
	"      --workers DIR    folder of the workers' programs\n"
	"      --state DIR      folder of lasting state\n"
	"      --run DIR        folder of run-time state\n"
	"      --bus PATH       socket of the system bus\n"
	"      --boot DIR       where to look for gatehouse-safe-mode\n"
	"      --uids BASE      numeric users from BASE + 1, not names\n";

enum option_code {
	OPTION_JSON = 256,
	OPTION_VERSION,
	OPTION_WORKERS,
	OPTION_STATE,
	OPTION_RUN,
	OPTION_BUS,
	OPTION_BOOT,
	OPTION_UIDS,
	OPTION_HELP,
	OPTION_PRINT,
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
	{"boot", required_argument, NULL, OPTION_BOOT},
	{"uids", required_argument, NULL, OPTION_UIDS},
	{"print-config", no_argument, NULL, OPTION_PRINT},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
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
static int read_option(int code, struct options_start *start)
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
	case OPTION_PRINT:
		start->print = true;
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
	case OPTION_BOOT:
		start->options.boot = optarg;
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

int options_read(int argc, char **argv, struct options_start *start)
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
