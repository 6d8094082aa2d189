/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at this host: /proc, /sys, its addresses. Reads only. What it may
 * not read, because the caller is not root, is left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <string.h>

#include "agent/ctl/doctor.h"

#define PATH 320

/* A file of /proc or /sys; empty when it cannot be read. */
static char *read_file(const char *path)
{
	char *text = NULL;

	if (procnet_read(path, &text) < 0)
		text = strdup("");
	if (!text)
		abort();
	return text;
}

static int read_number(const char *path)
{
	_cleanup_(cleanup_free) char *text = read_file(path);
	int value;

	return sscanf(text, "%d", &value) == 1 ? value : -1;
}

static bool exists(const char *interface, const char *what)
{
	char path[PATH];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", interface, what);
	return access(path, F_OK) == 0;
}

static bool is_name(const char *word)
{
	return word[0] && strlen(word) < 16 && !strchr(word, '/') &&
	       word[0] != '.';
}

static void add_interface(struct doctor_facts *facts, const struct plan *plan,
	const struct plan_section *zone, const char *name)
{
	struct doctor_interface *i;

	if (!is_name(name) || facts->n_interfaces == DOCTOR_INTERFACES_MAX)
		return;
	i = &facts->interfaces[facts->n_interfaces++];
	memcpy(i->name, name, strlen(name));
	snprintf(i->zone, sizeof(i->zone), "%s", zone->name);
	i->devices = !zone->role || !*zone->role ||
		     !strcmp(zone->role, "devices");
	i->enforce = !strcmp(plan_mode(plan, zone->name, ""), "enforce");
	i->present = exists(name, "");
	i->is_port = exists(name, "brport");
}

static void look_zones(const struct plan *plan, struct doctor_facts *facts)
{
	for (size_t k = 0; k < plan->n_sections; k++) {
		const struct plan_section *s = &plan->sections[k];
		char *words, *rest, *word;

		if (strcmp(s->type, "zone") != 0 || !s->interface)
			continue;
		words = rest = strdup(s->interface);
		if (!words)
			abort();
		while ((word = strsep(&rest, " \t,")) != NULL)
			add_interface(facts, plan, s, word);
		free(words);
	}
}

static struct doctor_port *add_port(struct doctor_facts *facts,
	const char *name, const struct doctor_interface *of)
{
	struct doctor_port *port;

	if (facts->n_ports == DOCTOR_PORTS_MAX || !is_name(name))
		return NULL;
	port = &facts->ports[facts->n_ports++];
	memcpy(port->name, name, strlen(name));
	memcpy(port->zone, of->zone, sizeof(port->zone));
	port->is_bridge = exists(name, "bridge");
	wifi_look("", name, &port->wifi);
	return port;
}

static size_t read_fdb(const char *bridge, struct procnet_fdb *list, size_t max)
{
	static uint8_t bytes[PROCNET_FDB_MAX * 16];
	_cleanup_(cleanup_close) int fd = -1;
	char path[PATH];
	size_t size = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brforward", bridge);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && size < sizeof(bytes) &&
		(n = read(fd, bytes + size, sizeof(bytes) - size)) > 0)
		size += (size_t)n;
	return procnet_parse_fdb(bytes, size, list, max);
}

static int port_number(const char *port)
{
	char path[PATH];
	_cleanup_(cleanup_free) char *text = NULL;
	unsigned number;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brport/port_no", port);
	text = read_file(path);
	return sscanf(text, "%x", &number) == 1 ? (int)number : -1;
}

static void look_bridge(
	struct doctor_facts *facts, const struct doctor_interface *of)
{
	static struct procnet_fdb fdb[PROCNET_FDB_MAX];
	size_t n = read_fdb(of->name, fdb, PROCNET_FDB_MAX);
	struct dirent *entry;
	char path[PATH];
	DIR *ports;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brif", of->name);
	ports = opendir(path);
	while (ports && (entry = readdir(ports)) != NULL) {
		struct doctor_port *port = add_port(facts, entry->d_name, of);
		int number = port ? port_number(port->name) : -1;

		for (size_t i = 0; i < n && port; i++)
			port->macs += fdb[i].port == number;
	}
	if (ports)
		closedir(ports);
}

