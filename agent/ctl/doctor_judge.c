/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts about this host to findings: what, why it matters, what to do.
 * Touches memory only; must never say that something is right that nobody
 * looked at.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/doctor.h"

#define PORT_DHCP 67
#define PORT_DHCP6 547

static struct doctor_finding *add(struct doctor_report *report,
	enum doctor_severity severity, const char *code, const char *why)
{
	static struct doctor_finding spare;
	struct doctor_finding *f = &spare;

	if (report->n < DOCTOR_FINDINGS_MAX)
		f = &report->findings[report->n++];
	memset(f, 0, sizeof(*f));
	f->severity = severity;
	f->code = code;
	f->why = why;
	return f;
}

static void text(char *to, const char *format, ...) _printf_(2, 3);
static void text(char *to, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(to, DOCTOR_TEXT, format, args);
	va_end(args);
}

static void good(
	struct doctor_report *report, const char *code, const char *what)
{
	text(add(report, DOCTOR_GOOD, code, NULL)->what, "%s", what);
}

static void judge_zone(
	struct doctor_report *report, const struct doctor_interface *i)
{
	struct doctor_finding *f;

	if (!i->present) {
		f = add(report, DOCTOR_PROBLEM, "zone.missing",
			"Nothing behind it is isolated until it appears.");
		text(f->what, "Zone %s names %s, which is not there.", i->zone,
			i->name);
		text(f->advice, "Correct interface = in [zone %s].", i->zone);
	} else if (i->devices && i->is_port) {
		f = add(report, DOCTOR_PROBLEM, "zone.port",
			"Its traffic comes in by the bridge, which no zone "
			"names, and is not isolated.");
		text(f->what, "%s of zone %s is a port of a bridge.", i->name,
			i->zone);
		text(f->advice, "Name the bridge in [zone %s].", i->zone);
	} else if (i->devices && !i->has_ipv4) {
		f = add(report, DOCTOR_PROBLEM, "zone.no-address",
			"Devices there cannot use this host as their gateway, "
			"so nothing of theirs passes it.");
		text(f->what, "%s of zone %s has no IPv4 address.", i->name,
			i->zone);
		text(f->advice,
			"Give %s an address, and let DHCP name it as the "
			"gateway.",
			i->name);
	}
}

static void judge_zones(
	const struct doctor_facts *facts, struct doctor_report *report)
{
	struct doctor_finding *f;
	bool any = false;
	size_t before = report->n;

	for (size_t i = 0; i < facts->n_interfaces; i++) {
		judge_zone(report, &facts->interfaces[i]);
		any |= facts->interfaces[i].devices;
	}
	if (!any) {
		f = add(report, DOCTOR_PROBLEM, "zone.none",
			"gatehouse isolates devices in zones of devices only.");
		text(f->what, "%s",
			facts->config_read
				? "No [zone] of devices names an interface."
				: "The configuration could not be read.");
		text(f->advice, "See gatehouse.conf(5), or run this as root.");
	} else if (before == report->n) {
		good(report, "zone", "The interfaces of all zones are there.");
	}
}

static bool serves(const struct doctor_facts *facts, uint16_t port)
{
	for (size_t i = 0; i < facts->n_sockets; i++)
		if (!facts->sockets[i].tcp && facts->sockets[i].port == port)
			return true;
	return false;
}

static void judge_path(
	const struct doctor_facts *facts, struct doctor_report *report)
{
	struct doctor_finding *f;
	char ip[IP_TEXT];

	if (serves(facts, PORT_DHCP)) {
		good(report, "dhcp", "A DHCP server runs on this host.");
	} else {
		f = add(report, DOCTOR_PROBLEM, "dhcp.none",
			"Who answers DHCP says which gateway devices use: if "
			"it is another box, their traffic does not pass here.");
		text(f->what, "No DHCP server listens on this host.");
		text(f->advice,
			"Run one here for the devices' interfaces and turn "
			"off any other there; or, with static addresses, give "
			"each device this host as its gateway.");
	}
	if (!facts->default4[0] && !facts->default6[0]) {
		f = add(report, DOCTOR_PROBLEM, "path.no-default",
			"Devices reach nothing outside by this host.");
		text(f->what, "There is no default route.");
		text(f->advice, "Connect the uplink.");
	}
	if (facts->uplink.family && procnet_is_private(&facts->uplink)) {
		f = add(report, DOCTOR_ADVICE, "path.double-nat",
			"Another router translates addresses once more: "
			"devices in its own network are outside of what is "
			"isolated here, and port forwards need both.");
		text(f->what, "The uplink %s has the private address %s.",
			facts->default4, ip_format(&facts->uplink, ip));
		text(f->advice,
			"Connect devices to this host only, or set the other "
			"router to bridge mode.");
	}
}

