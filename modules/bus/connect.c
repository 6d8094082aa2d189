/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bus takes a peer for whoever called connect(). The agent is root and
 * the worker cannot open a socket, so the agent connects with the worker's
 * effective ids and takes its own back. The agent has one thread, so nothing
 * else happens in between; ids that cannot be taken back end the process.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "modules/bus/connect.h"

static int connect_path(int fd, const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

static int connect_in_name(int fd, const char *path, uid_t uid, gid_t gid)
{
	uid_t own_uid = geteuid();
	gid_t own_gid = getegid();
	int r = 0;

	if (setegid(gid) < 0)
		return -errno;
	if (seteuid(uid) < 0)
		r = -errno;
	if (r == 0)
		r = connect_path(fd, path);
	if (seteuid(own_uid) < 0 || setegid(own_gid) < 0)
		abort();
	return r;
}

int connect_as(const char *path, uid_t uid, gid_t gid, int *ret_fd)
{
	_cleanup_(cleanup_close) int fd = -1;
	int r;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect_in_name(fd, path, uid, gid);
	if (r < 0)
		return r;
	*ret_fd = steal_fd(&fd);
	return 0;
}
