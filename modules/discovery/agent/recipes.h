/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "allow = recipe:cast device:tv": what a well-known kind of service takes,
 * as the lines of a configuration that one could write oneself: ports there,
 * ports back, and a [reflect]. Touches the configuration only.
 */
#ifndef GATEHOUSE_DISCOVERY_RECIPES_H
#define GATEHOUSE_DISCOVERY_RECIPES_H

#include "agent/lib/conf.h"

#define RECIPES_LINES_MAX 1024 /* that name a recipe, in a configuration */

/*
 * Puts lines in the place of those that name a recipe; before any check.
 * Complains about recipes and partners that are not there.
 */
void recipes_expand(struct conf *conf);

#endif
