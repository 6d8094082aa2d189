/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a Wi-Fi access point of this host keep its stations apart? Frames
 * between two stations of one radio never reach a bridge or a rule; only the
 * access point itself (hostapd's ap_isolate) can stop them.
 */
#ifndef GATEHOUSE_WIFI_H
#define GATEHOUSE_WIFI_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/lib/cleanup.h"

#define WIFI_BSS_MAX 32 /* networks of one file that are looked at */
#define WIFI_FILES_MAX 32 /* files of one folder */
#define WIFI_FILE_MAX (256u << 10)
#define WIFI_PATH 320

/* One network of a hostapd.conf. */
struct wifi_bss {
	char interface[16];
	unsigned line; /* where it begins, from 1 */
	unsigned isolate_line; /* of its ap_isolate; 0: not given */
	bool isolate;
};

enum wifi_verdict {
	WIFI_WIRED = 0, /* no Wi-Fi, or not there */
	WIFI_APART = 1, /* its stations are kept apart */
	WIFI_OPEN = 2, /* they are not; file and line say where to change it */
	WIFI_CANNOT = 3, /* the radio is not able to */
	WIFI_UNKNOWN = 4, /* no configuration of hostapd names it */
};

struct wifi {
	enum wifi_verdict verdict;
	char file[WIFI_PATH]; /* empty: none */
	unsigned line;
};

/* The networks of a hostapd.conf; how many of them were written. Pure. */
size_t wifi_parse(
	const char *text, size_t length, struct wifi_bss *ret_bss, size_t max);
/*
 * Looks at the interface in /sys and at hostapd's configurations in
 * /etc/hostapd and /var/run, all below root ("" for this host).
 */
void wifi_look(const char *root, const char *interface, struct wifi *ret_wifi);

#endif
