/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's word on who changed nftables, as text. Touches memory only;
 * must never pass on a byte of a program's name that is not plain: whoever
 * runs a program may name it as they like.
 */
#include "modules/isolation/changer.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 16 /* TASK_COMM_LEN */

static void read_name(const struct nlattr *a, char name[NAME_MAX_BYTES])
{
	const char *bytes = mnl_attr_get_payload(a);
	size_t n = strnlen(bytes, mnl_attr_get_payload_len(a));

	if (n >= NAME_MAX_BYTES)
		n = NAME_MAX_BYTES - 1;
	for (size_t i = 0; i < n; i++)
		name[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
	name[n] = 0;
}

bool changer_read(
	const struct nlmsghdr *message, char ret_by[static ISOLATION_BY])
{
	char name[NAME_MAX_BYTES] = "";
	const struct nlattr *a;
	uint32_t pid = 0;

	if (NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
		NFNL_MSG_TYPE(message->nlmsg_type) != NFT_MSG_NEWGEN ||
		mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
		return false;
	mnl_attr_for_each(a, message, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == NFTA_GEN_PROC_NAME)
			read_name(a, name);
		if (mnl_attr_get_type(a) == NFTA_GEN_PROC_PID &&
			mnl_attr_get_payload_len(a) == sizeof(pid))
			pid = ntohl(mnl_attr_get_u32(a));
	}
	memset(ret_by, 0, ISOLATION_BY);
	if (name[0] && pid)
		snprintf(ret_by, ISOLATION_BY, "%s (pid %u)", name, pid);
	return true;
}
