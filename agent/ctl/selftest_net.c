/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts two ports into a bridge and sends frames by them, run by root. Makes
 * the four interfaces of selftest.h and nothing else; their inner ends are in
 * a namespace that lives as long as this process, and the kernel takes the
 * outer ends away with it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/ctl/selftest.h"

#define SETTLE_MS 1500 /* the new ports are in the rules, addresses usable */
#define KNOWN_MS 500 /* the daemon knows the ports before they speak */
#define ANSWER_MS 700

struct request {
	struct nlmsghdr head;
	char body[1024];
};

static void *grow(struct request *r, size_t n)
{
	void *at = (char *)r + NLMSG_ALIGN(r->head.nlmsg_len);

	r->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + n);
	return at;
}

static struct rtattr *add(
	struct request *r, uint16_t type, const void *data, size_t n)
{
	struct rtattr *a = grow(r, RTA_LENGTH(n));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(a), data, n);
	return a;
}

static void end(struct request *r, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len) -
				   (char *)nest);
}

static void *begin(struct request *r, uint16_t type, uint16_t flags, size_t n)
{
	memset(r, 0, sizeof(*r));
	r->head.nlmsg_len = NLMSG_HDRLEN;
	r->head.nlmsg_type = type;
	r->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	return grow(r, n);
}

static int ask(int fd, struct request *r)
{
	char bytes[4096] __attribute__((aligned(8)));
	const struct nlmsghdr *m = (void *)bytes;
	const struct nlmsgerr *e = NLMSG_DATA(m);
	ssize_t n;

	if (send(fd, r, r->head.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, bytes, sizeof(bytes), 0);
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(m, (size_t)n) || m->nlmsg_type != NLMSG_ERROR)
		return -EIO;
	return e->error;
}

static int add_pair(int fd, const char *outer, const char *inner,
	const struct mac *mac, int space)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	struct rtattr *info, *data, *peer;
	struct request r;

	memcpy(begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(head)),
		&head, sizeof(head));
	add(&r, IFLA_IFNAME, outer, strlen(outer) + 1);
	info = add(&r, IFLA_LINKINFO, NULL, 0);
	add(&r, IFLA_INFO_KIND, "veth", 4);
	data = add(&r, IFLA_INFO_DATA, NULL, 0);
	peer = add(&r, VETH_INFO_PEER, NULL, 0);
	memcpy(grow(&r, sizeof(head)), &head, sizeof(head));
	add(&r, IFLA_IFNAME, inner, strlen(inner) + 1);
	add(&r, IFLA_ADDRESS, mac->b, sizeof(mac->b));
	add(&r, IFLA_NET_NS_FD, &space, sizeof(space));
	end(&r, peer);
	end(&r, data);
	end(&r, info);
	return ask(fd, &r);
}

/* quiet: answers nobody's question who has an address. */
static int change(int fd, int index, unsigned master, bool quiet)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC,
		.ifi_index = index,
		.ifi_flags = IFF_UP | (quiet ? IFF_NOARP : 0),
		.ifi_change = IFF_UP | IFF_NOARP};
	struct request r;

	memcpy(begin(&r, RTM_NEWLINK, 0, sizeof(head)), &head, sizeof(head));
	if (master)
		add(&r, IFLA_MASTER, &master, sizeof(master));
	return ask(fd, &r);
}

static int remove_link(int fd, const char *name)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC,
		.ifi_index = (int)if_nametoindex(name)};
	struct request r;

	if (!head.ifi_index)
		return 0;
	memcpy(begin(&r, RTM_DELLINK, 0, sizeof(head)), &head, sizeof(head));
	return ask(fd, &r);
}