static void judge_forwarding(
	const struct doctor_facts *facts, struct doctor_report *report)
{
	struct doctor_finding *f;

	if (facts->forward4 == 1) {
		good(report, "forward.ipv4", "IPv4 is forwarded.");
	} else {
		f = add(report, DOCTOR_PROBLEM, "forward.ipv4",
			"Devices reach nothing outside.");
		text(f->what, "IPv4 forwarding is off.");
		text(f->advice,
			"Put net.ipv4.ip_forward = 1 into /etc/sysctl.d.");
	}
	if (facts->default6[0] && facts->forward6 != 1) {
		f = add(report, DOCTOR_ADVICE, "forward.ipv6",
			"There is IPv6 outside, but devices do not get it.");
		text(f->what, "IPv6 forwarding is off.");
		text(f->advice, "Put net.ipv6.conf.all.forwarding = 1 into "
				"/etc/sysctl.d.");
	}
	if (facts->bridge_nf == 1) {
		f = add(report, DOCTOR_ADVICE, "bridge-nf",
			"Frames between bridge ports then pass rules made for "
			"routing too, of other programs as well, which may "
			"drop or accept them a second time.");
		text(f->what, "bridge-nf-call-iptables is on.");
		text(f->advice, "Unless a program such as Docker needs it, put "
				"net.bridge.bridge-nf-call-iptables = 0 into "
				"/etc/sysctl.d.");
	}
	if (facts->rp_filter == 0) {
		f = add(report, DOCTOR_ADVICE, "rp-filter",
			"Packets from outside with addresses from inside are "
			"not dropped by the kernel.");
		text(f->what, "rp_filter is off on the uplink %s.",
			facts->default4);
		text(f->advice, "Put net.ipv4.conf.all.rp_filter = 2 into "
				"/etc/sysctl.d.");
	}
}

static void judge_port(
	struct doctor_report *report, const struct doctor_port *port)
{
	struct doctor_finding *f;

	switch (port->wifi.verdict) {
	case WIFI_OPEN:
		f = add(report, DOCTOR_PROBLEM, "wifi.open",
			"Its stations reach each other without passing this "
			"gateway.");
		text(f->what, "The Wi-Fi %s does not keep its stations apart.",
			port->name);
		text(f->advice,
			"Set ap_isolate=1 in %.250s (line %u) and restart "
			"hostapd.",
			port->wifi.file, port->wifi.line);
		return;
	case WIFI_CANNOT:
		f = add(report, DOCTOR_PROBLEM, "wifi.cannot",
			"Such radios, as in Raspberry Pi 3B+ and 4, forward "
			"between stations by themselves.");
		text(f->what, "The radio of %s cannot keep stations apart.",
			port->name);
		text(f->advice,
			"Use a Wi-Fi adapter or an access point with client "
			"isolation.");
		return;
	case WIFI_UNKNOWN:
		f = add(report, DOCTOR_ADVICE, "wifi.unknown",
			"Only ap_isolate=1 keeps stations apart.");
		text(f->what, "No configuration of hostapd names %s.",
			port->name);
		text(f->advice, "See that client isolation is on there.");
		return;
	case WIFI_APART:
		text(add(report, DOCTOR_GOOD, "wifi", NULL)->what,
			"The Wi-Fi %s keeps its stations apart.", port->name);
		return;
	case WIFI_WIRED:
		break;
	}
	if (port->macs > 1 && !port->is_bridge) {
		f = add(report, DOCTOR_ADVICE, "switch",
			"What a switch or access point between them forwards "
			"does not pass this gateway.");
		text(f->what, "%u devices are behind %s (zone %s).", port->macs,
			port->name, port->zone);
		text(f->advice,
			"Turn on port or client isolation there, or give each "
			"a port of its own.");
	}
}

