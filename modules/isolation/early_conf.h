/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Default deny from the configuration alone, for a boot at which no saved
 * rules can be used: zones, devices and the owner's way in, and no line that
 * allows anything. The daemon adds those when it runs.
 */
#ifndef GATEHOUSE_ISOLATION_EARLY_CONF_H
#define GATEHOUSE_ISOLATION_EARLY_CONF_H

#include "modules/isolation/policy.h"

/*
 * From the text of "gatehoused --print-config", which has checked it. A
 * sealed policy; -ENOENT when no zone of devices enforces; negative with a
 * reason. Pure.
 */
_must_check_ int early_conf_policy(
	const char *text, struct policy *ret_policy, char *ret_reason);
/*
 * Has gatehoused print the configuration: file, or when that is NULL the one
 * that the daemon in this state folder would start with. The caller's to
 * free; -errno.
 */
_must_check_ int early_conf_read(
	const char *state, const char *file, char **ret_text);

#endif
