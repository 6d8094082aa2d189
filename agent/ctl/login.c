/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the address from which the caller is logged in and the interface
 * through which it comes. Reads /proc and utmp; changes nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <utmpx.h>

#include "agent/ctl/login.h"
#include "agent/ctl/plan.h"

#define ANCESTORS_MAX 32
#define VARIABLE "SSH_CONNECTION="

/* An address without its %zone; IPv4 in IPv6 comes back as IPv4. */
static int read_address(
	const char *word, size_t length, char text[static INET6_ADDRSTRLEN])
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;

	for (size_t i = 0; i < length; i++)
		if (word[i] == '%')
			length = i;
	if (length == 0 || length >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, word, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET, copy, &four) == 1) {
		inet_ntop(AF_INET, &four, text, INET6_ADDRSTRLEN);
		return 0;
	}
	if (inet_pton(AF_INET6, copy, &six) != 1)
		return -EINVAL;
	if (IN6_IS_ADDR_V4MAPPED(&six))
		inet_ntop(AF_INET, six.s6_addr + 12, text, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, &six, text, INET6_ADDRSTRLEN);
	return 0;
}

static bool is_loopback(const char *text)
{
	return strncmp(text, "127.", 4) == 0 || strcmp(text, "::1") == 0;
}

int login_parse(const char *connection, struct login *ret_login)
{
	struct login login = {.remote = true};
	const char *word[4];
	size_t length[4];

	for (size_t i = 0; i < 4; i++) {
		connection += strspn(connection, " ");
		word[i] = connection;
		length[i] = strcspn(connection, " ");
		connection += length[i];
	}
	if (read_address(word[0], length[0], login.from) < 0 ||
		read_address(word[2], length[2], login.to) < 0)
		return -EINVAL;
	login.remote = !is_loopback(login.from);
	*ret_login = login;
	return 0;
}

/* The parent and SSH_CONNECTION of a process; 0 when there is none. */
static pid_t look_at(pid_t pid, struct login *login)
{
	char path[64], environment[65536];
	_cleanup_(cleanup_fclose) FILE *file = NULL;
	_cleanup_(cleanup_fclose) FILE *status = NULL;
	size_t n = 0;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	file = fopen(path, "re");
	if (file)
		n = fread(environment, 1, sizeof(environment) - 1, file);
	environment[n] = '\0';
	for (char *p = environment; p < environment + n; p += strlen(p) + 1)
		if (strncmp(p, VARIABLE, sizeof(VARIABLE) - 1) == 0 &&
			login_parse(p + sizeof(VARIABLE) - 1, login) == 0)
			return 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	status = fopen(path, "re");
	n = status ? fread(environment, 1, 4095, status) : 0;
	environment[n] = '\0';
	/* The name before it may contain anything, brackets too. */
	if (strrchr(environment, ')') == NULL ||
		sscanf(strrchr(environment, ')'), ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

static bool find_in_processes(struct login *login)
{
	pid_t pid = getpid();

	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++)
		pid = look_at(pid, login);
	return login->from[0] != '\0';
}

static bool find_in_logins(struct login *login)
{
	const char *terminal = ttyname(STDIN_FILENO);
	const struct utmpx *entry;
	bool found = false;

	if (terminal == NULL || strncmp(terminal, "/dev/", 5) != 0)
		return false;
	setutxent();
	while (!found && (entry = getutxent()) != NULL) {
		const int32_t *a = entry->ut_addr_v6;

		if (entry->ut_type != USER_PROCESS || a[0] == 0 ||
			strncmp(entry->ut_line, terminal + 5,
				sizeof(entry->ut_line)) != 0)
			continue;
		found = true;
		inet_ntop(a[1] || a[2] || a[3] ? AF_INET6 : AF_INET, a,
			login->from, sizeof(login->from));
	}
	endutxent();
	login->remote = found && !is_loopback(login->from);
	return found;
}

/* Our own address on the way to it. Nothing is sent. */
static void ask_route(const struct login *login, char to[INET6_ADDRSTRLEN])
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = 9};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = 9};
	bool is_four = inet_pton(AF_INET, login->from, &four.sin_addr) == 1;
	_cleanup_(cleanup_close) int fd = -1;
	struct sockaddr_storage own;
	socklen_t size = sizeof(own);

	if (!is_four && inet_pton(AF_INET6, login->from, &six.sin6_addr) != 1)
		return;
	fd = socket(is_four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, is_four ? (void *)&four : (void *)&six,
		    is_four ? sizeof(four) : sizeof(six)) < 0 ||
		getsockname(fd, (struct sockaddr *)&own, &size) < 0)
		return;
	inet_ntop(own.ss_family,
		is_four ? (void *)&((struct sockaddr_in *)&own)->sin_addr
			: (void *)&((struct sockaddr_in6 *)&own)->sin6_addr,
		to, INET6_ADDRSTRLEN);
}

/* The interface that has an address of ours, without its label (br0:1). */
static void find_interface(const char *to, char interface[IF_NAMESIZE])
{
	struct ifaddrs *all, *it;
	char text[INET6_ADDRSTRLEN];

	if (getifaddrs(&all) < 0)
		return;
	for (it = all; it; it = it->ifa_next) {
		const struct sockaddr *sa = it->ifa_addr;

		if (sa == NULL ||
			(sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
			continue;
		inet_ntop(sa->sa_family,
			sa->sa_family == AF_INET
				? (const void *)&(
					  (const struct sockaddr_in *)sa)
					  ->sin_addr
				: (const void *)&(
					  (const struct sockaddr_in6 *)sa)
					  ->sin6_addr,
			text, sizeof(text));
		if (strcmp(text, to) == 0)
			snprintf(interface, IF_NAMESIZE, "%.*s",
				(int)strcspn(it->ifa_name, ":"), it->ifa_name);
	}
	freeifaddrs(all);
}

void login_find(struct login *ret_login)
{
	char own[INET6_ADDRSTRLEN] = "";
	struct login login = {0};

	if ((find_in_processes(&login) || find_in_logins(&login)) &&
		login.remote) {
		ask_route(&login, own);
		if (login.to[0] == '\0')
			memcpy(login.to, own, sizeof(login.to));
		find_interface(login.to, login.interface);
		find_interface(own, login.way);
	}
	*ret_login = login;
}