static int add_address(int fd, int index, const struct ip *ip, uint8_t length)
{
	struct ifaddrmsg head = {.ifa_family = (uint8_t)ip->family,
		.ifa_prefixlen = length,
		.ifa_index = (unsigned)index};
	struct request r;

	memcpy(begin(&r, RTM_NEWADDR, NLM_F_CREATE, sizeof(head)), &head,
		sizeof(head));
	add(&r, IFA_LOCAL, ip->b, ip_bits(ip) / 8);
	add(&r, IFA_ADDRESS, ip->b, ip_bits(ip) / 8);
	return ask(fd, &r);
}

static int packet_socket(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	return fd < 0 ? -errno : fd;
}

static int netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

/* Sockets inside are made there; the process itself comes back. */
static int open_inside(struct selftest_net *net, int *ret_space)
{
	_cleanup_(cleanup_close) int home = open(
		"/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0 || unshare(CLONE_NEWNET) < 0)
		return -errno;
	net->inside = packet_socket();
	net->other = packet_socket();
	net->link = netlink();
	*ret_space = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (setns(home, CLONE_NEWNET) < 0)
		return -errno;
	if (net->inside < 0 || net->other < 0 || net->link < 0 ||
		*ret_space < 0)
		return -EIO;
	return 0;
}

/* The same each time, so that addresses bound to it are no one else's. */
static void make_mac(struct mac *mac, uint8_t first)
{
	const uint8_t made[] = {first, 'g', 'h', 't', 's', 't'};

	memcpy(mac->b, made, sizeof(made));
}

static int bind_to(int fd, int index)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = index};

	return bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

/* The index of an interface inside, asked by a socket that is there. */
static int index_of(int fd, const char *name)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	char bytes[8192] __attribute__((aligned(8)));
	const struct nlmsghdr *m = (void *)bytes;
	struct request r;
	ssize_t n;

	memcpy(begin(&r, RTM_GETLINK, 0, sizeof(head)), &head, sizeof(head));
	r.head.nlmsg_flags = NLM_F_REQUEST;
	add(&r, IFLA_IFNAME, name, strlen(name) + 1);
	if (send(fd, &r, r.head.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, bytes, sizeof(bytes), 0);
	if (n < 0 || !NLMSG_OK(m, (size_t)n) || m->nlmsg_type != RTM_NEWLINK)
		return -EIO;
	return ((const struct ifinfomsg *)NLMSG_DATA(m))->ifi_index;
}

static void wait_ms(int ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&time, NULL);
}

/* The inner end, once everybody knows the outer one for what it is. */
static int put_up(
	struct selftest_net *net, const char *inner, int socket, int *ret_index)
{
	int r;

	*ret_index = index_of(net->link, inner);
	if (*ret_index < 0)
		return *ret_index;
	r = change(net->link, *ret_index, 0, socket == net->other);
	return r < 0 ? r : bind_to(socket, *ret_index);
}

static int plug_in(int host, const char *outer, unsigned bridge)
{
	return change(host, (int)if_nametoindex(outer), bridge, false);
}

int selftest_open(struct selftest_net *net, const char *bridge,
	const struct ip *ip, uint8_t length)
{
	_cleanup_(cleanup_close) int space = -1, host = netlink();
	unsigned index = if_nametoindex(bridge);
	const int buffer = 16 << 20;
	int r = host < 0 ? host : 0;

	net->inside = net->other = net->watch = net->link = -1;
	make_mac(&net->mac, 0x02);
	make_mac(&net->other_mac, 0x06);
	if (r == 0)
		r = open_inside(net, &space);
	if (r == 0)
		r = remove_link(host, SELFTEST_PORT);
	if (r == 0)
		r = remove_link(host, SELFTEST_OTHER);
	if (r == 0)
		r = add_pair(
			host, SELFTEST_PORT, SELFTEST_INSIDE, &net->mac, space);
	if (r == 0)
		r = add_pair(host, SELFTEST_OTHER, SELFTEST_OTHER_INSIDE,
			&net->other_mac, space);
	if (r == 0)
		r = plug_in(host, SELFTEST_PORT, index);
	if (r == 0)
		r = plug_in(host, SELFTEST_OTHER, index);
	if (r == 0)
		wait_ms(KNOWN_MS);
	if (r == 0)
		r = put_up(
			net, SELFTEST_INSIDE, net->inside, &net->inside_index);
	if (r == 0)
		r = put_up(net, SELFTEST_OTHER_INSIDE, net->other,
			&net->other_index);
	if (r == 0 && ip->family)
		r = add_address(net->link, net->inside_index, ip, length);
	if (r == 0)
		net->watch = packet_socket();
	if (r == 0 && net->watch >= 0)
		(void)setsockopt(net->watch, SOL_SOCKET, SO_RCVBUFFORCE,
			&buffer, sizeof(buffer));
	if (r == 0 && net->watch < 0)
		r = net->watch;
	if (r < 0)
		selftest_close(net);
	else
		wait_ms(SETTLE_MS);
	return r;
}

