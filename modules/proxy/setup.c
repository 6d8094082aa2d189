/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proxy's part of the configuration, in the agent: [upgrade NAME],
 * [proxy], and `upgrade` of a device. Reads checked values only; whatever
 * could leave a device without its TLS is a problem here and not a surprise
 * at run time.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "modules/proxy/setup.h"
#include "modules/proxy/tls.h"

#define NOBODY "none"

static int check_protocol(const char *text)
{
	static const char *const known[] = {"mqtt", "http", "tcp"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(text, known[i]) == 0)
			return 0;
	return -EINVAL;
}

static int check_upstream_name(const char *text)
{
	return conf_check_hostname(text) == 0 ? 0 : conf_check_ip(text);
}

static const struct conf_key upgrade_keys[] = {
	{"protocol", check_protocol, "mqtt, http or tcp", false,
		"What the devices speak; required."},
	{"port", conf_check_port, "a port from 1 to 65535", false,
		"The plaintext port the devices dial; 1883 for mqtt, 80 for "
		"http."},
	{"upstream-port", conf_check_port, "a port from 1 to 65535", false,
		"The TLS port of the same server; 8883 for mqtt, 443 for "
		"http."},
	{"upstream-name", check_upstream_name,
		"a host name such as broker.example, or an address", false,
		"The name the server's certificate must have; for http the "
		"Host header is taken when this is missing."},
};

static const struct conf_key proxy_keys[] = {
	{"authorities", conf_check_path, "the path of a file", false,
		"PEM file of the authorities that servers are checked "
		"against."},
	{"first-port", conf_check_port, "a port from 1 to 65535", false,
		"Local port of the first upgrade, the next ones follow it."},
};

static const struct conf_key device_keys[] = {
	{"upgrade", conf_check_name_list,
		"names of [upgrade] sections, or none", false,
		"The upgrades this device uses; all of them by default."},
};

const struct conf_schema setup_schemas[SETUP_SCHEMAS] = {
	{"upgrade", true, upgrade_keys, ARRAY_SIZE(upgrade_keys)},
	{"proxy", false, proxy_keys, ARRAY_SIZE(proxy_keys)},
	{"device", true, device_keys, ARRAY_SIZE(device_keys)},
};

static uint8_t protocol_of(const struct conf_section *upgrade)
{
	const char *text = conf_text(upgrade, "protocol", "");

	if (strcmp(text, "mqtt") == 0)
		return PROXY_PROTOCOL_MQTT;
	return strcmp(text, "http") == 0 ? PROXY_PROTOCOL_HTTP
					 : PROXY_PROTOCOL_TCP;
}

static uint16_t port_of(
	const struct conf_section *section, const char *key, uint16_t otherwise)
{
	uint64_t port = otherwise;
	const struct conf_value *value = section ? conf_get(section, key)
						 : NULL;

	if (value && conf_read_number(value->text, 1, UINT16_MAX, &port) < 0)
		return otherwise;
	return (uint16_t)port;
}

/* The well-known ports of a protocol; plain tcp has none. */
static uint16_t usual_port(uint8_t protocol, bool upstream)
{
	if (protocol == PROXY_PROTOCOL_MQTT)
		return upstream ? 8883 : 1883;
	if (protocol == PROXY_PROTOCOL_HTTP)
		return upstream ? 443 : 80;
	return 0;
}

static void read_upgrade(const struct conf_section *section, uint16_t index,
	struct proxy_upgrade *ret_upgrade)
{
	struct proxy_upgrade u = {
		.index = index, .protocol = protocol_of(section)};

	u.port = port_of(section, "port", usual_port(u.protocol, false));
	u.upstream_port = port_of(
		section, "upstream-port", usual_port(u.protocol, true));
	snprintf(u.name, sizeof(u.name), "%s", section->name);
	snprintf(u.upstream_name, sizeof(u.upstream_name), "%s",
		conf_text(section, "upstream-name", ""));
	*ret_upgrade = u;
}

size_t setup_upgrades(const struct conf *conf,
	struct proxy_upgrade ret_upgrades[static PROXY_UPGRADES_MAX])
{
	size_t n = 0;

	for (const struct conf_section *s = conf_next(conf, "upgrade", NULL);
		s && n < PROXY_UPGRADES_MAX;
		s = conf_next(conf, "upgrade", s)) {
		read_upgrade(s, (uint16_t)n, &ret_upgrades[n]);
		n++;
	}
	return n;
}

static uint64_t all_of(size_t n)
{
	return n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static uint64_t find_upgrade(
	const char *name, const struct proxy_upgrade *upgrades, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(upgrades[i].name, name) == 0)
			return UINT64_C(1) << i;
	return 0;
}

uint64_t setup_device_upgrades(const struct conf_section *device,
	const struct proxy_upgrade *upgrades, size_t n_upgrades)
{
	const struct conf_value *value = conf_get(device, "upgrade");
	const char *rest = value ? value->text : NULL;
	char word[CONF_NAME_MAX + 1];
	uint64_t bits = 0;

	if (!value)
		return all_of(n_upgrades);
	while (conf_next_word(&rest, word, sizeof(word)) > 0)
		bits |= find_upgrade(word, upgrades, n_upgrades);
	return bits;
}

const char *setup_authorities(const struct conf *conf)
{
	return conf_text(conf_next(conf, "proxy", NULL), "authorities",
		SETUP_AUTHORITIES);
}

uint16_t setup_port(const struct conf *conf, size_t upgrade)
{
	uint16_t first = port_of(
		conf_next(conf, "proxy", NULL), "first-port", SETUP_FIRST_PORT);

	return (uint16_t)(first + upgrade);
}

