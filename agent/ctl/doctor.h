/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "gatehouse doctor" knows of this host, and what it makes of it. The
 * judging is pure, the looking is in doctor_look.c.
 */
#ifndef GATEHOUSE_CTL_DOCTOR_H
#define GATEHOUSE_CTL_DOCTOR_H

#include "agent/ctl/plan.h"
#include "agent/ctl/procnet.h"
#include "agent/lib/wifi.h"

#define DOCTOR_INTERFACES_MAX 64
#define DOCTOR_PORTS_MAX 1024
#define DOCTOR_FINDINGS_MAX 128
#define DOCTOR_TEXT 400

enum doctor_severity {
	DOCTOR_GOOD = 0,
	DOCTOR_ADVICE = 1, /* could be better; nothing is broken */
	DOCTOR_PROBLEM = 2, /* devices are not isolated, or get no network */
};

struct doctor_finding {
	enum doctor_severity severity;
	const char *code; /* stable */
	char what[DOCTOR_TEXT];
	const char *why; /* NULL when good */
	char advice[DOCTOR_TEXT]; /* what to do */
};

struct doctor_report {
	struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	size_t n;
};

/* A port of a zone's bridge, or the zone's interface itself. */
struct doctor_port {
	char name[16], zone[32];
	struct wifi wifi;
	unsigned macs; /* seen behind it */
	bool is_bridge;
};

struct doctor_interface {
	char name[16], zone[32];
	bool devices; /* of a zone of devices */
	bool enforce, present, is_port;
	bool has_ipv4;
};

enum doctor_tried {
	DOCTOR_UNTRIED = 0, /* not root, or isolation was left out */
	DOCTOR_WORKS = 1,
	DOCTOR_FAILS = 2,
};

struct doctor_facts {
	bool config_read;
	struct doctor_interface interfaces[DOCTOR_INTERFACES_MAX];
	size_t n_interfaces;
	struct doctor_port ports[DOCTOR_PORTS_MAX];
	size_t n_ports;
	struct procnet_socket sockets[PROCNET_SOCKETS_MAX];
	size_t n_sockets;
	/* -1: not there */
	int forward4, forward6, bridge_nf, rp_filter;
	char default4[16], default6[16]; /* empty: no default route */
	struct ip uplink; /* of default4; family 0: none */
	char tables[DOCTOR_TEXT]; /* of others, in words; empty: none */
	enum doctor_tried kernel;
	char kernel_reason[DOCTOR_TEXT];
	bool daemon_runs;
	bool root;
};

/* Reads all of it; what cannot be read is left out. */
void doctor_look(const struct plan *plan, struct doctor_facts *facts);
/* Tables of nftables that are not ours, in words. -errno. */
_must_check_ int doctor_list_tables(char *text, size_t size);
/* The most serious first. Pure. */
void doctor_judge(
	const struct doctor_facts *facts, struct doctor_report *ret_report);

#endif
