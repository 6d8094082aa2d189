/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gatehouse knows of the gateway, a device and a warning, in the shape
 * in which processes pass it on. Text fields end with NUL; unused bytes are
 * zero.
 */
#ifndef GATEHOUSE_RECORD_H
#define GATEHOUSE_RECORD_H

#include <stdint.h>

#include "agent/lib/net.h"

#define RECORD_NAME 32
#define RECORD_STRANGER_BASE 0x40000000u /* ids of devices nobody configured */
#define RECORD_STRANGERS_MAX 12288 /* kept; more are only counted */

enum record_mode {
	RECORD_MODE_OBSERVE = 1,
	RECORD_MODE_ENFORCE = 2,
};

enum record_decision {
	RECORD_DECISION_QUARANTINE = 1, /* nobody decided yet */
	RECORD_DECISION_APPROVED = 2, /* has a [device] section */
	RECORD_DECISION_GUEST = 3, /* is let in by its zone */
	RECORD_DECISION_BLOCKED = 4, /* somebody decided that it may nothing */
};

/* What fits of value; the rest of the field is zero. */
void record_set_text(char *text, size_t size, const char *value);
/* approve, quarantine, block: an enum record_decision; -EINVAL. */
int record_parse_decision(const char *word);

/* What stands between a device and the rest at this moment. */
enum record_isolation {
	RECORD_ISOLATION_NONE = 0, /* no rules loaded */
	RECORD_ISOLATION_OBSERVED = 1, /* judged and counted, not dropped */
	RECORD_ISOLATION_ENFORCED = 2, /* and seen to hold */
	RECORD_ISOLATION_PARTIAL = 3, /* frames pass that nobody here sees */
	RECORD_ISOLATION_IMPOSSIBLE = 4, /* where it is, nothing helps */
	RECORD_ISOLATION_UNVERIFIED = 5, /* rules in force, not tried yet */
};

enum record_support {
	RECORD_SUPPORT_UNKNOWN = 0, /* no date known */
	RECORD_SUPPORT_SUPPORTED = 1,
	RECORD_SUPPORT_ENDING = 2, /* 180 days or fewer */
	RECORD_SUPPORT_ENDED = 3,
	RECORD_SUPPORT_NO_CLOCK = 4, /* the clock cannot be believed yet */
};

struct record_device {
	uint32_t id; /* of the configuration, from 1; or a stranger's */
	struct mac mac;
	uint8_t decision;
	uint8_t mode;
	uint8_t isolation;
	uint8_t support;
	uint16_t zero;
	int32_t support_days; /* until the end; negative after it */
	char name[RECORD_NAME]; /* of a stranger: its MAC as text */
	char zone[RECORD_NAME];
	char interface[16]; /* where it was last seen; empty = never */
	char support_ends[16]; /* as configured */
	char isolation_reason[192]; /* why it is no more, or how it is known */
	uint64_t tls_up, tls_down; /* payload bytes carried in TLS */
	uint64_t tls_flows, tls_refused; /* connections */
	uint64_t denied; /* attempts judged against it, dropped or observed */
	int64_t first_seen, last_seen; /* wall clock seconds; 0 = never */
	int64_t last_denied; /* when it was logged; 0 = never */
	char decided_by[96]; /* "FILE:LINE" or "registry: WHO" */
	char profile[RECORD_NAME]; /* that it was approved with */
	int64_t decision_until; /* then it is as before; 0: lasting */
	int64_t paused_until; /* nothing of it is blocked; 0: it is not */
};

enum record_severity {
	RECORD_SEVERITY_INFO = 1,
	RECORD_SEVERITY_WARNING = 2,
	RECORD_SEVERITY_CRITICAL = 3,
};

struct record_warning {
	uint32_t id; /* never reused while the daemon runs */
	uint32_t device; /* 0: the gateway itself */
	int64_t since; /* wall clock seconds */
	uint8_t severity;
	uint8_t zero[7];
	char code[32]; /* stable: "support.ended", "device.new" ... */
	char text[256]; /* what happened, to which device, what to do */
};

enum record_state {
	RECORD_STATE_STARTING = 1,
	RECORD_STATE_RUNNING = 2,
	RECORD_STATE_DEGRADED = 3, /* a part is not in force; see warnings */
	RECORD_STATE_STOPPING = 4,
};

struct record_gateway {
	uint8_t state;
	uint8_t mode; /* of [gateway] */
	uint8_t observed; /* 1: some zone or device is not enforced */
	uint8_t returned; /* 1: the files were not confirmed, so not in force */
	uint8_t safe_mode; /* 1: nothing is enforced, whatever is configured */
	uint8_t zero[3];
	uint64_t generation; /* of the configuration in force */
	uint64_t rules_generation; /* of the isolation rules in force; 0 none */
	uint64_t denied, bridged_denied, quarantined;
	uint64_t strangers; /* seen, also those not kept */
	int64_t started; /* wall clock seconds */
	int64_t confirm_until; /* the configuration is on trial; 0: it is not */
	int64_t paused_until; /* nothing at all is blocked; 0: it is not */
};

#endif