static void require(struct conf *conf, const struct conf_section *s,
	const char *key, const char *hint)
{
	if (!conf_given(s, key))
		conf_complain(conf, s->file, s->line, "[upgrade %s] needs %s",
			s->name, hint);
}

static void check_upgrade(struct conf *conf, const struct conf_section *s)
{
	uint8_t protocol = protocol_of(s);

	if (!conf_given(s, "protocol")) {
		require(conf, s, "protocol", "'protocol = mqtt', http or tcp");
		return;
	}
	if (protocol == PROXY_PROTOCOL_TCP) {
		require(conf, s, "port", "'port =', the one the devices dial");
		require(conf, s, "upstream-port",
			"'upstream-port =', the server's TLS port");
	}
	if (protocol != PROXY_PROTOCOL_HTTP)
		require(conf, s, "upstream-name",
			"'upstream-name =', the name in the server's "
			"certificate: this protocol does not say it");
	if (strcmp(s->name, NOBODY) == 0)
		conf_complain(conf, s->file, s->line,
			"an upgrade cannot be called '%s': a device says that "
			"to have none",
			NOBODY);
}

static void check_word(struct conf *conf, const struct conf_value *value,
	const char *word, const struct proxy_upgrade *upgrades, size_t n)
{
	const char *known[PROXY_UPGRADES_MAX], *near;

	if (strcmp(word, NOBODY) == 0 || find_upgrade(word, upgrades, n))
		return;
	for (size_t i = 0; i < n; i++)
		known[i] = upgrades[i].name;
	near = conf_nearest(word, known, n);
	conf_complain(conf, value->file, value->line,
		"there is no [upgrade %s]%s%s%s", word,
		near ? "; did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

static void check_words(struct conf *conf, const struct conf_value *value,
	const struct proxy_upgrade *upgrades, size_t n)
{
	const char *rest = value->text;
	char word[CONF_NAME_MAX + 1];
	bool nobody = false;
	unsigned words = 0;

	while (conf_next_word(&rest, word, sizeof(word)) > 0) {
		check_word(conf, value, word, upgrades, n);
		nobody = nobody || strcmp(word, NOBODY) == 0;
		words++;
	}
	if (nobody && words > 1)
		conf_complain(conf, value->file, value->line,
			"'%s' cannot stand beside names of upgrades", NOBODY);
}

/* Two upgrades for one port: which one would it be? */
static void check_ports(struct conf *conf, const struct conf_section *device,
	const struct proxy_upgrade *upgrades, size_t n)
{
	const struct conf_value *value = conf_get(device, "upgrade");
	uint64_t bits = setup_device_upgrades(device, upgrades, n);

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++) {
			if (!(bits & UINT64_C(1) << i) ||
				!(bits & UINT64_C(1) << j) ||
				upgrades[i].port != upgrades[j].port ||
				upgrades[i].port == 0)
				continue;
			conf_complain(conf, value ? value->file : device->file,
				value ? value->line : device->line,
				"[device %s] would have two upgrades for port "
				"%u, %s and %s: name the one it uses with "
				"'upgrade ='",
				device->name, upgrades[i].port,
				upgrades[i].name, upgrades[j].name);
		}
}

static void check_devices(
	struct conf *conf, const struct proxy_upgrade *upgrades, size_t n)
{
	for (const struct conf_section *s = conf_next(conf, "device", NULL); s;
		s = conf_next(conf, "device", s)) {
		const struct conf_value *value = conf_get(s, "upgrade");

		if (value)
			check_words(conf, value, upgrades, n);
		check_ports(conf, s, upgrades, n);
	}
}

/* NULL when the file can be used, else what is wrong with it. */
static const char *judge_authorities(const char *path)
{
	_cleanup_(cleanup_close) int fd = open(
		path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "not a file";
	if (st.st_size == 0)
		return "it is empty";
	if (st.st_size > (off_t)TLS_AUTHORITIES_MAX)
		return "more than 4 MiB";
	return NULL;
}

static void check_authorities(struct conf *conf)
{
	const struct conf_section *proxy = conf_next(conf, "proxy", NULL);
	const struct conf_section *first = conf_next(conf, "upgrade", NULL);
	const struct conf_value *value = proxy ? conf_get(proxy, "authorities")
					       : NULL;
	const char *path = setup_authorities(conf);
	const char *wrong = judge_authorities(path);

	if (!wrong)
		return;
	conf_complain(conf, value ? value->file : first->file,
		value ? value->line : first->line,
		"cannot use the authorities in %s: %s%s", path, wrong,
		value ? ""
		      : "; install ca-certificates, or name a file with "
			"'authorities =' in [proxy]");
}

static void check_local_ports(struct conf *conf, size_t n)
{
	const struct conf_section *proxy = conf_next(conf, "proxy", NULL);
	const struct conf_value *value = proxy ? conf_get(proxy, "first-port")
					       : NULL;

	if (value && (size_t)setup_port(conf, 0) + n - 1 > UINT16_MAX)
		conf_complain(conf, value->file, value->line,
			"%zu upgrades need as many ports from first-port on, "
			"which ends at 65535",
			n);
}

void setup_check(struct conf *conf)
{
	struct proxy_upgrade upgrades[PROXY_UPGRADES_MAX];
	size_t n = setup_upgrades(conf, upgrades), count = 0;

	for (const struct conf_section *s = conf_next(conf, "upgrade", NULL); s;
		s = conf_next(conf, "upgrade", s)) {
		check_upgrade(conf, s);
		if (count++ == PROXY_UPGRADES_MAX)
			conf_complain(conf, s->file, s->line,
				"more than %d upgrades", PROXY_UPGRADES_MAX);
	}
	check_devices(conf, upgrades, n);
	if (n == 0)
		return;
	check_authorities(conf);
	check_local_ports(conf, n);
}