void selftest_close(struct selftest_net *net)
{
	_cleanup_(cleanup_close) int host = netlink();

	if (host >= 0 && (remove_link(host, SELFTEST_PORT) < 0 ||
				 remove_link(host, SELFTEST_OTHER) < 0))
		fprintf(stderr,
			"gatehouse: %s could not be removed; it goes "
			"away with this process\n",
			SELFTEST_PORT);
	cleanup_close(&net->inside);
	cleanup_close(&net->other);
	cleanup_close(&net->watch);
	cleanup_close(&net->link);
}

static void take(struct selftest_probe *p, const char *name)
{
	p->passed = true;
	memcpy(p->where, name, strlen(name) + 1);
}

/* A frame that leaves this host by any interface. */
static void judge_frame(struct selftest_probe *probes, size_t n,
	const uint8_t *frame, size_t size, unsigned index)
{
	int number = selftest_find(frame, size);
	char name[IF_NAMESIZE] = "";

	if (!if_indextoname(index, name))
		return;
	/* To where it came from: an answer of the gateway. */
	if (!strcmp(name, SELFTEST_PORT)) {
		for (size_t i = 0; i < n; i++)
			if (probes[i].want != SELFTEST_STAYS &&
				selftest_answers(&probes[i], frame, size))
				take(&probes[i], name);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (number == probes[i].number && probes[i].sent &&
			memcmp(frame, probes[i].from_mac.b, 6) != 0 &&
			probes[i].want != SELFTEST_ANSWER &&
			probes[i].kind != SELFTEST_TCP)
			take(&probes[i], name);
}

static int watch(int fd, struct selftest_probe *probes, size_t n)
{
	struct timespec now;
	int64_t until;

	clock_gettime(CLOCK_MONOTONIC, &now);
	until = now.tv_sec * 1000 + now.tv_nsec / 1000000 + ANSWER_MS;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		struct sockaddr_ll from = {0};
		socklen_t length = sizeof(from);
		uint8_t frame[2048];
		ssize_t size;
		int64_t left;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = until - (now.tv_sec * 1000 + now.tv_nsec / 1000000);
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return 0;
		size = recvfrom(fd, frame, sizeof(frame), MSG_DONTWAIT,
			(struct sockaddr *)&from, &length);
		if (size > 0 && from.sll_pkttype == PACKET_OUTGOING)
			judge_frame(probes, n, frame, (size_t)size,
				(unsigned)from.sll_ifindex);
	}
}

int selftest_run(
	struct selftest_net *net, struct selftest_probe *probes, size_t n)
{
	struct selftest_probe hello = {.kind = SELFTEST_ETHERTYPE,
		.from_mac = net->other_mac,
		.to_mac = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		.number = 255};
	uint8_t frame[SELFTEST_FRAME];
	size_t size = selftest_build(&hello, frame);

	/* So that the bridge knows where it is. */
	if (send(net->other, frame, size, 0) < 0)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		size = selftest_build(&probes[i], frame);
		if (send(net->inside, frame, size, 0) < 0)
			return -errno;
		probes[i].sent = true;
		wait_ms(10);
	}
	return watch(net->watch, probes, n);
}
