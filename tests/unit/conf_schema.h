/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small configuration for tests: two owners of keys in [device]. */
#ifndef GATEHOUSE_TESTS_CONF_SCHEMA_H
#define GATEHOUSE_TESTS_CONF_SCHEMA_H

#include "agent/lib/conf.h"

#define ADDRESSES "IPv4 or IPv6 addresses"

static const struct conf_key gateway_keys[] = {
	{"mode", conf_check_mode, "observe or enforce"},
	{"log-level", NULL, "anything"},
	{"name-server", conf_check_ip_list, ADDRESSES, true},
	{"admin", conf_check_ip_list, ADDRESSES, true},
};
static const struct conf_key zone_keys[] = {
	{"interface", conf_check_ifname_list, "names of interfaces"},
};
static const struct conf_key device_keys[] = {
	{"mac", conf_check_mac, "a MAC address such as 02:00:00:00:00:01"},
	{"zone", conf_check_name, "the name of a zone"},
};
static const struct conf_key isolation_keys[] = {
	{"allow", NULL, "anything", true},
};
static const struct conf_key proxy_keys[] = {
	{"authorities", conf_check_path, "an absolute path"},
	{"first-port", conf_check_port, "a port from 1 to 65535"},
};

static const struct conf_schema gateway_schema = {
	"gateway", false, gateway_keys, ARRAY_SIZE(gateway_keys)};
static const struct conf_schema zone_schema = {
	"zone", true, zone_keys, ARRAY_SIZE(zone_keys)};
static const struct conf_schema device_schema = {
	"device", true, device_keys, ARRAY_SIZE(device_keys)};
static const struct conf_schema isolation_schema = {
	"device", true, isolation_keys, ARRAY_SIZE(isolation_keys)};
static const struct conf_schema proxy_schema = {
	"proxy", false, proxy_keys, ARRAY_SIZE(proxy_keys)};
static const struct conf_schema *const schemas[] = {&gateway_schema,
	&zone_schema, &device_schema, &isolation_schema, &proxy_schema};

#endif
