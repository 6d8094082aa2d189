/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides whether a package may replace what runs here. The signature comes
 * first: of a statement that is not the publisher's nothing else is looked
 * at. Reads the two descriptors from their start, changes nothing.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/update/judge.h"
#include "modules/update/verify.h"
#include "modules/update/version.h"

#define OUR_NAME "gatehouse"

const char *judge_architecture(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__i386__)
	return "i386";
#elif defined(__aarch64__)
	return "arm64";
#elif defined(__arm__) && defined(__ARM_PCS_VFP)
	return "armhf";
#elif defined(__arm__)
	return "armel";
#elif defined(__riscv) && __riscv_xlen == 64
	return "riscv64";
#elif defined(__mips__) && defined(__LP64__) && defined(__MIPSEL__)
	return "mips64el";
#elif defined(__mips__) && defined(__MIPSEL__)
	return "mipsel";
#else
	return "unknown";
#endif
}

static int say(char *reason, int error, const char *format, ...) _printf_(3, 4);
static int say(char *reason, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, JUDGE_REASON, format, args);
	va_end(args);
	return error;
}

static const char *kind_name(enum statement_kind kind)
{
	switch (kind) {
	case STATEMENT_ED25519:
		return "Ed25519";
	case STATEMENT_ECDSA_P256:
		return "ECDSA P-256";
	}
	return "unknown";
}

static int judge_signature(const struct judge *judge, const void *bytes,
	const struct statement *s, char *reason)
{
	if (s->kind != verify_key_kind(judge->key))
		return say(reason, -EKEYREJECTED,
			"signed by somebody else: with an %s key, the "
			"publisher's is %s",
			kind_name(s->kind),
			kind_name(verify_key_kind(judge->key)));
	if (verify_signature(judge->key, bytes, s->signed_length, s->signature,
		    s->signature_length) < 0)
		return say(reason, -EKEYREJECTED,
			"signed by somebody else, or the statement was "
			"changed after it was signed");
	return 0;
}

static int judge_facts(
	const struct judge *judge, const struct statement *s, char *reason)
{
	int order;

	if (strcmp(s->name, OUR_NAME) != 0)
		return say(reason, -EMEDIUMTYPE,
			"a package of %s, not of " OUR_NAME, s->name);
	if (strcmp(s->architecture, judge->architecture) != 0)
		return say(reason, -ENOEXEC, "made for %s, this is %s",
			s->architecture, judge->architecture);
	order = version_compare(s->version, judge->running);
	if (order == 0)
		return say(reason, -ESTALE, "%s is what runs here already",
			s->version);
	if (order < 0)
		return say(reason, -ESTALE,
			"%s is older than what runs here (%s)", s->version,
			judge->running);
	return 0;
}

static int judge_package(int package, const struct statement *s, char *reason)
{
	int r = verify_file(package, s->length, s->sha256);

	switch (r) {
	case 0:
		return 0;
	case -EFBIG:
		return say(reason, -EUCLEAN,
			"the package was changed after it was signed: it is "
			"longer than the %llu bytes stated",
			(unsigned long long)s->length);
	case -ENODATA:
		return say(reason, -EUCLEAN,
			"the package was changed after it was signed: it is "
			"shorter than the %llu bytes stated",
			(unsigned long long)s->length);
	case -EBADMSG:
		return say(reason, -EUCLEAN,
			"the package was changed after it was signed");
	case -EISDIR:
		return say(reason, -EUCLEAN, "the package is not a file");
	default:
		return say(reason, r, "the package cannot be read: %s",
			strerror(-r));
	}
}

int judge_bytes(const struct judge *judge, const void *statement, size_t length,
	int package, struct statement *ret_statement, char *reason)
{
	const char *wrong;
	struct statement s;
	int r;

	if (!judge->key)
		return say(reason, -ENOKEY,
			"no publisher configured: name the publisher's public "
			"key with key = FILE in [update]");
	r = statement_parse(statement, length, &s, &wrong);
	if (r < 0)
		return say(reason, r, "not a statement about a package: %s",
			wrong);
	r = judge_signature(judge, statement, &s, reason);
	if (r == 0)
		r = judge_facts(judge, &s, reason);
	if (r == 0)
		r = judge_package(package, &s, reason);
	if (r < 0)
		return r;
	*ret_statement = s;
	return say(reason, 0,
		"gatehouse %s is from the publisher, whole and newer than "
		"%s, which runs here",
		s.version, judge->running);
}

/* The whole file, or one byte more than a statement may have. */
static ssize_t read_statement(int fd, char bytes[static STATEMENT_MAX + 1])
{
	struct stat st;
	size_t length = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EISDIR;
	while (length < STATEMENT_MAX + 1) {
		ssize_t n = pread(fd, bytes + length,
			STATEMENT_MAX + 1 - length, (off_t)length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

int judge_update(const struct judge *judge, int statement, int package,
	struct statement *ret_statement, char *reason)
{
	char bytes[STATEMENT_MAX + 1];
	ssize_t length = read_statement(statement, bytes);

	if (length == -EISDIR)
		return say(reason, -EBADMSG, "the statement is not a file");
	if (length < 0)
		return say(reason, (int)length,
			"the statement cannot be read: %s",
			strerror((int)-length));
	return judge_bytes(
		judge, bytes, (size_t)length, package, ret_statement, reason);
}
