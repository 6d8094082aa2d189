/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink for nftables: one sendmsg() for a transaction, then every answer
 * is read. May touch our own two tables only. An acknowledgement is not yet
 * success: a transaction with one bad message in it gets both, so all answers
 * are looked at before anything is believed.
 */
#include "modules/isolation/kernel/nft.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "modules/isolation/kernel/nft_dump.h"

#define RECEIVE_BUFFER (4 << 20)
#define SEND_BUFFER 65536 /* what a socket has anyway */
#define MESSAGE_MAX 65536

int nft_open(struct nft *ret_nft)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	socklen_t length = sizeof(self);
	int size = RECEIVE_BUFFER;
	_cleanup_(cleanup_close) int fd = socket(AF_NETLINK,
		SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0 ||
		getsockname(fd, (struct sockaddr *)&self, &length) < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	ret_nft->port = self.nl_pid;
	ret_nft->seq = 1;
	ret_nft->send_buffer = SEND_BUFFER;
	ret_nft->fd = steal_fd(&fd);
	return 0;
}

void nft_close(struct nft *nft)
{
	if (nft->fd >= 0)
		close(nft->fd);
	nft->fd = -1;
}

uint32_t nft_seq(struct nft *nft)
{
	return ++nft->seq;
}

static int send_all(struct nft *nft, const void *bytes, size_t length)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int size = length > INT32_MAX / 4 ? INT32_MAX : (int)length * 2;
	struct iovec iov = {(void *)(uintptr_t)bytes, length};
	struct msghdr m = {.msg_name = &kernel,
		.msg_namelen = sizeof(kernel),
		.msg_iov = &iov,
		.msg_iovlen = 1};
	ssize_t n;

	if (size > nft->send_buffer) {
		(void)setsockopt(nft->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
			sizeof(size));
		nft->send_buffer = size;
	}
	n = sendmsg(nft->fd, &m, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EMSGSIZE;
}

/* 0 when there is nothing more: the kernel answers while we send. */
static ssize_t receive(struct nft *nft, void *bytes, size_t size)
{
	struct iovec iov = {bytes, size};
	struct sockaddr_nl from = {0};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1};
	ssize_t n = recvmsg(nft->fd, &m, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (m.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return from.nl_pid ? -EBADMSG : n;
}

/* What the answers to one transaction said. */
struct answers {
	uint32_t last; /* the number whose acknowledgement is awaited */
	bool acknowledged;
	int error; /* the first one */
	uint32_t at;
};

static void read_answer(struct answers *answers, const struct nlmsghdr *m)
{
	const struct nlmsgerr *e;

	if (m->nlmsg_type != NLMSG_ERROR ||
		m->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
		return;
	e = NLMSG_DATA(m);
	if (e->error == 0) {
		answers->acknowledged |= m->nlmsg_seq == answers->last;
	} else if (!answers->error) {
		answers->error = e->error;
		answers->at = m->nlmsg_seq;
	}
}

static int read_answers(struct nft *nft, struct answers *answers)
{
	static char bytes[MESSAGE_MAX] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = receive(nft, bytes, sizeof(bytes))) > 0) {
		const struct nlmsghdr *m = (void *)bytes;
		int left = (int)n;

		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			read_answer(answers, m);
	}
	return (int)n;
}

int nft_commit(struct nft *nft, const struct batch *batch, char *ret_reason)
{
	struct answers answers = {.last = batch->seq};
	int sent, r;

	nft->seq = batch->seq + 2;
	sent = send_all(nft, batch->bytes, batch->length);
	r = read_answers(nft, &answers);
	if (answers.error) {
		snprintf(ret_reason, POLICY_REASON, "the kernel refused %s: %s",
			batch_what(batch, answers.at),
			strerror(-answers.error));
		return answers.error;
	}
	if (sent < 0 || r < 0 || !answers.acknowledged) {
		r = sent < 0 ? sent : r < 0 ? r : -EIO;
		snprintf(ret_reason, POLICY_REASON,
			"the kernel did not take the rules: %s", strerror(-r));
		return r;
	}
	return 0;
}

