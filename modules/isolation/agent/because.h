/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's answer to "why" in words, with the lines of the configuration
 * that it is about. Pure.
 */
#ifndef GATEHOUSE_ISOLATION_BECAUSE_H
#define GATEHOUSE_ISOLATION_BECAUSE_H

#include "agent/lib/conf.h"
#include "modules/bus/bus_proto.h"
#include "modules/isolation/isolation_proto.h"

/* Who else drops it, as a sentence; empty for nobody. */
void because_foreign(
	const struct isolation_foreign *foreign, char *ret_text, size_t size);
/* conf: the one in force. */
void because_explain(const struct conf *conf,
	const struct isolation_because *because, struct bus_because *ret_words);
/* The line that opened a way inside; NULL: it is not there any more. */
const struct conf_value *because_find_pass(const struct conf *conf,
	const struct conf_section *device, const struct isolation_pass *pass);
bool because_has_address(
	const struct conf_section *device, const struct ip *wanted);

#endif
