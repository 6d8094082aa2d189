/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-discover: what the devices of a capture file are, as JSON; started
 * by "gatehouse discover". Opens the files it is told to with its caller's
 * rights, gives up all rights, and only then reads the first byte of the
 * capture. Must never read one outside the sandbox.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>

#include "agent/lib/sandbox.h"
#include "modules/discovery/discover/pcap.h"
#include "modules/discovery/discover/report.h"
#include "modules/discovery/discover/vendors.h"
#include "modules/discovery/match/gather.h"

#define USER "gatehouse-discovery"
#define NOBODY 65534
#define FOLDERS_MAX 4
#define PRODUCTS_FILE_MAX (4u << 20)

static struct {
	FILE *capture;
	struct vendors vendors;
	struct conf *products;
	const struct mac *only; /* this card, or NULL */
	struct book book;
	int64_t now; /* of the frame being read */
	int error;
} self;

static int fail(const char *what, const char *which, int r)
{
	fprintf(stderr, "%s %s: %s\n", what, which, strerror(-r));
	return 1;
}

static int parse_products(const char *path)
{
	_cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
	_cleanup_(cleanup_free) char *bytes = NULL;
	size_t size;

	if (!file)
		return -errno;
	bytes = malloc(PRODUCTS_FILE_MAX);
	if (!bytes)
		return -ENOMEM;
	size = fread(bytes, 1, PRODUCTS_FILE_MAX, file);
	if (ferror(file))
		return -EIO;
	if (size == PRODUCTS_FILE_MAX)
		return -EFBIG;
	return conf_parse(self.products, path, bytes, size);
}

/* The owner's file need not be there; a mistake in either is one. */
static int read_products(const char *path, bool needed)
{
	int r = parse_products(path);

	if (r == -ENOENT && !needed)
		return 0;
	return r < 0 ? fail("Cannot read", path, r) : 0;
}

static int judge_products(void)
{
	products_check(self.products);
	for (size_t i = 0; i < conf_problem_count(self.products); i++) {
		const struct conf_problem *p = conf_problem(self.products, i);

		fprintf(stderr, "%s:%u: %s\n", p->file, p->line, p->text);
	}
	return conf_problem_count(self.products) ? 1 : 0;
}

static int drop_rights(void)
{
	const struct passwd *user = getpwnam(USER);
	uid_t uid = user ? user->pw_uid : NOBODY;
	gid_t gid = user ? user->pw_gid : NOBODY;

	if (geteuid() == 0 &&
		(setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
			setresuid(uid, uid, uid) < 0))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* Landlock where the kernel has it; without seccomp nothing is read. */
static int close_sandbox(void)
{
	int r = drop_rights();

	if (r < 0)
		return r;
	r = sandbox_landlock(false);
	if (r < 0 && r != -ENOSYS && r != -EOPNOTSUPP)
		return r;
	return sandbox_seccomp(NULL);
}

static void on_evidence(
	void *arg, const struct mac *mac, unsigned kind, const char *value)
{
	int r;

	(void)arg;
	if (self.only && !mac_equal(self.only, mac))
		return;
	r = book_add(&self.book, mac, kind, value, self.now);
	if (r < 0)
		self.error = r;
}

static int read_head(struct pcap *pcap)
{
	uint8_t head[PCAP_HEAD];
	int r = fread(head, 1, sizeof(head), self.capture) == sizeof(head)
			? pcap_read_head(head, pcap)
			: -EBADMSG;

	if (r == -EPROTONOSUPPORT)
		fputs("This is a pcapng file. Make a pcap file of it: editcap "
		      "-F pcap OLD NEW\n",
			stderr);
	else if (r == -EAFNOSUPPORT)
		fprintf(stderr,
			"This was not captured on Ethernet (link type %u): "
			"frames without MAC addresses say nothing about "
			"devices. Capture on an Ethernet or Wi-Fi interface "
			"or on a bridge, not on \"any\".\n",
			pcap->link);
	else if (r < 0)
		fputs("This is not a capture in the format of libpcap.\n",
			stderr);
	return r;
}

/* Frame by frame; NULL at the end of the file, else why it ends early. */
static const char *read_frames(
	const struct pcap *pcap, struct gather *gather, uint64_t *frames)
{
	static uint8_t frame[PCAP_FRAME_MAX];
	uint8_t head[PCAP_RECORD];
	struct pcap_record record;
	size_t n;

	while ((n = fread(head, 1, sizeof(head), self.capture)) > 0) {
		if (n < sizeof(head))
			return "It ends within the head of a frame.";
		if (pcap_read_record(pcap, head, &record) < 0)
			return "It is damaged: no frame is that long.";
		n = fread(frame, 1, record.size, self.capture);
		self.now = record.time;
		++*frames;
		gather_frame(gather, (struct bytes){frame, n});
		if (n < record.size)
			return "It ends within a frame.";
		if (self.error < 0)
			return "Memory is short.";
	}
	return ferror(self.capture) ? "It cannot be read to its end." : NULL;
}

static int discover(void)
{
	struct report report = {.book = &self.book, .products = self.products};
	struct gather gather = {.tell = on_evidence};
	struct pcap pcap;
	int r;

	if (read_head(&pcap) < 0)
		return 1;
	report.cut = read_frames(&pcap, &gather, &report.frames);
	report.unread = gather.unread;
	report.vendors = self.vendors.n;
	r = vendors_add(&self.vendors, &self.book, self.now);
	book_sort(&self.book);
	if (r == 0)
		r = report_write(&report, stdout);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = -EIO;
	return r < 0 ? fail("Cannot write", "the report", r) : 0;
}

static int open_capture(const char *path)
{
	self.capture = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	return self.capture ? 0 : fail("Cannot open", path, -errno);
}

/* --products FILE, --own FILE, --vendors FOLDER, --device MAC; CAPTURE */
static int read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"products", required_argument, NULL, 'p'},
		{"own", required_argument, NULL, 'o'},
		{"vendors", required_argument, NULL, 'v'},
		{"device", required_argument, NULL, 'd'},
		{NULL, 0, NULL, 0},
	};
	static const char *folders[FOLDERS_MAX];
	static struct mac only;
	size_t n = 0;
	int c, r = 0;

	while (r == 0 &&
		(c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p' || c == 'o')
			r = read_products(optarg, c == 'p');
		else if (c == 'v' && n < FOLDERS_MAX)
			folders[n++] = optarg;
		else if (c == 'd' && mac_parse(optarg, &only) == 0)
			self.only = &only;
		else if (c == 'd')
			r = fail("Not a MAC address:", optarg, -EINVAL);
		else
			r = 2;
	}
	if (r == 0 && optind + 1 != argc)
		r = 2;
	if (r == 0)
		r = judge_products();
	if (r == 0)
		r = open_capture(argv[optind]);
	vendors_open(&self.vendors, folders, n);
	return r;
}

int main(int argc, char **argv)
{
	int r = sandbox_main(NULL, argc, argv);

	if (r >= 0)
		return r;
	if (products_new(&self.products) < 0)
		return fail("Cannot start", "for", -ENOMEM);
	r = read_options(argc, argv);
	if (r)
		return r;
	r = close_sandbox();
	if (r < 0)
		return fail("The capture was not read:",
			"the sandbox cannot be closed", r);
	r = discover();
	book_clear(&self.book);
	conf_free(self.products);
	return r;
}