static void judge_kernel(
	const struct doctor_facts *facts, struct doctor_report *report)
{
	struct doctor_finding *f;

	if (facts->kernel == DOCTOR_WORKS)
		good(report, "kernel", "The kernel takes all kinds of rules.");
	else if (facts->kernel == DOCTOR_FAILS) {
		f = add(report, DOCTOR_PROBLEM, "kernel",
			"Without it the rules cannot be loaded.");
		text(f->what, "The kernel refuses a rule: %.300s",
			facts->kernel_reason);
		text(f->advice, "Load or build what it lacks of nf_tables, "
				"nft_chain_nat, nft_fib_inet, nft_reject_inet, "
				"nft_redir, nft_limit, nft_ct.");
	} else {
		f = add(report, DOCTOR_ADVICE, "kernel.untried",
			"A kernel that lacks a part of nf_tables refuses the "
			"rules.");
		text(f->what, "Whether the kernel can do all was not tried.");
		text(f->advice, "Run this as root.");
	}
	if (facts->tables[0]) {
		f = add(report, DOCTOR_ADVICE, "firewall.others",
			"What they drop stays dropped, whatever gatehouse "
			"allows; gatehouse never touches them.");
		text(f->what, "Other firewall tables: %.300s.", facts->tables);
		text(f->advice,
			"If something that is allowed does not work, look "
			"there.");
	}
	if (!facts->daemon_runs) {
		f = add(report, DOCTOR_PROBLEM, "daemon",
			"The rules that were in force last stay, but nobody "
			"learns, warns or puts them back.");
		text(f->what, "gatehoused does not run.");
		text(f->advice, "sudo systemctl start gatehouse");
	}
}

static bool is_any(const struct ip *ip)
{
	static const uint8_t zero[16];

	return !memcmp(ip->b, zero, sizeof(zero));
}

/* What every gateway has towards its devices. */
static bool is_expected(const struct procnet_socket *s)
{
	return !s->tcp && (s->port == PORT_DHCP || s->port == PORT_DHCP6 ||
				  s->port == 68 || s->port == 546);
}

static bool is_repeated(const struct doctor_facts *facts, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (facts->sockets[i].port == facts->sockets[at].port &&
			facts->sockets[i].tcp == facts->sockets[at].tcp &&
			is_any(&facts->sockets[i].ip))
			return true;
	return false;
}

static void judge_listeners(
	const struct doctor_facts *facts, struct doctor_report *report)
{
	char list[DOCTOR_TEXT] = "";
	struct doctor_finding *f;
	size_t used = 0;

	for (size_t i = 0; i < facts->n_sockets; i++) {
		const struct procnet_socket *s = &facts->sockets[i];

		if (!is_any(&s->ip) || is_expected(s) ||
			is_repeated(facts, i) || used > 250)
			continue;
		used += (size_t)snprintf(list + used, sizeof(list) - used,
			"%s%s%s%s/%u", used ? ", " : "", s->program,
			s->program[0] ? " " : "", s->tcp ? "tcp" : "udp",
			s->port);
	}
	if (!used) {
		good(report, "listeners",
			"No service of this host listens on all addresses.");
		return;
	}
	f = add(report, DOCTOR_ADVICE, "listeners",
		"Towards devices only the rules of the input stand before "
		"them, and where a zone is only observed, nothing does.");
	text(f->what, "These listen on all addresses: %s.", list);
	text(f->advice,
		"Let them listen on the owner's address only, where they "
		"can.");
}

static int by_severity(const void *a, const void *b)
{
	const struct doctor_finding *x = a, *y = b;

	return (int)y->severity - (int)x->severity;
}

void doctor_judge(
	const struct doctor_facts *facts, struct doctor_report *ret_report)
{
	ret_report->n = 0;
	judge_zones(facts, ret_report);
	judge_path(facts, ret_report);
	judge_forwarding(facts, ret_report);
	judge_kernel(facts, ret_report);
	for (size_t i = 0; i < facts->n_ports; i++)
		judge_port(ret_report, &facts->ports[i]);
	judge_listeners(facts, ret_report);
	qsort(ret_report->findings, ret_report->n,
		sizeof(ret_report->findings[0]), by_severity);
}
