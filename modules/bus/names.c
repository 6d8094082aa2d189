/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vocabulary of org.gatehouse1: words instead of numbers, object paths,
 * error names, text that a bus accepts. Pure; must never log or allocate.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/record.h"
#include "modules/bus/names.h"
#include "modules/discovery/discovery_proto.h"

const char *names_mode(uint8_t mode)
{
	switch ((enum record_mode)mode) {
	case RECORD_MODE_OBSERVE:
		return "observe";
	case RECORD_MODE_ENFORCE:
		return "enforce";
	}
	return "unknown";
}

const char *names_decision(uint8_t decision)
{
	switch ((enum record_decision)decision) {
	case RECORD_DECISION_QUARANTINE:
		return "quarantine";
	case RECORD_DECISION_APPROVED:
		return "approved";
	case RECORD_DECISION_GUEST:
		return "guest";
	case RECORD_DECISION_BLOCKED:
		return "blocked";
	}
	return "unknown";
}

const char *names_isolation(uint8_t isolation)
{
	switch ((enum record_isolation)isolation) {
	case RECORD_ISOLATION_NONE:
		return "none";
	case RECORD_ISOLATION_OBSERVED:
		return "observed";
	case RECORD_ISOLATION_ENFORCED:
		return "enforced";
	case RECORD_ISOLATION_PARTIAL:
		return "partial";
	case RECORD_ISOLATION_IMPOSSIBLE:
		return "impossible";
	case RECORD_ISOLATION_UNVERIFIED:
		return "unverified";
	}
	return "unknown";
}

const char *names_support(uint8_t support)
{
	switch ((enum record_support)support) {
	case RECORD_SUPPORT_UNKNOWN:
		return "unknown";
	case RECORD_SUPPORT_SUPPORTED:
		return "supported";
	case RECORD_SUPPORT_ENDING:
		return "ending";
	case RECORD_SUPPORT_ENDED:
		return "ended";
	case RECORD_SUPPORT_NO_CLOCK:
		return "no-clock";
	}
	return "unknown";
}

const char *names_severity(uint8_t severity)
{
	switch ((enum record_severity)severity) {
	case RECORD_SEVERITY_INFO:
		return "info";
	case RECORD_SEVERITY_WARNING:
		return "warning";
	case RECORD_SEVERITY_CRITICAL:
		return "critical";
	}
	return "unknown";
}

const char *names_reason(uint8_t reason)
{
	switch ((enum discovery_reason)reason) {
	case DISCOVERY_REASON_DENIED:
		return "denied";
	case DISCOVERY_REASON_QUARANTINED:
		return "quarantined";
	case DISCOVERY_REASON_BRIDGED:
		return "bridged";
	}
	return "unknown";
}

const char *names_state(uint8_t state)
{
	switch ((enum record_state)state) {
	case RECORD_STATE_STARTING:
		return "starting";
	case RECORD_STATE_RUNNING:
		return "running";
	case RECORD_STATE_DEGRADED:
		return "degraded";
	case RECORD_STATE_STOPPING:
		return "stopping";
	}
	return "unknown";
}

const char *names_protocol(uint8_t protocol, char text[static NAMES_PROTOCOL])
{
	if (protocol == IPPROTO_TCP)
		return "tcp";
	if (protocol == IPPROTO_UDP)
		return "udp";
	if (protocol == IPPROTO_ICMP)
		return "icmp";
	if (protocol == IPPROTO_ICMPV6)
		return "icmpv6";
	snprintf(text, NAMES_PROTOCOL, "%u", protocol);
	return text;
}

const char *names_device_path(uint32_t id, char path[static NAMES_PATH])
{
	snprintf(path, NAMES_PATH, BUS_DEVICES "/%" PRIu32, id);
	return path;
}

int names_device_id(const char *path, uint32_t *ret_id)
{
	static const char prefix[] = BUS_DEVICES "/";
	char again[NAMES_PATH];
	uint64_t id = 0;

	if (strncmp(path, prefix, sizeof(prefix) - 1) != 0)
		return -EINVAL;
	for (const char *p = path + sizeof(prefix) - 1; *p; p++) {
		if (*p < '0' || *p > '9' || id > UINT32_MAX)
			return -EINVAL;
		id = id * 10 + (uint64_t)(*p - '0');
	}
	if (id > UINT32_MAX)
		return -EINVAL;
	/* One device, one path: no leading zeros, not empty. */
	if (strcmp(names_device_path((uint32_t)id, again), path) != 0)
		return -EINVAL;
	*ret_id = (uint32_t)id;
	return 0;
}

const char *names_error(int error)
{
	switch (error) {
	case -EPERM:
	case -EACCES:
		return BUS_ERROR_NOT_ALLOWED;
	case -EBUSY:
	case -EALREADY:
		return BUS_ERROR_BUSY;
	case -ENOENT:
	case -ENOSYS:
	case -EIO:
	case -ENOMEM:
	case -ENOSPC:
	case -EPIPE:
	case -ENOBUFS:
	case -ETIMEDOUT:
		return BUS_ERROR_FAILED;
	}
	return BUS_ERROR_REFUSED;
}

/* The length of the well-formed UTF-8 character at p; 0 when it is none. */
static size_t utf8_length(const unsigned char *p)
{
	uint32_t c;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) /* also stops at the NUL */
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff)
		return 0;
	if (c >= 0xd800 && c <= 0xdfff)
		return 0;
	return n;
}

int names_clean(char *text, size_t size)
{
	unsigned char *p = (unsigned char *)text;

	if (memchr(text, '\0', size) == NULL)
		return -EBADMSG;
	while (*p) {
		size_t n = utf8_length(p);

		if (n == 0) {
			*p = '?';
			n = 1;
		}
		p += n;
	}
	return 0;
}
