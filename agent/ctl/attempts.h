/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What would stop working: attempts that pass today because they are only
 * observed, and what the owner can write to keep each. Pure but for output.
 */
#ifndef GATEHOUSE_CTL_ATTEMPTS_H
#define GATEHOUSE_CTL_ATTEMPTS_H

#include <stddef.h>
#include <stdio.h>

#include "agent/ctl/plan.h"
#include "agent/ctl/view.h"

#define ATTEMPTS_LINE 96

/* "allow = tcp/443 203.0.113.10", say; empty when no setting helps. */
const char *attempts_allow(
	const struct view_attempt *attempt, char text[static ATTEMPTS_LINE]);
/*
 * Prints, device by device, the attempts that pass with the plan `before`
 * and would not with `after`. How many lines there were.
 */
size_t attempts_print(const struct view *view, const struct plan *before,
	const struct plan *after, FILE *out, size_t width);

/* Prints what one device tried, passed or not; how many lines. */
size_t attempts_print_of(
	const struct view *view, const char *mac, FILE *out, size_t width);

#endif
