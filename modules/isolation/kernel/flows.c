/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the kernel's table of connections and deletes entries of it. Must
 * never delete an entry that keep() was not asked about: the table is
 * everybody's, the owner's connections are in it as well.
 */
#include "modules/isolation/kernel/flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stddef.h>
#include <string.h>

#include "modules/isolation/kernel/nft_dump.h"
#include "modules/isolation/marks.h"
#include "modules/isolation/policy_delta.h"

#define PORT_DNS 53
#define FILTER_IP_SOURCE 1 /* CTA_FILTER_F_CTA_IP_SRC of the kernel's own */
#define FLOWS_MAX 65536 /* cut in one go; the rest when they speak */

/* The entry's own bytes are its key when it is deleted. */
struct victim {
	uint8_t family;
	uint16_t length;
	uint8_t tuple[160];
};

struct search {
	const struct isolation_marks *marks;
	uint8_t generation; /* is not looked at; 0: none */
	const struct ip *from; /* none: anywhere */
	size_t n_from;
	bool (*keep)(const struct flow *flow, void *arg);
	void *arg;
	struct victim *victims;
	size_t n, room;
};

static bool in_prefix(const struct ip *ip, const struct isolation_allow *a)
{
	if (!a->to.family)
		return true;
	if (a->to.family != ip->family)
		return false;
	for (unsigned bit = 0; bit < a->length; bit++)
		if ((a->to.b[bit / 8] ^ ip->b[bit / 8]) & (0x80 >> bit % 8))
			return false;
	return true;
}

static bool service_allows(
	const struct isolation_allow *a, const struct flow *flow)
{
	uint8_t protocol = flow->protocol;
	bool icmp = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;

	if (icmp)
		protocol = IPPROTO_ICMP;
	if (a->protocol && a->protocol != protocol)
		return false;
	if (!icmp && (flow->port < a->first || flow->port > a->last))
		return false;
	return true;
}

bool flows_line_allows(const struct isolation_allow *a, const struct flow *flow)
{
	return service_allows(a, flow) && in_prefix(&flow->to, a);
}

bool flows_is_dns(const struct flow *flow)
{
	return flow->port == PORT_DNS &&
	       (flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP);
}

bool flows_is_name_server(const struct policy *policy, const struct ip *ip)
{
	policy_each(struct isolation_address, a, &policy->name_servers)
		if (ip_equal(&a->ip, ip))
			return true;
	return false;
}

bool flows_zone_allowed(
	const struct policy *policy, uint16_t zone, const struct flow *flow)
{
	if (flows_is_dns(flow) && flows_is_name_server(policy, &flow->to))
		return true;
	policy_each(struct isolation_allow, a, &policy->zone_allows)
		if (a->device == zone && flows_line_allows(a, flow))
			return true;
	return false;
}

static bool pass_allows(const struct isolation_pass *p,
	const struct flow_ends *ends, const struct flow *flow)
{
	const struct isolation_allow what = {
		.protocol = p->protocol, .first = p->first, .last = p->last};

	if (p->from_zone ? p->from_zone != ends->from_zone
			 : p->device != ends->device)
		return false;
	if (p->to_zone)
		return p->to_zone == ends->to_zone &&
		       service_allows(&what, flow);
	if (p->to.family ? !ip_equal(&p->to, &flow->to) : !ends->gateway)
		return false;
	return service_allows(&what, flow);
}

const struct isolation_pass *flows_pass(const struct policy *policy,
	const struct flow_ends *ends, const struct flow *flow)
{
	policy_each(struct isolation_pass, p, &policy->passes)
		if (pass_allows(p, ends, flow))
			return p;
	policy_each(struct isolation_pass, p, &policy->zone_passes)
		if (pass_allows(p, ends, flow))
			return p;
	return NULL;
}

const struct isolation_pass *flows_follow(const struct policy *policy,
	const struct flow_ends *ends, uint32_t to_device,
	const struct flow *flow)
{
	const struct policy_array *both[] = {
		&policy->follows, &policy->zone_follows};

	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		policy_each(struct isolation_pass, p, both[i]) {
			const struct isolation_allow what = {
				.protocol = p->protocol,
				.first = p->first,
				.last = p->last};

			if (p->to_device == to_device &&
				(p->from_zone ? p->from_zone == ends->from_zone
					      : p->device == ends->device) &&
				service_allows(&what, flow))
				return p;
		}
	return NULL;
}

bool flows_passed(const struct policy *policy, const struct flow_ends *ends,
	const struct flow *flow)
{
	if (flows_is_dns(flow))
		return flows_is_name_server(policy, &flow->to);
	return flows_pass(policy, ends, flow) != NULL;
}