int nft_take_answer(const struct nlmsghdr *message, uint32_t seq,
	nft_dump_row row, void *arg)
{
	const struct nlmsghdr *m = message;
	const struct nlmsgerr *e = NLMSG_DATA(m);

	if (m->nlmsg_seq != seq)
		return 0;
	if (m->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EINTR;
	if (m->nlmsg_type == NLMSG_DONE)
		return 1;
	if (m->nlmsg_type == NLMSG_ERROR)
		return m->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? -EBADMSG
		       : e->error                              ? e->error
							       : 1;
	return row ? row(m, arg) : 0;
}

static int read_dump(struct nft *nft, uint32_t seq, nft_dump_row row, void *arg)
{
	static char bytes[MESSAGE_MAX] __attribute__((aligned(8)));
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = receive(nft, bytes, sizeof(bytes))) != 0) {
		const struct nlmsghdr *m = (void *)bytes;
		int left = (int)n;

		if (n < 0)
			return (int)n;
		for (; r == 0 && mnl_nlmsg_ok(m, left);
			m = mnl_nlmsg_next(m, &left))
			r = nft_take_answer(m, seq, row, arg);
	}
	return r > 0 ? 0 : r < 0 ? r : -EIO;
}

static void drain(struct nft *nft)
{
	struct answers nobody = {0};

	while (read_answers(nft, &nobody) == -ENOBUFS)
		;
}

static int ask_for(struct nft *nft, struct nlmsghdr *request, uint16_t flags,
	nft_dump_row row, void *arg)
{
	int r;

	request->nlmsg_flags |= NLM_F_REQUEST | flags;
	request->nlmsg_seq = nft_seq(nft);
	r = send_all(nft, request, request->nlmsg_len);
	if (r == 0)
		r = read_dump(nft, request->nlmsg_seq, row, arg);
	if (r < 0)
		drain(nft);
	return r;
}

int nft_dump(
	struct nft *nft, struct nlmsghdr *request, nft_dump_row row, void *arg)
{
	return ask_for(nft, request, NLM_F_DUMP, row, arg);
}

int nft_get(
	struct nft *nft, struct nlmsghdr *request, nft_dump_row row, void *arg)
{
	return ask_for(nft, request, NLM_F_ACK, row, arg);
}

int nft_ask(struct nft *nft, struct nlmsghdr *request)
{
	struct answers answers = {.last = nft_seq(nft)};
	int r;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = answers.last;
	r = send_all(nft, request, request->nlmsg_len);
	if (r == 0)
		r = read_answers(nft, &answers);
	if (r < 0 || answers.error)
		return r < 0 ? r : answers.error;
	return answers.acknowledged ? 0 : -EIO;
}

int nft_find_elements(
	struct nft *nft, const struct batch *questions, char *ret_reason)
{
	struct answers answers = {.last = questions->seq};
	int r;

	nft->seq = questions->seq + 1;
	r = send_all(nft, questions->bytes, questions->length);
	if (r == 0)
		r = read_answers(nft, &answers);
	if (r == 0 && !answers.error && !answers.acknowledged)
		r = -EIO;
	if (r < 0 || answers.error)
		snprintf(ret_reason, POLICY_REASON,
			"the rules were changed but %s are not found there: %s",
			batch_what(questions, answers.at),
			strerror(r < 0 ? -r : -answers.error));
	return r < 0 ? r : answers.error;
}

static int find_table(const struct nlmsghdr *m, void *arg)
{
	struct nftnl_table *t = must_have(nftnl_table_alloc());
	const char *name = NULL;

	if (nftnl_table_nlmsg_parse(m, t) >= 0)
		name = nftnl_table_get_str(t, NFTNL_TABLE_NAME);
	*(bool *)arg |= name && !strcmp(name, RULESET_TABLE);
	nftnl_table_free(t);
	return 0;
}

int nft_has_table(struct nft *nft, uint16_t family, bool *ret_there)
{
	char bytes[512] __attribute__((aligned(8)));
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_GETTABLE, family, 0, 0);

	*ret_there = false;
	return nft_dump(nft, m, find_table, ret_there);
}

static int read_transactions(const struct nlmsghdr *m, void *arg)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, m, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == NFTA_GEN_ID &&
			mnl_attr_get_payload_len(a) == 4)
			*(uint32_t *)arg = ntohl(mnl_attr_get_u32(a));
	}
	return 1;
}

int nft_count_transactions(struct nft *nft, uint32_t *ret_n)
{
	char bytes[64] __attribute__((aligned(8)));
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		bytes, NFT_MSG_GETGEN, AF_UNSPEC, 0, nft_seq(nft));
	int r = send_all(nft, m, m->nlmsg_len);

	return r < 0 ? r
		     : read_dump(nft, m->nlmsg_seq, read_transactions, ret_n);
}
