/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fetches the publisher's public key: the built-in one or a file the owner
 * named. Only looks whether it is a public key's PEM text; a private key
 * given by mistake is refused and its bytes are wiped.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/update/key.h"

#ifdef HAVE_UPDATE_KEY
#include "modules/update/builtin_key.h"
#else
#define BUILTIN_KEY NULL
#endif

#define PEM_FIRST "-----BEGIN PUBLIC KEY-----\n"
#define PEM_LAST "-----END PUBLIC KEY-----\n"

const char *update_builtin_key(void)
{
	return BUILTIN_KEY;
}

static bool is_public_pem(const char *pem, size_t length)
{
	size_t first = strlen(PEM_FIRST), last = strlen(PEM_LAST);

	return length > first + last && memcmp(pem, PEM_FIRST, first) == 0 &&
	       memcmp(pem + length - last, PEM_LAST, last) == 0 &&
	       !memmem(pem + 1, length - 1, "-----BEGIN", 10);
}

static int take_key(const char *pem, size_t length, struct update_key *ret_key)
{
	if (length > UPDATE_KEY_MAX)
		return -EFBIG;
	if (!is_public_pem(pem, length))
		return -EINVAL;
	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->length = (uint32_t)length;
	memcpy(ret_key->pem, pem, length);
	return 0;
}

int update_key_load(const char *file, struct update_key *ret_key)
{
	_cleanup_(cleanup_close) int fd = open(
		file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char pem[UPDATE_KEY_MAX + 1];
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EISDIR;
	n = read(fd, pem, sizeof(pem));
	if (n < 0)
		return -errno;
	r = take_key(pem, (size_t)n, ret_key);
	explicit_bzero(pem, sizeof(pem));
	return r;
}

int update_key_get(const char *file, struct update_key *ret_key)
{
	const char *builtin = update_builtin_key();

	if (file)
		return update_key_load(file, ret_key);
	if (!builtin)
		return -ENOKEY;
	return take_key(builtin, strlen(builtin), ret_key);
}
