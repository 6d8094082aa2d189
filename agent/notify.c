/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify's protocol, spoken to its socket; without one nothing happens. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/agent.h"

void notify_send(const char *message)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length;
	_cleanup_(cleanup_close) int fd = -1;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	length = strlen(path);
	if (length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	/* Nobody listening is no fault of ours. */
	sendto(fd, message, strlen(message), MSG_NOSIGNAL,
		(struct sockaddr *)&address,
		offsetof(struct sockaddr_un, sun_path) + length);
}

int64_t notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t value;

	if (pid && (conf_read_number(pid, 1, INT32_MAX, &value) < 0 ||
			   (pid_t)value != getpid()))
		return 0;
	if (!usec || conf_read_number(usec, 1, INT64_MAX, &value) < 0)
		return 0;
	return (int64_t)(value / 1000);
}
