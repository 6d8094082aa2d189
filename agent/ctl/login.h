/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How whoever types this is logged in: a way that must not be cut. */
#ifndef GATEHOUSE_CTL_LOGIN_H
#define GATEHOUSE_CTL_LOGIN_H

#include <netinet/in.h>
#include <net/if.h>
#include <stdbool.h>

#include "agent/lib/cleanup.h"

struct login {
	bool remote; /* false: at the gateway itself, or not to be found out */
	char from[INET6_ADDRSTRLEN];
	char to[INET6_ADDRSTRLEN]; /* our own address; may be empty */
	char interface[IF_NAMESIZE]; /* that has it; empty: not found */
	char way[IF_NAMESIZE]; /* by which answers leave; may be another */
};

/* Parses SSH_CONNECTION ("from port to port"). -EINVAL. Pure. */
_must_check_ int login_parse(const char *connection, struct login *ret_login);
/*
 * Asks the environment, that of the processes above (sudo cleans ours), and
 * the list of logins.
 */
void login_find(struct login *ret_login);

#endif