static void look_ports(struct doctor_facts *facts)
{
	for (size_t i = 0; i < facts->n_interfaces; i++) {
		const struct doctor_interface *one = &facts->interfaces[i];

		if (!one->devices || !one->present)
			continue;
		(void)add_port(facts, one->name, one);
		if (exists(one->name, "bridge"))
			look_bridge(facts, one);
	}
}

static void look_addresses(struct doctor_facts *facts)
{
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list) < 0)
		return;
	for (struct ifaddrs *a = list; a; a = a->ifa_next) {
		uint16_t port;
		struct ip ip;

		if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET ||
			ip_from_sockaddr(a->ifa_addr, &ip, &port) < 0)
			continue;
		for (size_t i = 0; i < facts->n_interfaces; i++)
			if (!strcmp(facts->interfaces[i].name, a->ifa_name))
				facts->interfaces[i].has_ipv4 = true;
		if (!strcmp(facts->default4, a->ifa_name))
			facts->uplink = ip;
	}
	freeifaddrs(list);
}

static void look_sockets(struct doctor_facts *facts)
{
	static const struct {
		const char *path;
		bool tcp, six;
	} files[] = {
		{"/proc/net/tcp", true, false},
		{"/proc/net/tcp6", true, true},
		{"/proc/net/udp", false, false},
		{"/proc/net/udp6", false, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(cleanup_free) char *text = read_file(files[i].path);

		facts->n_sockets = procnet_parse_sockets(text, files[i].tcp,
			files[i].six, facts->sockets, facts->n_sockets,
			PROCNET_SOCKETS_MAX);
	}
}

static void name_socket(
	struct doctor_facts *facts, uint64_t inode, const char *pid)
{
	for (size_t i = 0; i < facts->n_sockets; i++) {
		struct procnet_socket *s = &facts->sockets[i];
		char path[PATH];

		if (s->inode != inode || s->program[0])
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", pid);
		_cleanup_(cleanup_free) char *name = read_file(path);

		name[strcspn(name, "\n")] = 0;
		snprintf(s->program, sizeof(s->program), "%.15s", name);
	}
}

static void look_process(struct doctor_facts *facts, const char *pid)
{
	char path[PATH], link[PATH], target[64];
	struct dirent *entry;
	uint64_t inode;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	fds = opendir(path);
	while (fds && (entry = readdir(fds)) != NULL) {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/%.16s/fd/%.16s", pid,
			entry->d_name);
		n = readlink(link, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = 0;
		if (sscanf(target, "socket:[%" SCNu64 "]", &inode) == 1)
			name_socket(facts, inode, pid);
	}
	if (fds)
		closedir(fds);
}

static void look_processes(struct doctor_facts *facts)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)) != NULL)
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			look_process(facts, entry->d_name);
	if (proc)
		closedir(proc);
}

static void look_kernel(struct doctor_facts *facts)
{
	_cleanup_(cleanup_free) char *routes4 = read_file("/proc/net/route");
	_cleanup_(cleanup_free) char *routes6 = read_file(
		"/proc/net/ipv6_route");
	char path[PATH];
	int own;

	facts->forward4 = read_number("/proc/sys/net/ipv4/ip_forward");
	facts->forward6 = read_number("/proc/sys/net/ipv6/conf/all/forwarding");
	facts->bridge_nf = read_number(
		"/proc/sys/net/bridge/bridge-nf-call-iptables");
	facts->rp_filter = -1;
	if (procnet_default6(routes6, facts->default6) < 0)
		facts->default6[0] = 0;
	if (procnet_default4(routes4, facts->default4) < 0)
		return;
	facts->rp_filter = read_number("/proc/sys/net/ipv4/conf/all/rp_filter");
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter",
		facts->default4);
	own = read_number(path);
	if (own > facts->rp_filter)
		facts->rp_filter = own;
}

void doctor_look(const struct plan *plan, struct doctor_facts *facts)
{
	look_zones(plan, facts);
	look_kernel(facts);
	look_addresses(facts);
	look_ports(facts);
	look_sockets(facts);
	look_processes(facts);
	if (doctor_list_tables(facts->tables, sizeof(facts->tables)) < 0)
		facts->tables[0] = 0;
}
