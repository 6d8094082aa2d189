/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which interfaces of the zones exist, and which bridge ports belong to
 * them. Pure: works on facts about links that somebody else collected.
 */
#ifndef GATEHOUSE_ISOLATION_TOPOLOGY_H
#define GATEHOUSE_ISOLATION_TOPOLOGY_H

#include "modules/isolation/policy.h"

#define TOPOLOGY_PORTS_MAX ISOLATION_PORTS_MAX
#define TOPOLOGY_ADDRESSES_MAX ISOLATION_GATEWAYS_MAX
#define TOPOLOGY_UPLINKS_MAX 16 /* that nobody named */
#define TOPOLOGY_HOOKS_MAX (ISOLATION_ZONES_MAX + TOPOLOGY_UPLINKS_MAX)

/* A link as the kernel tells it. */
struct topology_fact {
	char name[16];
	int32_t index, master; /* master: 0 = none */
	bool bridge; /* is one */
	bool bridged; /* its master is one */
	struct mac mac; /* zero: has none */
	bool loopback;
	uint8_t kind; /* enum uplinks_kind */
};

/* An address of this machine. */
struct topology_address {
	struct ip ip;
	int32_t index; /* of its interface */
	uint8_t length; /* of the prefix that is on the link with it */
};

struct topology_port {
	char name[16];
	char bridge[16]; /* that it is a port of; or itself */
	int32_t index; /* 0: is on no bridge now */
	uint16_t zone; /* as in struct isolation_zone */
	uint8_t mode; /* of the zone */
	bool routed; /* the zone's interface itself, not a port */
	bool is_bridge; /* ... and it is a bridge */
	bool apart; /* of a bridge: is to be isolated from its neighbours */
	struct mac mac; /* its own; zero: has none */
	uint8_t binding, roaming; /* of the zone */
};

/* Where the world outside is, and the interface is there now. */
struct topology_hook {
	char name[16];
	int32_t index;
};

struct topology {
	/* Where devices are: ports and routed interfaces, by index. */
	struct topology_port *ports;
	size_t n_ports;
	bool full; /* ports were left out */
	/* The gateway's own on the zones' interfaces: each once, in order. */
	struct ip *addresses;
	size_t n_addresses;
	bool addresses_full; /* some were left out */
	/* Found by their routes (uplinks.h): in order. */
	char uplinks[TOPOLOGY_UPLINKS_MAX][16];
	size_t n_uplinks;
	/* Uplinks that are there, named or found. */
	struct topology_hook hooks[TOPOLOGY_HOOKS_MAX];
	size_t n_hooks;
	/* In the order of policy->zones. */
	struct isolation_link links[ISOLATION_ZONES_MAX];
	size_t n_links;
};

/*
 * Ports that the policy knows count also while they are on no bridge, so that
 * they are guarded when they come.
 */
void topology_build(const struct policy *policy,
	const struct topology_fact *facts, size_t n_facts,
	struct topology *ret_topology);
/*
 * Adds the bridge ports of before that are nowhere now, with index 0, so that
 * they are guarded when they come back: what is on another bridge is not.
 */
void topology_remember(struct topology *topology, const struct topology *before,
	const struct topology_fact *facts, size_t n_facts);
/*
 * Which ports the bridge itself is to keep apart (ports' apart): those of
 * zones that enforce, as long as nobody may be only observed there, because
 * the bridge knows ports and not devices.
 */
void topology_part(struct topology *topology, const struct policy *policy);
/* Which of the addresses of this machine are the devices' gateway. */
void topology_add_addresses(struct topology *topology,
	const struct topology_address *addresses, size_t n);
/* Instead: those that the policy knows from before. */
void topology_recall_addresses(
	struct topology *topology, const struct policy *policy);
/* An uplink is there. */
void topology_add_hook(
	struct topology *topology, const struct topology_fact *fact);
bool topology_is_gateway(const struct topology *topology, const struct ip *ip);
/* The same ports, modes, addresses and uplinks: the rules need no change. */
bool topology_same_ports(const struct topology *a, const struct topology *b);
const struct topology_port *topology_port(
	const struct topology *topology, int32_t index);
/* All of it once more. */
void topology_copy(
	const struct topology *topology, struct topology *ret_topology);
void topology_free(struct topology *topology);

#endif
