/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Says what was decided, by sockets that the agent bound. Must never wait: a
 * message that the kernel does not want now is lost, as any may be.
 */
#include "modules/discovery/speak.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/lib/loop.h"

static const struct {
	const char *four, *six;
} groups[] = {
	[DISCOVERY_PROTOCOL_MDNS] = {"224.0.0.251", "ff02::fb"},
	[DISCOVERY_PROTOCOL_SSDP] = {"239.255.255.250", "ff02::c"},
	[DISCOVERY_PROTOCOL_UDP] = {"255.255.255.255", NULL},
};

static int find_target(const struct speak *speak,
	const struct reflect_said *said, struct ip *ret_ip, uint16_t *ret_port)
{
	const struct discovery_channel *channel =
		&speak->reflect.plan->channels[said->channel];
	const char *group = said->six ? groups[channel->protocol].six
				      : groups[channel->protocol].four;

	if (!said->to_all) {
		*ret_ip = said->to;
		*ret_port = said->port;
		return 0;
	}
	*ret_port = channel->port;
	return group ? ip_parse(group, ret_ip) : -EAFNOSUPPORT;
}

static void say(void *arg, const struct reflect_said *said)
{
	struct speak *speak = arg;
	struct iovec iov = {(void *)said->bytes, said->size};
	struct sockaddr_storage sa;
	struct msghdr m = {.msg_name = &sa, .msg_iov = &iov, .msg_iovlen = 1};
	int fd = speak->fds[said->link][said->channel][said->six];
	struct ip ip;
	uint16_t port;

	if (fd < 0 || find_target(speak, said, &ip, &port) < 0)
		return;
	m.msg_namelen = ip_to_sockaddr(&ip, port, &sa);
	if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		speak->unsent++;
}

static void close_all(struct speak *speak)
{
	int *fds = &speak->fds[0][0][0];

	for (size_t i = 0; i < sizeof(speak->fds) / sizeof(*fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
	memset(speak->index, 0, sizeof(speak->index));
}

void speak_init(struct speak *speak)
{
	memset(speak->fds, 0xff, sizeof(speak->fds));
	speak->reflect.say = say;
	speak->reflect.arg = speak;
}

void speak_plan(struct speak *speak, struct plan *plan)
{
	close_all(speak);
	reflect_plan(&speak->reflect, plan);
}

int speak_socket(
	struct speak *speak, const struct discovery_socket *about, int fd)
{
	const struct plan *plan = speak->reflect.plan;
	int *place;

	if (!plan || about->link >= plan->n_links ||
		about->channel >= plan->n_channels || about->six > 1 ||
		!about->index) {
		close(fd);
		return -EPROTO;
	}
	place = &speak->fds[about->link][about->channel][about->six];
	if (*place >= 0)
		close(*place);
	*place = fd;
	speak->index[about->link] = about->index;
	return 0;
}

static void hear(struct speak *speak, const struct nflog_record *record)
{
	static const struct mac nobody;
	struct reflect *reflect = &speak->reflect;
	struct datagram datagram;

	if (!reflect->plan || !record->heard || !record->index ||
		mac_equal(&record->mac, &nobody))
		return;
	if (datagram_decode(record->payload, record->length, &datagram) < 0) {
		reflect->counts.unread++;
		return;
	}
	for (uint8_t i = 0; i < reflect->plan->n_links; i++)
		if (speak->index[i] == record->index)
			reflect_hear(reflect, i, &record->mac, &datagram,
				clock_ms());
}

void speak_read(struct speak *speak, const void *bytes, size_t size)
{
	struct nflog_record record;
	size_t offset = 0;

	while (nflog_next(bytes, size, &offset, &record) > 0)
		hear(speak, &record);
}