struct policy_array flows_lines(const struct policy *policy, uint32_t device)
{
	return policy_group(&policy->allows, sizeof(struct isolation_allow),
		offsetof(struct isolation_allow, device), device);
}

const struct isolation_allow *flows_line(
	const struct policy *policy, uint32_t device, const struct flow *flow)
{
	struct policy_array lines = flows_lines(policy, device);

	policy_each(struct isolation_allow, a, &lines)
		if (flows_line_allows(a, flow))
			return a;
	return NULL;
}

bool flows_allowed(
	const struct policy *policy, uint32_t device, const struct flow *flow)
{
	if (flows_is_dns(flow))
		return flows_is_name_server(policy, &flow->to);
	return flows_line(policy, device, flow) != NULL;
}

static bool read_address(
	const struct nlattr *a, uint16_t family, struct ip *ret_ip)
{
	size_t length = family == AF_INET6 ? 16 : 4;

	if (mnl_attr_get_payload_len(a) != length)
		return false;
	memset(ret_ip, 0, sizeof(*ret_ip));
	ret_ip->family = family;
	memcpy(ret_ip->b, mnl_attr_get_payload(a), length);
	return true;
}

static int parse_addresses(
	const struct nlattr *nest, uint16_t family, struct flow *flow)
{
	bool six = family == AF_INET6;
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
	{
		uint16_t type = mnl_attr_get_type(a);

		if (type == (six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC) &&
			!read_address(a, family, &flow->from))
			return -EBADMSG;
		if (type == (six ? CTA_IP_V6_DST : CTA_IP_V4_DST) &&
			!read_address(a, family, &flow->to))
			return -EBADMSG;
	}
	return flow->from.family && flow->to.family ? 0 : -EBADMSG;
}

static void parse_service(const struct nlattr *nest, struct flow *flow)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == CTA_PROTO_NUM &&
			mnl_attr_get_payload_len(a) >= 1)
			flow->protocol = mnl_attr_get_u8(a);
		if (mnl_attr_get_type(a) == CTA_PROTO_DST_PORT &&
			mnl_attr_get_payload_len(a) >= 2)
			flow->port = ntohs(mnl_attr_get_u16(a));
	}
}

static int parse_tuple(
	const struct nlattr *nest, uint16_t family, struct flow *flow)
{
	const struct nlattr *a;
	int r = -EBADMSG;

	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == CTA_TUPLE_IP)
			r = parse_addresses(a, family, flow);
		if (mnl_attr_get_type(a) == CTA_TUPLE_PROTO)
			parse_service(a, flow);
	}
	return r;
}

static const struct nlattr *find_tuple(const struct nlmsghdr *m)
{
	const struct nlattr *a;

	mnl_attr_for_each(
		a, m, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) ==
						   CTA_TUPLE_ORIG) return a;
	return NULL;
}

int flows_parse(const struct nlmsghdr *message, struct flow *ret_flow)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	struct flow flow = {0};
	const struct nlattr *a;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*head) ||
		(head->nfgen_family != AF_INET &&
			head->nfgen_family != AF_INET6))
		return -EBADMSG;
	a = find_tuple(message);
	if (!a || parse_tuple(a, head->nfgen_family, &flow) < 0)
		return -EBADMSG;
	mnl_attr_for_each(a, message,
		sizeof(*head)) if (mnl_attr_get_type(a) == CTA_MARK &&
				   mnl_attr_get_payload_len(a) == 4)
		flow.mark = ntohl(mnl_attr_get_u32(a));
	*ret_flow = flow;
	return 0;
}

static void note_victim(struct search *search, const struct nlmsghdr *m)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(m);
	const struct nlattr *tuple = find_tuple(m);
	struct victim *v;

	if (search->n == FLOWS_MAX || tuple->nla_len > sizeof(v->tuple))
		return;
	if (search->n == search->room) {
		search->room = search->room * 2 + 64;
		search->victims = must_have(realloc(search->victims,
			search->room * sizeof(*search->victims)));
	}
	v = &search->victims[search->n++];
	v->family = head->nfgen_family;
	v->length = tuple->nla_len;
	memcpy(v->tuple, tuple, tuple->nla_len);
}

static bool is_from(const struct search *search, const struct ip *ip)
{
	for (size_t i = 0; i < search->n_from; i++)
		if (ip_equal(ip, &search->from[i]))
			return true;
	return false;
}

/* A look at the first bytes only, where the kernel puts the source. */
static bool may_be_from(const struct search *search, const struct nlmsghdr *m)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(m);
	size_t length = head->nfgen_family == AF_INET6 ? 16 : 4;
	/* The tuple's head, its addresses' head, the first address' head. */
	const uint8_t *from = (const uint8_t *)(head + 1) + 12;

	if (mnl_nlmsg_get_payload_len(m) < sizeof(*head) + 12 + length)
		return false;
	for (size_t i = 0; i < search->n_from; i++)
		if (!memcmp(search->from[i].b, from, length))
			return true;
	return false;
}

