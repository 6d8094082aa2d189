/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists the tables of nftables that are not gatehouse's: one question to the
 * kernel. Reads only; root alone gets an answer.
 */
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/ctl/doctor.h"

#define OWN "gatehouse"

static const char *family_of(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_NETDEV:
		return "netdev";
	}
	return "other";
}

/* The name is the first attribute; NULL when it is not as it has to be. */
static const char *name_in(const struct nlmsghdr *m)
{
	size_t at = NLMSG_HDRLEN + sizeof(struct nfgenmsg);
	const struct nlattr *a = (const void *)((const char *)m + at);
	const char *name = (const char *)a + NLA_HDRLEN;

	if (m->nlmsg_len < at + NLA_HDRLEN || a->nla_type != NFTA_TABLE_NAME ||
		a->nla_len <= NLA_HDRLEN || m->nlmsg_len < at + a->nla_len ||
		!memchr(name, 0, a->nla_len - NLA_HDRLEN))
		return NULL;
	return name;
}

static void add(const struct nlmsghdr *m, char *text, size_t size)
{
	const struct nfgenmsg *head = NLMSG_DATA(m);
	const char *name = name_in(m);
	size_t used = strlen(text);

	if (!name || (!strcmp(name, OWN) &&
			     (head->nfgen_family == NFPROTO_INET ||
				     head->nfgen_family == NFPROTO_BRIDGE ||
				     head->nfgen_family == NFPROTO_ARP)))
		return;
	snprintf(text + used, size - used, "%s%s %s", used ? ", " : "",
		family_of(head->nfgen_family), name);
}

static int read_answer(int fd, char *text, size_t size)
{
	static char bytes[65536] __attribute__((aligned(8)));

	for (;;) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
		const struct nlmsghdr *m = (void *)bytes;
		unsigned left;

		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		for (left = (unsigned)got; NLMSG_OK(m, left);
			m = NLMSG_NEXT(m, left)) {
			if (m->nlmsg_type == NLMSG_DONE)
				return 0;
			if (m->nlmsg_type == NLMSG_ERROR)
				return -EPERM;
			add(m, text, size);
		}
	}
}

int doctor_list_tables(char *text, size_t size)
{
	struct {
		struct nlmsghdr head;
		struct nfgenmsg family;
	} ask = {
		.head = {.nlmsg_len = sizeof(ask),
			.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 |
				      NFT_MSG_GETTABLE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.family = {.nfgen_family = NFPROTO_UNSPEC},
	};
	_cleanup_(cleanup_close) int fd = socket(
		AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	text[0] = 0;
	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) < 0)
		return -errno;
	return read_answer(fd, text, size);
}