static int look_at(const struct nlmsghdr *m, void *arg)
{
	struct search *search = arg;
	struct flow flow;

	/* Older kernels list all, and those of IPv6 are many. */
	if (search->n_from && !may_be_from(search, m))
		return 0;
	if (flows_parse(m, &flow) < 0)
		return 0;
	if (search->generation && marks_generation(search->marks, flow.mark) ==
					  search->generation)
		return 0;
	if (search->n_from && !is_from(search, &flow.from))
		return 0;
	if (!search->keep(&flow, search->arg))
		note_victim(search, m);
	return 0;
}

static struct nlmsghdr *request(void *bytes, uint16_t type, uint8_t family)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(bytes);
	struct nfgenmsg *head;

	m->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | type;
	head = mnl_nlmsg_put_extra_header(m, sizeof(*head));
	head->nfgen_family = family;
	head->version = NFNETLINK_V0;
	return m;
}

static int cut(struct nft *nft, const struct victim *v)
{
	char bytes[512] __attribute__((aligned(8)));
	struct nlmsghdr *m = request(bytes, IPCTNL_MSG_CT_DELETE, v->family);

	memcpy(bytes + m->nlmsg_len, v->tuple, v->length);
	m->nlmsg_len += NLMSG_ALIGN(v->length);
	return nft_ask(nft, m);
}

static int cut_found(
	struct nft *nft, struct search *search, struct nlmsghdr *question)
{
	int r = nft_dump(nft, question, look_at, search), done = 0;
	bool held = false;

	/* One that ended by itself meanwhile is no failure. */
	for (size_t i = 0; i < search->n; i++) {
		int failed = cut(nft, &search->victims[i]);

		done += !failed;
		held |= failed == -EBUSY;
	}
	free(search->victims);
	search->victims = NULL;
	search->n = search->room = 0;
	return held ? -EBUSY : r < 0 && !done ? r : done;
}

int flows_cut(struct nft *nft, const struct isolation_marks *marks,
	uint8_t generation, bool (*keep)(const struct flow *flow, void *arg),
	void *arg)
{
	struct search search = {.marks = marks,
		.generation = generation,
		.keep = keep,
		.arg = arg};
	char bytes[512] __attribute__((aligned(8)));

	return cut_found(
		nft, &search, request(bytes, IPCTNL_MSG_CT_GET, AF_UNSPEC));
}

static void put_filter(struct nlmsghdr *m, const struct ip *ip)
{
	struct nlattr *tuple = mnl_attr_nest_start(m, CTA_TUPLE_ORIG);
	struct nlattr *nest = mnl_attr_nest_start(m, CTA_TUPLE_IP);

	mnl_attr_put(m, CTA_IP_V4_SRC, 4, ip->b);
	mnl_attr_nest_end(m, nest);
	mnl_attr_nest_end(m, tuple);
	nest = mnl_attr_nest_start(m, CTA_FILTER);
	mnl_attr_put_u32(m, CTA_FILTER_ORIG_FLAGS, FILTER_IP_SOURCE);
	mnl_attr_nest_end(m, nest);
}

static void put_group(struct nlmsghdr *m, const struct isolation_marks *marks,
	const struct mac *mac)
{
	mnl_attr_put_u32(m, CTA_MARK, 0);
	mnl_attr_put_u32(m, CTA_MARK_MASK,
		htonl(marks_other_groups(marks, marks_group_of(mac))));
}

int flows_cut_from(struct nft *nft, const struct isolation_marks *marks,
	const struct flow_from *from,
	bool (*keep)(const struct flow *flow, void *arg), void *arg)
{
	struct search search = {
		.from = from->ips, .n_from = from->n, .keep = keep, .arg = arg};
	char bytes[512] __attribute__((aligned(8)));
	bool six = false;
	int done = 0, r = 0;

	for (size_t i = 0; i < from->n && r >= 0; i++) {
		struct nlmsghdr *m = request(bytes, IPCTNL_MSG_CT_GET, AF_INET);

		six |= from->ips[i].family == AF_INET6;
		if (from->ips[i].family != AF_INET)
			continue;
		put_filter(m, &from->ips[i]);
		r = cut_found(nft, &search, m);
		done += r;
	}
	if (r >= 0 && six) {
		struct nlmsghdr *m = request(
			bytes, IPCTNL_MSG_CT_GET, AF_INET6);

		put_group(m, marks, &from->mac);
		r = cut_found(nft, &search, m);
		done += r;
	}
	return r < 0 ? r : done;
}
